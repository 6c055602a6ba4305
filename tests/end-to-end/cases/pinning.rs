//! What an instance runs when the app is deployed anew before the instance has ended.

use serde_json::json;

use crate::host::Host;
use crate::renovation::{Renovation, after};

/// Starts an instance and waits until its first step is done.
fn start(host: &mut Host, id: &str) {
    host.client().start_as("Renovate", id, &json!(null));
    host.look_until(&format!("{id} waits until it is dry"), |client| {
        let explanation = client.explain(id);
        (explanation["waitingFor"][0]["kind"] == "Event" && explanation["turns"] == 2).then_some(())
    });
}

#[test]
fn an_instance_goes_on_with_the_code_that_it_began_with() {
    let app = Renovation::new("pinned");
    let mut host = app.start();
    start(&mut host, "old");
    let pin = host.client().explain("old")["pinnedTo"].clone();
    host.stop();

    app.deploy(&after());
    let mut host = app.start();
    start(&mut host, "new");
    let client = host.client();
    assert_eq!(client.explain("old")["pinnedTo"], pin);
    assert_ne!(client.explain("new")["pinnedTo"], pin);
    assert_eq!(app.kept_components(), 2);
    for id in ["old", "new"] {
        client.raise(id, "Dry", &json!(null));
    }
    // Its second step is an activity, and that is the old one too.
    assert_eq!(host.wait_for_end("old")["output"], json!(["painted before", "plastered before"]));
    assert_eq!(host.wait_for_end("new")["output"], json!(["plastered after", "painted after"]));
    // Begun again, it begins with the present code.
    client.tell("old", "restart?restartWithNewInstanceId=false").expect(202);
    client.raise("old", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("old")["output"], json!(["plastered after", "painted after"]));
    host.stop();

    // Nobody needs the old code any more.
    let mut host = app.start();
    host.look_until("the old component is removed", |_| (app.kept_components() == 1).then_some(()));
    host.stop();
}

#[test]
fn a_rewind_keeps_the_code_unless_the_latest_is_asked_for() {
    let app = Renovation::new("pinned");
    let mut host = app.start();
    for id in ["same", "latest"] {
        start(&mut host, id);
        // The payload is no null, so that the orchestrator fails.
        host.client().raise(id, "Dry", &json!("soaked"));
        host.wait_for_status(id, "Failed");
    }
    host.stop();

    app.deploy(&after());
    let mut host = app.start();
    let client = host.client();
    // One that has failed may run again, so that its code is kept.
    assert_eq!(app.kept_components(), 2);
    for (id, rewind, failure) in
        [("same", "rewind", "InvalidPayload"), ("latest", "rewind?latest=true", "NonDeterministicOrchestration")]
    {
        let execution = client.explain(id)["executionId"].clone();
        client.tell(id, rewind).expect(202);
        let failed = host.look_until(&format!("{id} has failed again"), |client| {
            let explanation = client.explain(id);
            let is_another = explanation["executionId"] != execution;
            (is_another && explanation["runtimeStatus"] == "Failed").then_some(explanation)
        });
        assert_eq!(failed["lastFailure"]["errorType"], failure, "{failed:#}");
    }
    host.stop();
}

#[test]
fn an_app_that_wants_the_latest_code_for_all_must_keep_its_steps() {
    let app = Renovation::new("latest");
    let mut host = app.start();
    start(&mut host, "old");
    assert!(host.client().explain("old")["pinnedTo"].is_null());
    host.stop();

    app.deploy(&after());
    let mut host = app.start();
    host.client().raise("old", "Dry", &json!(null));
    let failed = host.wait_for_status("old", "Failed");
    let output = failed["output"].as_str().expect("a failure");
    assert!(output.starts_with("NonDeterministicOrchestration"), "{failed:#}");
    assert!(output.contains("Paint") && output.contains("Plaster"), "it says what departs from what: {output}");
    host.stop();
}
