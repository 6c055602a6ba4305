//! What a function's signature says: its input, its output, and whether it may be under the attribute at all.

use quote::ToTokens;
use syn::{Error, FnArg, ItemFn, PathArguments, ReturnType, Safety, Signature, Type, TypeReference};

/// A function's one input.
pub(crate) struct Input<'a> {
    /// None for a function that takes none.
    pub(crate) of: Option<&'a Type>,
    /// Whether the context comes before it.
    pub(crate) after_context: bool,
}

/// What a function returns.
pub(crate) enum Output<'a> {
    Nothing,
    Value(&'a Type),
    /// Written `Result<...>`, with any path before and any number of arguments.
    Fallible(&'a Type),
}

impl<'a> Output<'a> {
    pub(crate) fn of(signature: &'a Signature) -> Output<'a> {
        match &signature.output {
            ReturnType::Default => Output::Nothing,
            ReturnType::Type(_, returned) if last_segment_is(returned, "Result") => Output::Fallible(returned),
            ReturnType::Type(_, returned) => Output::Value(returned),
        }
    }
}

/// Refuses what no function of a component can be.
pub(crate) fn check_plain(function: &ItemFn) -> syn::Result<()> {
    check_callable(&function.sig)
}

/// Refuses signatures that nobody outside could call.
pub(crate) fn check_callable(signature: &Signature) -> syn::Result<()> {
    let refuse = |tokens: &dyn ToTokens, why: &str| Err(Error::new_spanned(tokens.to_token_stream(), why));
    if !signature.generics.params.is_empty() {
        return refuse(&signature.generics, "the host calls one function, not a family: remove the generic parameters");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        return refuse(unsafety, "the host calls this function with any input: it cannot be unsafe");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi, "the attribute makes the export; remove the `extern`");
    }
    Ok(())
}

/// `fn(input?)` or `fn(&ActivityContext, input?)`.
pub(crate) fn activity_input(signature: &Signature) -> syn::Result<Input<'_>> {
    if let Some(asyncness) = &signature.asyncness {
        let why = "an activity is a plain function: it runs in an instance of its own and may block";
        return Err(Error::new_spanned(asyncness, why));
    }
    let parameters = parameter_types(signature)?;
    let (after_context, inputs) = split_context(&parameters, "ActivityContext");
    Ok(Input { of: at_most_one(inputs)?, after_context })
}

/// Whether the first parameter is a reference to that context, and the other parameters.
pub(crate) fn split_context<'p, 'a>(parameters: &'p [&'a Type], context: &str) -> (bool, &'p [&'a Type]) {
    let is_context = |parameter: &Type| matches!(parameter, Type::Reference(TypeReference { elem, .. }) if last_segment_is(elem, context));
    match parameters.split_first() {
        Some((first, rest)) if is_context(first) => (true, rest),
        Some(_) | None => (false, parameters),
    }
}

/// `async fn(Context, input?)`.
pub(crate) fn orchestrator_input(signature: &Signature) -> syn::Result<Input<'_>> {
    if signature.asyncness.is_none() {
        let why = "an orchestrator waits, so it is an `async fn`";
        return Err(Error::new_spanned(signature.fn_token, why));
    }
    let parameters = parameter_types(signature)?;
    match parameters.split_first() {
        Some((first, rest)) if last_segment_is(first, "Context") => {
            Ok(Input { of: at_most_one(rest)?, after_context: true })
        }
        _ => {
            let why = "an orchestrator takes the context first: `async fn name(ctx: Context, input: Input)`";
            Err(Error::new_spanned(&signature.ident, why))
        }
    }
}

/// `fn(Request?)`.
pub(crate) fn http_input(signature: &Signature) -> syn::Result<Input<'_>> {
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new_spanned(asyncness, "an HTTP function is a plain function: it may block"));
    }
    let parameters = parameter_types(signature)?;
    match parameters.as_slice() {
        [_, second, ..] => Err(Error::new_spanned(second, "an HTTP function takes one `Request`, or nothing")),
        request => Ok(Input { of: request.first().copied(), after_context: false }),
    }
}

/// What a queue function takes.
pub(crate) struct MessageInput<'a> {
    /// The message itself; none: it does not look.
    pub(crate) message: Option<MessageForm<'a>>,
    /// A second parameter: what the host knows about the message, behind a reference or not.
    pub(crate) context: Option<Passing>,
}

/// How a parameter is handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Passing {
    Value,
    Reference,
}

