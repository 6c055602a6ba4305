//! Tries what a sandbox allows, and misbehaves as HTTP functions can: each path is one attempt. For the tests of `guest`.
//!
//! It is both at once, a standard HTTP component and one made with the SDK.

#![cfg_attr(target_arch = "wasm32", expect(clippy::print_stdout, reason = "the host's log is what is tried"))]

#[cfg(target_arch = "wasm32")]
mod orchestrators {
    use crate::attempts::{environment, fetch, world};
    use dacapo::Context;
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    /// Everything that an orchestrator may look at, with nothing there.
    #[dacapo::orchestrator]
    #[expect(clippy::disallowed_methods, reason = "whether time goes on is the question")]
    async fn look_around(ctx: Context) -> String {
        let began = Instant::now();
        let mut seen = environment() + &world();
        // Long enough for a real clock to move.
        for _ in 0..100_000 {
            std::hint::black_box(&mut seen);
        }
        seen += &format!("after the work: {:?}\n", began.elapsed());
        ctx.sleep(Duration::from_secs(60)).await;
        seen + &format!("after the timer: {:?}\n", began.elapsed())
    }

    #[dacapo::orchestrator]
    async fn send_a_request(_ctx: Context) -> String {
        fetch("127.0.0.1:9")
    }

    /// Also without a line end, which the host has to log before it forgets whether the code was replayed.
    #[dacapo::orchestrator]
    async fn print_around_a_timer(ctx: Context) {
        println!("before");
        print!("right before");
        std::io::stdout().flush().expect("a host that listens");
        ctx.sleep(Duration::from_secs(60)).await;
        println!("after");
    }
}

#[cfg(target_arch = "wasm32")]
mod component {
    use crate::attempts::{environment, fetch, world};
    use std::time::Duration;
    use wasip2::http::types::{ErrorCode, Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
    use wasip2::io::streams::OutputStream;

    struct Probe;

    wasip2::http::proxy::export!(Probe);

    impl wasip2::exports::http::incoming_handler::Guest for Probe {
        fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
            let path = request.path_with_query().unwrap_or_default();
            match path.as_str() {
                "/environment" => answer(response_out, &environment()),
                "/world" => answer(response_out, &world()),
                "/bindings" => answer(response_out, &format!("{:?}", dacapo::output("receipts", &1))),
                "/sleep" => answer(response_out, sleep()),
                "/fetch" => answer(response_out, &fetch(&authority(&request))),
                "/silent" => drop(response_out),
                "/error" => ResponseOutparam::set(response_out, Err(ErrorCode::LoopDetected)),
                "/trap" => panic!("before any response"),
                "/trap-midway" => {
                    let (body, output) = begin(response_out, None);
                    write(&output, "half of it");
                    std::mem::forget((body, output));
                    panic!("in the middle of the body");
                }
                "/exact" => {
                    let (_body, output) = begin(response_out, Some("5"));
                    write(&output, "12345");
                    // Runs on although the client has everything.
                    sleep();
                    println!("ran on");
                }
                "/endless" => {
                    let (_body, output) = begin(response_out, None);
                    loop {
                        write(&output, &"x".repeat(1000));
                    }
                }
                other => answer(response_out, &format!("no such attempt: {other}")),
            }
        }
    }

    fn begin(response_out: ResponseOutparam, length: Option<&str>) -> (OutgoingBody, OutputStream) {
        let headers = Fields::new();
        if let Some(length) = length {
            headers.set("content-length", &[length.into()]).expect("a valid header");
        }
        let response = OutgoingResponse::new(headers);
        let body = response.body().expect("the first call");
        ResponseOutparam::set(response_out, Ok(response));
        let output = body.write().expect("the first call");
        (body, output)
    }

    fn write(output: &OutputStream, text: &str) {
        output.blocking_write_and_flush(text.as_bytes()).expect("a client that listens");
    }

    fn answer(response_out: ResponseOutparam, text: &str) {
        let (body, output) = begin(response_out, None);
        for part in text.as_bytes().chunks(4096) {
            output.blocking_write_and_flush(part).expect("a client that listens");
        }
        drop(output);
        OutgoingBody::finish(body, None).expect("a whole body");
    }

    #[expect(clippy::disallowed_methods, reason = "whether it blocks the host is the question")]
    fn sleep() -> &'static str {
        std::thread::sleep(Duration::from_millis(100));
        "slept"
    }

    fn authority(request: &IncomingRequest) -> String {
        let values = request.headers().get("x-authority");
        String::from_utf8_lossy(values.first().map_or(&[], Vec::as_slice)).into_owned()
    }
}

#[cfg(target_arch = "wasm32")]
mod attempts {
    use std::time::Duration;
    use wasip2::http::outgoing_handler;
    use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

    pub(crate) fn environment() -> String {
        std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "whether the clock is real is the question")]
    pub(crate) fn world() -> String {
        let files = std::fs::read_dir("/").map(|_| "files").map_err(|error| error.kind());
        let network = std::net::TcpStream::connect("127.0.0.1:9").map(|_| "network").map_err(|error| error.kind());
        let year_2020 = std::time::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
        let clock = std::time::SystemTime::now() > year_2020;
        format!("files: {files:?}\nnetwork: {network:?}\nreal clock: {clock}\n")
    }

    /// Sends a GET.
    pub(crate) fn fetch(authority: &str) -> String {
        let outgoing = OutgoingRequest::new(Fields::new());
        outgoing.set_scheme(Some(&Scheme::Http)).expect("a valid scheme");
        outgoing.set_authority(Some(authority)).expect("a valid authority");
        outgoing.set_path_with_query(Some("/")).expect("a valid path");
        let future = match outgoing_handler::handle(outgoing, None) {
            Ok(future) => future,
            Err(code) => return format!("refused: {code:?}"),
        };
        future.subscribe().block();
        match future.get() {
            Some(Ok(Ok(response))) => format!("status {}", response.status()),
            Some(Ok(Err(code))) => format!("failed: {code:?}"),
            Some(Err(())) | None => "no answer".to_owned(),
        }
    }
}
