//! Account shared access signatures. Those here were made by azure-storage-queue 12.18 and azure-data-tables 12.7 for Python.

use super::world::World;
use crate::Service;
use expect_test::{Expect, expect};

const ALL: &str = "st=2026-11-22T11%3A00%3A00Z&se=2026-11-22T13%3A00%3A00Z&sp=rwdlacup&sv=2026-10-06&ss=bqt&srt=sco&sig=xE2LLIiDIkOe3jUCEF7pR8by4K5aadKcgJCTSebLa44%3D";
const QUEUE_READ: &str =
    "se=2026-11-23&sp=r&sv=2026-10-06&ss=q&srt=o&sig=LV9jSLEjEFi5puP%2BVBlWMGGXjRhdfJlBUDGjdfjUlFg%3D";
const ENDED: &str = "se=2026-11-22T12%3A00%3A00Z&sp=rwdlacup&sv=2026-10-06&ss=q&srt=sco&sig=Y/agZz%2BQtVL%2BJFD0NgnrzFG0Q%2Bi8ElUoU%2BP2Wg%2B88nM%3D";
const NOT_YET: &str = "st=2026-11-22T12%3A00%3A01Z&se=2026-11-23T12%3A00%3A00Z&sp=rwdlacup&sv=2026-10-06&ss=q&srt=sco&sig=tz2MGSd73OXZjTXibjCO48Ou4gRwpbw8Ae2AT0DevlA%3D";
const HTTPS: &str = "se=2026-11-23T12%3A00%3A00Z&sp=rwdlacup&spr=https&sv=2026-10-06&ss=q&srt=sco&sig=o57fF9hgD0mS3khHYnQ0ZNAGfbi4psyLhIrqsYlDwuk%3D";
const ONE_ADDRESS: &str = "se=2026-11-23T12%3A00%3A00Z&sp=rwdlacup&sip=1.2.3.4&sv=2026-10-06&ss=q&srt=sco&sig=ck3cXJ8CFXsdos/f59hpC%2BfHGgb9P7JiLExOQGdtdHY%3D";
/// Of a version without an encryption scope.
const TABLE: &str = "se=2026-11-23T12%3A00%3A00Z&sp=rwdlau&sv=2019-02-02&ss=t&srt=soc&sig=jN3gyk3yIQczrPSV/YgsBHh3EXh9GaHGN7Ol6U3qGSw%3D";

/// Sends a request whose line ends with a query, adds the signature, and tells the status and what is said of it.
fn told(world: &World, service: Service, line: &str, signature: &str) -> String {
    let separator = if line.contains('?') { '&' } else { '?' };
    let answer = world.send(service, &format!("{line}{separator}{signature}\nauthorization:"));
    let said =
        |tag: &str| answer.split_once(tag).and_then(|(_, rest)| rest.split("</").next()).unwrap_or("").to_owned();
    let detail = said("<AuthenticationErrorDetail>");
    let detail = if detail.is_empty() { said("<Message>") } else { detail };
    format!("{} {}", answer.lines().next().unwrap(), detail).trim().to_owned()
}

fn check(line: &str, signature: &str, expected: &Expect) {
    expected.assert_eq(&told(&World::new(), Service::Queue, line, signature));
}

#[test]
fn whoever_may_do_everything() {
    let world = World::new();
    let statuses = [
        (Service::Queue, "PUT ~/jobs"),
        (Service::Queue, "GET ~?comp=list"),
        (Service::Queue, "GET ~/jobs/messages"),
        (Service::Queue, "DELETE ~/jobs/messages"),
        (Service::Queue, "GET ~?restype=service&comp=properties"),
        (Service::Blob, "PUT ~/box?restype=container"),
        (Service::Blob, "GET ~/box?restype=container&comp=list"),
        (Service::Blob, "GET ~/box/a"),
        (Service::Table, "GET ~/Tables"),
        (Service::Table, "GET ~/People()"),
        (Service::Table, "DELETE ~/Tables('People')"),
    ]
    .map(|(service, line)| told(&world, service, line, ALL).split(' ').next().unwrap().to_owned());
    expect!["201 200 200 204 200 201 200 404 200 404 404"].assert_eq(&statuses.join(" "));
}

