//! `xln`: XLN from the command line.

fn main() -> std::process::ExitCode {
    xln_client::cli::main(std::env::args_os())
}
