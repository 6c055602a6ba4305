//! The REST protocol of Azure Storage, both ends of it.
