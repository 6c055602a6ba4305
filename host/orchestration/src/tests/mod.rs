//! The rules of the core, as transcripts.
