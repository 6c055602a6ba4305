//! Data-driven checks of manifests, routes and the small formats in them.

mod app;
mod expressions;
mod files;
mod formats;
mod import;
mod production;
mod properties;
mod round_trip;
mod routes;
mod schema;
