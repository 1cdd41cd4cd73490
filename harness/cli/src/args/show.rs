//! How all commands write.

use clap::ValueEnum;

/// How to write, whatever the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Whether to use colour. `auto`: on a terminal, unless `NO_COLOR` is set; `CLICOLOR_FORCE` asks for it elsewhere.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub(crate) color: Color,
    /// No progress and no notes on standard error; errors are still said.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Whether to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Where it can be seen and is wanted.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// For which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
