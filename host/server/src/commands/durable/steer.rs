//! What is said to an instance: an event, terminate, suspend, resume, rewind.

use serde_json::json;

use super::hub::{self, Question};
use super::paint::visible;
use super::start::payload;
use super::{Said, done};
use crate::cli::{HubArguments, RaiseEventArguments, ReasonArguments, RewindArguments, TerminateArguments};
use crate::exit::Problem;

pub(super) async fn raise_event(arguments: &RaiseEventArguments) -> Result<Said, Problem> {
    let (id, event) = (arguments.instance.id(), arguments.event());
    let data = payload(arguments.event_data.as_deref(), "the event's data")?;
    let question =
        Question::post(&["instances", id, "raiseEvent", event], data).with("eventId", arguments.event_id.as_ref());
    let said = format!("The event '{}' is on its way to {}.", visible(event), visible(id));
    tell(question, id, "raiseEvent", said, &arguments.hub).await
}

pub(super) async fn terminate(arguments: &TerminateArguments) -> Result<Said, Problem> {
    let target = &arguments.target;
    let question = with_reason("terminate", target).when("recursive", arguments.recursive);
    let id = target.instance.id();
    let children = if arguments.recursive { " with its sub-orchestrations" } else { "" };
    let said = format!("{} is being terminated{children}.", visible(id));
    tell(question, id, "terminate", said, &target.hub).await
}

pub(super) async fn suspend(target: &ReasonArguments) -> Result<Said, Problem> {
    let id = target.instance.id();
    let said = format!("{0} is being suspended; `dacapo durable resume {0}` lets it go on.", visible(id));
    tell(with_reason("suspend", target), id, "suspend", said, &target.hub).await
}

pub(super) async fn resume(target: &ReasonArguments) -> Result<Said, Problem> {
    let id = target.instance.id();
    tell(with_reason("resume", target), id, "resume", format!("{} goes on.", visible(id)), &target.hub).await
}

pub(super) async fn rewind(arguments: &RewindArguments) -> Result<Said, Problem> {
    let target = &arguments.target;
    let question = with_reason("rewind", target).when("latest", arguments.latest);
    let id = target.instance.id();
    tell(question, id, "rewind", format!("{} goes on from before its failures.", visible(id)), &target.hub).await
}

fn with_reason(operation: &'static str, target: &ReasonArguments) -> Question {
    Question::post(&["instances", target.instance.id(), operation], None).with("reason", target.reason.as_ref())
}

async fn tell(
    question: Question,
    id: &str,
    operation: &str,
    said: String,
    hub: &HubArguments,
) -> Result<Said, Problem> {
    hub::ask(hub, question).await?;
    let json = json!({ "instanceId": id, "operation": operation, "accepted": true });
    Ok(done(hub.host.output, said, &json))
}
