//! What holds for every text: no panic, places inside the file, templates that survive printing, the best route wins.

use proptest::prelude::*;

use crate::route::{Match, Methods, RouteTable, Segment, Template};

/// Between them these have every field.
const VALID: [&str; 2] =
    [include_str!("../../tests/valid/every-field.toml"), include_str!("../../tests/valid/triggers-and-bindings.toml")];

/// Pieces from which interesting manifests, and mostly broken ones, are put together.
const PIECES: [&str; 52] = [
    "[app]\n",
    "[functions.A]\n",
    "[functions.a]\n",
    "[components.c]\n",
    "[host.http]\n",
    "[host.durableTask]\n",
    "[host.durableTask.retention]\n",
    "[[functions]]\n",
    "[functions.A.inputs.i]\n",
    "[functions.A.outputs.\"$return\"]\n",
    "[host.queues]\n",
    "[host.http.hsts]\n",
    "[host.http.customHeaders]\n",
    "[host.logging.logLevel]\n",
    "[host.retry]\n",
    "functions = ",
    "disabled = ",
    "type = ",
    "tableName = ",
    "connection = ",
    "schedule = ",
    "strategy = \"fixedDelay\"\n",
    "{ type = \"queueTrigger\", queueName = \"q%A%q\" }\n",
    "{ type = \"timerTrigger\", schedule = \"* * * * *\", timeZone = \"%Z%\" }\n",
    "{ type = \"table\", tableName = \"{a}%%\", filter = \"a eq '{b}'\" }\n",
    "\"%\"\n",
    "\"{a\"\n",
    "[\"%A%\", \"{{\"]\n",
    "name = ",
    "version = ",
    "source = ",
    "trigger = ",
    "trigger.type = ",
    "routePrefix = ",
    "versioning = ",
    "versionMatchStrategy = ",
    "httpSettings = ",
    "completed = ",
    "hubName = ",
    "\"httpTrigger\"\n",
    "{ type = \"httpTrigger\", route = \"{a}\" }\n",
    "{ type = \"a\\nb\", route = \"{a\\u0000}\" }\n",
    "{ type = \"entityTrigger\", heartbeatTimeout = \"1d\" }\n",
    "\"36500d\"\n",
    "\"x\"\n",
    "-1\n",
    "0x_\n",
    "[",
    "]",
    "\u{feff}",
    "\r\n",
    "'''",
];

/// Parses and checks what must hold of any answer.
fn parse_anything(text: &str) {
    if let Err(problems) = crate::parse(text, "any.toml", &|name| (name.len() < 4).then(|| format!("{name}%{{a}}\n"))) {
        assert!(!problems.problems.is_empty());
        let lines = text.matches('\n').count() + 1;
        for problem in &problems.problems {
            assert!((1..=lines).contains(&problem.line), "{problem:?} in {lines} lines");
            assert!(!problem.what.is_empty() && !problem.next_step.is_empty());
        }
        assert_eq!(problems.to_string().lines().count(), problems.problems.len(), "{problems}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        parse_anything(&text);
    }

    #[test]
    fn any_mixture_of_pieces_is_answered(picks in prop::collection::vec(0..PIECES.len(), 0..40)) {
        parse_anything(&picks.into_iter().map(|pick| PIECES[pick]).collect::<String>());
    }

    #[test]
    fn any_mutation_of_a_valid_manifest_is_answered(
        valid in 0..VALID.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>()), 1..6)
    ) {
        let mut text: Vec<char> = VALID[valid].chars().collect();
        for (index, kind, replacement) in edits {
            if text.is_empty() {
                break;
            }
            let at = index.index(text.len());
            match kind {
                0 => drop(text.remove(at)),
                1 => text[at] = replacement,
                2 => text.insert(at, text[at]),
                _ => text.truncate(at.max(1)),
            }
        }
        parse_anything(&text.into_iter().collect::<String>());
    }

    #[test]
    fn percent_signs_that_are_doubled_are_literal(text in "[a-z%{}]{0,20}", name in "[A-Z_.:-]{1,8}", value in "\\PC{0,8}") {
        let written = format!("{}%{name}%", text.replace('%', "%%"));
        let manifest = format!(
            "app = {{ name = 'a', version = '1' }}\ncomponents.c.source = 'c'\nfunctions.F.trigger.type = 'httpTrigger'\n\
             [host.http.customHeaders]\nX-A = '{written}'\n"
        );
        let settings = |asked: &str| (asked == name).then(|| value.clone());
        // Headers take only ASCII; the setting's own text is never looked at for more settings.
        match crate::parse(&manifest, "any.toml", &settings) {
            Ok(app) => prop_assert_eq!(&app.host.http.custom_headers["X-A"], &format!("{text}{value}")),
            Err(problems) => prop_assert!(!value.is_ascii(), "{}", problems),
        }
    }

    #[test]
    fn any_template_and_path_are_answered(template in "\\PC{0,60}", path in "\\PC{0,60}") {
        if let Ok(template) = template.parse::<Template>() {
            let table = RouteTable::new("api", [(0, &template, Methods::ALL)]);
            table.find("GET", &path);
            table.find("GET", &format!("/api/{path}"));
        }
    }

    #[test]
    fn printing_a_template_and_parsing_it_again_is_identity(
        text in "([a-b/.:=?*{}()\\[\\]\\\\$^0-2,]|\\{\\{|\\}\\}|\\{x\\}|\\{y:int|:regex\\(|\\{\\*){0,24}"
    ) {
        round_trip(&text);
    }

    #[test]
    fn well_formed_templates_survive_printing(
        segments in prop::collection::vec(0..SEGMENTS.len(), 0..5), tail in 0..TAILS.len()
    ) {
        let text = join(&segments, tail);
        prop_assert!(round_trip(&text), "{} should be a template", text);
    }

    #[test]
    fn the_most_specific_match_is_chosen(
        templates in prop::collection::vec((prop::collection::vec(0..SEGMENTS.len(), 0..4), 0..TAILS.len()), 1..8),
        path in "(/(a|b|c|1|va|x\\.y|)){0,5}"
    ) {
        let path = format!("/{}", path.trim_start_matches('/'));
        let templates: Vec<Template> =
            templates.iter().map(|(segments, tail)| join(segments, *tail).parse().unwrap()).collect();
        let table = RouteTable::new("", templates.iter().enumerate().map(|(index, t)| (index, t, Methods::ALL)));
        let expected = (0..templates.len())
            .filter(|index| matches(&templates[*index], &path))
            .min_by_key(|index| (templates[*index].precedence(), *index));
        let found = match table.find("GET", &path) {
            Match::Function { index, .. } => Some(index),
            Match::MethodNotAllowed { .. } | Match::NotFound => None,
        };
        prop_assert_eq!(found, expected, "{:?} for {}", templates, path);
    }
}

