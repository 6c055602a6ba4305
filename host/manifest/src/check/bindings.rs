//! Input and output bindings: which of them fit which trigger, and what they are made of.

use std::fmt;
use std::str::FromStr;

use storage_model::{Filter, TableName};

use super::choice::Choice;
use super::connections;
use super::functions::Shared;
use super::names::{self, quoted};
use super::queues::{self, ENCODINGS};
use super::settings::Fields;
use crate::app::Trigger;
use crate::bindings::{
    InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput, RETURN_BINDING, TableInput, TableMode,
    TableOutput,
};
use crate::expression::Expression;
use crate::fields::{Placed, join};
use crate::file::{FileInput, FileInputKind, FileOutput, FileOutputKind, FileTableInput};
use crate::problem::Report;
use crate::settings::TABLE_TAKE;

/// Most inputs and most outputs of one function; bounds the work of an invocation before and after the function itself.
pub(crate) const MAX_BINDINGS: usize = 100;

const MODES: Choice<TableMode> = Choice {
    noun: "a way to write entities",
    all: &[TableMode::Insert, TableMode::Replace, TableMode::Merge],
    word: TableMode::as_str,
};

/// Groups of values that only a request has.
const REQUEST_GROUPS: [&str; 2] = ["Query", "Headers"];

/// `path` is that of the table of inputs, as below for outputs.
pub(super) fn inputs(
    written: &[FileInput],
    trigger: &Trigger,
    path: &str,
    shared: &Shared<'_, '_>,
) -> Vec<InputBinding> {
    let names = written.iter().map(|input| &input.name);
    if !may_have_bindings(names, trigger, path, shared.report) {
        return Vec::new();
    }
    let checked = written.iter().take(MAX_BINDINGS).filter_map(|input| {
        let path = join(path, input.name.get_ref());
        names::check(&input.name, &path, names::BINDING, shared.report);
        let source = match &input.kind {
            FileInputKind::Table(table) => InputSource::Table(table_input(table, trigger, &path, shared)?),
        };
        Some(InputBinding { name: input.name.get_ref().clone(), source })
    });
    checked.collect()
}

pub(super) fn outputs(
    written: &[FileOutput],
    trigger: &Trigger,
    path: &str,
    shared: &Shared<'_, '_>,
) -> Vec<OutputBinding> {
    let names = written.iter().map(|output| &output.name);
    if !may_have_bindings(names, trigger, path, shared.report) {
        return Vec::new();
    }
    let mut checked: Vec<OutputBinding> = Vec::new();
    for output in written.iter().take(MAX_BINDINGS) {
        let path = join(path, output.name.get_ref());
        let Some(target) = output_target(&output.kind, trigger, &path, shared) else { continue };
        check_output_name(output, &target, trigger, &path, shared.report);
        if target == OutputTarget::Http && checked.iter().any(|other| other.target == OutputTarget::Http) {
            let what = "is a second response to the same request";
            shared.report.add(&output.name.span(), &path, what, "remove one of the outputs of type `http`");
        }
        checked.push(OutputBinding { name: output.name.get_ref().clone(), target });
    }
    checked
}

fn may_have_bindings<'a>(
    mut names: impl ExactSizeIterator<Item = &'a Placed<String>>,
    trigger: &Trigger,
    path: &str,
    report: &Report<'_>,
) -> bool {
    let count = names.len();
    let Some(first) = names.next() else { return true };
    let next = match trigger {
        Trigger::Http(_) | Trigger::Queue(_) | Trigger::Timer(_) | Trigger::Activity(_) => {
            if count > MAX_BINDINGS {
                let what = format!("has {count} entries, more than {MAX_BINDINGS}");
                report.add(&first.span(), path, what, "split the function");
            }
            return true;
        }
        Trigger::Orchestration => {
            "declare it with an activity, and have the orchestrator call that: an orchestrator does nothing else"
        }
        Trigger::Entity => "declare it with an activity: an entity works on its own state",
    };
    report.add(&first.span(), path, format!("does not fit {}", trigger.type_name()), next);
    false
}

fn table_input(written: &FileTableInput, trigger: &Trigger, path: &str, shared: &Shared<'_, '_>) -> Option<TableInput> {
    let report = shared.report;
    let expression =
        |key, text: &Option<_>| text.as_ref().and_then(|text| expression(text, &join(path, key), trigger, report));
    let partition_key = expression("partitionKey", &written.partition_key);
    let row_key = expression("rowKey", &written.row_key);
    let filter = expression("filter", &written.filter).filter(|filter| is_filter(filter, written, path, report));
    let take = written.take.as_ref();
    let take_count = take.map(|take| Fields { path, report }.number("take", Some(take), TABLE_TAKE));
    let connection = connections::check(&written.connection, path, shared);
    if let Some(row_key) = &written.row_key {
        if written.partition_key.is_none() {
            let next = "add `partitionKey`: both together name an entity";
            report.add(&row_key.span(), join(path, "rowKey"), "is there without a `partitionKey`", next);
        }
        if written.filter.is_some() || take.is_some() {
            let next = "remove `rowKey` to read several entities, or `filter` and `take` to read one";
            report.add(
                &row_key.span(),
                join(path, "rowKey"),
                "names one entity, beside a filter or `take` for several",
                next,
            );
        }
    }
    let table_name =
        name_expression::<TableName>(written.table_name.as_ref()?, &join(path, "tableName"), trigger, report)?;
    Some(TableInput { table_name, partition_key, row_key, filter, take: take_count, connection })
}

