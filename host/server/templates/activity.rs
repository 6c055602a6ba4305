//! `function-name`: a step of orchestrations, with effects on the world.
//!
//! An orchestrator runs it with `ctx.call(my_function, &order).await?`.

use dacapo::{ActivityContext, Failure};
use serde::{Deserialize, Serialize};

/// What [`my_function`] takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// Orders something, and returns the order's reference.
///
/// An activity runs at least once: if the host stops in the middle, it runs again. All runs of one
/// call have the same `execution_id`, by which a service can tell that it was asked already.
#[dacapo::activity(name = "function-name")]
pub(crate) fn my_function(ctx: &ActivityContext, order: Order) -> Result<String, Failure> {
    if order.quantity == 0 {
        // Trying again would not help.
        return Err(Failure::new("NothingOrdered", "the quantity is 0").non_retriable());
    }
    let Order { item, quantity } = order;
    Ok(format!("{quantity} x {item} ({})", ctx.execution_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(quantity: u32) -> Result<String, Failure> {
        let item = "coffee".to_owned();
        my_function(&ActivityContext::default(), Order { item, quantity })
    }

    #[test]
    fn an_order_has_a_reference() {
        assert!(order(2).unwrap().starts_with("2 x coffee"));
    }

    #[test]
    fn nothing_cannot_be_ordered() {
        assert!(order(0).unwrap_err().is("NothingOrdered"));
    }
}
