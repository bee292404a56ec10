//! Forgets a person: their key is destroyed, and a signed word says so.
//!
//! Runs on the writer's thread, between two groups: what was appended before is sealed with the
//! key that goes, what comes later gets a new one. The order on disk is the keyring's: first that
//! the key is to go, then the keyring without it, and only then anybody is told.
//!
//! In a ledger that was made in format 1, texts of that time are the hall's. Those of the person's
//! private chats are taken out of the log first; in copies they stay readable with the master key.

use std::{collections::BTreeSet, path::Path};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, Mac as _};
use protocol::{
    BotId, PersonId, Timestamp,
    ledger::{ErasureReceipt, Stream},
};
use sha2::Sha256;

use crate::{
    KeyringError, Keys,
    codec::Fields,
    disk::{DiskError, key},
    keyring::{Grave, Keyring},
    record::{Body, Damaged, Seal},
    wal::Batch,
    writer::Writer,
};

const TITLE: &str = "Guildhall receipt of erasure";
const DONE: &str = "The data key of this person was destroyed. Nothing that was sealed with it can be \
                    read again, in no copy.";
const SIGNATURE: &str = "signature: ";

/// Destroys a person's key and takes them out of memory. `None` if they have no key.
pub(crate) fn forget(
    writer: &mut Writer,
    person: PersonId,
    at: Timestamp,
    told_by: Option<BotId>,
) -> Result<Option<ErasureReceipt>, DiskError> {
    let had_old = take_out_old(writer, person)?;
    let shared = &writer.shared;
    let keyring = shared.seal.keyring();
    let number = match keyring.find(person) {
        Some(number) => number,
        // So that there is a grave, which says so.
        None if had_old => keyring.number_of(person)?,
        None => return Ok(None),
    };
    let to_tell = told_by.map(|bot| (bot, person));
    let grave = Grave { at, whose: hash(&shared.seal, person), to_tell };
    if !keyring.destroy(person, grave)? {
        return Ok(None);
    }
    let mut index = shared.index().map_err(std::io::Error::other)?;
    index.erase(person);
    writer.figures.count(&index);
    drop(index);
    shared.accepted.erase(&shared.seal, person)?;
    Ok(Some(receipt(&shared.seal, number, &grave)))
}

/// Empties what format 1 holds of a person's private chats. True if there was anything.
fn take_out_old(writer: &mut Writer, person: PersonId) -> Result<bool, DiskError> {
    let Some(last) = writer.shared.disk.get(key::OLD_ROWS)? else { return Ok(false) };
    let last = Fields(&last).u64().ok_or(Damaged("the number of old rows does not read"))?;
    let mut streams = BTreeSet::new();
    for number in 1..=last {
        let Some(row) = writer.shared.disk.get_parts(&key::row(number))? else { continue };
        let mut all = writer.shared.seal.open_row(&row)?;
        let mut is_changed = false;
        for record in &mut all {
            let Some(body) = without_old(&record.body, person) else { continue };
            streams.insert(record.stream);
            record.body = body;
            is_changed = true;
        }
        if is_changed {
            let mut sealed = Vec::with_capacity(row.len());
            for record in &all {
                writer.shared.seal.seal(record, &mut writer.nonces, &mut sealed)?;
            }
            put(writer, &key::row(number), &sealed)?;
        }
    }
    for stream in &streams {
        let Some(row) = writer.shared.disk.get_parts(&key::snapshot(*stream))? else { continue };
        let mut record = writer.shared.seal.open_slot(&row, 0)?;
        let Body::State { state, .. } = &record.body else { continue };
        if state.iter().any(|it| it.owners.is_empty()) {
            record.body = Body::State { stream: None, state: Vec::new() };
            let mut sealed = Vec::new();
            writer.shared.seal.seal(&record, &mut writer.nonces, &mut sealed)?;
            put(writer, &key::snapshot(*stream), &sealed)?;
        }
    }
    let mut index = writer.shared.index().map_err(std::io::Error::other)?;
    for stream in &streams {
        index.drop_old_waiting(*stream);
    }
    Ok(!streams.is_empty())
}

fn put(writer: &Writer, key: &[u8], sealed: &[u8]) -> Result<(), DiskError> {
    let mut batch = Batch::default();
    writer.shared.disk.replace(&mut batch, key, sealed)?;
    writer.shared.disk.commit(&batch)
}

