//! The words around a candidate, by which a number is told from another that looks the same.
//!
//! Only the nearest words of the same sentence count; lists hold stems (`geburts`) and, marked by
//! `=`, whole words (`=né`).

use super::run::Text;

/// How far back words are looked at, in bytes.
const BEFORE_BYTES_MAX: usize = 56;
/// How far ahead words are looked at, in bytes.
const AFTER_BYTES_MAX: usize = 36;
/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "=no", "=nr", "=n", "=num", "=tel", "=tél", "=tlf", "=mob", "=cell", "=cel", "=geb", "=ph",
    "=nat", "=pass", "=ref", "=art", "=port", "=telef", "=fon", "=b", "=f", "=c", "=sec",
];

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// In the same line.
    Same,
    /// At the end of the line above: the title of a field, or something else altogether.
    Above,
}

/// Words behind a number that say it is one of a telephone: `… is my new mobile`.
pub(super) const PHONE_AFTER: &[&str] = &[
    "=mobile",
    "=phone",
    "=cell",
    "=cellphone",
    "handy",
    "telefonnummer",
    "=portable",
    "=móvil",
    "=cellulare",
    "=whatsapp",
];

/// Words that announce a telephone number, in English, German, French, Spanish and Italian.
pub(super) const PHONE: &[&str] = &[
    "phone",
    "tel",
    "=cell",
    "cellphone",
    "cellular",
    "mobil",
    "=call",
    "calling",
    "=ring",
    "=text",
    "=txt",
    "sms",
    "whatsapp",
    "signal",
    "fax",
    "dial",
    "reach",
    "hotline",
    "contact",
    "landline",
    "handy",
    "=ruf",
    "rufnum",
    "anruf",
    "=rufe",
    "=rufen",
    "erreich",
    "wähl",
    "festnetz",
    "durchwahl",
    "tél",
    "appel",
    "portable",
    "joindre",
    "joign",
    "rappel",
    "=fixe",
    "móvil",
    "movil",
    "llám",
    "llam",
    "=celular",
    "escrí",
    "escrib",
    "chiam",
    "scriv",
    "recapit",
    "contatt",
    "=standard",
    "=voicemail",
    "=rang",
    "=risponde",
    "=rispondo",
    "=contesta",
    "=répond",
];

/// Words that announce a number which is not one of a telephone.
pub(super) const OTHER_NUMBER: &[&str] = &[
    "order",
    "invoice",
    "track",
    "ticket",
    "isbn",
    "issn",
    "serial",
    "=ref",
    "referen",
    "=id",
    "=ids",
    "account",
    "=case",
    "=sku",
    "=part",
    "article",
    "model",
    "version",
    "build",
    "commit",
    "parcel",
    "package",
    "shipment",
    "transaction",
    "customer",
    "timestamp",
    "epoch",
    "population",
    "coordinat",
    "=lat",
    "=lon",
    "=gps",
    "batch",
    "=pin",
    "total",
    "price",
    "score",
    "zip",
    "hash",
    "=ean",
    "=upc",
    "imei",
    "barcode",
    "=port",
    "=row",
    "receipt",
    "booking",
    "policy",
    "=lottery",
    "draw",
    "bestell",
    "rechnung",
    "sendung",
    "paket",
    "artikel",
    "serien",
    "vorgang",
    "kunden",
    "aktenz",
    "auftrag",
    "konto",
    "zähler",
    "inventar",
    "zeitstempel",
    "einwohner",
    "buchung",
    "beleg",
    "koordinat",
    "=los",
    "lotto",
    "charge",
    "commande",
    "facture",
    "colis",
    "suivi",
    "dossier",
    "référence",
    "série",
    "client",
    "horodat",
    "tirage",
    "loto",
    "réserv",
    "population",
    "pedido",
    "factura",
    "seguimiento",
    "paquete",
    "artículo",
    "serie",
    "cliente",
    "expediente",
    "reserva",
    "sorteo",
    "marca",
    "población",
    "ordine",
    "fattura",
    "spedizione",
    "pacco",
    "riferiment",
    "articolo",
    "pratica",
    "codice",
    "código",
    "code",
    "prenota",
    "estrazione",
    "popolazione",
    "lotto",
    "scontrino",
    "result",
    "ergebnis",
    "résultat",
    "resultado",
    "risultato",
    "=sum",
    "equals",
    "gleich",
    "égal",
    "igual",
    "uguale",
];

/// Words for a number of whatever kind; the word before them says which.
const ANY_NUMBER: &[&str] =
    &["number", "nummer", "=nr", "=no", "num", "númer", "=is", "=ist", "=est", "=es", "=è"];

/// Words that make a number somebody's own.
const OWN: &[&str] = &[
    "=my", "=his", "=her", "=your", "mein", "=dein", "=deine", "seine", "ihre", "=mon", "=ton",
    "=mi", "=tu", "=su", "=mio", "=tuo", "=suo", "=new", "neue", "=nuevo", "=nueva", "nouve",
    "nuov",
];

