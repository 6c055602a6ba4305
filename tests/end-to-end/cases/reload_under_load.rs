//! Swaps while there is much to do: no request fails, no connection breaks, nothing in flight is lost or done twice.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;

use crate::account::Account;
use crate::cases::storage_clients::connection_to;
use crate::development::{Project, says};
use crate::host::{Host, PATIENCE};

/// So often is the code swapped.
const SWAPS: u16 = 24;

/// Connections that ask one question after the other.
const QUICK: usize = 4;

/// Connections whose requests take longer than a swap.
const SLOW: usize = 3;

/// One connection for all of its requests: another one would hide that the host has closed it.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(host: &Host) -> Connection {
        let address = host.origin().trim_start_matches("http://");
        let stream = TcpStream::connect(address).expect("the host listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout is no zero");
        Connection(BufReader::new(stream))
    }

    /// Sends a request, and answers status and body.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let broken = || std::io::Error::other(format!("no answer: {line:?}"));
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().map_err(std::io::Error::other)?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// What the answers of one connection were, and what was wrong with them.
#[derive(Default)]
struct Tally {
    /// How often each edition answered.
    answers: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Tally {
    /// Asks until it is told to stop.
    fn of(
        mut connection: Connection,
        stop: &AtomicBool,
        method: &str,
        path: &str,
        body: impl Fn(usize) -> String,
    ) -> Tally {
        let mut tally = Tally::default();
        let mut latest = String::new();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) || tally.failures.len() > 3 {
                break;
            }
            match connection.ask(method, path, &body(number)) {
                // Editions are counted up, and whoever has met one meets none from before.
                Ok((200, edition)) if edition >= latest => {
                    latest.clone_from(&edition);
                    *tally.answers.entry(edition).or_default() += 1;
                }
                Ok((status, body)) => tally.failures.push(format!("{path} after {latest}: {status} {body}")),
                Err(error) => tally.failures.push(format!("{path} after {latest}: {error}")),
            }
        }
        tally
    }

    fn requests(&self) -> usize {
        self.answers.values().sum()
    }
}

fn joined(threads: Vec<ScopedJoinHandle<'_, Tally>>) -> Vec<Tally> {
    threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
}

#[test]
fn no_request_fails_and_no_message_is_lost_over_many_swaps() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral", "--output", "plain"]);
    let account = Account::new(&connection_to(&host));
    let connections = |count: usize, host: &Host| (0..count).map(|_| Connection::to(host)).collect::<Vec<_>>();
    let (quick, slow, hands_in) = (connections(QUICK, &host), connections(SLOW, &host), Connection::to(&host));
    let stop = AtomicBool::new(false);
    let (quick, slow, handed_in) = std::thread::scope(|scope| {
        let begin = |connections: Vec<Connection>, path: &'static str| {
            let stop = &stop;
            let spawn = |connection| scope.spawn(move || Tally::of(connection, stop, "GET", path, |_| String::new()));
            connections.into_iter().map(spawn).collect::<Vec<_>>()
        };
        let (quick, slow) = (begin(quick, "/api/which"), begin(slow, "/api/tarry?ms=300"));
        let handed_in =
            scope.spawn(|| Tally::of(hands_in, &stop, "POST", "/api/hand-in", |number| format!("job {number:06}")));
        // Also if a swap does not come about: the others must not go on for ever.
        let swaps = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for edition in 1..=SWAPS {
                project.save("editions", edition);
                host.process.wait_for("[reload] ");
            }
        }));
        stop.store(true, Ordering::Relaxed);
        let tallies = (joined(quick), joined(slow), joined(vec![handed_in]));
        swaps.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        tallies
    });
    let all = [&quick, &slow, &handed_in];
    let requests = all.map(|tallies| tallies.iter().map(Tally::requests).sum::<usize>());
    println!("{SWAPS} swaps; requests that were answered (quick, slow, with messages): {requests:?}");
    let failures: Vec<&String> = all.into_iter().flatten().flat_map(|tally| &tally.failures).collect();
    assert_eq!(failures, Vec::<&String>::new());
    for tally in &quick {
        assert!(tally.answers.len() > usize::from(SWAPS) / 2, "it met most editions: {:?}", tally.answers);
    }

    // Each message was worked on, and once.
    let sent: Vec<String> = (0..requests[2]).map(|number| format!("job {number:06}")).collect();
    host.look_until("all messages are worked on", |_| (account.count("done") >= sent.len()).then_some(()));
    assert_eq!(account.take_all("done"), sent);
    assert_eq!((account.count("work"), account.count("work-poison")), (0, 0));
    let (last, output) = (host.client().get("/api/which").expect(200).body, host.stop());
    assert_eq!(last, says(SWAPS));
    assert!(!output.contains("error:") && !output.contains(" failed in "), "{output}");
}

#[test]
fn requests_that_have_begun_end_on_the_code_that_they_began_with() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    let mut slow = Connection::to(&host);
    let answered = std::thread::scope(|scope| {
        let slow = scope.spawn(move || slow.ask("GET", "/api/tarry?ms=4000", ""));
        host.process.wait_for("[invocation start] Tarry");
        project.reload(&mut host, 1);
        assert_eq!(host.client().get("/api/which").expect(200).body, says(1));
        assert!(!slow.is_finished(), "the machine is too slow for this test: the request has ended before the swap");
        slow.join().expect("it does not panic")
    });
    assert_eq!(answered.expect("the connection stays"), (200, says(0)));
    host.stop();
}
