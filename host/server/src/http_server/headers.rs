//! Headers that the host adds to the answers of functions: those that the app lists, and the advice to come by TLS only.

use http::header::STRICT_TRANSPORT_SECURITY;
use http::{HeaderMap, HeaderName, HeaderValue};
use manifest::settings::{HstsSettings, HttpSettings};

/// What is added. The default adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddedHeaders {
    /// Added where the function has not set a header of that name.
    custom: Vec<(HeaderName, HeaderValue)>,
    /// HTTP Strict Transport Security (RFC 6797), and the hosts that are excluded from it.
    hsts: Option<(HeaderValue, Vec<String>)>,
}

impl AddedHeaders {
    /// Those of an app. The manifest was checked: what is no header is not in it.
    pub(crate) fn of(http: &HttpSettings) -> AddedHeaders {
        let custom = http.custom_headers.iter();
        AddedHeaders {
            custom: custom.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect(),
            hsts: http.hsts.as_ref().and_then(|hsts| Some((hsts_value(hsts)?, hsts.excluded_hosts.clone()))),
        }
    }

    /// Adds to the headers of an answer to a request that came by this scheme to this host.
    pub(crate) fn add(&self, scheme: &str, host: &str, headers: &mut HeaderMap) {
        for (name, value) in &self.custom {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
        // Over a connection without TLS anybody could have written it, and browsers pass over it there.
        if let Some((value, excluded)) = self.hsts.as_ref().filter(|_| scheme.eq_ignore_ascii_case("https"))
            && !excluded.iter().any(|excluded| excluded.eq_ignore_ascii_case(host))
        {
            headers.insert(STRICT_TRANSPORT_SECURITY, value.clone());
        }
    }

    /// Whether nothing is ever added.
    pub(crate) fn is_empty(&self) -> bool {
        self.custom.is_empty() && self.hsts.is_none()
    }
}

fn hsts_value(hsts: &HstsSettings) -> Option<HeaderValue> {
    let sub_domains = if hsts.include_sub_domains { "; includeSubDomains" } else { "" };
    let preload = if hsts.preload { "; preload" } else { "" };
    HeaderValue::from_str(&format!("max-age={}{sub_domains}{preload}", hsts.max_age.as_secs())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::fmt::Write;

    const APP: &str = r#"
[app]
name = "greetings"
version = "1.0.0"
[components.main]
source = "greetings.wasm"
[functions.Echo]
trigger = { type = "httpTrigger", route = "echo" }
[host.http.customHeaders]
X-Content-Type-Options = "nosniff"
X-Set = "by the host"
"#;

    fn check(hsts: &str, scheme: &str, host: &str, expected: &Expect) {
        let text = format!("{APP}{hsts}");
        let app = manifest::parse(&text, "greetings.toml", &manifest::no_settings).expect("a good manifest");
        let mut headers = HeaderMap::new();
        headers.insert("x-set", HeaderValue::from_static("by the function"));
        AddedHeaders::of(&app.host.http).add(scheme, host, &mut headers);
        let mut text = String::new();
        for (name, value) in &headers {
            writeln!(text, "{name}: {}", value.to_str().expect("visible")).expect("a string takes all");
        }
        expected.assert_eq(text.trim_end());
    }

    #[test]
    fn what_the_function_says_stays() {
        check(
            "",
            "https",
            "a.example",
            &expect![[r#"
            x-set: by the function
            x-content-type-options: nosniff"#]],
        );
    }

    #[test]
    fn browsers_are_told_of_tls_by_tls() {
        let hsts = "[host.http.hsts]\nisEnabled = true\nmaxAge = '01:00:00'\nincludeSubDomains = true\npreload = true\n\
                    excludedHosts = ['Localhost']";
        check(
            hsts,
            "https",
            "a.example",
            &expect![[r#"
            x-set: by the function
            x-content-type-options: nosniff
            strict-transport-security: max-age=3600; includeSubDomains; preload"#]],
        );
        check(
            hsts,
            "http",
            "a.example",
            &expect![[r#"
            x-set: by the function
            x-content-type-options: nosniff"#]],
        );
        check(
            hsts,
            "https",
            "localhost",
            &expect![[r#"
            x-set: by the function
            x-content-type-options: nosniff"#]],
        );
    }
}