/// As what a queue function takes its message.
pub(crate) enum MessageForm<'a> {
    /// `QueueMessage`: with all that is known about it.
    Whole(Passing),
    /// `String` or `&str`: the text as it is.
    Text(Passing),
    /// Anything else: the text read as JSON.
    Json(&'a Type),
}

/// `fn(message?, &QueueMessage?)`.
pub(crate) fn queue_input(signature: &Signature) -> syn::Result<MessageInput<'_>> {
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new_spanned(asyncness, "a queue function is a plain function: it may block"));
    }
    let parameters = parameter_types(signature)?;
    let (first, second) = match parameters.as_slice() {
        [] => return Ok(MessageInput { message: None, context: None }),
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        [_, _, third, ..] => {
            let why = "a queue function takes its message and, if it wishes, a `&QueueMessage`: put several values of a \
                       message into a struct";
            return Err(Error::new_spanned(third, why));
        }
    };
    let message = message_form(first)?;
    let Some(second) = second else {
        return Ok(MessageInput { message: Some(message), context: None });
    };
    if let MessageForm::Whole(_) = message {
        let why = "the `QueueMessage` has the text, too: take it alone, or the message's own type before it";
        return Err(Error::new_spanned(second, why));
    }
    match passing(second, "QueueMessage") {
        Some(context) => Ok(MessageInput { message: Some(message), context: Some(context) }),
        None => {
            let why = "the second parameter is what the host knows about the message, a `&QueueMessage`; put several values \
                       of a message into a struct";
            Err(Error::new_spanned(second, why))
        }
    }
}

fn message_form(parameter: &Type) -> syn::Result<MessageForm<'_>> {
    if let Some(passing) = passing(parameter, "QueueMessage") {
        return Ok(MessageForm::Whole(passing));
    }
    if let Type::Reference(TypeReference { elem, mutability, .. }) = parameter {
        if last_segment_is(elem, "str") && mutability.is_none() {
            return Ok(MessageForm::Text(Passing::Reference));
        }
        let why =
            "the message is decoded for this call and belongs to it: take it by value, or take its text as `&str`";
        return Err(Error::new_spanned(parameter, why));
    }
    match last_segment_is(parameter, "String") {
        true => Ok(MessageForm::Text(Passing::Value)),
        false => Ok(MessageForm::Json(parameter)),
    }
}

/// `fn(TimerInfo?)`.
pub(crate) fn timer_input(signature: &Signature) -> syn::Result<Option<Passing>> {
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new_spanned(asyncness, "a timer function is a plain function: it may block"));
    }
    let parameters = parameter_types(signature)?;
    let why = "a timer function takes a `TimerInfo`, or nothing";
    match parameters.as_slice() {
        [] => Ok(None),
        [timer] => match passing(timer, "TimerInfo") {
            Some(passing) => Ok(Some(passing)),
            None => Err(Error::new_spanned(timer, why)),
        },
        [_, second, ..] => Err(Error::new_spanned(second, why)),
    }
}

/// How a parameter of the type of that name is handed over; none: it has another type.
fn passing(parameter: &Type, name: &str) -> Option<Passing> {
    if let Type::Reference(TypeReference { elem, mutability: None, .. }) = parameter {
        return last_segment_is(elem, name).then_some(Passing::Reference);
    }
    last_segment_is(parameter, name).then_some(Passing::Value)
}

fn parameter_types(signature: &Signature) -> syn::Result<Vec<&Type>> {
    let types = signature.inputs.iter().map(|parameter| match parameter {
        FnArg::Typed(typed) => Ok(&*typed.ty),
        FnArg::Receiver(receiver) => Err(Error::new_spanned(receiver, "the host calls a free function, not a method")),
    });
    types.collect()
}

pub(crate) fn at_most_one<'a>(inputs: &[&'a Type]) -> syn::Result<Option<&'a Type>> {
    match inputs {
        [] => Ok(None),
        [Type::Reference(reference)] => {
            let why = "the input is decoded for this call and belongs to it: take it by value";
            Err(Error::new_spanned(reference, why))
        }
        [input] => Ok(Some(input)),
        [_, second, ..] => {
            let why = "a function has one input: put several values into a struct or a tuple";
            Err(Error::new_spanned(second, why))
        }
    }
}

fn last_segment_is(path: &Type, name: &str) -> bool {
    let Type::Path(path) = path else { return false };
    let Some(segment) = path.path.segments.last() else { return false };
    let argument_free_or_generic = !matches!(segment.arguments, PathArguments::Parenthesized(_));
    segment.ident == name && argument_free_or_generic
}
