//! Puts another database in the place of the one that is there, whole or not at all.
//!
//! The new one is built and verified as `engine.new/`. Then the note `swap` is written, which says
//! where the old one goes; from there on the exchange is finished at the next opening, whenever the
//! process ended. Without the note, `engine.new/` is only a leftover.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{disk::Room, power};

/// Where a database is built that takes the place of the other.
pub(crate) fn next(room: &Room) -> PathBuf {
    room.root.join("engine.new")
}

fn note(room: &Room) -> PathBuf {
    room.root.join("swap")
}

/// Exchanges the databases: the one in [`next`] comes into force, the old one goes to `aside`.
pub(crate) fn exchange(room: &Room, aside: &str) -> io::Result<()> {
    sync_files(&next(room))?;
    let half_made = room.root.join("swap.new");
    let mut file = File::create(&half_made)?;
    file.write_all(aside.as_bytes())?;
    power::sync_data(&file, &half_made)?;
    fs::rename(half_made, note(room))?;
    power::sync_folder(&room.root)?;
    finish(room)
}

/// Finishes an exchange that was begun. Does nothing if there is none.
pub(crate) fn finish(room: &Room) -> io::Result<()> {
    let aside = match fs::read_to_string(note(room)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        aside => room.root.join(aside?),
    };
    let (engine, next) = (room.engine(), next(room));
    if next.exists() {
        if engine.exists() {
            fs::rename(&engine, aside)?;
        }
        fs::rename(next, engine)?;
        power::sync_folder(&room.root)?;
    }
    fs::remove_file(note(room))?;
    power::sync_folder(&room.root)
}

/// Makes every file of a folder durable, with its name.
fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_files(&path)?;
        } else {
            power::sync_data(&File::open(&path)?, &path)?;
        }
    }
    power::sync_folder(folder)
}
