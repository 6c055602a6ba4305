//! What can go wrong at a store, as far as a caller acts differently.

/// Why a store did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another worker holds the work now: what was computed under the old lease is worthless.
    #[error("the lease on {what} was lost; another worker has taken it over")]
    LeaseLost {
        /// The instance or activity.
        what: String,
    },
    /// A stored record cannot be read. It stays where it is.
    #[error("the stored record {record} is corrupt: {detail}")]
    Corrupt {
        /// Table and key.
        record: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The store cannot do it now; it may have happened or not. Trying again may help.
    #[error("the store is unavailable: {detail}")]
    Unavailable {
        /// What the store said.
        detail: String,
    },
}