/// What the words before a number say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// It is a telephone number.
    Phone,
    /// It is some other number.
    Other,
    /// Nothing.
    None,
}

/// What the words before `at` say; the nearest that says anything decides.
pub(super) fn phone_hint(text: &Text<'_>, at: usize, floor: usize) -> Hint {
    let mut number_named = false;
    let hint = nearest(text, at, floor, |word, line| {
        if line == Line::Same && is_any(word, OTHER_NUMBER) {
            return Some(Hint::Other);
        }
        if is_any(word, PHONE) || (number_named && is_any(word, OWN)) {
            return Some(Hint::Phone);
        }
        number_named |= is_any(word, ANY_NUMBER);
        None
    });
    hint.unwrap_or(Hint::None)
}

/// Whether one of `stems` stands close before `at`, in the same sentence and not before `floor`.
pub(super) fn is_before(text: &Text<'_>, at: usize, floor: usize, stems: &[&str]) -> bool {
    nearest(text, at, floor, |word, _| is_any(word, stems).then_some(())).is_some()
}

/// Whether one of `stems` stands close after `at`, in the same sentence.
pub(super) fn is_after(text: &Text<'_>, at: usize, stems: &[&str]) -> bool {
    let mut pos = at;
    let end = (at + AFTER_BYTES_MAX).min(text.len());
    while pos < end {
        let byte = text.at(pos);
        let stops = byte == b'.' && !is_letter(text.at(pos + 1));
        if matches!(byte, b'\n' | b'!' | b'?' | b';') || stops || byte.is_ascii_digit() {
            return false;
        }
        if !is_letter(byte) {
            pos += 1;
            continue;
        }
        let word_end = text.skip(pos, is_letter);
        if is_any(text.part(pos..word_end), stems) {
            return true;
        }
        pos = word_end;
    }
    false
}

/// The word that stands directly after `at`, behind at most one space.
pub(super) fn word_after<'t>(text: &Text<'t>, at: usize) -> &'t str {
    let start = if text.at(at) == b' ' { at + 1 } else { at };
    text.part(start..text.skip(start, is_letter))
}

/// Asks `check` about the words before `at`, nearest first, until it answers or a sentence ends.
/// The word before the end of a line is the last: it may be the title of a field.
pub(super) fn nearest<T>(
    text: &Text<'_>,
    at: usize,
    floor: usize,
    mut check: impl FnMut(&str, Line) -> Option<T>,
) -> Option<T> {
    let floor = floor.max(at.saturating_sub(BEFORE_BYTES_MAX));
    let mut pos = at;
    let mut is_last = false;
    while floor < pos {
        let byte = text.before(pos);
        if is_letter(byte) {
            let start = text.skip_back(pos, floor, is_letter);
            let line = if is_last { Line::Above } else { Line::Same };
            if let Some(answer) = check(text.part(start..pos), line) {
                return Some(answer);
            }
            if is_last {
                return None;
            }
            pos = start;
            continue;
        }
        match byte {
            b'!' | b'?' | b';' => return None,
            b'\n' => is_last = true,
            b'.' if matches!(text.at(pos), b' ' | b'\n') => {
                let word = text.skip_back(pos - 1, floor, is_letter);
                if !is_any(text.part(word..pos - 1), ABBREVIATIONS) {
                    return None;
                }
            }
            _ => {}
        }
        pos -= 1;
    }
    None
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || 0x80 <= byte
}

/// Whether `word` begins with one of the stems or is one of the whole words.
pub(super) fn is_any(word: &str, stems: &[&str]) -> bool {
    let word = word.as_bytes();
    let Some(first) = word.first().map(u8::to_ascii_lowercase) else { return false };
    stems.iter().any(|stem| match stem.as_bytes() {
        [b'=', whole @ ..] => whole.first() == Some(&first) && word.eq_ignore_ascii_case(whole),
        stem => {
            stem.first() == Some(&first)
                && word.get(..stem.len()).is_some_and(|head| head.eq_ignore_ascii_case(stem))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str) -> Hint {
        let at = text.find(|c: char| c.is_ascii_digit()).unwrap();
        phone_hint(&Text::new(text), at, 0)
    }

    #[test]
    fn the_nearest_word_that_says_anything_decides() {
        for (text, expected) in [
            ("call me: 1", Hint::Phone),
            ("about the phone order 1", Hint::Other),
            ("order gone, my phone is 1", Hint::Phone),
            ("my number is 1", Hint::Phone),
            ("order number: 1", Hint::Other),
            ("my order. Then came 1", Hint::None),
            ("Tel. 1", Hint::Phone),
            ("Téléphone\n1", Hint::Phone),
            ("it costs 1", Hint::None),
        ] {
            assert_eq!(hint(text), expected, "{text}");
        }
    }
}
