//! HTTP methods as triggers list them.

use std::fmt;

/// A method that a trigger may list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are HTTP's own")]
pub enum Method {
    Get,
    Post,
    Delete,
    Head,
    Patch,
    Put,
    Options,
    Trace,
}

impl Method {
    /// All of them, in the order in which Azure lists them.
    pub const ALL: [Method; 8] = [
        Method::Get,
        Method::Post,
        Method::Delete,
        Method::Head,
        Method::Patch,
        Method::Put,
        Method::Options,
        Method::Trace,
    ];

    /// The method of a request line: upper case, as HTTP demands.
    pub fn from_request(text: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// The method that a manifest names, in any case.
    pub fn from_manifest(text: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Patch => "PATCH",
            Method::Put => "PUT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
        }
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The methods that a trigger answers: all that there are (even ones that HTTP does not know yet), or a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Methods {
    /// One bit for each listed method; `None` means all.
    listed: Option<u8>,
}

/// How a trigger takes a request's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acceptance {
    AsIs,
    /// HEAD is answered by a function that lists GET.
    AsGet,
    No,
}

impl Methods {
    /// What a trigger without a list answers.
    pub const ALL: Methods = Methods { listed: None };

    /// The methods in the list; all when it is empty, as in Azure.
    pub fn listed(methods: impl IntoIterator<Item = Method>) -> Methods {
        let bits = methods.into_iter().fold(0, |bits, method| bits | method.bit());
        Methods { listed: (bits != 0).then_some(bits) }
    }

    /// Whether every method is answered.
    pub fn is_all(self) -> bool {
        self.listed.is_none()
    }

    /// Whether the method is listed, or all are.
    pub fn contains(self, method: Method) -> bool {
        self.listed.is_none_or(|bits| bits & method.bit() != 0)
    }

    /// Whether a request could be meant for both.
    pub fn overlaps(self, other: Methods) -> bool {
        match (self.listed, other.listed) {
            (Some(left), Some(right)) => left & right != 0,
            (None, _) | (_, None) => true,
        }
    }

    /// The methods in Azure's order; every method that there is when all are answered.
    pub fn to_vec(self) -> Vec<Method> {
        Method::ALL.into_iter().filter(|method| self.contains(*method)).collect()
    }

    /// How a request with this method on its request line is taken.
    pub(crate) fn accept(self, request: &str) -> Acceptance {
        if self.is_all() {
            return Acceptance::AsIs;
        }
        match Method::from_request(request) {
            Some(method) if self.contains(method) => Acceptance::AsIs,
            Some(Method::Head) if self.contains(Method::Get) => Acceptance::AsGet,
            Some(_) | None => Acceptance::No,
        }
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() { f.write_str("all") } else { f.debug_list().entries(self.to_vec()).finish() }
    }
}
