//! How the text of a queue message stands for its content.
//!
//! Azure's .NET clients and its Functions host write base64; today's Python and JavaScript clients write the text itself. Both
//! are read here. What is done with a text that cannot be read is the caller's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text of a message, in bytes; encoded, if it is. As in Azure.
pub const MAX_MESSAGE_BYTES: usize = 65_536;

/// How a text stands for its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TextEncoding {
    /// Base64 if it is exactly the base64 of a UTF-8 text, else as it is. Written as it is.
    #[default]
    Auto,
    /// Base64 of a UTF-8 text, and nothing else.
    Base64,
    /// As it is.
    None,
}

/// The content of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodedText {
    /// The content.
    pub text: String,
    /// Whether it was in base64; something to tell the user once, as `auto` guesses.
    pub was_base64: bool,
}

/// Why a text has no content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UndecodableText {
    /// It is no base64.
    #[error(
        "the message is not base64, which messageEncoding = \"base64\" asks for; \"auto\" also takes messages as they are"
    )]
    NotBase64,
    /// It is the base64 of something that is no text.
    #[error(
        "the message is base64 of bytes that are no UTF-8 text; messageEncoding = \"none\" hands out the base64 itself"
    )]
    NotUtf8,
}

/// A message that is longer than a queue takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the message takes {bytes} bytes as it is written into the queue; at most {MAX_MESSAGE_BYTES} are allowed")]
pub struct TextTooLong {
    /// How many it takes, encoded.
    pub bytes: usize,
}

impl TextEncoding {
    /// The content that a message's text stands for.
    pub fn decode(self, text: &str) -> Result<DecodedText, UndecodableText> {
        let raw = || DecodedText { text: text.to_owned(), was_base64: false };
        match self {
            TextEncoding::None => Ok(raw()),
            TextEncoding::Base64 => decode_base64(text),
            // The empty text is its own base64; calling that base64 would tell the user nothing.
            TextEncoding::Auto if text.is_empty() => Ok(raw()),
            TextEncoding::Auto => Ok(decode_base64(text).unwrap_or_else(|_| raw())),
        }
    }

    /// The text that stands for a content.
    pub fn encode(self, content: &str) -> Result<String, TextTooLong> {
        let text = match self {
            TextEncoding::Auto | TextEncoding::None => content.to_owned(),
            TextEncoding::Base64 => STANDARD.encode(content),
        };
        if text.len() > MAX_MESSAGE_BYTES { Err(TextTooLong { bytes: text.len() }) } else { Ok(text) }
    }
}

/// The engine refuses missing or superfluous padding and stray bits at the end, so what it accepts is what it would write.
fn decode_base64(text: &str) -> Result<DecodedText, UndecodableText> {
    let bytes = STANDARD.decode(text).map_err(|_| UndecodableText::NotBase64)?;
    let text = String::from_utf8(bytes).map_err(|_| UndecodableText::NotUtf8)?;
    Ok(DecodedText { text, was_base64: true })
}
