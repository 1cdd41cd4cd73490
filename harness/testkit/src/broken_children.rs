//! Child processes that do not do what a candidate has to do, as scripts for `sh`.

/// A `describe` answer of the right form, with a clock that is right when `CLOCK` is replaced.
pub const DESCRIPTION: &str = r#"{"name":"Broken","version":"0","build":"test","operator":"nobody","contract":"1.0","clock":CLOCK,"bindings":["portable"],"suites":["signal-pq"],"features":["text"],"capabilities":[],"limits":{"text_bytes":65536,"file_bytes":1048576,"instances":8}}"#;

/// The script of a child, by what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Prints a banner on standard output.
    Banner,
    /// Ends at once with status 7, and says why on standard error.
    DiesAtOnce,
    /// Answers one call, then is killed by a signal.
    DiesInTheMiddle,
    /// Reads, and never answers.
    Hangs,
    /// Answers `describe` with an empty object, and nothing else ever.
    DescribesOnly,
    /// Neither reads nor answers, and will not end when asked to.
    Stubborn,
    /// Floods standard error, then answers.
    FloodsStderr,
    /// A line without end on standard output.
    EndlessLine,
    /// Answers, but with another version of the contract.
    WrongVersion,
    /// Closes standard output and lives on.
    ClosesStdout,
    /// Answers the second call before the first.
    Reorders,
    /// Starts a process that would outlive it, and answers with the path of a named pipe that this process holds open for writing.
    LeavesAProcess,
}

impl Child {
    /// The script.
    #[must_use]
    pub fn script(self) -> String {
        let answer = |id: &str| format!(r#"printf '{{"id":%s,"ok":{{"version":"%s"}}}}\n' {id} 1"#);
        match self {
            Self::Banner => "echo 'Listening on port 8080'; cat >/dev/null".to_owned(),
            Self::DiesAtOnce => "echo 'cannot load the library' >&2; exit 7".to_owned(),
            Self::DiesInTheMiddle => format!("read line; {}; read line; kill -9 $$", answer("1")),
            Self::Hangs => "cat >/dev/null".to_owned(),
            Self::DescribesOnly => concat!(
                r#"while read -r line; do case "$line" in *'"op":"describe"'*) id=${line#*'"id":'}; "#,
                r#"printf '{"id":%s,"ok":{}}\n' "${id%%,*}";; esac; done"#
            )
            .to_owned(),
            // `sh` itself waits, so that the process group is what has to be ended.
            Self::Stubborn => "trap '' TERM; while :; do sleep 600; done".to_owned(),
            Self::FloodsStderr => format!(
                "i=0; while [ $i -lt 3000 ]; do echo 'warning: {} no $i'; i=$((i+1)); done >&2; read line; {}; cat >/dev/null",
                "x".repeat(400),
                answer("1")
            )
            .replace("'warning: ", "\"warning: ")
            .replace("no $i'", "no $i\""),
            Self::EndlessLine => "cat /dev/zero".to_owned(),
            Self::WrongVersion => {
                let description = DESCRIPTION.replace("CLOCK", "'\"$(date +%s)000\"'").replace("\"1.0\"", "\"9.4\"");
                format!("read line; echo '{{\"id\":1,\"ok\":{description}}}'; cat >/dev/null")
            }
            Self::ClosesStdout => "exec >&-; cat >/dev/null".to_owned(),
            Self::Reorders => format!("read a; read b; {}; {}; cat >/dev/null", answer("2"), answer("1")),
            Self::LeavesAProcess => {
                // Opened for both, so that nobody waits: the process holds its end before the answer goes out.
                r#"mkfifo lives; exec 3<>lives; sleep 600 >&3 & exec 3>&-; read line; printf '{"id":1,"ok":"%s"}\n' "$(pwd)/lives"; read line"#
                    .to_owned()
            }
        }
    }
}
