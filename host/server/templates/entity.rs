//! `function-name`: a small piece of state with operations on it, one at a time.
//!
//! There is one for each key. An orchestrator calls it, and waits for the result:
//! `ctx.entity::<MyFunction>("key").add(&1).await?`. Any other function signals it, and goes on:
//! `Client::new().signal::<MyFunction>("key").add(&1)?`.

use dacapo::Failure;
use serde::{Deserialize, Serialize};

/// The state, kept as JSON: `{"value":5}`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct MyFunction {
    pub(crate) value: i64,
}

#[dacapo::entity(name = "function-name")]
impl MyFunction {
    /// Adds, and returns the new value. After a failure everything is as it was before.
    fn add(&mut self, amount: i64) -> Result<i64, Failure> {
        self.value += amount;
        match self.value {
            ..0 => Err(Failure::new("BelowZero", "there is not so much")),
            value => Ok(value),
        }
    }

    fn reset(&mut self) {
        self.value = 0;
    }

    /// Reading alone does not bring it into being.
    fn get(&self) -> i64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use dacapo::Client;
    use dacapo::testing::instances;

    use super::*;

    fn value(key: &str) -> Option<i64> {
        let state: Option<MyFunction> = Client::new().entity_state(key).unwrap();
        state.map(|state| state.value)
    }

    #[test]
    fn adds_and_never_goes_below_zero() {
        let _instances = instances();
        let client = Client::new();
        for amount in [5, -2, -9] {
            client.signal::<MyFunction>("stock").add(&amount).unwrap();
        }
        assert_eq!(value("stock"), Some(3));
        client.signal::<MyFunction>("stock").reset().unwrap();
        assert_eq!(value("stock"), Some(0));
        assert_eq!(value("elsewhere"), None);
    }
}
