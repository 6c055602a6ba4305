//! The blob service, request by request.

use super::world::World;
use crate::Service;
use expect_test::{Expect, ExpectFile, expect, expect_file};
use std::time::Duration;

fn check(requests: &str, expected: &Expect) {
    expected.assert_eq(&World::new().send(Service::Blob, requests));
}

fn check_file(requests: &str, expected: &ExpectFile) {
    expected.assert_eq(&World::new().send(Service::Blob, requests));
}

const BOX: &str = "PUT ~/box?restype=container";
const A: &str = "11111111-1111-1111-1111-111111111111";
const B: &str = "22222222-2222-2222-2222-222222222222";

#[test]
fn a_container_from_beginning_to_end() {
    check_file(
        "PUT ~/box?restype=container\nx-ms-meta-a: 1\n---\n\
         PUT ~/box?restype=container\n---\n\
         GET ~/box?restype=container\n---\n\
         HEAD ~/box?restype=container&comp=metadata\n---\n\
         PUT ~/box?restype=container&comp=metadata\nx-ms-meta-b: 2\n---\n\
         GET ~?comp=list&include=metadata\n---\n\
         GET ~/box?restype=container&comp=acl\n---\n\
         PUT ~/box/a\nx-ms-blob-type: BlockBlob\n\nabc\n---\n\
         DELETE ~/box?restype=container\n---\n\
         DELETE ~/box?restype=container\n---\n\
         PUT ~/box?restype=container\n---\n\
         GET ~/box?restype=container&comp=list\n",
        &expect_file!["answers/blob_a_container_from_beginning_to_end.txt"],
    );
}

#[test]
fn a_blob_from_beginning_to_end() {
    check_file(
        &format!(
            "{BOX}\n---\n\
             PUT ~/box/a%20b/%C3%BC\nx-ms-blob-type: BlockBlob\ncontent-type: text/plain\nx-ms-blob-cache-control: no-store\nx-ms-meta-a: 1\n\nabcdef\n---\n\
             GET ~/box/a%20b/%C3%BC\n---\n\
             HEAD ~/box/a%20b/%C3%BC\n---\n\
             GET ~/box/a%20b/%C3%BC\nrange: bytes=1-2\n---\n\
             GET ~/box/a%20b/%C3%BC\nx-ms-range: bytes=4-\n---\n\
             GET ~/box/a%20b/%C3%BC\nx-ms-range: bytes=6-\n---\n\
             PUT ~/box/a%20b/%C3%BC?comp=metadata\nx-ms-meta-b: 2\n---\n\
             PUT ~/box/a%20b/%C3%BC?comp=properties\nx-ms-blob-content-type: a/b\n---\n\
             GET ~/box/a%20b/%C3%BC?comp=metadata\n---\n\
             DELETE ~/box/a%20b/%C3%BC\n---\n\
             GET ~/box/a%20b/%C3%BC\n---\n\
             GET ~/none/a\n"
        ),
        &expect_file!["answers/blob_a_blob_from_beginning_to_end.txt"],
    );
}

