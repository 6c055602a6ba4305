//! HTTP functions are functions: a test calls them.

use dacapo::Request;

use super::{greet, hello};

#[test]
fn the_name_is_optional() {
    assert_eq!(hello(Request::get("http://localhost:7071/api/hello?name=Ada+L.")), "Hello, Ada L.!\n");
    assert_eq!(hello(Request::get("http://localhost:7071/api/hello")), "Hello, world!\n");
}

#[test]
fn greetings_depend_on_the_route() {
    let greeting = |language: &str| greet(Request::post("http://localhost/", "Ada").with_param("language", language));
    assert_eq!(greeting("it").unwrap().body, br#"{"greeting":"Ciao, Ada!"}"#);
    assert!(greeting("tlh").unwrap_err().is("UnknownLanguage"));
    assert!(greet(Request::get("http://localhost/")).unwrap_err().is("BadRequest"));
}
