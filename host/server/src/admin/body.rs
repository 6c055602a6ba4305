//! Bodies of admin requests: small, and not waited for long.

use futures::future::{Either, select};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use ports::Body;
use std::pin::pin;
use std::time::Duration;

use super::Admin;
use super::refusal::Refusal;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

impl Admin {
    /// Reads a whole body of at most so many bytes.
    pub(super) async fn read(&self, body: Body, limit_bytes: usize) -> Result<Vec<u8>, Refusal> {
        self.read_within(body, limit_bytes, BODY_TIMEOUT).await
    }

    /// The same, for a body that may take longer.
    pub(super) async fn read_within(
        &self,
        body: Body,
        limit_bytes: usize,
        timeout: Duration,
    ) -> Result<Vec<u8>, Refusal> {
        // A body that tells its length is not copied while it grows.
        let announced = body.size_hint().exact().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if announced > limit_bytes {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        let read = pin!(collect(body, Vec::with_capacity(announced), limit_bytes));
        match select(read, self.clock.sleep_until(self.clock.now().saturating_add(timeout))).await {
            Either::Left((bytes, _)) => bytes,
            Either::Right(_) => Err(Refusal::TooSlow),
        }
    }
}

async fn collect(mut body: Body, mut bytes: Vec<u8>, limit_bytes: usize) -> Result<Vec<u8>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Invalid("the body broke off".to_owned()))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit_bytes - bytes.len() {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
