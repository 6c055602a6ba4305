//! The queue service, request by request.

use super::world::World;
use crate::Service;
use expect_test::{Expect, ExpectFile, expect, expect_file};
use std::time::Duration;

fn check(requests: &str, expected: &Expect) {
    expected.assert_eq(&World::new().send(Service::Queue, requests));
}

fn check_file(requests: &str, expected: &ExpectFile) {
    expected.assert_eq(&World::new().send(Service::Queue, requests));
}

#[test]
fn a_queue_from_beginning_to_end() {
    check(
        "PUT ~/jobs\nx-ms-meta-owner: me\n---\n\
         PUT ~/jobs\nx-ms-meta-owner: me\n---\n\
         PUT ~/jobs\n---\n\
         GET ~/jobs?comp=metadata\n---\n\
         HEAD ~/jobs?comp=metadata&timeout=30\n---\n\
         PUT ~/jobs?comp=metadata\nx-ms-meta-kind: a\n---\n\
         GET ~/jobs?comp=metadata\n---\n\
         DELETE ~/jobs\n---\n\
         DELETE ~/jobs\n---\n\
         HEAD ~/jobs?comp=metadata\n",
        &expect![[r#"
            201
            ---
            204
            ---
            409
            x-ms-error-code: QueueAlreadyExists
            <Error>
            <Code>QueueAlreadyExists</Code>
            <Message>The specified queue already exists. It has other metadata.</Message>
            </Error>
            ---
            200
            x-ms-approximate-messages-count: 0
            x-ms-meta-owner: me
            ---
            200
            x-ms-approximate-messages-count: 0
            x-ms-meta-owner: me
            ---
            204
            ---
            200
            x-ms-approximate-messages-count: 0
            x-ms-meta-kind: a
            ---
            204
            ---
            404
            x-ms-error-code: QueueNotFound
            <Error>
            <Code>QueueNotFound</Code>
            <Message>The specified queue does not exist.</Message>
            </Error>
            ---
            404
            x-ms-error-code: QueueNotFound
        "#]],
    );
}

#[test]
fn a_message_from_beginning_to_end() {
    check_file(
        "PUT ~/jobs\n---\n\
         POST ~/jobs/messages?visibilitytimeout=0&messagettl=60\n\n<?xml version=\"1.0\"?>\n<QueueMessage><MessageText>a &lt;b&gt; &amp; c&#13;</MessageText></QueueMessage>\n---\n\
         GET ~/jobs/messages?peekonly=true\n---\n\
         GET ~/jobs/messages?numofmessages=32&visibilitytimeout=10\n---\n\
         GET ~/jobs/messages\n---\n\
         PUT ~/jobs/messages/00000000-0000-0000-0000-000000000001?popreceipt=receipt%2B2%3D&visibilitytimeout=5\n\n<QueueMessage><MessageText>else</MessageText></QueueMessage>\n---\n\
         DELETE ~/jobs/messages/00000000-0000-0000-0000-000000000001?popreceipt=receipt%2B2%3D\n---\n\
         DELETE ~/jobs/messages/00000000-0000-0000-0000-000000000001?popreceipt=receipt%2B3%3D\n---\n\
         DELETE ~/jobs/messages/00000000-0000-0000-0000-000000000001?popreceipt=receipt%2B3%3D\n---\n\
         DELETE ~/jobs/messages\n",
        &expect_file!["answers/queue_a_message_from_beginning_to_end.txt"],
    );
}

#[test]
fn a_message_that_never_expires() {
    check(
        "PUT ~/jobs\n---\n\
         POST ~/jobs/messages?messagettl=-1\n\n<QueueMessage><MessageText></MessageText></QueueMessage>\n---\n\
         GET ~/jobs/messages?peekonly=true\n",
        &expect![[r#"
            201
            ---
            201
            <QueueMessagesList>
            <QueueMessage>
            <MessageId>00000000-0000-0000-0000-000000000001</MessageId>
            <InsertionTime>Sun, 22 Nov 2026 12:00:00 GMT</InsertionTime>
            <ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime>
            <PopReceipt>receipt+1=</PopReceipt>
            <TimeNextVisible>Sun, 22 Nov 2026 12:00:00 GMT</TimeNextVisible>
            </QueueMessage>
            </QueueMessagesList>
            ---
            200
            <QueueMessagesList>
            <QueueMessage>
            <MessageId>00000000-0000-0000-0000-000000000001</MessageId>
            <InsertionTime>Sun, 22 Nov 2026 12:00:00 GMT</InsertionTime>
            <ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime>
            <DequeueCount>0</DequeueCount>
            <MessageText />
            </QueueMessage>
            </QueueMessagesList>
        "#]],
    );
}

#[test]
fn numbers_have_ranges() {
    let body = "<QueueMessage><MessageText>a</MessageText></QueueMessage>";
    check_file(
        &format!(
            "PUT ~/jobs\n---\n\
             GET ~/jobs/messages?numofmessages=33\n---\n\
             GET ~/jobs/messages?numofmessages=0\n---\n\
             GET ~/jobs/messages?numofmessages=many\n---\n\
             GET ~/jobs/messages?visibilitytimeout=0\n---\n\
             POST ~/jobs/messages?visibilitytimeout=604801\n\n{body}\n---\n\
             POST ~/jobs/messages?visibilitytimeout=10&messagettl=10\n\n{body}\n---\n\
             POST ~/jobs/messages?messagettl=0\n\n{body}\n---\n\
             POST ~/jobs/messages?messagettl=-2\n\n{body}\n---\n\
             PUT ~/jobs/messages/1?popreceipt=1\n---\n\
             PUT ~/jobs/messages/1?visibilitytimeout=1\n---\n\
             GET ~?comp=list&maxresults=0\n"
        ),
        &expect_file!["answers/queue_numbers_have_ranges.txt"],
    );
}

#[test]
fn bodies_that_are_no_message() {
    check(
        "PUT ~/jobs\n---\n\
         POST ~/jobs/messages\n---\n\
         POST ~/jobs/messages\n\n<QueueMessage><MessageText>a</QueueMessage>\n---\n\
         POST ~/jobs/messages\n\n<Message>a</Message>\n---\n\
         POST ~/jobs/messages\n\n<!DOCTYPE a [<!ENTITY b 'c'>]><QueueMessage><MessageText>&b;</MessageText></QueueMessage>\n---\n\
         POST ~/jobs/messages\n\n<QueueMessage><MessageText>&#1;</MessageText></QueueMessage>\n",
        &expect![[r#"
            201
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. at byte 0: it is not one element</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. at byte 43: ill-formed document: expected `&lt;/MessageText&gt;`, but `&lt;/QueueMessage&gt;` was found</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. A QueueMessage with a MessageText is expected.</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. at byte 30: document types are not allowed</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. The text has characters that XML cannot tell; encode the message, for example in base64.</Message>
            </Error>
        "#]],
    );
}

#[test]
fn a_message_has_at_most_64_kib() {
    let put = |text: String| {
        format!("POST ~/jobs/messages\n\n<QueueMessage><MessageText>{text}</MessageText></QueueMessage>")
    };
    let world = World::new();
    world.send(Service::Queue, "PUT ~/jobs");
    let status = |text: String| world.send(Service::Queue, &put(text)).lines().take(2).collect::<Vec<_>>().join(" ");
    expect!["201 <QueueMessagesList>"].assert_eq(&status("x".repeat(65_536)));
    expect!["400 x-ms-error-code: MessageTooLarge"].assert_eq(&status("x".repeat(65_537)));
    expect!["400 x-ms-error-code: MessageTooLarge"].assert_eq(&status("&lt;".repeat(16_385)));
    expect!["413 x-ms-error-code: RequestBodyTooLarge"].assert_eq(&status("x".repeat(70_000)));
}

#[test]
fn messages_come_back_and_go() {
    let world = World::new();
    world.send(
        Service::Queue,
        "PUT ~/jobs\n---\nPOST ~/jobs/messages?messagettl=60\n\n<QueueMessage><MessageText>a</MessageText></QueueMessage>",
    );
    let count = |world: &World| world.send(Service::Queue, "GET ~/jobs/messages").matches("<QueueMessage>").count();
    assert_eq!((count(&world), count(&world)), (1, 0));
    world.clock.move_on(Duration::from_secs(30));
    assert_eq!((count(&world), count(&world)), (1, 0));
    world.clock.move_on(Duration::from_secs(30));
    assert_eq!(count(&world), 0);
}

#[test]
fn lists_in_pages() {
    check(
        "PUT ~/b-1\nx-ms-meta-a: <1>\n---\nPUT ~/b-2\n---\nPUT ~/a-1\n---\nPUT ~/b-3\n---\n\
         GET ~?comp=list&prefix=b&maxresults=2&include=metadata\n---\n\
         GET ~?comp=list&prefix=b&maxresults=2&marker=b-3\n---\n\
         GET ~/?comp=list&marker=/\n",
        &expect![[r#"
            201
            ---
            201
            ---
            201
            ---
            201
            ---
            200
            <EnumerationResults ServiceEndpoint="http://127.0.0.1:10001/devstoreaccount1/">
            <Prefix>b</Prefix>
            <MaxResults>2</MaxResults>
            <Queues>
            <Queue>
            <Name>b-1</Name>
            <Metadata>
            <a>&lt;1&gt;</a>
            </Metadata>
            </Queue>
            <Queue>
            <Name>b-2</Name>
            <Metadata>
            </Metadata>
            </Queue>
            </Queues>
            <NextMarker>b-3</NextMarker>
            </EnumerationResults>
            ---
            200
            <EnumerationResults ServiceEndpoint="http://127.0.0.1:10001/devstoreaccount1/">
            <Prefix>b</Prefix>
            <Marker>b-3</Marker>
            <MaxResults>2</MaxResults>
            <Queues>
            <Queue>
            <Name>b-3</Name>
            </Queue>
            </Queues>
            <NextMarker />
            </EnumerationResults>
            ---
            400
            x-ms-error-code: InvalidMarker
            <Error>
            <Code>InvalidMarker</Code>
            <Message>The specified marker is invalid.</Message>
            </Error>
        "#]],
    );
}

#[test]
fn names_have_a_form() {
    check(
        "PUT ~/ab\n---\nPUT ~/Jobs\n---\nPUT ~/a%2Fb\n---\nPUT ~/%FF%FE%FF\n---\nPUT ~/jobs/what\n",
        &expect![[r#"
        400
        x-ms-error-code: OutOfRangeInput
        <Error>
        <Code>OutOfRangeInput</Code>
        <Message>One of the request inputs is out of range. a name has 3 to 63 characters, and this one has 2</Message>
        </Error>
        ---
        400
        x-ms-error-code: InvalidResourceName
        <Error>
        <Code>InvalidResourceName</Code>
        <Message>The specified resource name contains invalid characters. a queue's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit</Message>
        </Error>
        ---
        400
        x-ms-error-code: InvalidResourceName
        <Error>
        <Code>InvalidResourceName</Code>
        <Message>The specified resource name contains invalid characters. a queue's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit</Message>
        </Error>
        ---
        400
        x-ms-error-code: InvalidUri
        <Error>
        <Code>InvalidUri</Code>
        <Message>The requested URI does not represent any resource on the server. The path is not UTF-8.</Message>
        </Error>
        ---
        400
        x-ms-error-code: InvalidUri
        <Error>
        <Code>InvalidUri</Code>
        <Message>The requested URI does not represent any resource on the server. After a queue's name comes 'messages'.</Message>
        </Error>
    "#]],
    );
}

#[test]
fn metadata_has_a_form() {
    let large = "x".repeat(8_192);
    check(
        &format!(
            "PUT ~/jobs\nx-ms-meta-: a\n---\nPUT ~/jobs\nx-ms-meta-1a: a\n---\nPUT ~/jobs\nx-ms-meta-a: {large}\n"
        ),
        &expect![[r#"
            400
            x-ms-error-code: EmptyMetadataKey
            <Error>
            <Code>EmptyMetadataKey</Code>
            <Message>The key for one of the metadata key-value pairs is empty.</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidMetadata
            <Error>
            <Code>InvalidMetadata</Code>
            <Message>The specified metadata is invalid. It includes characters that are not permitted. The name '1a' begins with a letter or '_', goes on with letters, digits and '_', and its value is ASCII.</Message>
            </Error>
            ---
            400
            x-ms-error-code: MetadataTooLarge
            <Error>
            <Code>MetadataTooLarge</Code>
            <Message>The size of the specified metadata exceeds the maximum size permitted. At most 8 KiB are allowed.</Message>
            </Error>
        "#]],
    );
}

#[test]
fn access_policies_are_kept() {
    let policy =
        "<SignedIdentifier><Id>a</Id><AccessPolicy><Permission>r</Permission></AccessPolicy></SignedIdentifier>";
    check(
        &format!(
            "PUT ~/jobs\n---\n\
             GET ~/jobs?comp=acl\n---\n\
             PUT ~/jobs?comp=acl\n\n<SignedIdentifiers>{policy}</SignedIdentifiers>\n---\n\
             GET ~/jobs?comp=acl\n---\n\
             PUT ~/jobs?comp=acl\n\n<SignedIdentifiers>{}</SignedIdentifiers>\n---\n\
             PUT ~/jobs?comp=acl\n\n<SignedIdentifiers><SignedIdentifier/></SignedIdentifiers>\n---\n\
             PUT ~/jobs?comp=acl\n---\n\
             GET ~/jobs?comp=acl\n",
            policy.repeat(6)
        ),
        &expect![[r#"
            201
            ---
            200
            <SignedIdentifiers />
            ---
            204
            ---
            200
            <SignedIdentifiers>
            <SignedIdentifier>
            <Id>a</Id>
            <AccessPolicy>
            <Permission>r</Permission>
            </AccessPolicy>
            </SignedIdentifier>
            </SignedIdentifiers>
            ---
            400
            x-ms-error-code: InvalidXmlDocument
            <Error>
            <Code>InvalidXmlDocument</Code>
            <Message>XML specified is not syntactically valid. There may be at most 5 access policies.</Message>
            </Error>
            ---
            400
            x-ms-error-code: InvalidXmlNodeValue
            <Error>
            <Code>InvalidXmlNodeValue</Code>
            <Message>The value for one of the XML nodes is not in the correct format. An access policy has an id of 1 to 64 characters.</Message>
            <XmlNodeName>Id</XmlNodeName>
            <XmlNodeValue />
            </Error>
            ---
            204
            ---
            200
            <SignedIdentifiers />
        "#]],
    );
}

#[test]
fn settings_of_the_service() {
    check_file(
        "GET ~?restype=service&comp=properties\n---\n\
         PUT ~?restype=service&comp=properties\n\n<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>*</AllowedOrigins></CorsRule></Cors></StorageServiceProperties>\n---\n\
         GET ~?restype=service&comp=properties\n---\n\
         PUT ~?restype=service&comp=properties\n\n<StorageServiceProperties><What/></StorageServiceProperties>\n---\n\
         GET ~?restype=service&comp=stats\n---\n\
         GET ~-secondary?restype=service&comp=stats\n---\n\
         PUT ~-secondary/jobs\n---\n\
         GET ~?restype=service&comp=what\n---\n\
         GET ~?comp=what\n",
        &expect_file!["answers/queue_settings_of_the_service.txt"],
    );
}

#[test]
fn methods_that_are_none() {
    check(
        "POST ~/jobs\n---\nPATCH ~/jobs/messages\n---\nPUT ~/jobs?comp=what\n---\nPUT ~?comp=list\n",
        &expect![[r#"
        405
        x-ms-error-code: UnsupportedHttpVerb
        <Error>
        <Code>UnsupportedHttpVerb</Code>
        <Message>The resource doesn't support specified Http Verb. The method was POST.</Message>
        </Error>
        ---
        405
        x-ms-error-code: UnsupportedHttpVerb
        <Error>
        <Code>UnsupportedHttpVerb</Code>
        <Message>The resource doesn't support specified Http Verb. The method was PATCH.</Message>
        </Error>
        ---
        400
        x-ms-error-code: InvalidQueryParameterValue
        <Error>
        <Code>InvalidQueryParameterValue</Code>
        <Message>Value for one of the query parameters specified in the request URI is invalid.</Message>
        <QueryParameterName>comp</QueryParameterName>
        <QueryParameterValue>what</QueryParameterValue>
        </Error>
        ---
        405
        x-ms-error-code: UnsupportedHttpVerb
        <Error>
        <Code>UnsupportedHttpVerb</Code>
        <Message>The resource doesn't support specified Http Verb. The method was PUT.</Message>
        </Error>
    "#]],
    );
}

#[test]
fn a_store_that_cannot() {
    let world = World::new();
    world.send(Service::Queue, "PUT ~/jobs");
    *world.queues.broken.lock().unwrap() = true;
    expect![[r#"
        503
        x-ms-error-code: ServerBusy
        <Error>
        <Code>ServerBusy</Code>
        <Message>The server is currently unable to receive requests. Please retry your request. the store is unavailable: the disk is on fire</Message>
        </Error>
    "#]].assert_eq(&world.send(Service::Queue, "GET ~/jobs/messages"));
}
