//! Puts the service among those of Windows, and takes it away.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceType, UserEventCode,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::{NAME, PATIENCE, RELOAD, words};
use crate::config;
use crate::line::line;

/// An account without rights of its own, which every Windows has.
const ACCOUNT: &str = r"NT AUTHORITY\LocalService";
/// The same, as `icacls` takes it in every language of Windows.
const ACCOUNT_ID: &str = "*S-1-5-19";
/// Windows' number for "there is no such service".
const NO_SUCH_SERVICE: i32 = 1060;

/// Registers the service, or what it is now of one that is there, and starts it.
pub(super) fn install(config: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let config = match config {
        Some(config) => std::path::absolute(config)?,
        None => usual_config()?,
    };
    let folder = config
        .parent()
        .context("the file of options has no folder")?;
    prepare(folder, &config)?;
    let said = config::read_again(words(&config))?;
    said.args
        .check()
        .map_err(anyhow::Error::msg)
        .with_context(|| config.display().to_string())?;
    let manager = manager(ServiceManagerAccess::CREATE_SERVICE)?;
    let info = info(&config)?;
    let service = match open(&manager)? {
        Some(service) => {
            stop(&service)?;
            service.change_config(&info).map(|()| service)
        }
        None => manager.create_service(&info, ServiceAccess::ALL_ACCESS),
    };
    let service = service.context("cannot register the service")?;
    describe(&service);
    service
        .start::<OsString>(&[])
        .context("cannot start the service")?;
    let log = said.args.log.log_file.map(|log| folder.join(log));
    await_start(&service, log.as_deref())?;
    line(
        out,
        &format!("[*] The service {NAME} runs, and starts with the machine"),
    )?;
    line(out, &format!("[*] Options: {}", config.display()))?;
    line(
        out,
        &format!("[*] Journal: {}", folder.join(&said.args.dir).display()),
    )?;
    if let Some(log) = log {
        line(out, &format!("[*] Log: {}", log.display()))?;
    }
    Ok(())
}

/// Lets the service read its options again.
pub(super) fn reload(out: &mut impl Write) -> anyhow::Result<()> {
    let manager = manager(ServiceManagerAccess::CONNECT)?;
    let Some(service) = open(&manager)? else {
        bail!("there is no service {NAME}");
    };
    let order = UserEventCode::from_raw(RELOAD).context("no order of services")?;
    service.notify(order).context("the service can't be told")?;
    line(
        out,
        "[*] The service reads its options again; what needs a restart stands in its log",
    )?;
    Ok(())
}

/// Stops the service and takes it away.
pub(super) fn remove(out: &mut impl Write) -> anyhow::Result<()> {
    let manager = manager(ServiceManagerAccess::CONNECT)?;
    let Some(service) = open(&manager)? else {
        bail!("there is no service {NAME}");
    };
    stop(&service)?;
    service.delete().context("cannot take the service away")?;
    line(
        out,
        &format!("[*] The service {NAME} is gone; its options, its journal and its log stay"),
    )?;
    Ok(())
}

/// Returns where the options are by default.
fn usual_config() -> anyhow::Result<PathBuf> {
    let data = std::env::var_os("ProgramData").context("%ProgramData% is not set")?;
    Ok(PathBuf::from(data).join(NAME).join("broker.toml"))
}

