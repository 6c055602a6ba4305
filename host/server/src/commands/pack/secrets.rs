//! Secrets in a manifest, which would travel with every bundle and be shown to whoever opens one.
//!
//! Finds what connection strings and signed URLs of Azure consist of, in comments too. Other secrets have no form to be known by.

use anyhow::bail;

/// What stands before a secret, in lower case.
const MARKS: [&str; 3] = ["accountkey=", "sharedaccesssignature=", "sig="];

/// Refuses a manifest with a secret in it; says where, and not what it is.
///
/// # Errors
/// There is at least one.
pub(super) fn refuse(file: &str, text: &str) -> anyhow::Result<()> {
    let found = text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, mark_in(line)?)));
    let found: Vec<String> =
        found.map(|(line, mark)| format!("{file}:{line}: there is a secret behind `{mark}`")).collect();
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "secrets do not belong into a bundle\n{}\nput them into an app setting of the host, and name that as %NAME% or as \
         `connection`; a secret that was in a file that others could read should be replaced",
        found.join("\n")
    )
}

/// The first mark with something behind it that is not the name of a setting.
fn mark_in(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    MARKS.into_iter().find(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let within_word = line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let behind = line[at + mark.len()..].chars().next();
            !within_word && behind.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn secrets_are_told_by_their_lines() {
        let text = "[app]\n\
            connection = \"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0==\"\n\
            # old: accountkey=/abc\n\
            url = \"https://a.blob.core.windows.net/b?sv=2024&sig=abc%2F\"\n\
            other = \"BlobEndpoint=https://a;SharedAccessSignature=sv=2024\"\n";
        let error = refuse("app.toml", text).expect_err("there are some").to_string();
        expect![[r#"
            secrets do not belong into a bundle
            app.toml:2: there is a secret behind `accountkey=`
            app.toml:3: there is a secret behind `accountkey=`
            app.toml:4: there is a secret behind `sig=`
            app.toml:5: there is a secret behind `sharedaccesssignature=`
            put them into an app setting of the host, and name that as %NAME% or as `connection`; a secret that was in a file that others could read should be replaced"#]]
        .assert_eq(&error);
    }

    #[test]
    fn names_of_settings_and_other_words_are_no_secrets() {
        let text = "a = \"AccountName=a;AccountKey=%KEY%\"\nb = \"UseDevelopmentStorage=true\"\ndesig=1\nsig=\nroute = \"x?sig=%S%\"";
        refuse("app.toml", text).expect("there is none");
    }
}
