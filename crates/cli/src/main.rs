//! The program `medclip`.

use std::process::ExitCode;

fn main() -> ExitCode {
    medclip_cli::main()
}
