//! `dacapo schema`: the JSON Schema of manifests, for editors.

use anyhow::Context;

use crate::cli::SchemaArguments;
use crate::console::Console;
use crate::exit::Problem;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Host`] when the file cannot be written.
pub(crate) fn run(arguments: &SchemaArguments, console: &Console) -> Result<(), Problem> {
    let Some(file) = &arguments.to else {
        console.notice(manifest::SCHEMA.trim_end());
        return Ok(());
    };
    let written = std::fs::write(file, manifest::SCHEMA);
    written.with_context(|| format!("{} cannot be written", file.display())).map_err(Problem::Host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::OutputFormat;
    use crate::settings::Environment;

    #[test]
    fn the_schema_is_written_where_it_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("app.schema.json");
        let write = |file| run(&SchemaArguments { to: Some(file), output: OutputFormat::Json }, &console());
        write(file.clone()).expect("it can be written");
        let text = std::fs::read_to_string(&file).expect("it is there");
        let schema: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let problem = write(folder.path().to_owned()).expect_err("it is a folder").into_error();
        assert!(problem.to_string().ends_with("cannot be written"), "{problem}");
    }

    fn console() -> Console {
        Console::new(&Environment::default())
    }
}
