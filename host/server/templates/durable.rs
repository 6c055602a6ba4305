//! `function-name`: a durable workflow with everything around it.
//!
//! - `StartMyFunction`: `POST /my-route` with a list of names starts it, and answers with 202.
//! - `function-name`: the orchestrator, one step after another whatever happens to the process.
//! - `MyFunctionGreet` and `MyFunctionLetter`: the steps, which are activities.
//! - `MyFunctionStatus`: `GET /my-route/{id}` says how far it is, and what came of it.

use std::time::Duration;

use dacapo::{Client, Context, Failure, Request, Response, RetryPolicy};

/// `POST /my-route`: the body is the orchestrator's input, such as `["Ada", "Grace"]`. The
/// answer has the id of the new instance, and the URIs to follow and steer it.
#[dacapo::http]
fn start_my_function(request: Request) -> Result<Response, Failure> {
    let client = Client::new();
    let id = client.start(my_function, &request.json()?)?;
    Ok(client.check_status_response(&id))
}

/// `GET /my-route/{id}`: how far an instance is. If there is none, `?` alone answers with 404.
#[dacapo::http]
fn my_function_status(request: Request) -> Result<Response, Failure> {
    let id = request.param("id").unwrap_or_default();
    Ok(Response::json(&Client::new().status(id)?))
}

/// Greets everybody on a list, one after another, and puts the greetings into a letter.
///
/// Kill the host in the middle and start it again: it goes on where it was. The results so far are
/// in the history, from which the code runs again. So it has to do the same each time, and leaves
/// all effects to activities.
#[dacapo::orchestrator(name = "function-name")]
pub(crate) async fn my_function(ctx: Context, names: Vec<String>) -> Result<String, Failure> {
    let patient = RetryPolicy::new(3, Duration::from_secs(5)).backoff(2.0);
    let mut greetings = Vec::new();
    for name in &names {
        ctx.set_custom_status(&format!("greeting {name}"));
        let greet = ctx.call(my_function_greet, name).retry(patient.clone());
        greetings.push(greet.await?);
    }
    ctx.set_custom_status("writing the letter");
    ctx.call(my_function_letter, &greetings).await
}

/// A step. It runs at least once: again after a failure, and again if the host stops in the middle.
#[dacapo::activity]
fn my_function_greet(name: String) -> Result<String, Failure> {
    match name.trim() {
        "" => Err(Failure::new("NoName", "a name is empty").non_retriable()),
        name => Ok(format!("Hello, {name}!")),
    }
}

/// The last step.
#[dacapo::activity]
fn my_function_letter(greetings: Vec<String>) -> String {
    greetings.join("\n")
}

#[cfg(test)]
mod tests {
    //! Orchestrations run natively in virtual time: waiting takes no time, failures are scripted.

    use dacapo::testing::{RunOutcome, Scripted, instances};

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// With the activities as they are, unless the script answers for one.
    fn run(script: Scripted, input: &[&str]) -> RunOutcome<String> {
        script.real_activities().run(my_function, &names(input))
    }

    #[test]
    fn everybody_is_greeted() {
        let outcome = run(Scripted::new(), &["Ada", "Grace"]);
        assert_eq!(outcome.count("MyFunctionGreet"), 2);
        assert_eq!(outcome.result.unwrap(), "Hello, Ada!\nHello, Grace!");
    }

    #[test]
    fn a_step_that_fails_is_tried_again() {
        let busy = || Failure::new("Busy", "try later");
        let tries = [Err(busy()), Err(busy()), Ok("Hi!")];
        let script = Scripted::new().activity_results("MyFunctionGreet", tries);
        let outcome = run(script, &["Ada"]);
        assert_eq!(outcome.elapsed, Duration::from_secs(5 + 10));
        assert_eq!(outcome.result.unwrap(), "Hi!");
    }

    #[test]
    fn nobody_cannot_be_greeted() {
        let outcome = run(Scripted::new(), &[""]);
        assert!(outcome.result.unwrap_err().is("NoName"));
    }

    #[test]
    fn it_is_started_and_followed_over_http() {
        let instances = instances();
        let request = Request::post("http://localhost:7071/", &names(&["Ada"]));
        assert_eq!(start_my_function(request).unwrap().status, 202);
        let started = instances.started().remove(0);
        assert_eq!(started.name, "function-name");

        instances.complete(&started.instance_id, "Hello, Ada!");
        let request = Request::get("http://localhost:7071/").with_param("id", &started.instance_id);
        let status = my_function_status(request).unwrap();
        let text = String::from_utf8(status.body).unwrap();
        assert!(text.contains(r#""runtimeStatus":"Completed""#), "{text}");
        assert!(text.contains(r#""output":"Hello, Ada!""#), "{text}");

        let unknown = Request::get("http://localhost:7071/").with_param("id", "nobody");
        assert!(my_function_status(unknown).unwrap_err().is("NotFound"));
    }
}
