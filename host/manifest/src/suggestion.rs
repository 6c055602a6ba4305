//! "Did you mean": the known word nearest to an unknown one.

/// Two edits cover the usual slips (a letter more, a letter less, two swapped); more would suggest unrelated words.
const MAX_EDITS: usize = 2;

/// Longer words are not compared: nobody mistypes a field name into a paragraph.
const MAX_WORD_CHARS: usize = 64;

/// The known word that `word` was probably meant to be, when one is near enough.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= MAX_EDITS && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// The next step after an unknown word: the nearest known one, or all of them.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// Optimal string alignment distance, ignoring case: insertions, deletions, substitutions and swaps of neighbours.
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).take(MAX_WORD_CHARS + 1).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).take(MAX_WORD_CHARS + 1).collect();
    if left.len() > MAX_WORD_CHARS || right.len() > MAX_WORD_CHARS {
        return usize::MAX;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = Vec::with_capacity(right.len() + 1);
        row.push(i + 1);
        for (j, r) in right.iter().enumerate() {
            let mut least = (last[j] + usize::from(l != r)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}
