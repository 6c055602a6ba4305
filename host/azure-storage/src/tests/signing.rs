//! Who is let in: signatures, dates, versions and accounts, and what those who are not are told.

use super::world::{World, told};
use crate::signing::{HeaderOrder, Key, Scheme, Signable, service_order};
use crate::{Account, Service, dates};
use bytes::Bytes;
use expect_test::{Expect, expect};
use http::{HeaderMap, HeaderName, Request, Uri};
use orchestration::Timestamp;
use ports::Clock;
use proptest::prelude::*;
use std::time::Duration;

/// Requests that others have signed, one in each paragraph.
const SIGNED: &str = include_str!("signed_requests.txt");

#[test]
fn signatures_of_others_are_ours() {
    let mut count = 0;
    for text in SIGNED.split("\n\n").filter(|text| !text.starts_with('#')) {
        let mut lines = text.lines();
        let line: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let service =
            [Service::Blob, Service::Queue, Service::Table].into_iter().find(|it| it.name() == line[0]).unwrap();
        let uri: Uri = line[2].parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), value.trim().parse().unwrap());
        }
        let authorization = headers["authorization"].to_str().unwrap();
        let (scheme, signature) = authorization.split_once(" devstoreaccount1:").unwrap();
        let scheme = if scheme == "SharedKey" { Scheme::SharedKey } else { Scheme::SharedKeyLite };
        let signable = Signable {
            service,
            account: Account::DEVELOPMENT_NAME,
            method: line[1],
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers: &headers,
            order: HeaderOrder::Service,
        };
        let key = Key::from_base64(Account::DEVELOPMENT_KEY).unwrap();
        assert_eq!(key.sign(&signable.string_to_sign(scheme)), signature, "{text}");
        count += 1;
    }
    assert_eq!(count, 20);
}

#[test]
fn names_of_headers_in_the_order_of_the_service() {
    let mut names = vec![
        "x-ms-meta-a-b",
        "x-ms-meta-ab",
        "x-ms-meta-ab-c",
        "x-ms-meta-abc",
        "x-ms-meta--ab",
        "x-ms-date",
        "x-ms-meta-a",
        "x-ms-meta-a-",
        "x-ms-me-ta-ab",
        "x-ms-meta-a1",
        "x-ms-meta-_b",
    ];
    names.sort_by(|a, b| service_order(a, b));
    // As azure-storage-queue 12.18 for Python sorts them.
    expect!["x-ms-date x-ms-meta-_b x-ms-meta-a x-ms-meta-a- x-ms-meta-a1 x-ms-meta-ab x-ms-meta-a-b x-ms-meta--ab x-ms-me-ta-ab x-ms-meta-abc x-ms-meta-ab-c"]
        .assert_eq(&names.join(" "));
}

fn check(requests: &str, expected: &Expect) {
    expected.assert_eq(&World::new().send(Service::Queue, requests));
}