/// Numbered below, since names within a template differ.
const SEGMENTS: [&str; 7] = ["a", "b", "{p#}", "{p#:int}", "{p#:alpha:maxlength(1)}", "v{p#}", "{p#}.{q#}"];
const TAILS: [&str; 6] = ["", "{t?}", "{t:int?}", "{t=z}", "{*t}", "{**t:regex(^.{{3,}}$)}"];

fn join(segments: &[usize], tail: usize) -> String {
    let numbered = segments.iter().enumerate().map(|(at, pick)| SEGMENTS[*pick].replace('#', &at.to_string()));
    numbered.chain(std::iter::once(TAILS[tail].to_owned())).collect::<Vec<_>>().join("/")
}

fn round_trip(text: &str) -> bool {
    let Ok(template) = text.parse::<Template>() else { return false };
    let printed = template.to_string();
    let again: Template = printed.parse().unwrap_or_else(|e| panic!("{text:?} prints as {printed:?}: {e}"));
    assert_eq!(again, template, "{text:?} prints as {printed:?}");
    true
}

/// One template against one path, the slow and obvious way; knows only what the segments above need.
fn matches(template: &Template, path: &str) -> bool {
    let inner = &path[1..];
    let trimmed = inner.strip_suffix('/').unwrap_or(inner);
    let parts: Vec<&str> = if path == "/" { Vec::new() } else { trimmed.split('/').collect() };
    let mut at = 0;
    for segment in template.segments() {
        let part = parts.get(at);
        let fits = match segment {
            Segment::CatchAll { parameter, .. } => {
                let rest: usize = parts[at.min(parts.len())..].iter().map(|part| part.len() + 1).sum();
                let slash = usize::from(inner.ends_with('/') && rest > 0);
                return parameter.constraints.is_empty() || (rest + slash).saturating_sub(1) >= 3;
            }
            Segment::Literal(text) => part == Some(&text.as_str()),
            Segment::Mixed(_) if segment_starts_with_v(segment) => {
                part.is_some_and(|part| part.len() > 1 && part.starts_with('v'))
            }
            Segment::Mixed(_) => part == Some(&"x.y"),
            Segment::Parameter(parameter) => match part {
                None => parameter.to_string().ends_with(['?', 'z']),
                Some(part) => !part.is_empty() && parameter.constraints.iter().all(|c| c.holds(part)),
            },
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    at >= parts.len()
}

fn segment_starts_with_v(segment: &Segment) -> bool {
    matches!(segment, Segment::Mixed(parts) if matches!(&parts[0], crate::route::Part::Literal(text) if text == "v"))
}
