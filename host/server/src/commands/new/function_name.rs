//! Names of new functions: as the manifest has them, and what becomes of them in Rust, in routes and in queues.

use manifest::MAX_FUNCTION_NAME_CHARS;

/// The host's own key ring and its logs go by this name.
const TAKEN_BY_THE_HOST: &str = "host";

/// Words that cannot name a module or a function: Rust's keywords, and the crates and files that a project has anyway.
const TAKEN_IN_RUST: &[&str] = &[
    "abstract", "alloc", "as", "async", "await", "become", "box", "break", "const", "continue", "core", "crate",
    "dacapo", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "lib", "loop", "macro", "main", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
    "serde", "static", "std", "struct", "super", "test", "tests", "trait", "true", "try", "type", "typeof", "union",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A function's name in all its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionName {
    /// As the manifest has it: `BookTrip`, or anything else that is valid there.
    pub(super) name: String,
    /// As Rust names a function or a module: `book_trip`.
    pub(super) snake: String,
    /// As Rust names a type: `BookTrip`. It is also what the SDK calls a function of the name in [`FunctionName::snake`].
    pub(super) pascal: String,
}

impl FunctionName {
    /// Reads a name.
    ///
    /// # Errors
    /// The manifest could not have it; says the rule.
    pub(super) fn parse(name: &str) -> Result<FunctionName, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins_well || !name.chars().all(is_allowed) || name.len() > MAX_FUNCTION_NAME_CHARS {
            let rule = "begin with a letter, go on with letters, digits, `-` and `_`";
            return Err(format!(
                "{name:?} cannot be a function's name: {rule}, {MAX_FUNCTION_NAME_CHARS} characters at most"
            ));
        }
        if name.eq_ignore_ascii_case(TAKEN_BY_THE_HOST) {
            return Err(format!("{name:?} is a name that the host has for itself; choose another"));
        }
        let snake = words(name).join("_");
        let pascal = pascal_case(&snake);
        let name = FunctionName { name: name.to_owned(), snake, pascal };
        Ok(if TAKEN_IN_RUST.contains(&name.snake.as_str()) { name.longer() } else { name })
    }

    /// The same function with names in Rust that this source does not use for something else.
    pub(super) fn apart_from(self, source: &str) -> FunctionName {
        let is_used = identifiers(source).any(|used| used == self.snake || used == self.pascal);
        if is_used { self.longer() } else { self }
    }

    fn longer(self) -> FunctionName {
        let snake = format!("{}_function", self.snake);
        FunctionName { name: self.name, pascal: pascal_case(&snake), snake }
    }

    /// Whether the SDK gives a function of the name in [`FunctionName::snake`] this name by itself.
    pub(super) fn is_derived(&self) -> bool {
        self.name == self.pascal
    }

    /// As routes and queues are named: `book-trip`.
    pub(super) fn kebab(&self) -> String {
        words(&self.name).join("-")
    }
}

/// The words of a name, in lower case: `HTTPGet-v2` is `http`, `get`, `v2`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_in_word = false;
    let letters: Vec<char> = name.chars().collect();
    for (index, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            is_in_word = false;
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        // The last capital of several begins the word behind them.
        let begins = letter.is_ascii_uppercase()
            && (before.is_none_or(|before| !before.is_ascii_uppercase())
                || after.is_some_and(char::is_ascii_lowercase));
        match words.last_mut() {
            Some(word) if is_in_word && !begins => word.push(letter.to_ascii_lowercase()),
            Some(_) | None => words.push(letter.to_ascii_lowercase().to_string()),
        }
        is_in_word = true;
    }
    words
}

/// The words of a source outside of comments and texts.
fn identifiers(source: &str) -> impl Iterator<Item = &str> {
    let code = source.lines().filter_map(|line| line.split("//").next());
    let outside_texts = code.flat_map(|line| line.split('"').step_by(2));
    outside_texts
        .flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
}

/// As the SDK's attributes make a function's name of its identifier.
fn pascal_case(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    snake.split('_').map(capital).collect()
}
