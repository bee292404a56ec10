//! Reads a folder of labelled texts: gzipped JSON Lines with `text` and `label`, 1 for an attack.

use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use flate2::read::GzDecoder;
use serde::Deserialize;

/// One text of the folder.
#[derive(Deserialize)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    label: u8,
}

impl Labelled {
    pub(crate) fn is_attack(&self) -> bool {
        self.label == 1
    }
}

/// All texts of a folder, in the order of its files.
pub(crate) fn read(folder: &Path) -> Result<Vec<Labelled>, Box<dyn Error>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        for line in BufReader::new(GzDecoder::new(File::open(file)?)).lines() {
            texts.push(serde_json::from_str(&line?)?);
        }
    }
    if texts.is_empty() {
        return Err("the folder has no texts".into());
    }
    Ok(texts)
}
