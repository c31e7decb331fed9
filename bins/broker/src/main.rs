//! The program `broker`; see the library beside it.

fn main() -> std::process::ExitCode {
    broker::main()
}
