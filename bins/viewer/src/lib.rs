//! Shows, filters, counts and checks what the broker recorded.
//!
//! A library, so that more than one package can have a program that is this one.

mod args;
mod commands;
mod exit;
mod folder;
mod output;
mod pager;
mod platform;
mod program;
mod progress;
mod screen;
mod shown;

use std::process::ExitCode;

use crate::args::Args;
use crate::exit::Exit;

/// The whole program: reads the command line, and ends with its code.
pub fn main() -> ExitCode {
    let exit = match Args::from_words(std::env::args_os()) {
        Ok(args) => run(&args),
        Err(error) => output::print_usage(&error),
    };
    exit.into()
}

fn run(args: &Args) -> Exit {
    match commands::run(args) {
        Ok(exit) => exit,
        // Whoever reads the output has seen enough, as `head` has.
        Err(error) if output::is_closed_pipe(&error) => Exit::Done,
        Err(error) if output::print_pattern(&error) => Exit::Usage,
        Err(error) => {
            output::print_error(&error);
            Exit::Failed
        }
    }
}
