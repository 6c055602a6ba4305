//! What unmodified client libraries of Azure send, byte for byte with their signatures, and what they get.
//!
//! Each was recorded once, against a listener that answered something plausible. So where a client sends an ETag, it is one from
//! that listener, and no entity here has it.

use crate::Service;
use crate::tests::world::World;
use bytes::Bytes;
use expect_test::{ExpectFile, expect_file};
use http::Request;
use std::time::Duration;

/// Status and body in a line for each request of a recording; the recordings were made at 13:53:57.
fn check(recording: &[u8], expected: &ExpectFile) {
    let world = World::new();
    world.clock.move_on(Duration::from_secs(113 * 60 + 57));
    let mut seen = String::new();
    let mut rest = recording;
    while !rest.is_empty() {
        let (request, after) = next_request(rest);
        rest = after;
        let line = format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        let answer = world.exchange(Service::Table, request);
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        let body = super::without_stamps(&body).replace("\r\n", "\n    ");
        seen += &format!("{line}\n  {} {}\n", answer.status().as_u16(), body.trim_end());
    }
    expected.assert_eq(&seen);
}

fn next_request(bytes: &[u8]) -> (Request<Bytes>, &[u8]) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        request = request.header(name, value);
    }
    let (body, rest) = bytes[end + 4..].split_at(length);
    (request.body(Bytes::copy_from_slice(body)).unwrap(), rest)
}

#[test]
fn python() {
    check(
        include_bytes!("../captured/python-azure-data-tables-12.7.0.http"),
        &expect_file!["../captured/python-azure-data-tables-12.7.0.answers"],
    );
}

#[test]
fn javascript() {
    check(
        include_bytes!("../captured/javascript-azure-data-tables-13.1.2.http"),
        &expect_file!["../captured/javascript-azure-data-tables-13.1.2.answers"],
    );
}
