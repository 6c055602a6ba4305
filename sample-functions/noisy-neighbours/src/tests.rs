//! The parts that behave. The others would take this process with them; the host's tests run them in their sandbox.

use dacapo::Request;
use dacapo::testing::Scripted;

use crate::activities::{echo, misbehaving};
use crate::misbehaviour::How;
use crate::orchestrators::{deterministic, fetch, misbehave_midway, survive};

#[test]
fn well_behaved_functions_work() {
    let world = || Scripted::new().real_activities();
    assert_eq!(misbehaving(How::Not), "well behaved");
    assert_eq!(world().run(survive, &How::Not).result, Ok("it returned 12 bytes".into()));
    assert_eq!(world().run(misbehave_midway, &How::Not).result, Ok("well behaved".into()));
    assert_eq!(world().run(fetch, &1_000).result, Ok(1_000));
    let request: Request = Request::post("http://localhost/api/misbehave", &How::Not);
    assert_eq!(request.json::<How>().unwrap() as u8, How::Not as u8);
}

/// Natively nothing is replayed; what can be checked here is that there is something to compare.
#[test]
fn there_is_one_observation_more_than_activities() {
    let outcome = Scripted::new().real(echo).run(deterministic, &3);
    assert_eq!(outcome.result.unwrap().len(), 4);
}
