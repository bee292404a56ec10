//! Looks for secrets in files: as they are, and in the disguises in which they slip through.

use std::{fs, io, path::Path};

use base64::{Engine as _, engine::general_purpose};
use memchr::memmem;

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What the secret is called; never the secret itself.
    pub secret: String,
    /// In which form: `raw`, `hex`, `base64`, `percent` or `json`.
    pub form: &'static str,
    /// Where.
    pub file: String,
}

/// Looks through every file below `folder` for every secret, given as (name, bytes).
///
/// # Errors
/// A file cannot be read.
pub fn scan(folder: &Path, secrets: &[(&str, &[u8])]) -> io::Result<Vec<Hit>> {
    let needles: Vec<_> = secrets.iter().flat_map(|(name, bytes)| forms(name, bytes)).collect();
    let mut hits = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = fs::read(&path)?;
            let lower = content.to_ascii_lowercase();
            for (name, form, needle) in &needles {
                let hay = if *form == "hex" { &lower } else { &content };
                if memmem::find(hay, needle).is_some() {
                    let file = path.display().to_string();
                    hits.push(Hit { secret: (*name).to_owned(), form, file });
                }
            }
        }
    }
    Ok(hits)
}

fn forms<'n>(name: &'n str, bytes: &[u8]) -> Vec<(&'n str, &'static str, Vec<u8>)> {
    let mut hex = String::new();
    let mut percent = String::new();
    for byte in bytes {
        hex.push_str(&format!("{byte:02x}"));
        match byte.is_ascii_alphanumeric() {
            true => percent.push(char::from(*byte)),
            false => percent.push_str(&format!("%{byte:02X}")),
        }
    }
    let mut all = vec![
        (name, "raw", bytes.to_vec()),
        (name, "hex", hex.into_bytes()),
        (name, "percent", percent.into_bytes()),
        (name, "json", escaped(bytes)),
    ];
    // Base64 of a text that holds the secret at any place: three alignments, without the letters
    // at both ends that depend on the neighbours.
    for skip in 0..3 {
        let padded = [vec![0; skip], bytes.to_vec()].concat();
        for engine in [&general_purpose::STANDARD_NO_PAD, &general_purpose::URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let from = (skip * 8).div_ceil(6);
            let to = padded.len() * 8 / 6;
            all.push((name, "base64", text.get(from..to).unwrap_or_default().into()));
        }
    }
    all.retain(|(_, _, needle)| !needle.is_empty());
    all
}

fn escaped(bytes: &[u8]) -> Vec<u8> {
    let text = serde_json::Value::from(String::from_utf8_lossy(bytes)).to_string();
    text.trim_matches('"').as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disguise_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let secret = b"k\"ey:of the hall/1".as_slice();
        let wrapped = [b"xy".as_slice(), secret, b"z"].concat();
        let disguises = [
            ("raw", wrapped.clone()),
            ("hex", b"6B226579".iter().chain(b"3a6f66207468652068616c6c2f31").copied().collect()),
            ("base64", general_purpose::STANDARD.encode(&wrapped).into_bytes()),
            ("percent", b"k%22ey%3Aof%20the%20hall%2F1".to_vec()),
            ("json", br#""k\"ey:of the hall/1""#.to_vec()),
        ];
        for (form, bytes) in disguises {
            fs::write(folder.path().join("file"), bytes).unwrap();
            let hits = scan(folder.path(), &[("key", secret)]).unwrap();
            assert!(hits.iter().any(|hit| hit.form == form), "{form}: {hits:?}");
        }
        fs::write(folder.path().join("file"), "nothing of it").unwrap();
        assert_eq!(scan(folder.path(), &[("key", secret)]).unwrap(), []);
    }
}
