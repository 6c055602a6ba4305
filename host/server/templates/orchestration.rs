//! `function-name`: an orchestration that waits until somebody decides.
//!
//! It survives the process: whatever happened is in its history, and the host runs the code again
//! from its first line to where it was. So the code has to do the same each time: it takes the time
//! from `ctx.now()` and ids from `ctx.new_guid()`, and leaves files and networks to activities.

use std::time::Duration;

use dacapo::{Context, Failure};

/// Who does not decide in this time has decided against it.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Takes what is to be approved; says what was decided.
#[dacapo::orchestrator(name = "function-name")]
pub(crate) async fn my_function(ctx: Context, request: String) -> Result<String, Failure> {
    ctx.set_custom_status("waiting for the event Approval");
    let decision = ctx.wait_for_event::<bool>("Approval").timeout(PATIENCE);
    // A step with effects is an activity: `ctx.call(some_activity, &input).await?`.
    match decision.or_default(false).await? {
        true => Ok(format!("{request}: approved")),
        false => Ok(format!("{request}: declined")),
    }
}

#[cfg(test)]
mod tests {
    //! Orchestrations run natively in virtual time: a day takes microseconds.

    use dacapo::testing::Scripted;

    use super::*;

    #[test]
    fn somebody_decides() {
        for (approved, expected) in [(true, "a trip: approved"), (false, "a trip: declined")] {
            let hour = Duration::from_secs(3600);
            let script = Scripted::new().event_at(hour, "Approval", &approved);
            let outcome = script.run(my_function, &"a trip".to_owned());
            assert_eq!(outcome.result.unwrap(), expected);
            assert_eq!(outcome.elapsed, hour);
        }
    }

    #[test]
    fn nobody_decides() {
        let outcome = Scripted::new().run(my_function, &"a trip".to_owned());
        assert_eq!(outcome.result.unwrap(), "a trip: declined");
        assert_eq!(outcome.elapsed, PATIENCE);
    }
}
