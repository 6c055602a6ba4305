//! What stands in the parentheses of an attribute: nothing, or `name = "..."`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

/// The arguments of any of the attributes.
pub(crate) struct Arguments {
    name: Option<LitStr>,
}

impl Arguments {
    /// The name given, if one is.
    pub(crate) fn given(&self) -> Option<&LitStr> {
        self.name.as_ref()
    }

    /// The name given, or the one made from the function's.
    pub(crate) fn name_for(&self, function: &Ident) -> LitStr {
        match &self.name {
            Some(name) => name.clone(),
            None => LitStr::new(&pascal_case(function), Span::call_site()),
        }
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Arguments> {
        if input.is_empty() {
            return Ok(Arguments { name: None });
        }
        let key: Ident = input.parse()?;
        if key != "name" {
            return Err(syn::Error::new(key.span(), "unknown argument; the only one is `name = \"...\"`"));
        }
        input.parse::<Token![=]>()?;
        let name: LitStr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("nothing may follow the name"));
        }
        if !is_function_name(&name.value()) {
            let rule = "a function name begins with a letter and goes on with letters, digits, `_` and `-`";
            return Err(syn::Error::new(name.span(), rule));
        }
        Ok(Arguments { name: Some(name) })
    }
}

fn is_function_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// `book_flight` is `BookFlight`.
fn pascal_case(ident: &Ident) -> String {
    let name = ident.to_string();
    let words = name.trim_start_matches("r#").split('_');
    words
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect()
}
