//! `dacapo import`: the files of an Azure Functions project on disk become a manifest and a settings file.
//!
//! Owns finding and reading the project's files, within bounds, and writing the new ones. What becomes of their contents is
//! up to the `manifest` crate.

mod project;
#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use manifest::import::{Imported, Note};
use serde::Serialize;
use std::path::{Path, PathBuf};

use crate::cli::{ImportArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::file_writer::{self, Readers};
use crate::manifest_file;
use crate::settings;

/// The manifest's name unless somebody chooses another.
const MANIFEST: &str = "app.toml";

/// Runs the command to its end.
///
/// # Errors
/// The project cannot be read or translated, or the new files cannot be written.
pub(crate) fn run(arguments: &ImportArguments, console: &Console) -> Result<(), Problem> {
    let imported = import(&arguments.folder, arguments.to.as_deref(), if_there(arguments))?;
    console.notice(&match arguments.output {
        OutputFormat::Text => imported.in_words(),
        OutputFormat::Json => imported.as_json(),
    });
    Ok(())
}

fn if_there(arguments: &ImportArguments) -> IfThere {
    if arguments.force { IfThere::Replace } else { IfThere::Refuse }
}

/// What becomes of a file that is where a new one is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfThere {
    Refuse,
    Replace,
}

/// What was written.
struct Written {
    manifest: PathBuf,
    local_settings: Option<PathBuf>,
    notes: Vec<Note>,
}

fn import(folder: &Path, to: Option<&Path>, if_there: IfThere) -> Result<Written, Problem> {
    let project = project::read(folder).map_err(Problem::App)?;
    let Imported { manifest, local_settings, notes } =
        project.import().map_err(|error| Problem::App(anyhow!("{}: {error}", folder.display())))?;
    let to = to.map_or_else(|| folder.join(MANIFEST), Path::to_owned);
    let target = manifest_file::folder(&to)?;
    if !target.is_dir() {
        let what = format!("there is no folder {}; make it, or choose another manifest with -o", target.display());
        return Err(Problem::Host(anyhow!(what)));
    }
    let settings_file = local_settings.as_ref().map(|_| settings::file_in(&target));
    // Before anything is written: half an import is worse than none.
    if if_there == IfThere::Refuse {
        let taken: Vec<String> = [Some(&to), settings_file.as_ref()]
            .into_iter()
            .flatten()
            .filter(|path| path.exists())
            .map(|path| shown(path))
            .collect();
        if !taken.is_empty() {
            let taken = taken.join(" and ");
            return Err(Problem::Host(anyhow!(
                "{taken} would be overwritten; pass --force for that, or choose another manifest with -o"
            )));
        }
    }
    if let (Some(path), Some(text)) = (&settings_file, &local_settings) {
        write(path, text, Readers::Owner, if_there)?;
    }
    write(&to, &manifest, Readers::Everybody, if_there)?;
    Ok(Written { manifest: to, local_settings: settings_file, notes })
}

fn write(path: &Path, text: &str, readers: Readers, if_there: IfThere) -> Result<(), Problem> {
    let written = match if_there {
        IfThere::Refuse => file_writer::create(path, text, readers),
        IfThere::Replace => file_writer::replace(path, text, readers),
    };
    written.with_context(|| format!("{} cannot be written", path.display())).map_err(Problem::Host)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Written {
    fn in_words(&self) -> String {
        let manifest = self.manifest.display();
        let mut text = format!("Wrote {manifest}\n");
        if let Some(settings) = &self.local_settings {
            text.push_str(&format!(
                "Wrote {}, which may have secrets in it: keep it out of version control\n",
                settings.display()
            ));
        }
        if !self.notes.is_empty() {
            text.push_str("\nWhat has no counterpart, or has to be done:\n");
        }
        for note in &self.notes {
            text.push_str(&format!("  {note}\n"));
        }
        text.push_str(&format!("\nThen: dacapo doctor {manifest}, and dacapo start {manifest}"));
        text
    }

    fn as_json(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Report<'w> {
            manifest: String,
            local_settings: Option<String>,
            notes: Vec<ShownNote<'w>>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct ShownNote<'w> {
            file: &'w str,
            place: &'w str,
            what: &'w str,
            next_step: &'w str,
        }
        let notes = self.notes.iter().map(|note| ShownNote {
            file: &note.file,
            place: &note.place,
            what: &note.what,
            next_step: &note.next_step,
        });
        let report = Report {
            manifest: shown(&self.manifest),
            local_settings: self.local_settings.as_deref().map(shown),
            notes: notes.collect(),
        };
        // A struct of texts always serialises.
        serde_json::to_string_pretty(&report).unwrap_or_default()
    }
}
