//! The program `broker` under the name that packages install it by: `zmq-broker`.

fn main() -> std::process::ExitCode {
    broker::main()
}
