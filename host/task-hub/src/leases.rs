//! Working under a lease: it is renewed while the work runs, and the work stops when it is taken away.

use crate::Inner;
use futures::future::{Either, select};
use orchestration::Timestamp;
use ports::{Lease, StoreError};
use std::task::Poll;
use std::time::Duration;

/// Why work was stopped before its end.
#[derive(Debug)]
pub(crate) enum Interrupted {
    /// Nobody wants it any more: whoever asked took it back.
    Revoked,
    /// Somebody else does it now.
    Lost(StoreError),
}

impl Inner {
    /// Does the work and renews its lease whenever half of it is over. Work that is interrupted is dropped, which stops the
    /// guest that does it.
    pub(crate) async fn under_lease<T>(
        &self,
        lease: &mut Lease,
        mut work: impl Future<Output = T> + Unpin,
    ) -> Result<T, Interrupted> {
        // Most work is done at once, and needs nobody who watches its lease.
        if let Poll::Ready(done) = futures::poll!(&mut work) {
            return Ok(done);
        }
        let mut revoked = self.parts.store.revoked(lease);
        loop {
            let half_time = self.parts.clock.sleep_until(self.half_time(lease));
            match select(work, select(revoked, half_time)).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right((Either::Left(_), _)) => return Err(Interrupted::Revoked),
                Either::Right((Either::Right(((), still)), unfinished)) => {
                    (work, revoked) = (unfinished, still);
                    match self.parts.store.renew(lease).await {
                        Ok(renewed) => *lease = renewed,
                        Err(lost @ StoreError::LeaseLost { .. }) => return Err(Interrupted::Lost(lost)),
                        Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                            tracing::warn!(what = %lease.what, %error, "cannot renew a lease; trying again");
                        }
                    }
                }
            }
        }
    }

    fn half_time(&self, lease: &Lease) -> Timestamp {
        let now = self.parts.clock.now();
        let half = lease.expires_at.saturating_since(now) / 2;
        now.saturating_add(half.max(Duration::from_millis(1)))
    }
}