/// Makes a folder that the service may write to, with a file of options.
fn prepare(folder: &Path, config: &Path) -> anyhow::Result<()> {
    if folder.parent().is_none() {
        bail!(
            "{} is a whole drive, and the service may write to all of the folder of its \
             options: give them one of their own",
            folder.display()
        );
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if !config.exists() {
        std::fs::write(config, include_str!("broker.toml"))
            .with_context(|| format!("cannot write {}", config.display()))?;
    }
    let mut rights = Command::new("icacls");
    rights
        .arg(folder)
        .arg("/grant")
        .arg(format!("{ACCOUNT_ID}:(OI)(CI)M"));
    rights.stdin(Stdio::null()).stdout(Stdio::null());
    let given = rights.status().context("cannot run icacls")?;
    if !given.success() {
        bail!(
            "{ACCOUNT}, as which the service runs, can't be given the right to write to {}",
            folder.display()
        );
    }
    Ok(())
}

fn manager(access: ServiceManagerAccess) -> anyhow::Result<ServiceManager> {
    let access = access | ServiceManagerAccess::CONNECT;
    ServiceManager::local_computer(None::<&str>, access)
        .context("cannot reach the service manager: it takes an administrator's console")
}

/// Opens the service, if there is one.
fn open(manager: &ServiceManager) -> anyhow::Result<Option<Service>> {
    match manager.open_service(NAME, ServiceAccess::ALL_ACCESS) {
        Ok(service) => Ok(Some(service)),
        Err(windows_service::Error::Winapi(error))
            if error.raw_os_error() == Some(NO_SUCH_SERVICE) =>
        {
            Ok(None)
        }
        Err(error) => {
            Err(error).context("cannot open the service: it takes an administrator's console")
        }
    }
}

fn info(config: &Path) -> anyhow::Result<ServiceInfo> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(ServiceInfo {
        name: NAME.into(),
        display_name: "ZeroMQ recording broker".into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: vec![
            "service".into(),
            "run".into(),
            "--config".into(),
            config.into(),
        ],
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    })
}

/// Says what people read of it, and what is to be done when it fails: it is started again,
/// ever later, as long as it takes. Without one of these it is a service all the same.
fn describe(service: &Service) {
    let restart = |seconds| ServiceAction {
        action_type: ServiceActionType::Restart,
        delay: Duration::from_secs(seconds),
    };
    let told = [
        service.set_description("Records every message of agents before anyone sees it"),
        service.update_failure_actions(ServiceFailureActions {
            reset_period: ServiceFailureResetPeriod::After(Duration::from_secs(3600)),
            reboot_msg: None,
            command: None,
            actions: Some(vec![restart(1), restart(5), restart(30)]),
        }),
        service.set_failure_actions_on_non_crash_failures(true),
        // Windows waits for as long before it goes on to end.
        service.set_preshutdown_timeout(PATIENCE),
    ];
    let what = [
        "the description",
        "that it is started again after a crash",
        "that it is started again after an error",
        "how long Windows waits for it when it shuts down",
    ];
    for (what, told) in what.into_iter().zip(told) {
        if let Err(error) = told {
            log::warn!("{what} can't be set: {:#}", anyhow::Error::from(error));
        }
    }
}

/// Waits until the service runs, or has failed.
fn await_start(service: &Service, log: Option<&Path>) -> anyhow::Result<()> {
    loop {
        let status = service.query_status()?;
        match status.current_state {
            ServiceState::Running => return Ok(()),
            ServiceState::Stopped => {
                let why = match status.exit_code {
                    ServiceExitCode::Win32(code) => {
                        std::io::Error::from_raw_os_error(code as i32).to_string()
                    }
                    ServiceExitCode::ServiceSpecific(_) => match log {
                        Some(log) => format!("{} says why", log.display()),
                        None => "there is no log: give it log-file = \"broker.log\" in its options"
                            .to_owned(),
                    },
                };
                bail!("the service does not run: {why}");
            }
            _ => std::thread::sleep(POLL),
        }
    }
}

/// How often the service manager is asked.
const POLL: Duration = Duration::from_millis(100);

/// Stops the service if it runs, and waits until it has ended.
fn stop(service: &Service) -> anyhow::Result<()> {
    let begin = Instant::now();
    let mut is_told = false;
    loop {
        match service.query_status()?.current_state {
            ServiceState::Stopped => return Ok(()),
            // It takes no orders while it starts.
            ServiceState::Running if !is_told => {
                service.stop().context("cannot stop the service")?;
                is_told = true;
            }
            _ if begin.elapsed() > PATIENCE => {
                bail!("the service has not stopped for {} s", PATIENCE.as_secs())
            }
            _ => std::thread::sleep(POLL),
        }
    }
}
