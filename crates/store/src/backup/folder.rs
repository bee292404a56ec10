//! A folder as a shelf. What is written gets its name only when it is whole and synced.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use protocol::shelf::{Draft, Shelf, Shelved};

const UNFINISHED: &str = ".unfinished";

/// A folder that backups are kept in. Made, for us alone, when the first is written.
#[derive(Clone, Debug)]
pub struct FolderShelf {
    folder: PathBuf,
}

impl FolderShelf {
    /// A shelf at this path.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let is_plain = !name.starts_with('.')
            && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '.');
        if is_plain { Ok(self.folder.join(name)) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

impl Shelf for FolderShelf {
    fn place(&self) -> String {
        format!("the folder {}", self.folder.display())
    }

    fn list(&self) -> io::Result<Vec<Shelved>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let about = entry.metadata()?;
            if about.is_file() && !name.ends_with(UNFINISHED) {
                found.push(Shelved { name, bytes: about.len() });
            }
        }
        Ok(found)
    }

    fn draft(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        let path = self.path(name)?;
        if !self.folder.exists() {
            fs::create_dir_all(&self.folder)?;
            fs::set_permissions(&self.folder, Permissions::from_mode(0o700))?;
        }
        // What a killed process has left. Only one process backs up to a folder.
        for left in fs::read_dir(&self.folder)? {
            let left = left?.path();
            if left.to_str().is_some_and(|it| it.ends_with(UNFINISHED)) {
                fs::remove_file(left)?;
            }
        }
        let unfinished = self.folder.join(format!("{name}{UNFINISHED}"));
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        let folder = self.folder.clone();
        Ok(Box::new(FileDraft { file: Some(BufWriter::new(file)), unfinished, path, folder }))
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::BufReader::new(File::open(self.path(name)?)?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

struct FileDraft {
    /// `None` once it is kept.
    file: Option<BufWriter<File>>,
    unfinished: PathBuf,
    path: PathBuf,
    folder: PathBuf,
}

impl FileDraft {
    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        self.file.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for FileDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Draft for FileDraft {
    fn keep(mut self: Box<Self>) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let kept = keep(file, &self.unfinished, &self.path, &self.folder);
        if kept.is_err() {
            remove_unfinished(&self.unfinished);
        }
        kept
    }
}

fn keep(file: BufWriter<File>, unfinished: &Path, path: &Path, folder: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn remove_unfinished(path: &Path) {
    if fs::remove_file(path).is_err() {
        // lost-ok: it has no name that counts, and the next draft removes it.
    }
}

impl Drop for FileDraft {
    fn drop(&mut self) {
        if self.file.is_some() {
            remove_unfinished(&self.unfinished);
        }
    }
}
