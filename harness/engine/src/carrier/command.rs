//! The command of `exec:`: split into words, and made independent of the folder in which it is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program and its arguments, all paths absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Why a command cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing after `exec:`.
    #[error("`exec:` names no command; write for instance `exec:node candidate.mjs`")]
    Empty,
    /// A quotation mark without its partner.
    #[error("the command `{0}` has a quotation mark that is not closed")]
    OpenQuote(String),
    /// No such program.
    #[error("the program `{program}` was not found {place}; check its name and that it is installed")]
    NotFound {
        /// As it was written.
        program: String,
        /// Where we looked.
        place: String,
    },
}

impl Command {
    /// Splits a command and resolves it against `folder`. There is no shell: quotation marks group words, a backslash takes the
    /// next character as it is (not inside single quotes), and nothing else is special.
    ///
    /// The program is looked up in `folder` if its name has a slash, else in `path` (the value of `PATH`). Arguments that name an
    /// existing file in `folder` become absolute, since the candidate is started in a folder of its own.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn resolve(text: &str, folder: &Path, path: Option<&std::ffi::OsStr>) -> Result<Self, CommandError> {
        let words = split(text)?;
        let (program, args) = words.split_first().ok_or(CommandError::Empty)?;
        let args = args.iter().map(|word| absolute(word, folder)).collect();
        Ok(Self { program: find(program, folder, path)?, args })
    }
}

fn absolute(word: &str, folder: &Path) -> OsString {
    let file = folder.join(word);
    // An option or a plain word stays, even where a folder of that name happens to exist.
    if !word.is_empty() && file.is_file() { file.into_os_string() } else { word.into() }
}

fn find(program: &str, folder: &Path, path: Option<&std::ffi::OsStr>) -> Result<PathBuf, CommandError> {
    if program.contains('/') {
        let file = folder.join(program);
        let place = format!("in {}", folder.display());
        return if file.is_file() { Ok(file) } else { Err(CommandError::NotFound { program: program.to_owned(), place }) };
    }
    std::env::split_paths(path.unwrap_or_default())
        .map(|dir| folder.join(dir).join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| CommandError::NotFound { program: program.to_owned(), place: "in the folders of PATH".to_owned() })
}

fn split(text: &str) -> Result<Vec<String>, CommandError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(CommandError::OpenQuote(text.to_owned()));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_and_quotes_group_them() {
        assert_eq!(split(r#" a "b c"  'd\"' e\ f "" "#).unwrap(), ["a", "b c", "d\\\"", "e f", ""]);
        assert_eq!(split("a 'b").unwrap_err(), CommandError::OpenQuote("a 'b".into()));
    }

    #[test]
    fn files_become_absolute_and_other_words_stay() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        std::fs::write(folder.path().join("bin/tool"), "").unwrap();
        std::fs::write(folder.path().join("main.mjs"), "").unwrap();
        let command = Command::resolve("bin/tool main.mjs bin --flag", folder.path(), None).unwrap();
        assert_eq!(command.program, folder.path().join("bin/tool"));
        assert_eq!(command.args, [folder.path().join("main.mjs").into_os_string(), "bin".into(), "--flag".into()]);
        let by_path = Command::resolve("tool", folder.path(), Some("bin".as_ref())).unwrap();
        assert_eq!(by_path.program, folder.path().join("bin/tool"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Command::resolve("no-such-program x", Path::new("/"), Some("/nowhere".as_ref())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the program `no-such-program` was not found in the folders of PATH; check its name and that it is installed"
        );
        assert_eq!(Command::resolve("  ", Path::new("/"), None).unwrap_err(), CommandError::Empty);
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in proptest::collection::vec("[a-z $*\"\\\\]{1,8}", 1..5)) {
            let text = words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&text).unwrap(), words);
        }
    }
}
