//! Addresses of cryptocurrencies, by their own checks: Base58Check (Bitcoin, Litecoin, Dogecoin,
//! Tron), Bech32 and Bech32m (BIP 173, BIP 350), and the form alone for Ethereum.

use sha2::{Digest, Sha256};

/// The digits of Base58, as Bitcoin uses them.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The digits of Bech32.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// A version byte, a hash and four bytes of check.
const BASE58_BYTES: usize = 25;
/// The longest Bech32 address.
const BECH32_BYTES_MAX: usize = 90;

/// Whether a whole word is an address.
pub(super) fn is_address(word: &[u8]) -> bool {
    match word {
        [b'0', b'x' | b'X', hex @ ..] => is_ethereum(hex),
        // `L` opens the addresses of Litecoin in either form.
        [b'L', b'T', ..] => is_bech32(word) || is_base58(word),
        [b'1' | b'3' | b'L' | b'M' | b'D' | b'A' | b'9' | b'T', ..] => is_base58(word),
        [b'b' | b'B' | b'l', ..] => is_bech32(word),
        _ => false,
    }
}

fn is_ethereum(hex: &[u8]) -> bool {
    let is_varied = hex.iter().any(|byte| Some(byte) != hex.first());
    hex.len() == 40 && is_varied && hex.iter().all(u8::is_ascii_hexdigit)
}

fn is_base58(word: &[u8]) -> bool {
    if !(26..=35).contains(&word.len()) {
        return false;
    }
    let mut number = [0_u8; BASE58_BYTES];
    for byte in word {
        let Some(digit) = BASE58.iter().position(|it| it == byte) else { return false };
        let mut carry = digit;
        for place in number.iter_mut().rev() {
            carry += usize::from(*place) * 58;
            // The low byte stays, the rest is carried.
            *place = u8::try_from(carry & 0xFF).unwrap_or(0);
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let (body, check) = number.split_at(BASE58_BYTES - 4);
    // Bitcoin, Litecoin, Dogecoin, Tron: to a key or to a script.
    let is_known = matches!(body.first(), Some(0 | 5 | 0x30 | 0x32 | 0x1E | 0x16 | 0x41));
    is_known && Sha256::digest(Sha256::digest(body)).starts_with(check)
}

fn is_bech32(word: &[u8]) -> bool {
    let mixed = word.iter().any(u8::is_ascii_lowercase) && word.iter().any(u8::is_ascii_uppercase);
    if mixed || !(14..=BECH32_BYTES_MAX).contains(&word.len()) {
        return false;
    }
    let (network, data) = match word.split_at(2) {
        (b"bc" | b"BC", [b'1', data @ ..]) => (b"bc", data),
        (b"lt" | b"LT", [b'c' | b'C', b'1', data @ ..]) => (b"lt", data),
        _ => return false,
    };
    let third: &[u8] = if network == b"lt" { b"c" } else { b"" };
    let name = || network.iter().chain(third);
    let mut check = 1_u32;
    for &letter in name() {
        check = step(check, u32::from(letter >> 5));
    }
    check = step(check, 0);
    for &letter in name() {
        check = step(check, u32::from(letter & 31));
    }
    for letter in data {
        let letter = letter.to_ascii_lowercase();
        let Some(value) = BECH32.iter().position(|&it| it == letter) else { return false };
        check = step(check, u32::try_from(value).unwrap_or(0));
    }
    // Bech32 for the first version of witness, Bech32m for the later ones.
    matches!(check, 1 | 0x2BC8_30A3)
}

/// One step of the check of BIP 173.
fn step(check: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3];
    let top = check >> 25;
    let next = ((check & 0x01FF_FFFF) << 5) ^ value;
    let bits = GENERATOR.iter().enumerate();
    bits.filter(|(at, _)| (top >> at) & 1 == 1).fold(next, |next, (_, bits)| next ^ bits)
}
