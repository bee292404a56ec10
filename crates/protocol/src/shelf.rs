//! The port to a place where backups are kept: a folder, or a bucket of an object store.
//!
//! Every call blocks, so it is made from a thread that may. A name is letters, digits, `-` and `.`.

use std::io::{self, Read, Write};

/// One thing on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Something that is being written. Dropped before it is kept, it was never there.
pub trait Draft: Write + Send {
    /// Puts it on the shelf, whole and durable, in place of one of the same name.
    ///
    /// # Errors
    /// Why it is not there.
    fn keep(self: Box<Self>) -> io::Result<()>;
}

/// A place where backups are kept.
pub trait Shelf: Send + Sync {
    /// Where it is, for people. Shows no secret.
    fn place(&self) -> String;

    /// Everything on it, in any order.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn list(&self) -> io::Result<Vec<Shelved>>;

    /// Begins to write.
    ///
    /// # Errors
    /// Why it cannot be written to.
    fn draft(&self, name: &str) -> io::Result<Box<dyn Draft>>;

    /// Reads something from its beginning.
    ///
    /// # Errors
    /// Why it cannot be read; `NotFound` if it is not there.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Removes something. It is no error if it is not there.
    ///
    /// # Errors
    /// Why it is still there.
    fn remove(&self, name: &str) -> io::Result<()>;
}
