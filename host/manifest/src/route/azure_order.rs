//! Where the order of routes differs from Azure's, for people who bring an app from there.
//!
//! Azure takes the first function in the alphabet whose route matches; here the most specific route wins. Who named a
//! function `zzz_fallback` to work around that notices nothing; who relied on it should be told.

use std::fmt;

use super::matching::Path;
use super::method::Methods;
use super::template::{Part, Segment, Template};

/// A request that Azure would give to another function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNotice {
    /// An example of such requests: a path, with the prefix.
    pub path: String,
    /// The function that runs here, since its route is more specific.
    pub runs_here: String,
    /// The function that would run in Azure, since its name comes first.
    pub runs_in_azure: String,
}

impl fmt::Display for OrderNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OrderNotice { path, runs_here, runs_in_azure } = self;
        write!(f, "`{path}` runs `{runs_here}`, whose route is more specific; ")?;
        write!(f, "Azure would run `{runs_in_azure}`, whose name comes first")
    }
}

/// One HTTP function.
pub(crate) struct NamedRoute<'a> {
    pub(crate) function: &'a str,
    pub(crate) template: &'a Template,
    pub(crate) methods: Methods,
}

/// One notice for each function that loses an example of its requests in Azure. The prefix is only shown.
pub(crate) fn differences(prefix: &str, mut routes: Vec<NamedRoute<'_>>) -> Vec<OrderNotice> {
    routes.sort_by_cached_key(|route| route.function.to_ascii_uppercase());
    let precedences: Vec<Vec<u8>> = routes.iter().map(|route| route.template.precedence()).collect();
    let mut notices = Vec::new();
    for (position, route) in routes.iter().enumerate() {
        let Some(example) = example(route.template) else { continue };
        let Some(path) = Path::split(&example) else { continue };
        let earlier = routes[..position].iter().zip(&precedences).find(|(earlier, precedence)| {
            **precedence > precedences[position]
                && earlier.methods.overlaps(route.methods)
                && earlier.template.matches(&path)
        });
        if let Some((earlier, _)) = earlier {
            let (runs_here, runs_in_azure) = (route.function.to_owned(), earlier.function.to_owned());
            let path = if prefix.is_empty() { example } else { format!("/{prefix}{example}") };
            notices.push(OrderNotice { path, runs_here, runs_in_azure });
        }
    }
    notices
}

/// Values of which one satisfies most constraints.
const VALUES: [&str; 8] =
    ["x", "1", "xyz", "1000", "true", "example-value", "2024-01-01", "0f8fad5b-d9cb-469f-a165-70867728950e"];

/// A path that the template matches; `None` when no value satisfies a constraint.
fn example(template: &Template) -> Option<String> {
    let mut path = String::new();
    for segment in template.segments() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Parameter(parameter) | Segment::CatchAll { parameter, .. } => {
                path.push_str(VALUES.into_iter().find(|value| parameter.takes(value))?);
            }
            Segment::Mixed(parts) => {
                for part in parts {
                    path.push_str(match part {
                        Part::Literal(text) => text,
                        Part::Parameter(parameter) => VALUES.into_iter().find(|value| parameter.takes(value))?,
                    });
                }
            }
        }
    }
    Some(if path.is_empty() { "/".to_owned() } else { path })
}
