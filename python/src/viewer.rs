//! The program `viewer` under the name that packages install it by: `zmq-viewer`.

fn main() -> std::process::ExitCode {
    viewer::main()
}
