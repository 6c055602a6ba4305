//! Routes in the grammar of ASP.NET route templates, as in Azure Functions, with one difference: the most specific
//! template wins, where Azure takes the function whose name comes first in the alphabet.
//!
//! Templates are parsed and checked once, when the manifest is read; a request only walks a tree. Which prefix and which
//! first segments are reserved is decided in `check`, what to do with a match in the server.

mod azure_order;
mod constraint;
mod matching;
mod method;
mod parse;
mod table;
mod template;

pub use azure_order::OrderNotice;
pub(crate) use azure_order::{NamedRoute, differences};
pub use constraint::Constraint;
pub use method::{Method, Methods};
pub use parse::{MAX_SEGMENTS, MAX_TEMPLATE_BYTES, TemplateError};
pub use table::{Match, Precedence, Reach, RouteTable};
pub use template::{Parameter, Part, Presence, Segment, Template};
