//! A child process whose output is collected, and everything about it when a test fails.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::wait::until;

/// What a stream has carried so far.
#[derive(Debug)]
pub(crate) struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    /// Reads the stream to its end on a thread of its own.
    pub(crate) fn from(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count) = stream.read(&mut chunk) {
                if count == 0 {
                    break;
                }
                sink.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Self {
            bytes,
            reader: Some(reader),
        }
    }

    /// The text so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn len(&self) -> usize {
        self.bytes.lock().unwrap().len()
    }

    /// The text to the end of the stream: waits for the process to close it.
    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// How a process ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The command line.
    pub(crate) command: String,
    /// The status it ended with.
    pub(crate) status: ExitStatus,
    /// All of its standard output.
    pub(crate) stdout: String,
    /// All of its standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Asserts the exit code, and passes the value on.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "exit code of\n{}",
            self.report()
        );
        self
    }

    /// Asserts that standard output has `text` in it.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "no {text:?} on standard output of\n{}",
            self.report()
        );
        self
    }

    /// Asserts that standard output has no `text` in it.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(
            !self.stdout.contains(text),
            "{text:?} on standard output of\n{}",
            self.report()
        );
        self
    }

    /// Asserts that standard error has `text` in it.
    #[track_caller]
    pub(crate) fn warns(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "no {text:?} on standard error of\n{}",
            self.report()
        );
        self
    }

    /// Asserts that standard error is empty.
    #[track_caller]
    pub(crate) fn without_warning(self) -> Self {
        assert!(
            self.stderr.is_empty(),
            "something on standard error of\n{}",
            self.report()
        );
        self
    }

    /// Command, status and both streams, for the message of a failed assertion.
    pub(crate) fn report(&self) -> String {
        report(
            &self.command,
            &self.status.to_string(),
            &self.stdout,
            &self.stderr,
        )
    }
}

/// A running process. It is killed when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Process {
    command: String,
    pub(crate) child: Child,
    pub(crate) stdout: Collected,
    pub(crate) stderr: Collected,
}

impl Process {
    /// Starts the command with both streams collected.
    pub(crate) fn start(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {line}: {error}"));
        let stdout = Collected::from(child.stdout.take().expect("stdout is piped"));
        let stderr = Collected::from(child.stderr.take().expect("stderr is piped"));
        Self {
            command: line,
            child,
            stdout,
            stderr,
        }
    }

    /// Waits until standard output, or the end of the process, satisfies `look`.
    #[track_caller]
    pub(crate) fn wait_stdout<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        until(what, || {
            // The status is taken first: output written before the end is then complete.
            let ended = self.child.try_wait().expect("a child can be waited for");
            if ended.is_some() {
                self.stdout.finish();
                self.stderr.finish();
            }
            let found = look(&self.stdout.text());
            assert!(
                found.is_some() || ended.is_none(),
                "it ended before: {what}"
            );
            found
        })
    }

    /// Waits until standard output has `text` in it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_stdout(text, |stdout| stdout.contains(text).then_some(()));
    }

    /// Waits until standard output has `text` in it or the process has ended;
    /// true if the text came.
    #[track_caller]
    pub(crate) fn wait_for_or_end(&mut self, text: &str) -> bool {
        until(text, || {
            // Asked first: what a process has written before its end counts.
            let ended = self.child.try_wait().unwrap();
            let found = self.stdout.text().contains(text);
            (found || ended.is_some()).then_some(found)
        })
    }

    /// Waits until standard error has `text` in it.
    #[track_caller]
    pub(crate) fn wait_for_warning(&self, text: &str) {
        until(text, || self.stderr.text().contains(text).then_some(()));
    }

    /// Waits for the process to end by itself: as long as it says something, it is given
    /// more time, since how much it gets done in a minute is up to the machine.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> Ended {
        let status = loop {
            let said = self.stdout.len();
            let step = until("the process to end, or to say more", || {
                let ended = self.child.try_wait().expect("a child can be waited for");
                ended
                    .map(Some)
                    .or_else(|| (self.stdout.len() > said).then_some(None))
            });
            if let Some(status) = step {
                break status;
            }
        };
        Ended {
            command: self.command.clone(),
            status,
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
        }
    }

    /// Ends the process in the way that gives it no chance to do anything about it.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Sends a signal by its name, such as `TERM`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id();
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {pid}"))
            .status()
            .expect("sh sends signals");
        assert!(status.success(), "no process {pid} to send SIG{name} to");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let status = match self.child.try_wait() {
            Ok(Some(status)) => status.to_string(),
            _ => "still running".to_owned(),
        };
        // Both fail when the process is gone already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            let report = report(
                &self.command,
                &status,
                &self.stdout.text(),
                &self.stderr.text(),
            );
            eprintln!("{report}");
        }
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ended {
    Process::start(command).wait_exit()
}

fn report(command: &str, status: &str, stdout: &str, stderr: &str) -> String {
    format!(
        "--- command: {command}\n--- status: {status}\n--- stdout:\n{stdout}\n--- stderr:\n{stderr}\n---"
    )
}
