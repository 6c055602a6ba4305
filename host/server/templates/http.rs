//! `function-name`: answers HTTP requests at `/my-route`.

use dacapo::{Failure, Request, Response};

/// `GET /my-route?name=Ada`, or `POST /my-route` with the name as JSON.
#[dacapo::http(name = "function-name")]
fn my_function(request: Request) -> Result<Response, Failure> {
    let name = match request.query("name") {
        Some(name) => name,
        // What is not JSON is answered with 400 by `?` alone.
        None if request.method == "POST" => request.json()?,
        None => "world".into(),
    };
    Ok(Response::text(format!("Hello, {name}!\n")))
}

#[cfg(test)]
mod tests {
    //! An HTTP function is a function: a test calls it.

    use super::*;

    const URL: &str = "http://localhost:7071/";

    fn greeting(request: Request) -> String {
        String::from_utf8(my_function(request).unwrap().body).unwrap()
    }

    #[test]
    fn greets_whoever_is_named() {
        let by_query = Request::get(format!("{URL}?name=Ada+L."));
        assert_eq!(greeting(by_query), "Hello, Ada L.!\n");
        assert_eq!(greeting(Request::post(URL, "Grace")), "Hello, Grace!\n");
        assert_eq!(greeting(Request::get(URL)), "Hello, world!\n");
    }

    #[test]
    fn a_name_is_a_text() {
        let answer = my_function(Request::post(URL, &42));
        assert!(answer.unwrap_err().is("BadRequest"));
    }
}
