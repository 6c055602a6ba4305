//! From text to filter: a recursive descent over tokens.
//!
//! Nesting and the number of comparisons are bounded, so that neither reading a filter nor walking or dropping it can use up the
//! stack.

use super::{Comparison, Filter, FilterError, Operand};
use crate::date::parse_date;
use crate::value::EdmValue;
use std::str::FromStr;
use uuid::Uuid;

/// Deepest nesting of parentheses and `not`.
pub const MAX_FILTER_NESTING: usize = 64;
/// Most comparisons in one filter. Azure documents 15; clients that look for a list of keys write more.
pub const MAX_FILTER_COMPARISONS: usize = 512;

impl Filter {
    /// The filter that a text means: `or`, `and`, `not`, parentheses, `eq ne gt ge lt le` between properties and literals.
    ///
    /// Keywords are in lower case. `not` applies to the one comparison or parenthesis after it.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let mut parser = Parser { rest: text, text, depth: 0, comparisons: 0 };
        let filter = parser.disjunction()?;
        let found = parser.peek()?;
        if found == Token::End { Ok(filter) } else { Err(parser.unexpected("'and', 'or' or the end", &found)) }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        Filter::parse(text)
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token<'a> {
    Open,
    Close,
    /// A keyword or the name of a property.
    Word(&'a str),
    Literal(EdmValue),
    End,
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    fn disjunction(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.conjunction()?;
        while self.take_word("or")? {
            filter = Filter::Or(Box::new(filter), Box::new(self.conjunction()?));
        }
        Ok(filter)
    }

    fn conjunction(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.term()?;
        while self.take_word("and")? {
            filter = Filter::And(Box::new(filter), Box::new(self.term()?));
        }
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        if self.take_word("not")? {
            self.enter()?;
            // The parentheses of a `not` go no deeper than it does: it is written with them, whether it was read with them or not.
            let inner = if self.peek()? == Token::Open { self.parentheses()? } else { self.term()? };
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.peek()? != Token::Open {
            return self.comparison();
        }
        self.enter()?;
        let inner = self.parentheses()?;
        self.depth -= 1;
        Ok(inner)
    }

    fn parentheses(&mut self) -> Result<Filter, FilterError> {
        self.take()?;
        let inner = self.disjunction()?;
        let found = self.peek()?;
        if found != Token::Close {
            return Err(self.unexpected("')'", &found));
        }
        self.take()?;
        Ok(inner)
    }

    fn enter(&mut self) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > MAX_FILTER_NESTING {
            return Err(self.error(format!("parentheses and 'not' are nested more than {MAX_FILTER_NESTING} deep")));
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<Filter, FilterError> {
        self.comparisons += 1;
        if self.comparisons > MAX_FILTER_COMPARISONS {
            return Err(self.error(format!("there are more than {MAX_FILTER_COMPARISONS} comparisons")));
        }
        let left = self.operand()?;
        let Token::Word(word) = self.peek()? else {
            return self.alone(left);
        };
        let Some(comparison) = comparison(word) else {
            return self.alone(left);
        };
        self.take()?;
        Ok(Filter::Compare(left, comparison, self.operand()?))
    }

    /// An operand that nothing is compared with: fine if it can be a boolean.
    fn alone(&mut self, operand: Operand) -> Result<Filter, FilterError> {
        let can_be_boolean = match &operand {
            Operand::Property(_) => true,
            Operand::Literal(value) => matches!(value, EdmValue::Boolean(_)),
        };
        match self.peek()? {
            Token::Open => {
                Err(self.error("functions are not supported; only eq, ne, gt, ge, lt, le, and, or, not are"))
            }
            Token::Word("and" | "or") | Token::Close | Token::End if can_be_boolean => Ok(Filter::Is(operand)),
            found @ (Token::Close | Token::Word(_) | Token::Literal(_) | Token::End) => {
                Err(self.unexpected("one of eq, ne, gt, ge, lt, le", &found))
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, FilterError> {
        match self.peek()? {
            Token::Literal(value) => {
                self.take()?;
                Ok(Operand::Literal(value))
            }
            Token::Word("null") => Err(self.error("there is no null in tables: a property is there or not")),
            Token::Word(name) if !is_keyword(name) => {
                self.take()?;
                Ok(Operand::Property(name.to_owned()))
            }
            found @ (Token::Word(_) | Token::Open | Token::Close | Token::End) => {
                Err(self.unexpected("a property or a literal", &found))
            }
        }
    }

    fn take_word(&mut self, word: &str) -> Result<bool, FilterError> {
        let is_there = self.peek()? == Token::Word(word);
        if is_there {
            self.take()?;
        }
        Ok(is_there)
    }

    fn peek(&self) -> Result<Token<'a>, FilterError> {
        self.scan().map(|(token, _)| token)
    }

    fn take(&mut self) -> Result<Token<'a>, FilterError> {
        let (token, rest) = self.scan()?;
        self.rest = rest;
        Ok(token)
    }

    /// The next token and what follows it.
    fn scan(&self) -> Result<(Token<'a>, &'a str), FilterError> {
        let text = self.rest.trim_start();
        let Some(first) = text.chars().next() else {
            return Ok((Token::End, text));
        };
        match first {
            '(' => Ok((Token::Open, &text[1..])),
            ')' => Ok((Token::Close, &text[1..])),
            '\'' => {
                let (string, rest) = self.quoted(text)?;
                Ok((Token::Literal(EdmValue::String(string)), rest))
            }
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number(text),
            c if c == '_' || c.is_alphabetic() => self.word(text),
            c => Err(self.error(format!("{c:?} has no meaning here"))),
        }
    }

    /// A text in quotes, where a quote itself is doubled; and what follows.
    fn quoted(&self, text: &'a str) -> Result<(String, &'a str), FilterError> {
        let mut string = String::new();
        let mut rest = text.get(1..).unwrap_or("");
        loop {
            let Some(quote) = rest.find('\'') else {
                return Err(self.error("the quote is not closed; a quote inside a text is doubled"));
            };
            string.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => rest = after,
                None => return Ok((string, rest)),
            }
            string.push('\'');
        }
    }

    fn number(&self, text: &'a str) -> Result<(Token<'a>, &'a str), FilterError> {
        // A sign belongs to the number only at its beginning and after an exponent.
        let mut after_exponent = true;
        let goes_on = |c: char| {
            let goes_on = c.is_alphanumeric() || c == '.' || (after_exponent && matches!(c, '+' | '-'));
            after_exponent = matches!(c, 'e' | 'E');
            goes_on
        };
        let (number, rest) = split_while(text, goes_on);
        let value = if number == "-INF" {
            EdmValue::Double(f64::NEG_INFINITY)
        } else if let Some(digits) = number.strip_suffix(['L', 'l']) {
            EdmValue::Int64(digits.parse().map_err(|_| self.error(format!("'{number}' is no 64-bit whole number")))?)
        } else if number.contains(['.', 'e', 'E']) {
            let digits = number.strip_suffix(['d', 'D']).unwrap_or(number);
            EdmValue::Double(digits.parse().map_err(|_| self.error(format!("'{number}' is no number")))?)
        } else {
            let hint = "is no 32-bit whole number; write 123L for one of 64 bits, 1.5 for a fraction";
            EdmValue::Int32(number.parse().map_err(|_| self.error(format!("'{number}' {hint}")))?)
        };
        Ok((Token::Literal(value), rest))
    }

    fn word(&self, text: &'a str) -> Result<(Token<'a>, &'a str), FilterError> {
        let (word, rest) = split_while(text, |c| c == '_' || c.is_alphanumeric());
        if rest.starts_with('\'') {
            let (content, rest) = self.quoted(rest)?;
            return Ok((Token::Literal(self.typed_literal(word, &content)?), rest));
        }
        let value = match word {
            "true" => EdmValue::Boolean(true),
            "false" => EdmValue::Boolean(false),
            "NaN" => EdmValue::Double(f64::NAN),
            "INF" => EdmValue::Double(f64::INFINITY),
            word => return Ok((Token::Word(word), rest)),
        };
        Ok((Token::Literal(value), rest))
    }

    fn typed_literal(&self, prefix: &str, content: &str) -> Result<EdmValue, FilterError> {
        match prefix {
            "datetime" => parse_date(content)
                .map(EdmValue::DateTime)
                .ok_or_else(|| self.error(format!("'{content}' is no date; write datetime'2026-01-31T12:00:00Z'"))),
            "guid" => {
                Uuid::try_parse(content).map(EdmValue::Guid).map_err(|_| self.error(format!("'{content}' is no GUID")))
            }
            "X" | "binary" => hex(content)
                .map(EdmValue::Binary)
                .ok_or_else(|| self.error(format!("'{content}' is not made of pairs of hexadecimal digits"))),
            _ => Err(self.error(format!("there is no literal {prefix}'…'; there are datetime, guid, X and binary"))),
        }
    }

    fn unexpected(&self, expected: &str, found: &Token<'_>) -> FilterError {
        match found {
            Token::End => self.error(format!("expected {expected}, found the end")),
            Token::Open | Token::Close | Token::Word(_) | Token::Literal(_) => {
                let (token, _) = split_while(self.rest.trim_start(), |c| !c.is_whitespace());
                self.error(format!("expected {expected}, found '{token}'"))
            }
        }
    }

    /// An error at the next token.
    fn error(&self, what: impl Into<String>) -> FilterError {
        let rest = self.rest.trim_start();
        let before = &self.text[..self.text.len() - rest.len()];
        FilterError { at: before.chars().count() + 1, what: what.into() }
    }
}

fn comparison(word: &str) -> Option<Comparison> {
    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ];
    ALL.into_iter().find(|comparison| comparison.as_str() == word)
}

/// Words that are no property's name here, even if an entity has a property of that name.
pub(crate) fn is_keyword(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "true" | "false" | "null" | "NaN" | "INF") || comparison(word).is_some()
}

fn split_while(text: &str, mut belongs: impl FnMut(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}
