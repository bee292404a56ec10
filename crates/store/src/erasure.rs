//! Forgets a person: their key is destroyed, and a signed word says so.
//!
//! Runs on the writer's thread, between two groups: what was appended before is sealed with the
//! key that goes, what comes later gets a new one. The order on disk is the keyring's: first that
//! the key is to go, then the keyring without it, and only then anybody is told.

use std::path::Path;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, Mac as _};
use protocol::{BotId, PersonId, Timestamp, ledger::ErasureReceipt};
use sha2::Sha256;

use crate::{
    KeyringError, Keys,
    disk::DiskError,
    keyring::{Grave, Keyring},
    record::Seal,
    writer::Writer,
};

const TITLE: &str = "Guildhall receipt of erasure";
const DONE: &str = "The data key of this person was destroyed. Nothing that was sealed with it can be \
                    read again, in no copy.";
const SIGNATURE: &str = "signature: ";

/// Destroys a person's key and takes them out of memory. `None` if they have no key.
pub(crate) fn forget(
    writer: &Writer,
    person: PersonId,
    at: Timestamp,
    told_by: Option<BotId>,
) -> Result<Option<ErasureReceipt>, DiskError> {
    let shared = &writer.shared;
    let keyring = shared.seal.keyring();
    let Some(number) = keyring.find(person) else { return Ok(None) };
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

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
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
