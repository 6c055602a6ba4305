//! The manifest as it stands in the file: every field optional, everything with its place in the text.
//!
//! Mirrors the TOML and knows which fields there are; whether their values make sense is decided in `check`.

mod functions;
mod host;
mod queues;

pub(crate) use self::functions::{
    FileConnection, FileFunction, FileInput, FileInputKind, FileOutput, FileOutputKind, FileRetry, FileTableInput,
    FileTrigger,
};
pub(crate) use self::host::{
    FileCors, FileDurableHttp, FileDurableTask, FileGuest, FileHost, FileHsts, FileHttp, FileLogging, FileRetention,
    FileStorage, read_logging,
};
pub(crate) use self::queues::FileQueues;

use self::functions::read_function;
use self::host::read_host;
use crate::fields::{Placed, Section};

pub(crate) struct File {
    pub(crate) app: FileApp,
    pub(crate) components: Vec<FileComponent>,
    pub(crate) functions: Vec<FileFunction>,
    pub(crate) host: FileHost,
}

#[derive(Default)]
pub(crate) struct FileApp {
    pub(crate) name: Option<Placed<String>>,
    pub(crate) version: Option<Placed<String>>,
    pub(crate) versioning: Option<Placed<String>>,
}

pub(crate) struct FileComponent {
    pub(crate) name: Placed<String>,
    pub(crate) source: Option<Placed<String>>,
    pub(crate) allowed_outbound_hosts: Vec<Placed<String>>,
    pub(crate) build: Option<FileBuild>,
}

pub(crate) struct FileBuild {
    pub(crate) command: Option<Placed<String>>,
    pub(crate) watch: Vec<Placed<String>>,
    pub(crate) workdir: Option<Placed<String>>,
}

/// Reads the whole document; whatever is missing, unknown or of the wrong type is reported on the way.
pub(crate) fn read(mut document: Section<'_, '_>) -> File {
    let app = "a section `[app]` with `name = \"my-app\"` and `version = \"1.0.0\"`";
    let app = required_section(&mut document, "app", app).map(read_app).unwrap_or_default();
    let component = "a section such as `[components.main]` with `source = \"main.wasm\"`";
    let components = required_section(&mut document, "components", component);
    let function = "a section such as `[functions.Hello]` with `trigger = { type = \"httpTrigger\" }`";
    let functions = required_section(&mut document, "functions", function);
    let components = components.map(|section| read_named(&section, read_component)).unwrap_or_default();
    let functions = functions.map(|section| read_named(&section, read_function)).unwrap_or_default();
    let host = document.section("host").map(read_host).unwrap_or_default();
    document.finish();
    File { app, components, functions, host }
}

/// Most functions and most components of one app; bounds the work and the memory that a manifest can ask for.
pub const MAX_FUNCTIONS: usize = 2_000;

type Read<'t, 'r, T> = fn(Placed<String>, Option<Section<'t, 'r>>) -> Option<T>;

fn read_named<'t, 'r, T>(section: &Section<'t, 'r>, read: Read<'t, 'r, T>) -> Vec<T> {
    let mut named = section.named_sections();
    if named.is_empty() {
        let next = format!("add a section such as `[{}.Name]`", section.path);
        section.report().add(&section.at, &section.path, "is empty", next);
    }
    if named.len() > MAX_FUNCTIONS {
        let what = format!("has {} entries, more than {MAX_FUNCTIONS}", named.len());
        section.report().add(&section.at, &section.path, what, "split the app into several");
        named.truncate(MAX_FUNCTIONS);
    }
    named.into_iter().filter_map(|(name, section)| read(name, section)).collect()
}

fn read_app(mut section: Section<'_, '_>) -> FileApp {
    let app = FileApp {
        name: required_text(&mut section, "name", "`name = \"my-app\"`"),
        version: required_text(&mut section, "version", "`version = \"1.0.0\"`"),
        versioning: section.text("versioning"),
    };
    section.finish();
    app
}

/// A component that is no table still counts by its name, so that functions in it are not reported as well.
fn read_component(name: Placed<String>, section: Option<Section<'_, '_>>) -> Option<FileComponent> {
    let Some(mut section) = section else {
        return Some(FileComponent { name, source: None, allowed_outbound_hosts: Vec::new(), build: None });
    };
    let component = FileComponent {
        name,
        source: required_text(&mut section, "source", "`source = \"path/of/the/component.wasm\"`"),
        allowed_outbound_hosts: list(section.setting_texts("allowedOutboundHosts")),
        build: section.section("build").map(read_build),
    };
    section.finish();
    Some(component)
}

fn read_build(mut section: Section<'_, '_>) -> FileBuild {
    let build = FileBuild {
        command: required_text(&mut section, "command", "`command = \"cargo build ...\"`, or remove the build section"),
        watch: list(section.texts("watch")),
        workdir: section.text("workdir"),
    };
    section.finish();
    build
}

fn required_section<'t, 'r>(
    section: &mut Section<'t, 'r>,
    key: &'static str,
    example: &str,
) -> Option<Section<'t, 'r>> {
    if !section.has(key) {
        section.missing(key, example);
    }
    section.section(key)
}

fn required_text(section: &mut Section<'_, '_>, key: &'static str, example: &str) -> Option<Placed<String>> {
    if !section.has(key) {
        section.missing(key, example);
    }
    section.text(key)
}

fn list(texts: Option<Placed<Vec<Placed<String>>>>) -> Vec<Placed<String>> {
    texts.map(Placed::into_inner).unwrap_or_default()
}
