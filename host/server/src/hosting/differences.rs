//! What a new version of an app changes: which functions come, go, are different, or stay as they are.

use manifest::Function;
use serde::{Deserialize, Serialize};

use super::Served;

/// Names of functions, each in one of the lists, in the order of the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Differences {
    /// Only the new version has them.
    pub(crate) added: Vec<String>,
    /// Only the old version has them.
    pub(crate) removed: Vec<String>,
    /// Their component or what the manifest says of them is another.
    pub(crate) changed: Vec<String>,
    /// The same code under the same rules.
    pub(crate) unchanged: Vec<String>,
}

impl Differences {
    /// Between a version and the one before, if there was one.
    pub(crate) fn between(before: Option<&Served>, now: &Served) -> Differences {
        let mut found = Differences::default();
        for function in &now.app.functions {
            let earlier = before.and_then(|before| Some((before, before.app.function(&function.name)?)));
            let list = match earlier {
                None => &mut found.added,
                Some((before, earlier)) if is_same(before, earlier, now, function) => &mut found.unchanged,
                Some(_) => &mut found.changed,
            };
            list.push(function.name.clone());
        }
        let earlier = before.iter().flat_map(|before| &before.app.functions);
        let gone = earlier.filter(|earlier| now.app.function(&earlier.name).is_none());
        found.removed.extend(gone.map(|function| function.name.clone()));
        found
    }
}

fn is_same(before: &Served, earlier: &Function, now: &Served, function: &Function) -> bool {
    // Where it stands in the manifest changes nothing.
    let moved = Function { line: function.line, ..earlier.clone() };
    moved == *function && before.components.get(&earlier.component) == now.components.get(&function.component)
}