#[test]
fn who_is_not_let_in() {
    check(
        "PUT ~/jobs\nauthorization:\n",
        &expect![[r#"
        401
        www-authenticate: SharedKey realm="devstoreaccount1"
        x-ms-error-code: NoAuthenticationInformation
        <Error>
        <Code>NoAuthenticationInformation</Code>
        <Message>Server failed to authenticate the request. Please refer to the information in the www-authenticate header.</Message>
        </Error>
    "#]],
    );
    check(
        "PUT ~/jobs?sv=2024-11-04&sig=a\nauthorization:\n",
        &expect![[r#"
            403
            x-ms-error-code: AuthenticationFailed
            <Error>
            <Code>AuthenticationFailed</Code>
            <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
            <AuthenticationErrorDetail>of shared access signatures only those of a whole account are accepted here; they have 'ss' and 'srt'</AuthenticationErrorDetail>
            </Error>
        "#]],
    );
    check(
        "PUT ~/jobs\nauthorization: Bearer a\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        <Error>
        <Code>AuthenticationFailed</Code>
        <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
        <AuthenticationErrorDetail>the scheme 'Bearer' is not accepted here; sign with SharedKey or SharedKeyLite</AuthenticationErrorDetail>
        </Error>
    "#]],
    );
    check(
        "PUT ~/jobs\nauthorization: SharedKey a\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        <Error>
        <Code>AuthenticationFailed</Code>
        <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
        <AuthenticationErrorDetail>the Authorization header has the form 'SharedKey account:signature'</AuthenticationErrorDetail>
        </Error>
    "#]],
    );
    check(
        "PUT ~/jobs\nauthorization: SharedKey other:a\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        <Error>
        <Code>AuthenticationFailed</Code>
        <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
        <AuthenticationErrorDetail>the request is signed for the account 'other'; this is 'devstoreaccount1'</AuthenticationErrorDetail>
        </Error>
    "#]],
    );
}

#[test]
fn whose_signature_is_wrong() {
    check(
        "PUT ~/jobs\nauthorization: SharedKey devstoreaccount1:AAAA\nx-ms-meta-a: <b>\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        <Error>
        <Code>AuthenticationFailed</Code>
        <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
        <AuthenticationErrorDetail>The MAC signature found in the HTTP request 'AAAA' is not the same as any computed signature. Server used following string to sign: 'PUT











        x-ms-date:Sun, 22 Nov 2026 12:00:00 GMT
        x-ms-meta-a:&lt;b&gt;
        /devstoreaccount1/devstoreaccount1/jobs'.</AuthenticationErrorDetail>
        </Error>
    "#]],
    );
    check(
        "PUT ~/jobs\nauthorization: SharedKeyLite devstoreaccount1:not base64\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        <Error>
        <Code>AuthenticationFailed</Code>
        <Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.</Message>
        <AuthenticationErrorDetail>The MAC signature found in the HTTP request 'not base64' is not the same as any computed signature. Server used following string to sign: 'PUT



        x-ms-date:Sun, 22 Nov 2026 12:00:00 GMT
        /devstoreaccount1/devstoreaccount1/jobs'.</AuthenticationErrorDetail>
        </Error>
    "#]],
    );
}

#[test]
fn who_asks_for_another_account() {
    check(
        "PUT /other/jobs\n",
        &expect![[r#"
        400
        x-ms-error-code: InvalidUri
        <Error>
        <Code>InvalidUri</Code>
        <Message>The requested URI does not represent any resource on the server. This endpoint serves the account 'devstoreaccount1' alone; its paths begin with /devstoreaccount1.</Message>
        </Error>
    "#]],
    );
    check(
        "PUT ~-third/jobs\n",
        &expect![[r#"
        400
        x-ms-error-code: InvalidUri
        <Error>
        <Code>InvalidUri</Code>
        <Message>The requested URI does not represent any resource on the server. This endpoint serves the account 'devstoreaccount1' alone; its paths begin with /devstoreaccount1.</Message>
        </Error>
    "#]],
    );
    check(
        "HEAD ~/jobs?comp=metadata\nauthorization: SharedKey devstoreaccount1:AAAA\n",
        &expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
    "#]],
    );
}

#[test]
fn a_table_tells_errors_as_json() {
    let told = World::new().send(Service::Table, "GET ~/Tables\nauthorization: SharedKey devstoreaccount1:AAAA\n");
    expect![[r#"
        403
        x-ms-error-code: AuthenticationFailed
        {"odata.error":{"code":"AuthenticationFailed","message":{"lang":"en-US","value":"Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:00000000-0000-4000-8000-000000000001\nTime:2026-11-22T12:00:00.0000000Z\nAuthenticationErrorDetail:The MAC signature found in the HTTP request 'AAAA' is not the same as any computed signature. Server used following string to sign: 'GET\n\n\nSun, 22 Nov 2026 12:00:00 GMT\n/devstoreaccount1/devstoreaccount1/Tables'."}}}
    "#]].assert_eq(&told);
}

#[test]
fn versions() {
    for version in ["2009-09-19", "2019-02-02", "2026-10-06", "2099-12-31"] {
        let answer = World::new().send(Service::Queue, &format!("PUT ~/jobs\nx-ms-version: {version}"));
        assert_eq!(answer, "201\n", "{version}");
    }
    for version in ["2009-09-18", "2026-13-01", "2026-00-10", "2026-1-01", "latest", "2026-10-06x"] {
        let answer = World::new().send(Service::Queue, &format!("PUT ~/jobs\nx-ms-version: {version}"));
        assert!(answer.starts_with("400\nx-ms-error-code: InvalidHeaderValue\n"), "{version}: {answer}");
    }
}

#[test]
fn dates_may_be_a_quarter_of_an_hour_off() {
    let world = World::new();
    let now = world.clock.now();
    let status = |seconds: i64| {
        let date = dates::rfc1123(Timestamp::from_unix_ms(now.unix_ms() + seconds * 1_000));
        // The date of the world comes first; this replaces it.
        let request = world.signed(Service::Queue, &format!("PUT ~/jobs\nx-ms-date: {date}"));
        told(&world.exchange(Service::Queue, request)).lines().next().unwrap().to_owned()
    };
    assert_eq!([900, -900, 901, -901].map(status), ["201", "204", "403", "403"]);
}

#[test]
fn what_all_answers_have() {
    let world = World::new();
    let request = world.signed(Service::Queue, "PUT ~/jobs\nx-ms-client-request-id: mine\nx-ms-version: 2019-02-02");
    let answer = world.exchange(Service::Queue, request);
    let mut headers: Vec<String> =
        answer.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    expect![[r#"
        date: Sun, 22 Nov 2026 12:00:00 GMT
        x-ms-client-request-id: mine
        x-ms-request-id: 00000000-0000-4000-8000-000000000001
        x-ms-version: 2019-02-02"#]]
    .assert_eq(&headers.join("\n"));
}

#[test]
fn an_account_in_the_host_name() {
    let world = World::new();
    let put = world.signed(Service::Queue, "PUT /jobs\nhost: devstoreaccount1.queue.localhost:10001");
    assert_eq!(told(&world.exchange(Service::Queue, put)), "201\n");
    let list = world.signed(Service::Queue, "GET /?comp=list\nhost: devstoreaccount1-secondary.queue.localhost:10001");
    expect![[r#"
        200
        <EnumerationResults ServiceEndpoint="http://devstoreaccount1-secondary.queue.localhost:10001/">
        <Queues>
        <Queue>
        <Name>jobs</Name>
        </Queue>
        </Queues>
        <NextMarker />
        </EnumerationResults>
    "#]]
    .assert_eq(&told(&world.exchange(Service::Queue, list)));
}

#[test]
fn other_ways_to_sign() {
    let world = World::new();
    world.send(Service::Queue, "PUT ~/jobs");
    let account = Account::development();
    let sign = |text: &str, path: &str, order: HeaderOrder| {
        let mut request = world.signed(Service::Queue, text);
        let signable = Signable {
            service: Service::Queue,
            account: account.name(),
            method: request.method().as_str(),
            path,
            query: request.uri().query().unwrap_or(""),
            headers: request.headers(),
            order,
        };
        let signature = account.keys()[0].sign(&signable.string_to_sign(Scheme::SharedKey));
        let value = format!("SharedKey devstoreaccount1:{signature}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        world.exchange(Service::Queue, request).status().as_u16()
    };
    let path = "/devstoreaccount1/jobs";
    assert_eq!(sign("GET ~-secondary/jobs?comp=metadata", path, HeaderOrder::Service), 200);
    assert_eq!(sign("GET ~/jobs?comp=metadata\nx-ms-a-b: 1\nx-ms-ab: 2", path, HeaderOrder::Bytes), 200);
    assert_eq!(sign("GET ~/jobs?comp=metadata\nx-ms-a-b: 1\nx-ms-ab: 2", path, HeaderOrder::Service), 200);
    assert_eq!(sign("GET ~/jobs?comp=metadata", "/jobs", HeaderOrder::Service), 403);
}

#[test]
fn accounts_have_a_form() {
    let said = |name: &str, keys: &[&str]| Account::new(name, keys).unwrap_err().to_string();
    expect!["'A' cannot be an account's name: it has 3 to 24 lower-case letters and digits"]
        .assert_eq(&said("A", &["a2V5"]));
    expect!["the account 'abc' has no key"].assert_eq(&said("abc", &[]));
    expect!["a key of the account 'abc' is no base64 text: Invalid symbol 36, offset 1."]
        .assert_eq(&said("abc", &["k$y"]));
}

proptest! {
    #[test]
    fn any_request_has_an_answer(
        method in "GET|PUT|POST|DELETE|HEAD|MERGE",
        path in "(/|%|2|F|a|~|jobs|messages|devstoreaccount1|-secondary|\\(|'|\\)|Tables){0,8}",
        query in "(comp|=|&|%|\\+|list|acl|restype|service|metadata|popreceipt|visibilitytimeout|-1|99999999999999999999|\\$filter){0,8}",
        headers in prop::collection::vec(("x-ms-[a-z-]{1,6}|range|if-match|date|content-length", "[ -~]{0,12}"), 0..4),
        authorization in prop::option::of("[ -~]{0,40}"),
        body in prop::collection::vec(any::<u8>(), 0..40),
        skip in 0_u64..2,
    ) {
        let world = World::new();
        world.clock.move_on(Duration::from_secs(skip));
        if let Ok(uri) = format!("/{path}?{query}").replace('~', "devstoreaccount1").parse::<Uri>() {
            for service in [Service::Blob, Service::Queue, Service::Table] {
                let mut text = format!("{method} {uri}");
                for (name, value) in &headers {
                    text += &format!("\n{name}: {value}");
                }
                if let Some(authorization) = &authorization {
                    text += &format!("\nauthorization: {authorization}");
                }
                let request: Request<Bytes> = world.signed(service, &text).map(|_| Bytes::from(body.clone()));
                let answer = world.exchange(service, request);
                prop_assert!(answer.headers().contains_key("x-ms-request-id"));
            }
        }
    }
}