/// What is left of a record of format 1, if it is a person's.
fn without_old(body: &Body, person: PersonId) -> Option<Body> {
    match body {
        Body::Arrived { key, owner: None, update, at, .. } if key.chat.0 == person.0 => {
            Some(Body::ArrivedErased { bot: key.bot, update: *update, at: *at })
        }
        Body::Appended { stream: Some(Stream::Session(key)), closes, events }
            if key.chat.0 == person.0 && events.iter().any(|it| it.owners.is_empty()) =>
        {
            Some(Body::Appended { stream: None, closes: closes.clone(), events: Vec::new() })
        }
        Body::Arrived { .. }
        | Body::Appended { .. }
        | Body::ArrivedErased { .. }
        | Body::Dropped { .. }
        | Body::Quarantined { .. }
        | Body::Rested
        | Body::State { .. }
        | Body::Checkpoint(_)
        | Body::OldCheckpoint(_)
        | Body::Accepted(_) => None,
    }
}

/// Receipts that nobody was shown yet.
pub(crate) fn untold(seal: &Seal) -> Vec<ErasureReceipt> {
    let untold = seal.keyring().untold();
    untold.iter().map(|(number, grave)| receipt(seal, *number, grave)).collect()
}

/// Who it was, for those who have the keyring and know whom to ask about.
fn hash(seal: &Seal, person: PersonId) -> [u8; 32] {
    let key = seal.keyring().root().derive("receipt people");
    let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key.as_slice());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(&person.0.to_be_bytes());
    mac.finalize().into_bytes().into()
}

fn receipt(seal: &Seal, number: u32, grave: &Grave) -> ErasureReceipt {
    let key = signing_key(&seal.keyring().root());
    let millis = i64::try_from(grave.at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let mut text = format!(
        "{TITLE}\nperson: {}\ntime: {time:.0}\n{DONE}\nkey: {}\n",
        hex(&grave.whose),
        hex(key.verifying_key().as_bytes())
    );
    let signature = key.sign(text.as_bytes());
    text.push_str(SIGNATURE);
    text.push_str(&hex(&signature.to_bytes()));
    text.push('\n');
    ErasureReceipt { number, text, to_tell: grave.to_tell }
}

/// Why a receipt does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// It is not a receipt.
    #[error("this is no receipt of a guildhall")]
    Unreadable,
    /// It was changed.
    #[error("the signature does not fit the text")]
    Forged,
}

/// Checks a receipt's signature, and says in hexadecimal digits whose key signed it: whether that
/// is the hall's own is for the caller to compare.
///
/// # Errors
/// If it is no receipt, or was changed.
pub fn verify_receipt(text: &str) -> Result<String, ReceiptError> {
    let text = text.trim_end();
    let at = text.rfind(SIGNATURE).ok_or(ReceiptError::Unreadable)?;
    let (signed, signature) = text.split_at(at);
    let signature = signature.strip_prefix(SIGNATURE).and_then(unhex::<64>);
    let key_line = signed.lines().find_map(|line| line.strip_prefix("key: "));
    let key = key_line.and_then(unhex::<32>);
    let (Some(signature), Some(key), true) = (signature, key, signed.starts_with(TITLE)) else {
        return Err(ReceiptError::Unreadable);
    };
    let key = VerifyingKey::from_bytes(&key).map_err(|_not_a_point| ReceiptError::Unreadable)?;
    key.verify_strict(signed.as_bytes(), &Signature::from_bytes(&signature))
        .map_err(|_does_not_fit| ReceiptError::Forged)?;
    Ok(hex(key.as_bytes()))
}

/// The key with which a hall signs receipts, in hexadecimal digits. The hall may run meanwhile.
///
/// # Errors
/// If the keyring cannot be read.
pub fn receipt_key(keyring: &Path, keys: &Keys) -> Result<String, KeyringError> {
    let key = signing_key(&Keyring::read_root(keyring, keys)?);
    Ok(hex(key.verifying_key().as_bytes()))
}

fn signing_key(root: &Keys) -> SigningKey {
    SigningKey::from_bytes(&root.derive("receipt signatures"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}
