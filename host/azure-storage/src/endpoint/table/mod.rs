//! The table service.

use super::Components;
use super::answer::Answer;
use super::call::Call;
use super::error::{ServiceError, code};

/// Largest body of a request: a batch has at most 4 MiB.
pub(super) const MAX_BODY_BYTES: usize = 4 << 20;

/// Answers one request to the table service.
pub(super) async fn answer(_components: &Components, _call: &Call) -> Result<Answer, ServiceError> {
    Err(code::NOT_IMPLEMENTED.because(""))
}
