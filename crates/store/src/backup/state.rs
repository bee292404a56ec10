//! Which backup was made last, so that the next one can go on from it. If the note is lost or does
//! not read, the next backup is a full one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

use super::names::Name;
use crate::{disk::Room, power, segments::History};

/// The last backup that was read back whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) name: Name,
    pub(crate) history: History,
    /// The last batch that it holds.
    pub(crate) last: u64,
}

impl Done {
    /// Whether everything that it needs is on the shelf.
    pub(super) fn is_on(&self, listed: &[Name]) -> bool {
        let has =
            |number| listed.iter().any(|it| (it.chain, it.number) == (self.name.chain, number));
        (0..=self.name.number).all(has)
    }
}

fn path(room: &Room) -> PathBuf {
    room.root.join("backup")
}

pub(crate) fn read(room: &Room) -> Option<Done> {
    let text = fs::read_to_string(path(room)).ok()?;
    let (fields, crc) = text.trim_end().rsplit_once(' ')?;
    if crc != format!("{:08x}", crc32fast::hash(fields.as_bytes())) {
        return None;
    }
    let mut fields = fields.split(' ');
    let name = fields.next()?.parse().ok()?;
    let history = u128::from_str_radix(fields.next()?, 16).ok()?.to_be_bytes();
    let last = fields.next()?.parse().ok()?;
    Some(Done { name, history: History(history), last })
}

pub(super) fn write(room: &Room, done: &Done) -> io::Result<()> {
    let Done { name, history, last } = done;
    let history = u128::from_be_bytes(history.0);
    let fields = format!("{name} {history:032x} {last}");
    let text = format!("{fields} {:08x}\n", crc32fast::hash(fields.as_bytes()));
    let half_made = room.root.join("backup.new");
    let mut file = File::create(&half_made)?;
    file.write_all(text.as_bytes())?;
    power::sync_data(&file, &half_made)?;
    fs::rename(half_made, path(room))?;
    power::sync_folder(&room.root)
}