/// A filter without places is known to be one or not; what others come to is found out at each run.
fn is_filter(filter: &Expression, written: &FileTableInput, path: &str, report: &Report<'_>) -> bool {
    let Some(error) = filter.literal().and_then(|text| Filter::parse(text).err()) else { return true };
    let at = written.filter.as_ref().map_or(0..0, |filter| filter.span());
    let next = "write it like \"PartitionKey eq 'trips' and Price lt 100\"";
    report.add(&at, join(path, "filter"), error.to_string(), next);
    false
}

fn output_target(
    kind: &FileOutputKind,
    trigger: &Trigger,
    path: &str,
    shared: &Shared<'_, '_>,
) -> Option<OutputTarget> {
    let report = shared.report;
    Some(match kind {
        FileOutputKind::Queue { queue_name, message_encoding, connection } => {
            let message_encoding = ENCODINGS.read(message_encoding.as_ref(), &join(path, "messageEncoding"), report);
            let connection = connections::check(connection, path, shared);
            let field = join(path, "queueName");
            let written = queue_name.as_ref()?;
            let queue_name = expression(written, &field, trigger, report)?;
            if queue_name.literal().is_some() {
                queues::name(written, &field, report)?;
            }
            OutputTarget::Queue(QueueOutput { queue_name, message_encoding, connection })
        }
        FileOutputKind::Table { table_name, partition_key, row_key, mode, connection } => {
            let key = |key, text: &Option<_>| {
                text.as_ref().and_then(|text| expression(text, &join(path, key), trigger, report))
            };
            let (partition_key, row_key) = (key("partitionKey", partition_key), key("rowKey", row_key));
            let mode = table_mode(mode.as_ref(), &join(path, "mode"), report);
            let connection = connections::check(connection, path, shared);
            let field = join(path, "tableName");
            OutputTarget::Table(TableOutput {
                table_name: name_expression::<TableName>(table_name.as_ref()?, &field, trigger, report)?,
                partition_key,
                row_key,
                mode,
                connection,
            })
        }
        FileOutputKind::Http => OutputTarget::Http,
        FileOutputKind::DurableClient => OutputTarget::DurableClient,
    })
}

fn table_mode(written: Option<&Placed<String>>, field: &str, report: &Report<'_>) -> TableMode {
    // The word of SDKs; the nearest one of ours would be `insert`, the only one that it does not mean.
    if let Some(upsert) = written.filter(|mode| mode.get_ref().eq_ignore_ascii_case("upsert")) {
        let what = format!("{} is not {}", quoted(upsert.get_ref()), MODES.noun);
        report.add(&upsert.span(), field, what, "use replace, or merge to keep properties that are not named");
        return TableMode::default();
    }
    MODES.read(written, field, report)
}

fn check_output_name(output: &FileOutput, target: &OutputTarget, trigger: &Trigger, path: &str, report: &Report<'_>) {
    let at = output.name.span();
    let is_http_trigger = matches!(trigger, Trigger::Http(_));
    let is_http_output = *target == OutputTarget::Http;
    if is_http_output && !is_http_trigger {
        let what = format!("is a response, and {} has no request to answer", trigger.type_name());
        report.add(&at, path, what, "use an output of type `queue` or `table`");
    }
    if output.name.get_ref() != RETURN_BINDING {
        names::check(&output.name, path, names::BINDING, report);
    } else if is_http_trigger && !is_http_output {
        let next = "give the output a name, and have the function write to it by that name";
        report.add(&at, path, "takes what the function returns, which is the response", next);
    }
}

/// An expression that can be filled in as far as is known before a run.
fn expression(written: &Placed<String>, field: &str, trigger: &Trigger, report: &Report<'_>) -> Option<Expression> {
    let wrong = |what: String, next: String| {
        report.add(&written.span(), field, format!("{}: {what}", quoted(written.get_ref())), next);
    };
    let expression = match Expression::parse(written.get_ref()) {
        Ok(expression) => expression,
        Err(error) => {
            wrong(error.what, error.next_step);
            return None;
        }
    };
    let impossible = expression.paths().find_map(|path| Some((path.join("."), never_there(path, trigger)?)));
    match impossible {
        None => Some(expression),
        Some((path, next)) => {
            wrong(format!("there is never a {{{path}}} for {}", trigger.type_name()), next.to_owned());
            None
        }
    }
}

/// Why no run of the function can have a value at this path; none: it may have one.
fn never_there(path: &[String], trigger: &Trigger) -> Option<&'static str> {
    let is_group =
        path.first().is_some_and(|first| REQUEST_GROUPS.iter().any(|group| group.eq_ignore_ascii_case(first)));
    match trigger {
        Trigger::Http(_) if is_group && path.len() == 1 => {
            Some("name one of its values, such as {Query.name} or {Headers.name}")
        }
        Trigger::Http(_) => None,
        Trigger::Queue(_) | Trigger::Activity(_) if is_group => {
            Some("only requests, httpTrigger, have Query and Headers")
        }
        Trigger::Queue(_) | Trigger::Activity(_) => None,
        Trigger::Timer(_) | Trigger::Orchestration | Trigger::Entity => {
            Some("use {datetime:...}, {rand-guid}, {sys.methodname} or an app setting, %NAME%: a timer brings no data")
        }
    }
}

/// An expression for a name; if there is nothing to fill in, the name is checked now.
fn name_expression<N>(
    written: &Placed<String>,
    field: &str,
    trigger: &Trigger,
    report: &Report<'_>,
) -> Option<Expression>
where
    N: FromStr<Err: fmt::Display>,
{
    let expression = expression(written, field, trigger, report)?;
    let error = expression.literal().and_then(|name| name.parse::<N>().err());
    let Some(error) = error else { return Some(expression) };
    let what = format!("{} is not a name: {error}", quoted(written.get_ref()));
    report.add(&written.span(), field, what, "write a name such as \"Trips\"");
    None
}
