//! The parts of a record that belong to people: each sealed once more, with its owners' keys.
//!
//! A piece is `owners u8 · numbers of their keys u32 … · nonce · length u32 · sealed`; one without
//! owners is the hall's and stands as it is, since the record around it is sealed. What identifies
//! the conversation stands inside the pieces, so that nothing of it can be read once its people are
//! forgotten. The record's header is authenticated with each piece, and its place in the record: a
//! piece opens only there.

use std::io;

use bytes::{Buf as _, BufMut as _, Bytes};
use hkdf::Hkdf;
use protocol::{
    PersonId,
    ledger::{Owned, Stream},
};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    aead::{Aead, KEY_BYTES, NONCE_BYTES, TAG_BYTES, Unsealed},
    codec::{Fields, put_stream},
    keyring::{DataKey, Found, Keyring},
    record::{Damaged, Nonces},
};

/// Owners of one piece. More people than that never speak in one summary.
pub(crate) const OWNERS_MAX: usize = 255;
/// The keyring is older than the piece.
pub(crate) const KEY_MISSING: Damaged =
    Damaged("a piece sealed with a key that the keyring does not have");
/// About how many bytes a piece takes beyond its text.
pub(crate) const OVERHEAD_BYTES: usize = 96;

/// Where a piece stands: the record's header, and its place in the record.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) index: u32,
}

/// A piece that was read.
pub(crate) enum Piece {
    /// It belongs to this stream, and opens.
    Open(Stream, Owned),
    /// One of its owners was forgotten.
    Erased,
}

/// Adds a piece; owners without a key get one, which the caller must sync first. KEYRING-1.
pub(crate) fn put(
    out: &mut Vec<u8>,
    keyring: &Keyring,
    nonces: &mut Nonces,
    place: Place<'_>,
    (stream, owned): (&Stream, &Owned),
) -> io::Result<()> {
    let (numbers, key) = keys_for(keyring, &owned.owners)?;
    out.put_u8(u8::try_from(numbers.len()).map_err(io::Error::other)?);
    numbers.iter().for_each(|number| out.put_u32(*number));
    let nonce = if key.is_some() { nonces.next()? } else { [0; NONCE_BYTES] };
    if key.is_some() {
        out.put_slice(&nonce);
    }
    let len_at = out.len();
    out.put_u32(0);
    let text_at = out.len();
    put_stream(out, stream);
    out.put_slice(&owned.bytes);
    if let Some(key) = key {
        // In its place: no copy of the text is left behind.
        let text = out.get_mut(text_at..).unwrap_or_default();
        let tag = Aead::new(&key)
            .seal(&nonce, &bound(place, &numbers), text)
            .map_err(|Unsealed| io::Error::other("a text too long to seal"))?;
        out.put_slice(&tag);
    }
    let len = u32::try_from(out.len() - text_at).map_err(io::Error::other)?;
    if let Some(place) = out.get_mut(len_at..text_at) {
        place.copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

/// The numbers of the owners' keys, in order, and what they seal with together.
fn keys_for(keyring: &Keyring, owners: &[PersonId]) -> io::Result<(Vec<u32>, Option<DataKey>)> {
    if let [one] = owners {
        let (number, key) = keyring.key_for(*one)?;
        return Ok((vec![number], Some(key)));
    }
    let mut numbers = Vec::with_capacity(owners.len());
    for owner in owners {
        numbers.push(keyring.number_of(*owner)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    match key_of(keyring, &numbers) {
        Ok(None) => Ok((numbers, None)),
        Ok(Some(Found::Key(_, key))) => Ok((numbers, Some(key))),
        Ok(Some(Found::Erased | Found::Unknown)) | Err(_) => {
            Err(io::Error::other("a key that was just given is gone"))
        }
    }
}

/// Reads a piece.
pub(crate) fn read(
    fields: &mut Fields<'_>,
    keyring: &Keyring,
    place: Place<'_>,
) -> Result<Piece, Damaged> {
    let short = Damaged("a piece that is cut short");
    let count = fields.u8().ok_or(short)?;
    let mut numbers = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        numbers.push(fields.u32().ok_or(short)?);
    }
    let nonce = if count == 0 { &[][..] } else { fields.take(NONCE_BYTES).ok_or(short)? };
    let len = fields.u32().and_then(|len| usize::try_from(len).ok()).ok_or(short)?;
    let sealed = fields.take(len).ok_or(short)?;
    let (owners, key) = match key_of(keyring, &numbers)? {
        None => return open(sealed.to_vec(), Vec::new()),
        Some(Found::Erased) => return Ok(Piece::Erased),
        Some(Found::Unknown) => return Err(KEY_MISSING),
        Some(Found::Key(owners, key)) => (owners, key),
    };
    let (text, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(short)?;
    let text = Aead::new(&key)
        .open(nonce, &bound(place, &numbers), text, tag)
        .map_err(|Unsealed| Damaged("a piece that its owner's key does not open"))?;
    open(text.into_vec(), owners)
}

fn open(text: Vec<u8>, owners: Vec<PersonId>) -> Result<Piece, Damaged> {
    let mut fields = Fields(&text);
    let stream = fields.stream().ok_or(Damaged("a piece that does not read"))?;
    let front = text.len() - fields.rest().len();
    let mut bytes = Bytes::from(text);
    bytes.advance(front);
    Ok(Piece::Open(stream, Owned { owners, bytes }))
}

fn bound(place: Place<'_>, numbers: &[u32]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(place.header.len() + 4 + 4 * numbers.len());
    bound.put_slice(place.header);
    bound.put_u32(place.index);
    numbers.iter().for_each(|number| bound.put_u32(*number));
    bound
}

/// The key that opens what these people own together; `None` if nobody owns it.
fn key_of(keyring: &Keyring, numbers: &[u32]) -> Result<Option<Found>, Damaged> {
    let [first, more @ ..] = numbers else { return Ok(None) };
    let one = keyring.key(*first);
    if more.is_empty() {
        return Ok(Some(one));
    }
    let mut owners = Vec::with_capacity(numbers.len());
    let mut all = Zeroizing::new(Vec::with_capacity(numbers.len() * KEY_BYTES));
    for number in numbers {
        match keyring.key(*number) {
            Found::Key(owner, key) => {
                owners.extend(owner);
                all.extend_from_slice(key.as_slice());
            }
            gone @ (Found::Erased | Found::Unknown) => return Ok(Some(gone)),
        }
    }
    let mut key: DataKey = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(Some(b"guildhall"), &all)
        .expand(b"several owners", key.as_mut_slice())
        .map_err(|hkdf::InvalidLength| Damaged("a key that cannot be derived"))?;
    Ok(Some(Found::Key(owners, key)))
}
