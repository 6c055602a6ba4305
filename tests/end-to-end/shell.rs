//! A shell, and somebody who types commands into it: what they type and what they see then is a file in `transcripts`, for people to
//! read.
//!
//! In such a file, a line behind `$` is typed, a line behind `#` is said to whoever reads it, and all others are what was to be
//! seen: standard output, then standard error behind `!`, then the exit code in brackets if it is not 0. What differs from run
//! to run is masked. A command that ends with `# until TEXT` is typed again and again until that text is to be seen.
//! `UPDATE_EXPECT=1` writes the files anew.

use expect_test::ExpectFile;
use regex::{Captures, Regex};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;
use tempfile::TempDir;

use crate::host::PATIENCE;
use crate::{production, samples};

/// What a person may have set that commands go by.
const LEFT_OUT: [&str; 6] = ["RUST_LOG", "NO_COLOR", "COLUMNS", "DACAPO_URL", "DACAPO_KEY", "AzureWebJobsStorage"];

/// What differs from run to run, and what stands in its place. Where there are columns, both are equally long.
const MASKS: [(&str, Mask); 23] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", Mask::Text("<moment>")),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", Mask::Text("YYYY-MM-DD hh:mm:ss.mmm")),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", Mask::Text("YYYY-MM-DD hh:mm:ss")),
    (r"\b\d{4}-\d\d-\d\d\b", Mask::Text("YYYY-MM-DD")),
    (r"(?m)^\d\d:\d\d:\d\d  ", Mask::Text("hh:mm:ss  ")),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", Mask::Text("<id>")),
    (r"\b[0-9a-f]{8,}\b", Mask::Letters('x')),
    (r"\b(localhost|127\.0\.0\.1):\d{4,5}\b", Mask::Text("$1:PORT")),
    (r"\b(TK|FL|HO|TR)-[A-Z0-9]{6}\b", Mask::Text("$1-XXXXXX")),
    // The scale of a timeline, and where on it something is.
    (r"(?m)^ +0( +[\d.]+( m?s)?)*$", Mask::Text("   0 ...")),
    (r"(?m) +(█+)(✗?) +", Mask::Text(" █$2 ")),
    (r"(?m) +─+ +", Mask::Text(" ─ ")),
    (r"(?m) +◆ +", Mask::Text(" ◆ ")),
    (r" +\d+(\.\d+)? ?[mµ]?s\b", Mask::Text(" N ms")),
    (r"\b\d+(\.\d+)? ?[mµ]?s\b", Mask::Text("N ms")),
    (r"\(os error \d+\)", Mask::Text("(os error N)")),
    (r"\b(RUSTCONF|EURORUST)-[A-Z0-9]{6}\b", Mask::Text("$1-XXXXXX")),
    (r#"("(?:durationMs|duration_ms|bytes)": ?)\d+"#, Mask::Text("${1}N")),
    (r"\b\d+ (bytes|events)\b", Mask::Text("N $1")),
    (r"\bdcpo_[mfs]\.\.\.[\w-]{4}", Mask::Text("dcpo_k...XXXX")),
    (r"\bdcpo_[\w-]+", Mask::Text("dcpo_KEY")),
    (r"\b\d+(\.\d+)? [KM]iB\b", Mask::Text("N KiB")),
    (r"(?m) +\d+\.\d( +\d+\.\d)?$", Mask::Text(" N.N N.N")),
];

