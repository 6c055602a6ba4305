//! The forms in which .NET writes GUIDs.

use super::ExpressionError;
use super::parse::wrong;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum GuidFormat {
    /// `N`: 32 digits.
    Plain,
    /// `D`: groups with hyphens between them.
    #[default]
    Hyphens,
    /// `B`: hyphens, in braces.
    Braces,
    /// `P`: hyphens, in parentheses.
    Parentheses,
}

impl GuidFormat {
    pub(super) fn parse(letter: &str) -> Result<GuidFormat, ExpressionError> {
        match letter {
            "N" | "n" => Ok(GuidFormat::Plain),
            "" | "D" | "d" => Ok(GuidFormat::Hyphens),
            "B" | "b" => Ok(GuidFormat::Braces),
            "P" | "p" => Ok(GuidFormat::Parentheses),
            unknown => wrong(format!("`{unknown}` is not a form of a GUID"), "use N, D, B or P"),
        }
    }

    pub(super) fn print(self, guid: u128) -> String {
        let plain = format!("{guid:032x}");
        let hyphens = || [&plain[..8], &plain[8..12], &plain[12..16], &plain[16..20], &plain[20..]].join("-");
        match self {
            GuidFormat::Plain => plain,
            GuidFormat::Hyphens => hyphens(),
            GuidFormat::Braces => format!("{{{}}}", hyphens()),
            GuidFormat::Parentheses => format!("({})", hyphens()),
        }
    }
}
