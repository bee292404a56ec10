//! Reads a folder of labelled texts: gzipped JSON Lines with `text` and `label`, 1 for an attack.

use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde::Deserialize;

/// One text of the folder.
#[derive(Deserialize)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) lang: Option<String>,
    label: u8,
}

impl Labelled {
    pub(crate) fn is_attack(&self) -> bool {
        self.label == 1
    }
}

/// All texts of the folders, in the order of their files.
pub(crate) fn read(folders: &[PathBuf]) -> Result<Vec<Labelled>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for folder in folders {
        texts.extend(read_folder(folder)?);
    }
    if texts.is_empty() { Err("the folders have no texts".into()) } else { Ok(texts) }
}

fn read_folder(folder: &Path) -> Result<Vec<Labelled>, Box<dyn Error>> {
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
    Ok(texts)
}
