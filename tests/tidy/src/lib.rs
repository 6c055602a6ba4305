//! The house rules that a machine can check, as ordinary tests over `cargo metadata` and the sources.
//!
//! The rules themselves are data, in `rules`; each of the other modules knows how to check one kind and has a self-test on
//! a small bad example, so that a rule cannot silently stop working. What a lint can say stands in `Cargo.toml` and
//! `.clippy.toml` instead.
//!
//! A failing test lists every violation with its place and what to do about it.

#[cfg(test)]
mod layers;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod wording;
