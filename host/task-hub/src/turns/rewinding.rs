//! The turn of an instance that has ended and is asked to be rewound: no guest runs; if it has failed, its history is written
//! anew up to the last good point.

use super::{Turn, Undone, origins};
use crate::Inner;
use orchestration::{Failure, InstanceRow, Message, MessageKind, rewind};
use ports::StoreError;

/// Whether an instance that has ended is asked to be rewound. One at work hears the demand like any other message.
pub(super) fn is_wanted(row: &InstanceRow, messages: &[Message]) -> bool {
    let is_demand = |message: &Message| matches!(message.kind, MessageKind::RewindRequested { .. });
    row.status.is_terminal() && messages.iter().any(is_demand)
}

impl Inner {
    pub(super) async fn rewinding_turn(&self, turn: &Turn, messages: Vec<Message>) -> Result<(), Undone> {
        let history = match self.parts.store.history(&turn.row.id, turn.row.execution).await {
            Ok(history) => history,
            Err(corrupt @ StoreError::Corrupt { .. }) => {
                return self.not_rewound(turn, &messages, corrupt.to_string()).await;
            }
            Err(error) => return Err(Undone::Store(error)),
        };
        match rewind(&turn.row, history, messages.clone(), turn.now, &self.settings.present) {
            Ok(checkpoint) => {
                self.commit(turn, checkpoint).await?;
                self.release(&turn.lease).await;
                Ok(())
            }
            Err(illegal) => self.not_rewound(turn, &messages, illegal.to_string()).await,
        }
    }
    /// Its history cannot be used: it stays failed, and says why. The parent that asked is not left waiting.
    async fn not_rewound(&self, turn: &Turn, messages: &[Message], why: String) -> Result<(), Undone> {
        let asking = messages.iter().find_map(|message| {
            let MessageKind::RewindRequested { parent, .. } = &message.kind else { return None };
            parent.clone()
        });
        let mut row = turn.row.clone();
        row.parent = asking.or(row.parent);
        let turn = Turn { row, lease: turn.lease.clone(), ..*turn };
        let failure = Failure::new(Failure::CORRUPT_HISTORY, why);
        self.set_aside(&turn, origins(messages), failure).await
    }
}
