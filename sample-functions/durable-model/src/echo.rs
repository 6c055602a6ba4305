//! **The smallest orchestrator.** It returns its input, whatever that is.

use dacapo::Context;
use serde_json::Value;

/// Returns its input.
#[dacapo::orchestrator]
pub(crate) async fn echo(_ctx: Context, input: Value) -> Value {
    input
}
