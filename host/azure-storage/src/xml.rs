//! XML as the protocol uses it: elements with text, no namespaces, few attributes. Reads whole small documents, writes with escapes.

use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;
use std::fmt::Write as _;

/// Deepest nesting that a document may have; the protocol's own have five.
const MAX_DEPTH: usize = 16;

/// What every document begins with.
const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

/// An element, without its attributes: requests have none that matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) children: Vec<Element>,
    /// All text directly in it, with its spaces.
    pub(crate) text: String,
}

/// Why a text is no document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("at byte {at}: {why}")]
pub(crate) struct Malformed {
    at: u64,
    why: String,
}

impl Element {
    /// Reads a document. Refuses document types and unknown entities.
    pub(crate) fn parse(document: &[u8]) -> Result<Element, Malformed> {
        let text = std::str::from_utf8(document)
            .map_err(|error| Malformed { at: error.valid_up_to() as u64, why: "it is not UTF-8".into() })?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        parse_root(&mut reader).map_err(|why| Malformed { at: reader.buffer_position(), why })
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name; empty if there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }

    /// Writes the element. Space between elements is left out.
    pub(crate) fn write(&self, writer: &mut Writer) {
        if self.children.is_empty() {
            writer.element(&self.name, &self.text);
        } else {
            writer.open(&self.name);
            self.children.iter().for_each(|child| child.write(writer));
            writer.close(&self.name);
        }
    }
}

fn parse_root(reader: &mut Reader<&[u8]>) -> Result<Element, String> {
    // The first one gathers what stands at the top: one element.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let innermost = open.last_mut().ok_or("an element ends that did not begin")?;
        match event {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if open.len() > MAX_DEPTH {
                    return Err(format!("elements are nested deeper than {MAX_DEPTH}"));
                }
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                innermost.children.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let ended = open.pop().ok_or("an element ends that did not begin")?;
                open.last_mut().ok_or("an element ends that did not begin")?.children.push(ended);
            }
            Event::Text(text) => innermost.text.push_str(&text.xml10_content()),
            Event::CData(text) => innermost.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => innermost.text.push(character(&reference)?),
            Event::DocType(_) => return Err("document types are not allowed".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let mut top = open.pop().ok_or("there is no element")?;
    match (open.is_empty(), top.children.pop(), top.children.is_empty()) {
        (true, Some(root), true) if top.text.trim().is_empty() => Ok(root),
        (false, _, _) => Err(format!("the element '{}' does not end", top.name)),
        _ => Err("it is not one element".into()),
    }
}

fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character);
    }
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(format!("the entity '{}' is not known", other)),
    }
}

/// Whether XML 1.0 knows the character.
pub(crate) fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// How many bytes a text has with the escapes that it cannot do without.
pub(crate) fn escaped_len(text: &str) -> usize {
    let escape = |byte| match byte {
        b'&' => "amp;".len(),
        b'<' | b'>' => "lt;".len(),
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
}

/// Writes a document into a text.
#[derive(Debug)]
pub(crate) struct Writer(String);

impl Writer {
    /// A document with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        let mut text = String::with_capacity(bytes + DECLARATION.len());
        text.push_str(DECLARATION);
        Writer(text)
    }

    /// Begins an element.
    pub(crate) fn open(&mut self, name: &str) {
        self.raw(&["<", name, ">"]);
    }

    /// Begins an element with attributes.
    pub(crate) fn open_with<'a>(&mut self, name: &str, attributes: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.raw(&["<", name]);
        for (attribute, value) in attributes {
            self.raw(&[" ", attribute, "=\""]);
            self.text(value);
            self.raw(&["\""]);
        }
        self.raw(&[">"]);
    }

    /// Ends an element.
    pub(crate) fn close(&mut self, name: &str) {
        self.raw(&["</", name, ">"]);
    }

    /// A whole element with a text.
    pub(crate) fn element(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            self.raw(&["<", name, " />"]);
        } else {
            self.open(name);
            self.text(text);
            self.close(name);
        }
    }

    /// A whole element with a number.
    pub(crate) fn number(&mut self, name: &str, number: u64) {
        self.open(name);
        write!(self.0, "{number}").expect("texts take everything");
        self.close(name);
    }

    /// Text, with escapes where it needs them. What XML cannot tell at all becomes U+FFFD.
    pub(crate) fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(|c| matches!(c, '&' | '<' | '>' | '"' | '\r') || !is_allowed(c)) {
            let (before, from) = rest.split_at(at);
            self.0.push_str(before);
            let mut chars = from.chars();
            self.0.push_str(match chars.next() {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                // Readers turn a bare one into a line feed.
                Some('\r') => "&#xD;",
                _ => "\u{fffd}",
            });
            rest = chars.as_str();
        }
        self.0.push_str(rest);
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn raw(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.push_str(part);
        }
    }
}
