//! Runs the simulator over many seeds, or repeats one run: see `--help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    simulation::command(std::env::args().skip(1), &mut std::io::stdout().lock())
}
