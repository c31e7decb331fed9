//! The program `viewer`; see the library beside it.

fn main() -> std::process::ExitCode {
    viewer::main()
}
