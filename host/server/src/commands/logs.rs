//! `dacapo logs`: the log of a host that runs, from wherever.

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use std::string::FromUtf8Error;

use super::admin_api;
use crate::cli::{LogsArguments, OutputFormat};
use crate::console::{Console, push_visible};
use crate::exit::Problem;
use crate::outbound;

/// What is read of a refusal.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// Runs the command to its end: that of the host, if it follows.
///
/// # Errors
/// [`Problem::NoAnswer`] for whatever keeps lines from being there.
pub(crate) fn run(arguments: &LogsArguments, console: &Console) -> Result<(), Problem> {
    admin_api::block_on(async {
        let mut body = ask(arguments).await?;
        let mut lines = Lines::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the log broke off; ask again")?;
            // Trailers say nothing here.
            let Ok(data) = frame.into_data() else { continue };
            console.draw(&lines.visible(&data));
        }
        console.draw(&lines.visible(b"\n"));
        Ok(())
    })
}

async fn ask(arguments: &LogsArguments) -> anyhow::Result<Incoming> {
    let (host, origin) = (&arguments.host, admin_api::origin(&arguments.host.url));
    let mut request = Request::get(format!("{origin}/admin/host/logs?{}", query(arguments)));
    if let Some(key) = host.key() {
        request = request.header("x-functions-key", key);
    }
    let request = request.body(Empty::<Bytes>::new()).with_context(|| format!("--url {} cannot be asked", host.url))?;
    let answer = outbound::client::<Empty<Bytes>>().request(request).await.with_context(|| {
        format!("no host answers at {origin}; start one with `dacapo start <manifest>`, or say where it is with --url")
    })?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        StatusCode::UNAUTHORIZED => Err(admin_api::wants_master_key(&origin, host.key())),
        StatusCode::NOT_FOUND => bail!("{origin} has no logs to ask for: it is no Dacapo host, or an older one"),
        status => {
            let why = Limited::new(answer.into_body(), MAX_REFUSAL_BYTES).collect().await;
            let why = why.map(|body| body.to_bytes()).unwrap_or_default();
            bail!("{origin} answers {status}: {}", String::from_utf8_lossy(&why))
        }
    }
}

fn query(arguments: &LogsArguments) -> String {
    let LogsArguments { follow, function, level, invocation, host } = arguments;
    let form = match host.output {
        OutputFormat::Text => "text",
        OutputFormat::Json => "json",
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("form", form);
    if *follow {
        query.append_pair("follow", "1");
    }
    for (name, value) in [("function", function), ("level", level), ("invocation", invocation)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// Bytes from elsewhere on their way to a terminal: whole lines, and nothing in them that could steer it.
#[derive(Default)]
struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// The lines that are whole with these bytes. An empty line says nothing and is left out.
    fn visible(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.pending.drain(..whole).collect();
        let text = String::from_utf8(lines)
            .unwrap_or_else(|error: FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let mut visible = String::with_capacity(text.len());
        for line in text.lines().filter(|line| !line.is_empty()) {
            push_visible(&mut visible, line);
            visible.push('\n');
        }
        visible
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use expect_test::{Expect, expect};

    fn check_query(line: &str, expected: &Expect) {
        let cli = Cli::try_parse_from(line.split(' ')).expect("it can be said");
        let Command::Logs(arguments) = cli.command else { panic!("{line} asks for no logs") };
        expected.assert_eq(&query(&arguments));
    }

    #[test]
    fn what_is_wanted_is_asked_for() {
        check_query("dacapo logs", &expect!["form=text"]);
        check_query(
            "dacapo logs -f --function Book&Fly --level warning --invocation 1a --output json",
            &expect!["form=json&follow=1&function=Book%26Fly&level=warning&invocation=1a"],
        );
    }

    #[test]
    fn lines_are_whole_and_harmless_however_they_arrive() {
        let mut lines = Lines::default();
        let mut text = String::new();
        for bytes in
            [&b"00:00:00  [host] a \xe2\x86"[..], b"\x92 b\n\n00:00:01  [fun", b"ction] A: \x1b[2Jx\xff\n", b"last"]
        {
            text.push_str(&lines.visible(bytes));
        }
        text.push_str(&lines.visible(b"\n"));
        expect![[r#"
            00:00:00  [host] a → b
            00:00:01  [function] A: \u{1b}[2Jx�
            last
        "#]]
        .assert_eq(&text);
    }
}
