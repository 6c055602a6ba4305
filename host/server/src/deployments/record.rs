//! `deployments.json`: which deployments an app has, and which of them is served.

use orchestration::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::DeploymentError;
use crate::moment;

const FORMAT_VERSION: u64 = 1;

/// Digits of a SHA-256.
const DIGEST_CHARS: usize = 64;

/// A bundle that was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployment {
    /// The SHA-256 of the bundle; the name of its folder.
    pub(crate) bundle: String,
    /// The app digest: what instances that begin on it are pinned to.
    pub(crate) digest: String,
    /// The version in its manifest.
    pub(crate) version: String,
    /// When it was deployed last; going back to it does not count.
    pub(crate) deployed_at: Timestamp,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The digest of one of the bundles; none: nothing is served.
    pub(super) present: Option<String>,
    /// Newest first, each bundle once.
    pub(super) deployments: Vec<Deployment>,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RecordFile {
    format_version: u64,
    present: Option<String>,
    deployments: Vec<DeploymentEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeploymentEntry {
    bundle: String,
    digest: String,
    version: String,
    deployed_at: String,
}

/// What all formats have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    format_version: u64,
}

impl Record {
    pub(super) fn present(&self) -> Option<&Deployment> {
        let present = self.present.as_ref()?;
        self.deployments.iter().find(|deployment| deployment.bundle == *present)
    }

    /// The empty record where there is no file.
    pub(super) fn read(path: &Path) -> Result<Record, DeploymentError> {
        match fs::read_to_string(path) {
            Ok(text) => Record::parse(&text).map_err(|why| DeploymentError::Record { path: path.to_owned(), why }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(DeploymentError::Disk { path: path.to_owned(), error }),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let entry = |one: &Deployment| DeploymentEntry {
            bundle: one.bundle.clone(),
            digest: one.digest.clone(),
            version: one.version.clone(),
            deployed_at: one.deployed_at.to_string(),
        };
        let file = RecordFile {
            format_version: FORMAT_VERSION,
            present: self.present.clone(),
            deployments: self.deployments.iter().map(entry).collect(),
        };
        let mut text = serde_json::to_string_pretty(&file).expect("texts, a number and lists of them are always JSON");
        text.push('\n');
        text
    }

    /// What is read here names folders that are removed, so nothing else than digests may.
    fn parse(text: &str) -> Result<Record, String> {
        let Versioned { format_version } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if format_version != FORMAT_VERSION {
            return Err(format!("it has the format {format_version}, and this host knows {FORMAT_VERSION}"));
        }
        let file: RecordFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut record = Record { present: file.present, deployments: Vec::new() };
        for DeploymentEntry { bundle, digest, version, deployed_at } in file.deployments {
            if !is_digest(&bundle) {
                return Err(format!("{bundle:?} is no digest of a bundle"));
            }
            if record.deployments.iter().any(|known| known.bundle == bundle) {
                return Err(format!("{bundle} is in it twice"));
            }
            let deployed_at =
                moment::parse_exact(&deployed_at).ok_or_else(|| format!("{deployed_at:?} is no moment"))?;
            record.deployments.push(Deployment { bundle, digest, version, deployed_at });
        }
        match &record.present {
            Some(present) if record.present().is_none() => Err(format!("the present one, {present:?}, is not listed")),
            Some(_) | None => Ok(record),
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&Record::parse(text).expect_err("it is broken"));
    }

    #[test]
    fn what_is_written_is_read() {
        let one = |letter: &str, version: &str| Deployment {
            bundle: letter.repeat(64),
            digest: "d".to_owned(),
            version: version.to_owned(),
            deployed_at: Timestamp::from_ticks(17_000_000_000_000_001),
        };
        let record = Record { present: Some("a".repeat(64)), deployments: vec![one("b", "2"), one("a", "1")] };
        assert_eq!(Record::parse(&record.to_text()), Ok(record));
        assert_eq!(Record::parse(&Record::default().to_text()), Ok(Record::default()));
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        let entry = |bundle: &str| {
            format!(
                r#"{{"bundle": "{bundle}", "digest": "d", "version": "1", "deployedAt": "2026-01-01T00:00:00.0000000Z"}}"#
            )
        };
        let file = |present: &str, entries: &[String]| {
            format!(r#"{{"formatVersion": 1, "present": {present}, "deployments": [{}]}}"#, entries.join(","))
        };
        let good = "a".repeat(64);
        check(&file("null", &[entry("../../secrets")]), &expect![[r#""../../secrets" is no digest of a bundle"#]]);
        check(
            &file("null", &[entry(&good), entry(&good)]),
            &expect!["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is in it twice"],
        );
        check(&file(r#""b""#, &[entry(&good)]), &expect![[r#"the present one, "b", is not listed"#]]);
        check(
            &file("null", &[entry(&good).replace("2026-01-01T", "")]),
            &expect![[r#""00:00:00.0000000Z" is no moment"#]],
        );
        check(r#"{"formatVersion": 2}"#, &expect!["it has the format 2, and this host knows 1"]);
        check("{", &expect!["EOF while parsing an object at line 1 column 1"]);
        check("{}", &expect!["missing field `formatVersion` at line 1 column 2"]);
    }
}
