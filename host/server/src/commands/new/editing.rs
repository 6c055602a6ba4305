//! A manifest with more functions, and a `lib.rs` with one more module: texts in, texts out, and all else in them as it was.

use anyhow::{Context, anyhow, bail};
use manifest::Lookup;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::template::Section;

/// Before all routes, unless the manifest says otherwise; as in Azure Functions.
const USUAL_PREFIX: &str = "api";

/// What an existing manifest means for a new function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// The functions that there are.
    pub(super) functions: Vec<String>,
    pub(super) components: Vec<String>,
    /// Before all routes; ends in a slash unless it is empty.
    pub(super) route_prefix: String,
}

/// Reads what matters for a new function.
///
/// # Errors
/// It is no TOML.
pub(super) fn surroundings(manifest: &str) -> anyhow::Result<Surroundings> {
    let document: DocumentMut = manifest.parse().context("not valid TOML")?;
    let names = |section: &str| {
        let table = document.get(section).and_then(Item::as_table_like);
        table.into_iter().flat_map(TableLike::iter).map(|(name, _)| name.to_owned()).collect()
    };
    let host = document.get("host").and_then(Item::as_table_like);
    let http = host.and_then(|host| host.get("http")).and_then(Item::as_table_like);
    let prefix = http.and_then(|http| http.get("routePrefix")).and_then(Item::as_str).unwrap_or(USUAL_PREFIX);
    Ok(Surroundings {
        functions: names("functions"),
        components: names("components"),
        route_prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
    })
}

/// The manifest with these functions behind those that it has. `component` is named where the functions cannot do without.
///
/// # Errors
/// One is there already, `functions` is no table, or it is no TOML.
pub(super) fn with_functions(manifest: &str, component: Option<&str>, sections: &[Section]) -> anyhow::Result<String> {
    let mut document: DocumentMut = manifest.parse().context("not valid TOML")?;
    let functions = document.entry("functions").or_insert_with(|| {
        let mut functions = Table::new();
        // No line `[functions]` above the functions.
        functions.set_implicit(true);
        Item::Table(functions)
    });
    let Some(functions) = functions.as_table_like_mut() else {
        bail!("`functions` is no table; write each function as `[functions.NAME]`")
    };
    for (index, Section { name, trigger }) in sections.iter().enumerate() {
        // Names of functions are the same in upper and lower case.
        if let Some((taken, _)) = functions.iter().find(|(taken, _)| taken.eq_ignore_ascii_case(name)) {
            bail!("there is a function {taken} already; choose another name");
        }
        let mut function = Table::new();
        if let Some(component) = component {
            function.insert("component", Item::Value(component.into()));
        }
        function.insert("trigger", Item::Value(Value::InlineTable(trigger.clone())));
        // Functions that were made together stay together.
        function.decor_mut().set_prefix(if index == 0 { "\n" } else { "" });
        functions.insert(name, Item::Table(function));
    }
    Ok(document.to_string())
}

/// Says what is wrong with the manifest that was not wrong before.
///
/// # Errors
/// Something is; each problem on a line of its own.
pub(super) fn check(before: &str, after: &str, settings: &Lookup<'_>) -> anyhow::Result<()> {
    let problems = |text| manifest::parse(text, "", settings).map_or_else(|problems| problems.problems, |_| Vec::new());
    let known = problems(before);
    let new = problems(after)
        .into_iter()
        .filter(|new| !known.iter().any(|known| (&known.field, &known.what) == (&new.field, &new.what)))
        .map(|problem| format!("{}: {}; {}", problem.field, problem.what, problem.next_step))
        .collect::<Vec<_>>();
    if new.is_empty() { Ok(()) } else { Err(anyhow!(new.join("\n"))) }
}

/// The text of `lib.rs` with a line `mod NAME;`, in its place by the alphabet.
///
/// # Errors
/// There is such a module already.
pub(super) fn with_module(lib: &str, module: &str) -> anyhow::Result<String> {
    let lines: Vec<&str> = lib.lines().collect();
    let modules: Vec<(usize, &str)> =
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, module_of(line)?))).collect();
    if modules.iter().any(|(_, taken)| *taken == module) {
        bail!("src/lib.rs has a module `{module}` already; choose another name, or take that line out");
    }
    let declaration = format!("mod {module};");
    let declared: Vec<&(usize, &str)> = modules.iter().filter(|(at, _)| lines[*at].trim_end().ends_with(';')).collect();
    let mut new: Vec<&str> = lines.clone();
    match (declared.iter().find(|(_, other)| *other > module), declared.last()) {
        (Some((before, _)), _) => new.insert(above_attributes(&lines, *before), &declaration),
        (None, Some((after, _))) => new.insert(after + 1, &declaration),
        (None, None) => {
            let head = lines.iter().take_while(|line| is_head(line)).count();
            // A blank line may be the last of the head.
            let head = lines[..head].iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
            let declared_below = ["", &declaration];
            let below = if head == 0 { &declared_below[1..] } else { &declared_below[..] };
            new.splice(head..head, below.iter().copied());
        }
    }
    Ok(new.join("\n") + "\n")
}

/// The module that a line at the top level declares or begins.
fn module_of(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let name = line.strip_prefix("mod ")?.trim_start().trim_start_matches("r#");
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(&name[..end])
}

/// Attributes and comments directly above a line belong to it.
fn above_attributes(lines: &[&str], at: usize) -> usize {
    let belongs = |line: &&&str| line.starts_with("#[") || line.starts_with("//") && !line.starts_with("//!");
    at - lines[..at].iter().rev().take_while(belongs).count()
}

/// What stands above the first item: the module's documentation, attributes of the crate, blank lines.
fn is_head(line: &str) -> bool {
    line.starts_with("//!") || line.starts_with("#![") || line.trim().is_empty()
}
