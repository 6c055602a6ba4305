//! `function-name`: works on the messages of the queue `my-queue`.

use dacapo::Failure;
use serde::{Deserialize, Serialize};

/// A message: `{"item": "coffee", "quantity": 2}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// A message whose function fails comes again, five times in all, and then goes to the queue
/// `my-queue-poison`. One that is no order goes there at once.
#[dacapo::queue(name = "function-name")]
pub(crate) fn my_function(order: Order) -> Result<(), Failure> {
    if order.quantity == 0 {
        return Err(Failure::new("NothingOrdered", "the quantity is 0"));
    }
    println!("{} x {}", order.quantity, order.item);
    Ok(())
}

#[cfg(test)]
mod tests {
    use dacapo::QueueMessage;
    use dacapo::testing::run_queue;

    use super::*;

    /// As the host runs it, with the text of a message.
    fn receive(text: &str) -> Result<(), Failure> {
        run_queue("function-name", &QueueMessage::new(text)).map(drop)
    }

    #[test]
    fn orders_are_taken() {
        assert_eq!(receive(r#"{"item": "coffee", "quantity": 2}"#), Ok(()));
        let nothing = receive(r#"{"item": "coffee", "quantity": 0}"#);
        assert!(nothing.unwrap_err().is("NothingOrdered"));
    }

    #[test]
    fn what_is_no_order_is_refused() {
        assert!(receive("coffee, please").unwrap_err().is("InvalidPayload"));
    }
}
