//! What `#[dacapo::entity]` makes of an `impl` block.
//!
//! The block stays as it is. Besides it there come the list of operations, with a function that decodes the input of each
//! and encodes its result, and two types with the same methods as the block: for calls and for signals.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, Ident, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Receiver, ReceiverKind, ReturnType,
    Type,
};

use crate::arguments::Arguments;
use crate::signature::{self, Output};

/// The operation that every entity has.
const DELETE: &str = "delete";

pub(crate) fn entity(arguments: &Arguments, item: &Item) -> syn::Result<TokenStream> {
    let Item::Impl(block) = item else {
        let why = "this attribute goes on an `impl` block: its type is the state, its methods are the operations";
        return Err(Error::new_spanned(item, why));
    };
    let type_name = check_block(block)?;
    let name = arguments.given().cloned().unwrap_or_else(|| LitStr::new(&type_name.to_string(), type_name.span()));
    let methods: Vec<&ImplItemFn> = methods(block)?;
    let operations: Vec<Operation<'_>> = methods.into_iter().map(Operation::of).collect::<syn::Result<_>>()?;
    check_names(&operations)?;

    let entity = &*block.self_ty;
    let has_delete = operations.iter().any(|operation| operation.name.eq_ignore_ascii_case(DELETE));
    let delete = (!has_delete).then(Deletion::new);
    let registered = operations.iter().map(|operation| operation.registration(entity));
    let calls = operations.iter().map(Operation::call).chain(delete.iter().map(Deletion::call));
    let signals = operations.iter().map(Operation::signal).chain(delete.iter().map(Deletion::signal));
    let implementation = quote_spanned!(entity.span()=> impl ::dacapo::Entity for #entity);
    Ok(quote! {
        #block

        const _: () = {
            #implementation {
                const NAME: &'static str = #name;
                const OPERATIONS: &'static [::dacapo::__private::Operation<Self>] = &[#(#registered),*];
                type Calls = Calls;
                type Signals<S: ::dacapo::Signaller> = Signals<S>;
            }

            /// The operations of the entity, as calls.
            #[allow(unreachable_pub, reason = "it is reached through the trait")]
            pub struct Calls(::dacapo::EntityCaller);

            impl ::core::convert::From<::dacapo::EntityCaller> for Calls {
                fn from(caller: ::dacapo::EntityCaller) -> Calls { Calls(caller) }
            }

            #[allow(dead_code, unreachable_pub, private_interfaces, reason = "every operation has one, used or not")]
            #[allow(clippy::trivially_copy_pass_by_ref, clippy::ptr_arg, reason = "the input is that of the operation")]
            impl Calls { #(#calls)* }

            /// The operations of the entity, as signals.
            #[allow(unreachable_pub, reason = "it is reached through the trait")]
            pub struct Signals<S>(::dacapo::EntitySignaller<S>);

            impl<S> ::core::convert::From<::dacapo::EntitySignaller<S>> for Signals<S> {
                fn from(signaller: ::dacapo::EntitySignaller<S>) -> Signals<S> { Signals(signaller) }
            }

            #[allow(dead_code, unreachable_pub, private_interfaces, reason = "every operation has one, used or not")]
            #[allow(clippy::trivially_copy_pass_by_ref, clippy::ptr_arg, reason = "the input is that of the operation")]
            impl<S: ::dacapo::Signaller> Signals<S> { #(#signals)* }

            ::dacapo::__private::inventory::submit! { ::dacapo::__private::Function::entity::<#entity>() }
        };
    })
}

fn check_block(block: &ItemImpl) -> syn::Result<Ident> {
    let refuse = |tokens: &dyn ToTokens, why: &str| Err(Error::new_spanned(tokens.to_token_stream(), why));
    if let Some((path, _)) = &block.trait_ {
        return refuse(path, "the methods of a trait are not operations: put them into an `impl` block of their own");
    }
    if !block.generics.params.is_empty() {
        return refuse(&block.generics, "an entity is one type, not a family: remove the generic parameters");
    }
    let Type::Path(path) = &*block.self_ty else {
        return refuse(&block.self_ty, "an entity is a struct or an enum of this crate");
    };
    match path.path.segments.last() {
        Some(segment) => Ok(segment.ident.clone()),
        None => refuse(&block.self_ty, "an entity is a struct or an enum of this crate"),
    }
}

fn methods(block: &ItemImpl) -> syn::Result<Vec<&ImplItemFn>> {
    let mut methods = Vec::new();
    for item in &block.items {
        let ImplItem::Fn(method) = item else {
            let why = "only operations stand in this block: put everything else into an `impl` block of its own";
            return Err(Error::new_spanned(item, why));
        };
        methods.push(method);
    }
    match methods.is_empty() {
        true => Err(Error::new_spanned(
            &block.self_ty,
            "an entity needs an operation: a method with `&self` or `&mut self`",
        )),
        false => Ok(methods),
    }
}

fn check_names(operations: &[Operation<'_>]) -> syn::Result<()> {
    for (index, operation) in operations.iter().enumerate() {
        if operations[..index].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&operation.name)) {
            let why = "operations are told apart without case: this name is taken";
            return Err(Error::new_spanned(&operation.method.sig.ident, why));
        }
    }
    Ok(())
}

/// One method of the block.
struct Operation<'a> {
    method: &'a ImplItemFn,
    name: String,
    changes: bool,
    takes_context: bool,
    input: Option<&'a Type>,
    output: TokenStream,
    fallible: bool,
}

impl<'a> Operation<'a> {
    fn of(method: &'a ImplItemFn) -> syn::Result<Operation<'a>> {
        let signature = &method.sig;
        signature::check_callable(signature)?;
        if let Some(asyncness) = &signature.asyncness {
            let why = "an operation is a plain function: it cannot wait; signal, or start an orchestration that waits";
            return Err(Error::new_spanned(asyncness, why));
        }
        let changes = receiver(method)?;
        let typed = signature.inputs.iter().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(&*typed.ty),
            FnArg::Receiver(_) => None,
        });
        let parameters: Vec<&Type> = typed.collect();
        let (takes_context, inputs) = signature::split_context(&parameters, "EntityContext");
        let (output, fallible) = match Output::of(signature) {
            Output::Nothing => (quote!(()), false),
            Output::Value(value) => (quote!(#value), false),
            Output::Fallible(result) => {
                (quote_spanned!(result.span()=> <#result as ::dacapo::__private::Fallible>::Value), true)
            }
        };
        let name = signature.ident.to_string().trim_start_matches("r#").to_owned();
        Ok(Operation { method, name, changes, takes_context, input: operation_input(inputs)?, output, fallible })
    }

    /// Its entry in the list of operations.
    fn registration(&self, entity: &Type) -> TokenStream {
        let Operation { method, name, changes, .. } = self;
        let ident = &method.sig.ident;
        let decoded = self.input.map(|input| {
            quote_spanned! {input.span()=>
                let input = ::dacapo::__private::Operation::<#entity>::decode::<#input>(#name, input)?;
            }
        });
        let context = self.takes_context.then(|| quote!(context,));
        let input = self.input.map(|_| quote!(input));
        let call = quote!(#entity::#ident(state, #context #input));
        let output = match self.fallible {
            true => quote!(::dacapo::__private::Fallible::into_outcome(#call)?),
            false => call,
        };
        let returned = match &method.sig.output {
            ReturnType::Default => ident.span(),
            ReturnType::Type(_, returned) => returned.span(),
        };
        let encoded = quote_spanned!(returned=> ::dacapo::__private::Operation::<#entity>::encode(#name, &output));
        quote! {
            ::dacapo::__private::Operation::new(#name, #changes, |state, context, input| {
                let _ = (&context, &input);
                #decoded
                let output = #output;
                #encoded
            })
        }
    }

    fn call(&self) -> TokenStream {
        let (docs, ident, parameter, input) = self.handle();
        let Operation { name, output, .. } = self;
        quote! {
            #(#docs)*
            pub fn #ident(&self #parameter) -> ::dacapo::EntityCall<#output> { self.0.call(#name, #input) }
        }
    }

    fn signal(&self) -> TokenStream {
        let (docs, ident, parameter, input) = self.handle();
        let name = &self.name;
        quote! {
            #(#docs)*
            pub fn #ident(&self #parameter) -> ::core::result::Result<(), S::Error> { self.0.signal(#name, #input) }
        }
    }

    /// What the methods of calls and signals have in common with the operation.
    fn handle(&self) -> (Vec<&Attribute>, &Ident, Option<TokenStream>, TokenStream) {
        let docs = self.method.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
        let parameter = self.input.map(|input| quote!(, input: &#input));
        let input = if self.input.is_some() { quote!(input) } else { quote!(&()) };
        (docs, &self.method.sig.ident, parameter, input)
    }
}

/// Whether the operation may change the state.
fn receiver(method: &ImplItemFn) -> syn::Result<bool> {
    let why = "an operation takes `&self`, if it only reads the state, or `&mut self`; a function without the state \
               belongs into another `impl` block";
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(Receiver { kind: ReceiverKind::Reference(_, _, mutability), .. })) => {
            Ok(mutability.is_some())
        }
        Some(argument) => Err(Error::new_spanned(argument, why)),
        None => Err(Error::new_spanned(&method.sig.ident, why)),
    }
}

fn operation_input<'a>(inputs: &[&'a Type]) -> syn::Result<Option<&'a Type>> {
    match inputs {
        [_, second, ..] => {
            let why = "an operation has one input: put several values into a struct or a tuple; a method that is no \
                       operation belongs into another `impl` block";
            Err(Error::new_spanned(second, why))
        }
        inputs => signature::at_most_one(inputs),
    }
}

/// The implicit `delete`.
struct Deletion {
    ident: Ident,
}

impl Deletion {
    fn new() -> Deletion {
        Deletion { ident: format_ident!("{DELETE}") }
    }

    fn call(&self) -> TokenStream {
        let ident = &self.ident;
        quote! {
            /// Deletes the entity.
            pub fn #ident(&self) -> ::dacapo::EntityCall<()> { self.0.call(#DELETE, &()) }
        }
    }

    fn signal(&self) -> TokenStream {
        let ident = &self.ident;
        quote! {
            /// Deletes the entity.
            pub fn #ident(&self) -> ::core::result::Result<(), S::Error> { self.0.signal(#DELETE, &()) }
        }
    }
}
