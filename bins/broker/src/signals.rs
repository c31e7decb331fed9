//! What the operating system and the broker's threads tell the main thread.

use std::sync::mpsc::{Receiver, Sender, channel};

use transport::Failure;

/// Something that the main thread acts on.
#[derive(Debug)]
pub(crate) enum Event {
    /// Ctrl+C or SIGTERM.
    Stop,
    /// SIGHUP: archive and go on.
    Archive,
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
                    let _heard = events.send(Event::Archive);
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

/// Windows has Ctrl+C alone, and no iterator over signals.
#[cfg(not(unix))]
pub(crate) fn listen(events: Sender<Event>) -> std::io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use signal_hook::consts::SIGINT;

    let stop = Arc::new(AtomicBool::new(false));
    // Registered first, so that it acts on the second Ctrl+C: by then the flag is set.
    signal_hook::flag::register_conditional_shutdown(
        SIGINT,
        crate::exit::INTERRUPTED,
        Arc::clone(&stop),
    )?;
    signal_hook::flag::register(SIGINT, Arc::clone(&stop))?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(100));
            }
            let _heard = events.send(Event::Stop);
        })?;
    Ok(())
}