#[test]
fn whoever_may_only_read_messages() {
    check("GET ~/jobs/messages?peekonly=true", QUEUE_READ, &expect!["404 The specified queue does not exist."]);
    check(
        "GET ~/jobs/messages",
        QUEUE_READ,
        &expect![
            "403 This request is not authorized to perform this operation using this permission. It needs one of the permissions 'p'."
        ],
    );
    check(
        "POST ~/jobs/messages",
        QUEUE_READ,
        &expect![
            "403 This request is not authorized to perform this operation using this permission. It needs one of the permissions 'a'."
        ],
    );
    check(
        "PUT ~/jobs/messages/1?popreceipt=1",
        QUEUE_READ,
        &expect![
            "403 This request is not authorized to perform this operation using this permission. It needs one of the permissions 'u'."
        ],
    );
    check(
        "GET ~/jobs?comp=metadata",
        QUEUE_READ,
        &expect![
            "403 This request is not authorized to perform this operation using this resource type. It needs the resource type 'c'."
        ],
    );
    check(
        "GET ~?comp=list",
        QUEUE_READ,
        &expect![
            "403 This request is not authorized to perform this operation using this resource type. It needs the resource type 's'."
        ],
    );
    assert!(told(&World::new(), Service::Blob, "GET ~/box/a", QUEUE_READ).starts_with("403 "));
}

#[test]
fn signatures_that_do_not_count() {
    check(
        "PUT ~/jobs",
        ENDED,
        &expect!["403 Signature not valid in the specified time frame: it ended at 2026-11-22T12:00:00Z."],
    );
    check(
        "PUT ~/jobs",
        NOT_YET,
        &expect!["403 Signature not valid in the specified time frame: it starts at 2026-11-22T12:00:01Z."],
    );
    check(
        "PUT ~/jobs",
        HTTPS,
        &expect![
            "403 This request is not authorized to perform this operation using this protocol. The signature is for https, and this endpoint speaks http."
        ],
    );
    check("PUT ~/jobs", ONE_ADDRESS, &expect!["403 a signature for some addresses only ('sip') is not accepted here"]);
    check(
        "PUT ~/jobs",
        &QUEUE_READ.replace("sp=r", "sp=rw"),
        &expect![[r#"
        403 Signature did not match. String to sign used was 'devstoreaccount1
        rw
        q
        o

        2026-11-23


        2026-10-06'."#]],
    );
    check(
        "PUT ~/jobs",
        "sv=2026-10-06&sp=r&se=2026-11-23&sig=a",
        &expect![
            "403 of shared access signatures only those of a whole account are accepted here; they have 'ss' and 'srt'"
        ],
    );
    check(
        "PUT ~/jobs",
        "sig=a&ss=q&srt=o",
        &expect![[r#"
        403 Signature did not match. String to sign used was 'devstoreaccount1

        q
        o'."#]],
    );
}

#[test]
fn writing_entities_takes_the_permission_to_insert_them() {
    let world = World::new();
    let status = |line: &str| told(&world, Service::Table, line, TABLE).split(' ').next().unwrap().to_owned();
    assert_eq!(status("PUT ~/People(PartitionKey='a',RowKey='b')"), "400");
    assert_eq!(status("POST ~/$batch"), "400");
    assert_eq!(status("DELETE ~/Tables('People')"), "404");
    let wrong_service = told(&world, Service::Queue, "GET ~/jobs/messages?peekonly=true", TABLE);
    expect!["403 This request is not authorized to perform this operation using this service."]
        .assert_eq(&wrong_service);
}