#[derive(Clone, Copy)]
enum Mask {
    /// A text, with the groups of the pattern as `$1` and so on.
    Text(&'static str),
    /// As many of these as there were letters.
    Letters(char),
}

/// A shell in a folder of its own.
pub(crate) struct Shell {
    folder: TempDir,
    environment: Vec<(String, OsString)>,
    /// Texts that are not the same everywhere, and what stands for them.
    places: Vec<(String, String)>,
    masks: Vec<(Regex, Mask)>,
}

impl Shell {
    /// `dacapo` is to be found by its name.
    pub(crate) fn new() -> Shell {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let binary = Path::new(env!("CARGO_BIN_EXE_dacapo")).parent().expect("a file is in a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [binary.to_owned()].into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).expect("folders without colons");
        let place = folder.path().to_str().expect("a text").to_owned();
        let masks = MASKS.iter().map(|(pattern, mask)| (Regex::new(pattern).expect("a good pattern"), *mask));
        Shell {
            folder,
            environment: vec![("PATH".to_owned(), path)],
            places: vec![(place, "FOLDER".to_owned())],
            masks: masks.collect(),
        }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Shell {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Says `name` where this text is to be seen.
    pub(crate) fn masking(mut self, text: &str, name: &str) -> Shell {
        self.places.push((text.to_owned(), name.to_owned()));
        self
    }

    /// Puts a file into the folder, or into one below it.
    pub(crate) fn with_file(self, name: &str, content: impl AsRef<[u8]>) -> Shell {
        let file: PathBuf = self.folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("the folder can be written");
        std::fs::write(file, content).expect("the folder can be written");
        self
    }

    /// Lets hosts and commands find what was compiled for the samples before, as if this folder had been used then.
    pub(crate) fn with_compiled(self, folder: &str) -> Shell {
        let place = Path::new(".dacapo/cache/compiled");
        let compiled = samples::manifest("trips-by-queue").with_file_name("").join(place);
        production::link_all(&compiled, &self.folder.path().join(folder).join(place));
        self
    }

    /// Types all that the transcript has, and compares what is to be seen.
    pub(crate) fn follow(&self, transcript: &ExpectFile) {
        let mut seen = String::new();
        let mut said = false;
        for line in transcript.data().lines() {
            let typed = line.strip_prefix("$ ");
            if typed.is_none() && !line.starts_with("# ") {
                continue;
            }
            if !said && !seen.is_empty() {
                seen.push('\n');
            }
            seen.push_str(line);
            seen.push('\n');
            said = typed.is_none();
            seen.extend(typed.map(|typed| self.masked(&self.type_until(typed))));
        }
        transcript.assert_eq(&seen);
    }

    /// Types a line; the whole of it, for it ends with what is a comment to a shell.
    #[expect(clippy::disallowed_methods, reason = "a person gives up after a while")]
    fn type_until(&self, line: &str) -> String {
        let begun = Instant::now();
        loop {
            let seen = self.type_line(line);
            match line.split_once("# until ") {
                Some((_, text)) if !seen.contains(text) => {
                    assert!(begun.elapsed() < PATIENCE, "{line}: never to be seen, but\n{seen}");
                }
                Some(_) | None => return seen,
            }
        }
    }

    fn type_line(&self, line: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in LEFT_OUT {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let Output { status, stdout, stderr } = command.output().expect("a shell is part of every Unix");
        let output = String::from_utf8(stdout).expect("commands say texts");
        let errors = String::from_utf8(stderr).expect("commands say texts");
        let output = output.lines().map(|line| format!("{}\n", line.trim_end()));
        let errors = errors.lines().map(|line| format!("{}\n", format!("! {line}").trim_end()));
        let code = status.code().map_or_else(|| status.to_string(), |code| code.to_string());
        let code = (code != "0").then(|| format!("[{code}]\n"));
        output.chain(errors).chain(code).collect()
    }

    fn masked(&self, text: &str) -> String {
        let places = self.places.iter();
        let text = places.fold(text.to_owned(), |text, (place, name)| text.replace(place, name));
        self.masks.iter().fold(text, |text, (pattern, mask)| match mask {
            Mask::Text(instead) => pattern.replace_all(&text, *instead).into_owned(),
            Mask::Letters(letter) => {
                let instead = |found: &Captures<'_>| letter.to_string().repeat(found[0].len());
                pattern.replace_all(&text, instead).into_owned()
            }
        })
    }
}