#[test]
fn conditions() {
    check(
        &format!(
            "{BOX}\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nif-match: *\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nif-none-match: *\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nif-none-match: *\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nif-match: \"0x1\"\n---\n\
             GET ~/box/a\nif-none-match: \"0x0000000000000007\"\n---\n\
             HEAD ~/box/a\nif-modified-since: Sun, 22 Nov 2026 12:00:00 GMT\n---\n\
             GET ~/box/a\nif-unmodified-since: Sun, 22 Nov 2026 11:59:59 GMT\n---\n\
             DELETE ~/box/a\nif-match: \"0x1\"\n"
        ),
        &expect![[r#"
            201
            etag: "0x0000000000000003"
            last-modified: Sun, 22 Nov 2026 12:00:00 GMT
            ---
            412
            x-ms-error-code: ConditionNotMet
            <Error>
            <Code>ConditionNotMet</Code>
            <Message>The condition specified using HTTP conditional header(s) is not met.</Message>
            </Error>
            ---
            201
            etag: "0x0000000000000007"
            last-modified: Sun, 22 Nov 2026 12:00:00 GMT
            x-ms-request-server-encrypted: false
            ---
            409
            x-ms-error-code: BlobAlreadyExists
            <Error>
            <Code>BlobAlreadyExists</Code>
            <Message>The specified blob already exists.</Message>
            </Error>
            ---
            412
            x-ms-error-code: ConditionNotMet
            <Error>
            <Code>ConditionNotMet</Code>
            <Message>The condition specified using HTTP conditional header(s) is not met.</Message>
            </Error>
            ---
            304
            x-ms-error-code: ConditionNotMet
            ---
            304
            x-ms-error-code: ConditionNotMet
            ---
            412
            x-ms-error-code: ConditionNotMet
            <Error>
            <Code>ConditionNotMet</Code>
            <Message>The condition specified using HTTP conditional header(s) is not met.</Message>
            </Error>
            ---
            412
            x-ms-error-code: ConditionNotMet
            <Error>
            <Code>ConditionNotMet</Code>
            <Message>The condition specified using HTTP conditional header(s) is not met.</Message>
            </Error>
        "#]],
    );
}

#[test]
fn lists_in_pages_and_groups() {
    let put = |name: &str| format!("PUT ~/box/{name}\nx-ms-blob-type: BlockBlob\nx-ms-meta-a: 1\n\nabc\n---\n");
    let world = World::new();
    let puts: String = ["a", "b/1", "b/2", "b0", "c/d/e"].iter().map(|name| put(name)).collect();
    world.send(Service::Blob, &format!("{BOX}\n---\n{puts}PUT ~/boy?restype=container"));
    let names = |query: &str| {
        let told = world.send(Service::Blob, &format!("GET ~/box?restype=container&comp=list&{query}"));
        let lines = told.lines().filter(|line| line.starts_with("<Name>") || line.starts_with("<NextMarker>"));
        lines.map(|line| line.split(['<', '>']).nth(2).unwrap()).collect::<Vec<_>>().join(" ")
    };
    expect!["a b/1 b/2 b0 c/d/e"].assert_eq(&names(""));
    expect!["a b/1 b/2"].assert_eq(&names("maxresults=2"));
    expect!["b/2 b0 c/d/e"].assert_eq(&names("maxresults=2&marker=b/2"));
    expect!["b/1 b/2 b0"].assert_eq(&names("prefix=b"));
    expect!["a b/ b0 c/"].assert_eq(&names("delimiter=/"));
    expect!["a b/ b0"].assert_eq(&names("delimiter=/&maxresults=2"));
    expect!["b/1 b/2"].assert_eq(&names("delimiter=/&prefix=b/"));
    let told = world.send(Service::Blob, "GET ~/box?restype=container&comp=list&prefix=a&include=metadata");
    expect![[r#"
        200
        <EnumerationResults ServiceEndpoint="http://127.0.0.1:10001/devstoreaccount1/" ContainerName="box">
        <Prefix>a</Prefix>
        <Blobs>
        <Blob>
        <Name>a</Name>
        <Properties>
        <Creation-Time>Sun, 22 Nov 2026 12:00:00 GMT</Creation-Time>
        <Last-Modified>Sun, 22 Nov 2026 12:00:00 GMT</Last-Modified>
        <Etag>0x0000000000000006</Etag>
        <LeaseStatus>unlocked</LeaseStatus>
        <LeaseState>available</LeaseState>
        <Content-Length>3</Content-Length>
        <Content-Type>application/octet-stream</Content-Type>
        <Content-Encoding />
        <Content-Language />
        <Content-MD5 />
        <Cache-Control />
        <Content-Disposition />
        <BlobType>BlockBlob</BlobType>
        </Properties>
        <Metadata>
        <a>1</a>
        </Metadata>
        </Blob>
        </Blobs>
        <NextMarker />
        </EnumerationResults>
    "#]]
    .assert_eq(&told);
}

#[test]
fn many_blobs_are_listed_and_go_with_their_container() {
    let world = World::new();
    world.send(Service::Blob, BOX);
    for number in 0..70 {
        world.send(Service::Blob, &format!("PUT ~/box/x/{number:02}\nx-ms-blob-type: BlockBlob"));
    }
    let count = |query: &str, what: &str| {
        world.send(Service::Blob, &format!("GET ~/box?restype=container&comp=list{query}")).matches(what).count()
    };
    assert_eq!(count("", "<Blob>"), 70);
    assert_eq!(count("&delimiter=/", "<BlobPrefix>"), 1);
    world.send(Service::Blob, &format!("DELETE ~/box?restype=container\n---\n{BOX}"));
    assert_eq!(count("", "<Blob>"), 0);
}

#[test]
fn a_lease_from_beginning_to_end() {
    check_file(
        &format!(
            "{BOX}\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: acquire\nx-ms-lease-duration: 15\nx-ms-proposed-lease-id: {A}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: acquire\nx-ms-lease-duration: 15\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nx-ms-lease-id: {B}\n---\n\
             PUT ~/box/a\nx-ms-blob-type: BlockBlob\nx-ms-lease-id: {A}\n---\n\
             HEAD ~/box/a\n---\n\
             DELETE ~/box/a\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: change\nx-ms-lease-id: {A}\nx-ms-proposed-lease-id: {B}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: renew\nx-ms-lease-id: {A}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: renew\nx-ms-lease-id: {B}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: break\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: renew\nx-ms-lease-id: {B}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: release\nx-ms-lease-id: {B}\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: break\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: acquire\nx-ms-lease-duration: 14\n---\n\
             PUT ~/box/a?comp=lease\nx-ms-lease-action: acquire\nx-ms-lease-duration: -1\n---\n\
             PUT ~/box?restype=container&comp=lease\nx-ms-lease-action: acquire\nx-ms-lease-duration: -1\nx-ms-proposed-lease-id: {A}\n---\n\
             DELETE ~/box?restype=container\n---\n\
             DELETE ~/box?restype=container\nx-ms-lease-id: {A}\n"
        ),
        &expect_file!["answers/blob_a_lease_from_beginning_to_end.txt"],
    );
}

#[test]
fn leases_end_by_themselves() {
    let world = World::new();
    let status = |request: String| world.send(Service::Blob, &request).lines().take(2).collect::<Vec<_>>().join(" ");
    let put = |headers: &str| status(format!("PUT ~/box/a\nx-ms-blob-type: BlockBlob{headers}"));
    let lease = |headers: &str| status(format!("PUT ~/box/a?comp=lease\nx-ms-lease-action: {headers}"));
    world.send(Service::Blob, BOX);
    put("");
    lease(&format!("acquire\nx-ms-lease-duration: 60\nx-ms-proposed-lease-id: {A}"));
    world.clock.move_on(Duration::from_secs(59));
    expect!["412 x-ms-error-code: LeaseIdMissing"].assert_eq(&put(""));
    world.clock.move_on(Duration::from_secs(1));
    expect!["412 x-ms-error-code: LeaseLost"].assert_eq(&put(&format!("\nx-ms-lease-id: {A}")));
    // Nobody has written or leased it since: its holder may go on.
    assert!(lease(&format!("renew\nx-ms-lease-id: {A}")).starts_with("200"));
    world.clock.move_on(Duration::from_secs(60));
    assert!(put("").starts_with("201"));
    expect!["409 x-ms-error-code: LeaseIdMismatchWithLeaseOperation"]
        .assert_eq(&lease(&format!("renew\nx-ms-lease-id: {A}")));
    lease(&format!("acquire\nx-ms-lease-duration: -1\nx-ms-proposed-lease-id: {A}"));
    lease("break\nx-ms-lease-break-period: 10");
    expect!["409 x-ms-error-code: LeaseAlreadyPresent"]
        .assert_eq(&lease(&format!("acquire\nx-ms-lease-duration: 15\nx-ms-proposed-lease-id: {B}")));
    world.clock.move_on(Duration::from_secs(10));
    assert!(lease(&format!("acquire\nx-ms-lease-duration: 15\nx-ms-proposed-lease-id: {B}")).starts_with("201"));
}

#[test]
fn what_is_not_there() {
    check(
        &format!(
            "{BOX}\n---\nPUT ~/box/a\nx-ms-blob-type: PageBlob\n---\nPUT ~/box/a\n---\nPUT ~/box/a?comp=block&blockid=AA\n---\n\
             GET ~/box/a?snapshot=1\n---\nPUT ~/Box?restype=container\n---\nGET ~/box\n---\nGET ~?restype=account&comp=properties\n"
        ),
        &expect![[r#"
            201
            etag: "0x0000000000000003"
            last-modified: Sun, 22 Nov 2026 12:00:00 GMT
            ---
            501
            x-ms-error-code: NotImplemented
            <Error>
            <Code>NotImplemented</Code>
            <Message>The requested operation is not implemented on the specified resource. PageBlob is not part of this endpoint's blobs.</Message>
            </Error>
            ---
            400
            x-ms-error-code: MissingRequiredHeader
            <Error>
            <Code>MissingRequiredHeader</Code>
            <Message>An HTTP header that's mandatory for this request is not specified.</Message>
            <HeaderName>x-ms-blob-type</HeaderName>
            </Error>
            ---
            501
            x-ms-error-code: NotImplemented
            <Error>
            <Code>NotImplemented</Code>
            <Message>The requested operation is not implemented on the specified resource. comp=block is not part of this endpoint's blobs.</Message>
            </Error>
            ---
            501
            x-ms-error-code: NotImplemented
            <Error>
            <Code>NotImplemented</Code>
            <Message>The requested operation is not implemented on the specified resource. snapshot is not part of this endpoint's blobs.</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidResourceName
            <Error>
            <Code>InvalidResourceName</Code>
            <Message>The specified resource name contains invalid characters. A container's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit.</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidQueryParameterValue
            <Error>
            <Code>InvalidQueryParameterValue</Code>
            <Message>Value for one of the query parameters specified in the request URI is invalid. The path names a container; a request to one has restype=container.</Message>
            <QueryParameterName>restype</QueryParameterName>
            <QueryParameterValue />
            </Error>
            ---
            200
            x-ms-account-kind: StorageV2
            x-ms-sku-name: Standard_RAGRS
        "#]],
    );
}

#[test]
fn a_blob_fits_into_a_document() {
    let world = World::new();
    world.send(Service::Blob, BOX);
    let size = |bytes: usize| {
        let text = format!("PUT ~/box/a\nx-ms-blob-type: BlockBlob\n\n{}", "x".repeat(bytes));
        world.send(Service::Blob, &text).lines().take(2).collect::<Vec<_>>().join(" ")
    };
    let limit = ports::Document::MAX_BYTES - (128 << 10);
    assert!(size(limit).starts_with("201"));
    expect!["413 x-ms-error-code: RequestBodyTooLarge"].assert_eq(&size(limit + 1));
}
