//! **An entity that acts.** It cannot wait, but it can signal other entities and start orchestrations, which can.

use dacapo::{Context, EntityContext, Failure, StartOptions};
use serde::{Deserialize, Serialize};

use crate::counter::Counter;

/// From here on it is an alarm.
const TOO_HOT: i64 = 100;

/// Remembers the last reading.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sensor {
    pub(crate) last: i64,
}

#[dacapo::entity]
impl Sensor {
    /// Counts the reading, and raises an alarm when it is too hot for the first time.
    fn report(&mut self, ctx: &EntityContext, reading: i64) -> Result<(), Failure> {
        ctx.signal::<Counter>("readings").add(&1.into())?;
        if self.last < TOO_HOT && reading >= TOO_HOT {
            let options = StartOptions::new().instance_id(format!("alarm-{}", ctx.key()));
            ctx.start_orchestration_with(&options, raise_alarm, &reading)?;
        }
        self.last = reading;
        Ok(())
    }
}

/// Returns what one would send to somebody's phone.
#[dacapo::orchestrator]
pub(crate) async fn raise_alarm(ctx: Context, reading: i64) -> String {
    format!("{}: {reading} degrees", ctx.instance_id())
}
