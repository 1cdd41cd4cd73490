//! `countersign completions` and `countersign man`: made from the arguments themselves.

use crate::args::{Args, Completions};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use clap::CommandFactory as _;

pub(crate) fn completions(args: &Completions) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "countersign", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Conforms)
}

/// The page of the command and, after it, one of each subcommand.
pub(crate) fn man() -> Result<Exit, Fault> {
    let mut command = Args::command();
    // Fills in what subcommands inherit, and their names: `countersign-run`.
    command.build();
    let mut page = Vec::new();
    let mut render = |command: clap::Command| clap_mangen::Man::new(command).render(&mut page).map_err(Fault::Print);
    let subcommands: Vec<clap::Command> = command.get_subcommands().filter(|c| c.get_name() != "help").cloned().collect();
    render(command)?;
    for subcommand in subcommands {
        render(subcommand)?;
    }
    output::data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Conforms)
}
