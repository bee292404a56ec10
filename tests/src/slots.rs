//! How many halls may be up at once on one machine, over all test processes.
//!
//! File locks, so that it holds for `cargo test` (one process) and `cargo nextest` (one each). A
//! turnstile lets one test at a time choose, so that those who want everything are not starved.

use std::{
    fs::{File, create_dir_all},
    io,
    time::Duration,
};

/// Tests that may have halls at the same time.
const SLOTS: usize = 2;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The right to have halls up. Given back when dropped.
#[derive(Debug)]
pub struct Slots {
    /// Locked files.
    _held: Vec<File>,
}

impl Slots {
    /// Waits for one of two slots.
    ///
    /// # Errors
    /// The lock files in the folder for temporary files cannot be used.
    pub async fn one() -> io::Result<Self> {
        let _turnstile = locked("turnstile").await?;
        loop {
            for slot in 0..SLOTS {
                if let Some(file) = try_locked(&format!("slot-{slot}"))? {
                    return Ok(Self { _held: vec![file] });
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for both, for tests that measure times or need the whole machine.
    ///
    /// # Errors
    /// As [`Slots::one`].
    pub async fn all() -> io::Result<Self> {
        let _turnstile = locked("turnstile").await?;
        let mut held = Vec::with_capacity(SLOTS);
        for slot in 0..SLOTS {
            held.push(locked(&format!("slot-{slot}")).await?);
        }
        Ok(Self { _held: held })
    }
}

async fn locked(name: &str) -> io::Result<File> {
    loop {
        if let Some(file) = try_locked(name)? {
            return Ok(file);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn try_locked(name: &str) -> io::Result<Option<File>> {
    let folder = std::env::temp_dir().join("guildhall-end-to-end");
    create_dir_all(&folder)?;
    let file = File::options().create(true).append(true).open(folder.join(name))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
