//! Things that come as files, one TOML file each, read and checked together.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Problem, Problems, read_file};

/// What a folder holds, and how much of it is read.
pub(crate) struct Bounds {
    /// What one is called.
    pub(crate) noun: &'static str,
    /// Files.
    pub(crate) files_max: usize,
    /// Bytes of one.
    pub(crate) bytes_max: u64,
}

/// Every `*.toml` of a folder but hidden ones, in the order of their names. `read` gets what problems call a
/// file, and its text; two of one name are a problem of the second.
///
/// # Errors
/// If the folder cannot be read or any file has a problem: all of them, with file and line.
pub(crate) fn read_folder<T, N: Ord + std::fmt::Display>(
    folder: &Path,
    bounds: Bounds,
    read: impl Fn(&str, &str) -> Result<T, Problems>,
    name: impl Fn(&T) -> N,
) -> Result<Vec<T>, Problems> {
    let Bounds { noun, files_max, bytes_max } = bounds;
    let files = files(folder).map_err(|error| cannot_read(folder, &error))?;
    if files_max < files.len() {
        let text = format!("there are {} files, and at most {files_max} are read", files.len());
        return Err(Problems(vec![Problem { place: folder.display().to_string(), text }]));
    }
    let (mut problems, mut all) = (Vec::new(), BTreeMap::<N, (T, String)>::new());
    for path in files {
        let file = path.display().to_string();
        let text = read_file(&path, bytes_max).map_err(|error| cannot_read(&path, &error));
        match text.and_then(|text| read(&file, &text)) {
            Ok(it) => {
                if let Some((_, other)) = all.get(&name(&it)) {
                    let text = format!("`{}` is the name of the {noun} in {other}", name(&it));
                    problems.push(Problem { place: format!("{file}: name"), text });
                } else {
                    all.insert(name(&it), (it, file));
                }
            }
            Err(found) => problems.extend(found.0),
        }
    }
    if problems.is_empty() {
        return Ok(all.into_values().map(|(it, _)| it).collect());
    }
    Err(Problems(problems))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|end| end == "toml") && !hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path, error: &io::Error) -> Problems {
    let text = format!("cannot be read: {error}");
    Problems(vec![Problem { place: path.display().to_string(), text }])
}
