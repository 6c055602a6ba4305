//! XML: what is read and what is written.

use crate::xml::{Element, Writer};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(document: &str, expected: &Expect) {
    expected.assert_eq(&match Element::parse(document.as_bytes()) {
        Ok(element) => {
            let mut writer = Writer::with_capacity(0);
            element.write(&mut writer);
            writer.finish().split_once("?>").unwrap().1.to_owned()
        }
        Err(error) => error.to_string(),
    });
}

#[test]
fn documents() {
    check("<a/>", &expect!["<a />"]);
    check("\u{feff}<?xml version='1.0'?><!-- b --><a c='d'> <b>e</b>f</a>\n", &expect!["<a><b>e</b></a>"]);
    check(
        "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x41;<![CDATA[<&>]]>\r\nb</a>",
        &expect![[r#"
        <a>&lt;&gt;&amp;&quot;'AA&lt;&amp;&gt;
        b</a>"#]],
    );
    check("<a>", &expect!["at byte 3: the element 'a' does not end"]);
    check("</a>", &expect!["at byte 4: ill-formed document: close tag `</a>` does not match any open tag"]);
    check("<a/><b/>", &expect!["at byte 8: it is not one element"]);
    check("<a/>b", &expect!["at byte 5: it is not one element"]);
    check("<a>&b;</a>", &expect!["at byte 6: the entity 'b' is not known"]);
    check("<a>&#xD800;</a>", &expect!["at byte 11: invalid character reference: `55296` is not a valid codepoint"]);
    check("<!DOCTYPE a><a/>", &expect!["at byte 12: document types are not allowed"]);
    check("", &expect!["at byte 0: it is not one element"]);
    check(&"<a>".repeat(100), &expect!["at byte 51: elements are nested deeper than 16"]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_document_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = Element::parse(&bytes);
    }

    #[test]
    fn anything_with_angles_is_a_document_or_not(text in "(<|>|/|&|;|a|b|\\?|!|\\[|\\]|CDATA|DOCTYPE|-| |=|'|\"|#|x){0,60}") {
        let _outcome = Element::parse(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read_again(text in "\\PC*[\\r\\n\\t<&>\"']?\\PC*") {
        let mut writer = Writer::with_capacity(0);
        writer.element("a", &text);
        prop_assert_eq!(Element::parse(writer.finish().as_bytes()).unwrap().text, text);
    }
}
