//! `broker service`: the broker as a service of Windows, which runs from the machine's
//! start on, without a console and whoever is logged in.

mod install;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Context as _;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    ServiceControlHandlerResult, ServiceStatusHandle, register,
};
use windows_service::{define_windows_service, service_dispatcher};

use crate::command::ServiceCommand;
use crate::config;
use crate::exit::Exit;
use crate::reload::Options;
use crate::signals::Event;

/// What the service is called, as its unit on Linux.
const NAME: &str = "zmq-broker";
/// The file beside the options that says why the service ended.
const FAILED: &str = "broker-failed.txt";
/// The first of the orders that services may give a meaning to.
const RELOAD: u32 = 128;
/// The service manager waits for as long until it hears again of a start or a stop.
const PATIENCE: Duration = Duration::from_secs(30);

impl ServiceCommand {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        match self {
            Self::Install { config } => install::install(config.as_deref(), out)?,
            Self::Reload => install::reload(out)?,
            Self::Remove => install::remove(out)?,
            Self::Run { config } => run(config)?,
        }
        Ok(Exit::Done)
    }
}

/// The service manager calls functions without values, so what they need is here.
static CONFIG: OnceLock<PathBuf> = OnceLock::new();
static HANDLE: OnceLock<ServiceStatusHandle> = OnceLock::new();
static EVENTS: OnceLock<Sender<Event>> = OnceLock::new();

define_windows_service!(begin, serve);

/// Lets the service manager run the service; returns when that has ended.
fn run(config: &Path) -> anyhow::Result<()> {
    CONFIG.get_or_init(|| config.to_owned());
    service_dispatcher::start(NAME, begin).context(
        "this is what the service manager of Windows calls: `broker service install` sets it \
         up, and in a console it is `broker --config FILE`",
    )
}

/// The service's main function.
fn serve(_words: Vec<OsString>) {
    let Ok(handle) = register(NAME, control) else {
        // Nobody would hear of it.
        return;
    };
    HANDLE.get_or_init(|| handle);
    tell(ServiceState::StartPending, 0);
    let ended = CONFIG.get().map_or(Ok(()), |config| broker(config));
    let code = match ended {
        Ok(()) => ServiceExitCode::NO_ERROR,
        Err(error) => {
            log::error!("{error:#}");
            leave_word(&error);
            ServiceExitCode::ServiceSpecific(1)
        }
    };
    set(ServiceStatus {
        exit_code: code,
        ..status(ServiceState::Stopped, 0)
    });
}

/// Leaves the reason where somebody who wonders finds it: where the log is stands in the
/// options, and those may be what is wrong.
fn leave_word(error: &anyhow::Error) {
    let Some(folder) = CONFIG.get().and_then(|config| config.parent()) else {
        return;
    };
    // There is nobody else to tell.
    let _told = std::fs::write(folder.join(FAILED), format!("{error:#}\n"));
}

fn broker(config: &Path) -> anyhow::Result<()> {
    let folder = config
        .parent()
        .context("the file of options has no folder")?;
    std::env::set_current_dir(folder)
        .with_context(|| format!("cannot go to {}", folder.display()))?;
    let words = words(config);
    let said = config::read_again(words)?;
    said.args.log.begin().context("cannot write the log")?;
    said.args.check().map_err(anyhow::Error::msg)?;
    // It tells of the last start alone.
    let _there = std::fs::remove_file(FAILED);
    crate::run(Options::new(said), |events| {
        EVENTS.get_or_init(|| events);
        Ok(())
    })
}

/// The command line that stands for the service's.
fn words(config: &Path) -> [OsString; 3] {
    ["broker".into(), "--config".into(), config.into()]
}

/// Does what the service manager asks for.
fn control(control: ServiceControl) -> ServiceControlHandlerResult {
    let event = match control {
        ServiceControl::Stop | ServiceControl::Preshutdown => Event::Stop,
        ServiceControl::ParamChange => Event::Hangup,
        ServiceControl::UserEvent(code) if code.to_raw() == RELOAD => Event::Hangup,
        ServiceControl::Interrogate => return ServiceControlHandlerResult::NoError,
        _ => return ServiceControlHandlerResult::NotImplemented,
    };
    if let Some(events) = EVENTS.get() {
        // The main thread ends only with the service.
        let _heard = events.send(event);
    }
    ServiceControlHandlerResult::NoError
}

/// Tells whether the service manager runs this.
pub(crate) fn is_one() -> bool {
    HANDLE.get().is_some()
}

/// Tells the service manager how far it is; `turn` grows while a start or a stop goes on.
pub(crate) fn tell(state: ServiceState, turn: u32) {
    set(status(state, turn));
}

fn set(status: ServiceStatus) {
    if let Some(handle) = HANDLE.get()
        && let Err(error) = handle.set_service_status(status)
    {
        log::warn!("the service manager can't be told how it goes: {error}");
    }
}

fn status(state: ServiceState, turn: u32) -> ServiceStatus {
    let is_pending = matches!(
        state,
        ServiceState::StartPending | ServiceState::StopPending
    );
    ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: match state {
            ServiceState::Running => {
                ServiceControlAccept::STOP
                    | ServiceControlAccept::PRESHUTDOWN
                    | ServiceControlAccept::PARAM_CHANGE
            }
            _ => ServiceControlAccept::empty(),
        },
        exit_code: ServiceExitCode::NO_ERROR,
        checkpoint: turn,
        wait_hint: if is_pending { PATIENCE } else { Duration::ZERO },
        process_id: None,
    }
}
