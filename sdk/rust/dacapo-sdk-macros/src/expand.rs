//! What the attributes expand to.
//!
//! A function that a trigger starts stays what it is; beside it stands one that the host can call.
//! An activity or orchestrator becomes a type and a constant of the function's name: the handle, which implements the
//! trait with its types and dereferences to a function pointer, so that calling it still calls the function. The function
//! itself moves inside, where nothing else can name it. (A unit struct would be both in one, but linters take a call of
//! one for the building of a value, without an effect.)

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, ItemFn, LitStr, Type, Visibility};

use crate::arguments::Arguments;
use crate::signature::{self, Input, MessageForm, Output, Passing};

pub(crate) fn activity(arguments: &Arguments, function: ItemFn) -> syn::Result<TokenStream> {
    signature::check_plain(&function)?;
    let input = signature::activity_input(&function.sig)?;
    let parts = Parts::new(&function, &input);
    let function_name = inner(&function.sig.ident);
    let Parts { input_type, output_type, nothing, parameter, .. } = &parts;
    let context = input.after_context.then(|| quote!(&::dacapo::ActivityContext));
    let context_name = input.after_context.then(|| quote!(context,));
    let call = parts.outcome(&quote!(#function_name(#context_name #parameter)));
    let pointer_parameters = comma_separated(context, input.of.map(|of| quote!(#of)));
    let returned = returned(&function);
    let implementation = quote! {
        fn invoke(context: &::dacapo::ActivityContext, input: Self::Input)
            -> ::core::result::Result<Self::Output, ::dacapo::Failure>
        {
            let _ = (&context, &input);
            #call
        }
    };
    let handle = Handle {
        name: arguments.name_for(&function.sig.ident),
        implements: quote!(::dacapo::Activity),
        registers: quote!(activity),
        members: quote! {
            type Input = #input_type;
            type Output = #output_type;
            #nothing
            #implementation
        },
        pointer: quote!(fn(#pointer_parameters) -> #returned),
        pointer_value: quote!(#function_name),
    };
    Ok(handle.expand(function))
}

pub(crate) fn orchestrator(arguments: &Arguments, function: ItemFn) -> syn::Result<TokenStream> {
    signature::check_plain(&function)?;
    let input = signature::orchestrator_input(&function.sig)?;
    let parts = Parts::new(&function, &input);
    let function_name = inner(&function.sig.ident);
    let Parts { input_type, output_type, nothing, parameter, .. } = &parts;
    let call = parts.outcome(&quote!(#function_name(context, #parameter).await));
    let pointer_parameters = comma_separated(Some(quote!(::dacapo::Context)), input.of.map(|of| quote!(#of)));
    let closure_parameters = comma_separated(Some(quote!(context)), input.of.map(|_| quote!(input)));
    let returned = returned(&function);
    let handle = Handle {
        name: arguments.name_for(&function.sig.ident),
        implements: quote!(::dacapo::Orchestrator),
        registers: quote!(orchestrator),
        members: quote! {
            type Input = #input_type;
            type Output = #output_type;
            #nothing
            fn run(context: ::dacapo::Context, input: Self::Input)
                -> ::dacapo::__private::LocalBoxFuture<
                    'static,
                    ::core::result::Result<Self::Output, ::dacapo::Failure>
                >
            {
                ::std::boxed::Box::pin(async move {
                    let _ = &input;
                    #call
                })
            }
        },
        pointer: quote! {
            fn(#pointer_parameters) -> ::dacapo::__private::LocalBoxFuture<'static, #returned>
        },
        pointer_value: quote!(|#closure_parameters| ::std::boxed::Box::pin(#function_name(#closure_parameters))),
    };
    Ok(handle.expand(function))
}

pub(crate) fn http(arguments: &Arguments, mut function: ItemFn) -> syn::Result<TokenStream> {
    signature::check_plain(&function)?;
    let input = signature::http_input(&function.sig)?;
    let name = arguments.name_for(&function.sig.ident);
    let ident = &function.sig.ident;
    let call = match input.of {
        Some(_) => quote!(#ident(request)),
        None => quote!({ let _ = request; #ident() }),
    };
    let call = match &function.sig.output {
        syn::ReturnType::Default => quote_spanned!(ident.span()=> ::dacapo::IntoResponse::into_response(#call)),
        syn::ReturnType::Type(_, returned) => {
            quote_spanned!(returned.span()=> ::dacapo::IntoResponse::into_response(#call))
        }
    };
    let registration = quote! {
        const _: () = {
            fn handle(request: ::dacapo::Request) -> ::dacapo::Response {
                #call
            }
            ::dacapo::__private::inventory::submit! { ::dacapo::__private::Function::http(#name, handle) }
        };
    };
    function.attrs.push(takes_its_input());
    Ok(quote! { #function #registration })
}

pub(crate) fn queue(arguments: &Arguments, function: ItemFn) -> syn::Result<TokenStream> {
    signature::check_plain(&function)?;
    let input = signature::queue_input(&function.sig)?;
    let name = arguments.name_for(&function.sig.ident);
    let message = input.message.map(|form| match form {
        MessageForm::Whole(passing) => pass(passing, &quote!(message)),
        MessageForm::Text(Passing::Reference) => quote!(message.text.as_str()),
        MessageForm::Text(Passing::Value) => quote!(::std::clone::Clone::clone(&message.text)),
        MessageForm::Json(of) => {
            quote_spanned!(of.span()=> ::dacapo::__private::message_as::<#of>(message, #name)?)
        }
    });
    let context = input.context.map(|passing| pass(passing, &quote!(message)));
    let parameters = comma_separated(message, context);
    let takes = quote!(message: &::dacapo::QueueMessage);
    Ok(registered(function, &name, &quote!(queue), (&takes, &parameters)))
}

pub(crate) fn timer(arguments: &Arguments, function: ItemFn) -> syn::Result<TokenStream> {
    signature::check_plain(&function)?;
    let parameters = signature::timer_input(&function.sig)?.map(|passing| pass(passing, &quote!(timer)));
    let name = arguments.name_for(&function.sig.ident);
    let takes = quote!(timer: &::dacapo::TimerInfo);
    Ok(registered(function, &name, &quote!(timer), (&takes, &comma_separated(parameters, None))))
}

/// A parameter that is there as a reference.
fn pass(passing: Passing, reference: &TokenStream) -> TokenStream {
    match passing {
        Passing::Reference => reference.clone(),
        Passing::Value => quote!(::std::clone::Clone::clone(#reference)),
    }
}

/// A function that a trigger starts: it stays as it is, and another one beside it knows what it takes and returns.
fn registered(
    mut function: ItemFn,
    name: &LitStr,
    registers: &TokenStream,
    (takes, parameters): (&TokenStream, &TokenStream),
) -> TokenStream {
    let ident = &function.sig.ident;
    let call = quote!(#ident(#parameters));
    let result = match Output::of(&function.sig) {
        Output::Nothing => quote!(::core::result::Result::Ok(#call)),
        Output::Value(value) => quote_spanned!(value.span()=> ::core::result::Result::Ok(#call)),
        Output::Fallible(result) => {
            quote_spanned!(result.span()=> ::dacapo::__private::Fallible::into_outcome(#call))
        }
    };
    let registration = quote! {
        const _: () = {
            #[allow(unused_variables, reason = "not every function looks at what started it")]
            fn invoke(#takes) -> ::dacapo::__private::Outcome {
                let result = #result;
                ::dacapo::__private::returned(result, #name)
            }
            ::dacapo::__private::inventory::submit! { ::dacapo::__private::Function::#registers(#name, invoke) }
        };
    };
    function.attrs.push(takes_its_input());
    quote! { #function #registration }
}

/// What activities and orchestrators have in common.
struct Parts {
    input_type: TokenStream,
    output_type: TokenStream,
    /// Overrides `nothing` for a function without an input.
    nothing: Option<TokenStream>,
    /// The input as it is passed on, if the function takes it.
    parameter: Option<TokenStream>,
    fallible: bool,
}

impl Parts {
    fn new(function: &ItemFn, input: &Input<'_>) -> Parts {
        let (input_type, nothing) = match input.of {
            Some(of) => (quote!(#of), None),
            None => {
                let nothing = quote! {
                    fn nothing() -> ::core::option::Option<()> { ::core::option::Option::Some(()) }
                };
                (quote!(()), Some(nothing))
            }
        };
        let (output_type, fallible) = match Output::of(&function.sig) {
            Output::Nothing => (quote!(()), false),
            Output::Value(value) => (quote!(#value), false),
            Output::Fallible(result) => {
                let value = quote_spanned!(result.span()=> <#result as ::dacapo::__private::Fallible>::Value);
                (value, true)
            }
        };
        let parameter = input.of.map(|of| quote_spanned!(of.span()=> input));
        Parts { input_type, output_type, nothing, parameter, fallible }
    }

    /// The expression for a `Result<Output, Failure>`, given the one that calls the function.
    fn outcome(&self, call: &TokenStream) -> TokenStream {
        match self.fallible {
            true => quote!(::dacapo::__private::Fallible::into_outcome(#call)),
            false => quote!(::core::result::Result::Ok(#call)),
        }
    }
}

struct Handle {
    name: LitStr,
    implements: TokenStream,
    registers: TokenStream,
    members: TokenStream,
    pointer: TokenStream,
    pointer_value: TokenStream,
}

impl Handle {
    fn expand(self, mut function: ItemFn) -> TokenStream {
        let Handle { name, implements, registers, members, pointer, pointer_value } = self;
        let ident: Ident = function.sig.ident.clone();
        let visibility = std::mem::replace(&mut function.vis, Visibility::Inherited);
        let (docs, attributes): (Vec<Attribute>, Vec<Attribute>) =
            function.attrs.drain(..).partition(|attribute| attribute.path().is_ident("doc"));
        function.attrs = attributes;
        function.attrs.push(takes_its_input());
        function.sig.ident = inner(&ident);
        quote! {
            #(#docs)*
            #[allow(non_camel_case_types, reason = "it is called like the function that it stands for")]
            #[allow(dead_code, reason = "the host knows it by its name")]
            #[derive(Clone, Copy, Debug)]
            #visibility struct #ident {}

            #[allow(non_upper_case_globals, reason = "it is called like the function that it stands for")]
            #[allow(dead_code, reason = "the host knows it by its name")]
            #[doc(hidden)]
            #visibility const #ident: #ident = #ident {};

            const _: () = {
                #function

                impl #implements for #ident {
                    const NAME: &'static str = #name;
                    #members
                }

                /// Calling the handle is calling the function.
                impl ::core::ops::Deref for #ident {
                    type Target = #pointer;

                    fn deref(&self) -> &Self::Target {
                        const POINTER: #pointer = #pointer_value;
                        &POINTER
                    }
                }

                ::dacapo::__private::inventory::submit! { ::dacapo::__private::Function::#registers::<#ident>() }
            };
        }
    }
}

/// The name of the function inside its handle; unlike any that its body could mean.
fn inner(function: &Ident) -> Ident {
    format_ident!("__dacapo_{}", function)
}

fn returned(function: &ItemFn) -> TokenStream {
    match &function.sig.output {
        syn::ReturnType::Default => quote!(()),
        syn::ReturnType::Type(_, returned) => {
            let returned: &Type = returned;
            quote!(#returned)
        }
    }
}

fn comma_separated(first: Option<TokenStream>, second: Option<TokenStream>) -> TokenStream {
    let tokens = first.into_iter().chain(second);
    quote!(#(#tokens),*)
}

/// The signature is the contract's: the input comes by value even if the body only reads it.
fn takes_its_input() -> Attribute {
    syn::parse_quote! {
        #[allow(clippy::needless_pass_by_value, clippy::unused_async, reason = "the attribute asks for this signature")]
    }
}
