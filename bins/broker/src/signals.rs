//! What the operating system and the broker's threads tell the main thread.

use std::sync::mpsc::{Receiver, Sender, channel};

use transport::Failure;

/// Something that the main thread acts on.
#[derive(Debug)]
pub(crate) enum Event {
    /// Ctrl+C, SIGTERM, or the end that Windows has ordered.
    Stop,
    /// SIGHUP, or a service's changed parameters: archive or read the options again, and
    /// go on.
    Hangup,
    /// The broker can't go on.
    Failed(Failure),
}

/// Makes the channel on which events come.
pub(crate) fn events() -> (Sender<Event>, Receiver<Event>) {
    channel()
}

/// Sends an event for each signal. A second order to stop ends the program at
/// once: everything that was acknowledged or delivered is on disk.
#[cfg(unix)]
pub(crate) fn listen(events: Sender<Event>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if !crate::platform::ignores_hangup() {
        signals.add_signal(SIGHUP)?;
    }
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut stopping = false;
            for signal in signals.forever() {
                if signal == SIGHUP {
                    // The main thread ends only with the program.
                    let _heard = events.send(Event::Hangup);
                } else if stopping {
                    signal_hook::low_level::exit(crate::exit::INTERRUPTED);
                } else {
                    stopping = true;
                    let _heard = events.send(Event::Stop);
                }
            }
        })?;
    Ok(())
}

/// Sends an event for Ctrl+C, Ctrl+Break, and where the console is closed or Windows ends.
/// The system ends the program some seconds after the latter two, however far it is; what
/// is registered here keeps it from doing that at once. A second order ends it at once.
#[cfg(windows)]
pub(crate) fn listen(events: Sender<Event>) -> std::io::Result<()> {
    use std::future::poll_fn;
    use std::task::{Context, Poll};

    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    let mut next = move |context: &mut Context<'_>| {
        let came = [
            interrupt.poll_recv(context),
            stop.poll_recv(context),
            close.poll_recv(context),
            shutdown.poll_recv(context),
        ];
        match came.iter().any(Poll::is_ready) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(poll_fn(&mut next));
            let _heard = events.send(Event::Stop);
            runtime.block_on(poll_fn(&mut next));
            std::process::exit(crate::exit::INTERRUPTED);
        })?;
    Ok(())
}
