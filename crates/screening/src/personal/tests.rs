//! What is found and what is not, type by type; the promises of the search as properties.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::normalise::tests::troubled_text;

static SEARCH: LazyLock<PersonalSearch> =
    LazyLock::new(|| PersonalSearch::new(PersonalPolicy::all(PersonalAction::Flag)).unwrap());

/// What is found in a text, as `type:value`.
fn found(text: &str) -> Vec<String> {
    let found = SEARCH.find(text);
    found.iter().map(|it| format!("{}:{}", it.kind, &text[it.range.clone()])).collect()
}

/// Every text holds exactly the one value in brackets, of this type; without brackets, nothing.
fn check(kind: PersonalType, texts: &[&str]) {
    for marked in texts {
        let text = marked.replace(['⟦', '⟧'], "");
        let expected: Vec<String> = marked
            .split_once('⟦')
            .and_then(|(_, rest)| rest.split_once('⟧'))
            .map(|(value, _)| format!("{kind}:{value}"))
            .into_iter()
            .collect();
        assert_eq!(found(&text), expected, "{text}");
    }
}

#[test]
fn email_addresses_are_found_and_handles_are_not() {
    check(
        PersonalType::Email,
        &[
            "write to ⟦ada.b+shop@mail.example.co.uk⟧.",
            "<⟦a_b-c@example.museum⟧>, thanks",
            "mailto:⟦x@y.org⟧?subject=hi",
            "to=⟦ada99@example.org⟧&cc=",
            "⟦jürgen@example.de⟧",
            "Mail: ⟦1234567890@example.com⟧",
            "„⟦ada@example.de⟧“",
            "it is ⟦ada@example.org⟧.Thanks",
            "thanks @ada.lovelace",
            "@ada@social.example",
            "git clone git@host.example:ada/engine.git",
            "icon@2x.png and lodash@4.17.21",
            "root@localhost a@b ada@.org",
            "https://ada:pass@host.example/",
            "meet @ 5.30 pm",
        ],
    );
}

#[test]
fn phone_numbers_are_found_by_form_or_by_context() {
    check(
        PersonalType::Phone,
        &[
            "⟦+49 151 23456789⟧",
            "⟦+49 (0) 30 1234567⟧ please",
            "⟦+1-415-555-2671⟧.",
            "reach me on ⟦0049 151 23456789⟧!",
            "⟦(415) 555-2671⟧ works",
            "⟦415-555-2671⟧, ok",
            "⟦06 12 34 56 78⟧",
            "⟦06.12.34.56.78⟧, merci",
            "Büro ⟦030/1234567⟧",
            "⟦(089) 123456-0⟧",
            "⟦0 30 / 12 34 56 78⟧",
            "⟦07700 900123⟧",
            "⟦612 34 56 78⟧ gracias",
            "⟦347 123 4567⟧ dopo le 18",
            "llámame al ⟦612345678⟧",
            "chiamami: ⟦3471234567⟧",
            "my number is ⟦4155552671⟧",
            "call ⟦555-0123⟧",
            "tel:⟦+4930123456⟧",
            "dentist -> ⟦020 7946 0958⟧",
            // Has the length, the beginning and the check digit of a card.
            "⟦+4915115981065⟧",
            "⟦+44 20 7946 0958⟧",
        ],
    );
    assert_eq!(found("+33 6 12 34 56 78 / 01 23 45 67 89").len(), 2);
}

#[test]
fn numbers_that_only_look_like_phones_are_not_found() {
    check(
        PersonalType::Phone,
        &[
            "order 4155552671",
            "Bestellnummer 0151 23456789",
            "2019-2024 and 1990 - 2000",
            "2024-01-31 12:00:05, 31.01.2024",
            "48.8566, 2.3522",
            "1 234 567,89 € and 12.345.678",
            "612 345 678 euros",
            "ISBN 978-3-16-148410-0 or 0-306-40615-2",
            "550e8400-e29b-41d4-a716-446655440000",
            "1706697600123",
            "5551234567 + 12",
            "#0612345678 $4155552671 €0612345678",
            "https://shop.example/item/0612345678?id=0698765432",
            "GMT+2 UTC+01 x+4915123456789",
            "call between 1830-1900",
            "911 or 112",
        ],
    );
}

#[test]
fn cards_need_a_brand_and_a_right_check_digit() {
    check(
        PersonalType::CreditCard,
        &[
            "⟦4111111111111111⟧",
            "⟦4111 1111 1111 1111⟧ 12/27",
            "⟦5555-5555-5555-4444⟧",
            "amex ⟦3782 822463 10005⟧.",
            "⟦30569309025904⟧",
            "⟦6011111111111117⟧,123",
            "⟦3530111333300000⟧",
            "4111111111111112",
            "1234567812345670",
            "4111 1111-1111 1111",
            "0000 0000 0000 0000",
            "x4111111111111111",
            "4111111111111111-aa",
        ],
    );
}

#[test]
fn social_security_numbers_keep_to_their_ranges() {
    check(
        PersonalType::Ssn,
        &[
            "⟦123-45-6789⟧",
            "SSN: ⟦123 45 6789⟧",
            "social security number ⟦123456789⟧",
            "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
            "123 45 6789",
            "part no. 555-12-3456",
            "123-45-67890",
        ],
    );
}

#[test]
fn bank_accounts_need_the_length_and_the_check_of_their_country() {
    check(
        PersonalType::Iban,
        &[
            "⟦DE89370400440532013000⟧",
            "IBAN:⟦DE89 3704 0044 0532 0130 00⟧ danke",
            "⟦GB82 WEST 1234 5698 7654 32⟧",
            "⟦FR14 2004 1010 0505 0001 3M02 606⟧.",
            "⟦ES91-2100-0418-4502-0005-1332⟧",
            "⟦it60x0542811101000000123456⟧",
            "⟦DE 89 3704 0044 0532 0130 00⟧",
            "DE88370400440532013000",
            "DE8937040044053201300",
            "ZZ89370400440532013000",
        ],
    );
}

#[test]
fn addresses_are_found_and_versions_are_not() {
    check(
        PersonalType::Ip,
        &[
            "from ⟦192.168.1.20⟧:8080",
            "http://⟦10.0.0.1⟧/",
            "⟦203.0.113.7⟧/24",
            "dns ⟦1.1.1.1⟧.",
            "ping ⟦5.9.12.8⟧",
            "⟦2001:db8::8a2e:370:7334⟧",
            "[⟦fe80::1⟧]:443",
            "⟦::ffff:192.0.2.1⟧",
            "version 1.2.3.4",
            "v1.2.3.4 and 1.2.3.4",
            "version 192.168.1.20",
            "section 3.12.1.4",
            "1.2.3.256 1.2.3.4.5 01.2.3.4",
            "at 12:30:45, std::1 and 00:1a:2b:3c:4d:5e",
            "0.0.0.0",
        ],
    );
}

#[test]
fn passports_need_a_word_that_announces_them() {
    check(
        PersonalType::Passport,
        &[
            "passport no. ⟦C01X00T47⟧",
            "Mein Reisepass: ⟦C01X00T478⟧",
            "passeport ⟦12AB34567⟧",
            "pasaporte n.º ⟦AAA123456⟧",
            "passaporto ⟦YA1234567⟧",
            "my passport is ⟦123456789⟧",
            "C01X00T47 and 12AB34567",
            "my passport expires in 2027",
            "passport photo order AB1234567",
        ],
    );
}

#[test]
fn national_numbers_need_their_check_digits() {
    check(
        PersonalType::NationalId,
        &[
            "Steuer-ID ⟦86095742719⟧",
            "⟦86 095 742 719⟧",
            "⟦2 55 08 14 168 025 38⟧",
            "⟦255081416802538⟧",
            "⟦12345678Z⟧ y",
            "DNI ⟦12.345.678-Z⟧",
            "⟦X1234567L⟧",
            "⟦X-1234567-L⟧",
            "⟦RSSMRA85T10A562S⟧",
            "⟦RSS MRA 85T10 A562S⟧",
            "PESEL ⟦44051401359⟧",
            "BSN ⟦111222333⟧",
            "Personalausweis ⟦L01X00T471⟧",
            "86095742718",
            "255081416802539",
            "12345678A X1234567M RSSMRA85T10A562T",
            "111222333",
            "L01X00T471",
        ],
    );
}

#[test]
fn crypto_addresses_need_their_checks() {
    check(
        PersonalType::CryptoAddress,
        &[
            "⟦1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa⟧",
            "⟦3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy⟧",
            "bitcoin:⟦bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4⟧",
            "⟦BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4⟧",
            "⟦bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0⟧",
            "⟦0x52908400098527886E0F7030069857D2E4169EE7⟧",
            "⟦LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1⟧",
            "⟦TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t⟧",
            "⟦DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L⟧",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "0x5290840009852788",
            "52908400098527886e0f7030069857d2e4169ee7",
        ],
    );
}

#[test]
fn dates_are_of_birth_only_where_the_words_say_so() {
    check(
        PersonalType::DateOfBirth,
        &[
            "born on ⟦12/03/1985⟧",
            "DOB: ⟦1985-03-12⟧",
            "D.O.B. ⟦3/12/85⟧",
            "geb. ⟦12.03.1985⟧",
            "Ich wurde am ⟦12. März 1985⟧ in Bonn geboren.",
            "née le ⟦1er mars 1985⟧",
            "nací el ⟦12 de marzo de 1985⟧",
            "nata il ⟦12 marzo 1985⟧",
            "born ⟦March 12th, 1985⟧",
            "my birthday is ⟦12 Mar 1990⟧",
            "birthday party on 12/08/2025",
            "the invoice of 12.03.1985",
            "I was born in Rome. We meet on 12/03/1999.",
            "born on 45/03/1985",
        ],
    );
    assert_eq!(found("born 12/03/1985, hired 01/02/2010"), ["date_of_birth:12/03/1985"]);
    // A number that no part of a date can be, and that fits no number of 32 bits.
    assert_eq!(found("born 98765432109/1/2"), [""; 0]);
}

#[test]
fn names_are_found_where_they_are_announced() {
    check(
        PersonalType::PersonName,
        &[
            "Hi, my name is ⟦Ada Lovelace⟧ and I",
            "Ich heiße ⟦Jürgen Groß⟧.",
            "je m’appelle ⟦Zoé de la Tour⟧, et",
            "Me llamo ⟦José García López⟧",
            "Mi chiamo ⟦Lucia D'Angelo⟧!",
            "Dear Mr. ⟦O'Neill⟧,",
            "Prof. Dr. ⟦Anna Müller-Weiß⟧ sagt",
            "Mr ⟦J. Smith⟧'s car",
            "my name is not important",
            "ich heiße Sie willkommen",
            "it took 200 ms Then it stopped, MS Office",
            "Senior: Sr. Engineer, Dr. Pepper",
            "the address Of it",
        ],
    );
}

#[test]
fn several_types_in_one_text_are_told_apart() {
    assert_eq!(
        found(
            "I'm at ada@example.org or +49 151 23456789, card 4111 1111 1111 1111, from 192.0.2.44; \
             my name is Ada King"
        ),
        [
            "email:ada@example.org",
            "phone:+49 151 23456789",
            "credit_card:4111 1111 1111 1111",
            "ip:192.0.2.44",
            "person_name:Ada King",
        ]
    );
}

#[test]
fn a_type_that_is_off_is_not_found() {
    let policy = PersonalPolicy { email: PersonalAction::Off, ..PersonalPolicy::default() };
    let search = PersonalSearch::new(policy).unwrap();
    let found = search.find("ada@example.org 192.0.2.44");
    assert_eq!(found, [Found { kind: PersonalType::Ip, range: 16..26 }]);
    let off = PersonalSearch::new(PersonalPolicy::all(PersonalAction::Off)).unwrap();
    assert_eq!(off.find("ada@example.org"), []);
}

#[test]
fn every_type_is_read_by_its_word() {
    for kind in PersonalType::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert_eq!("mail".parse::<PersonalType>(), Err(UnknownPersonalType));
}

/// Pieces of personal data and of what looks like it, whole and broken.
fn mixed_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        2 => troubled_text(),
        4 => "[-+0-9 ./():@a-fx]{1,24}",
        3 => prop::sample::select(vec![
            "+49 151 23456789", "ada@example.org", "@", "DE89 3704 0044 0532 0130 00", "DE89",
            "4111 1111 1111 1111", "192.0.2.1", "2001:db8::1", "::", "RSS MRA 85T10 A562S", "born ",
            "12. März 1985", "my name is ", "É. Zoë", "Dr. ", "passport ", "0x", "bc1q", "X-1234567-L",
            "tél ", "née le ", "€", "–", "’",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn personal_1_what_is_found_lies_on_boundaries_and_does_not_overlap(text in mixed_text()) {
        let mut end = 0;
        for it in SEARCH.find(&text) {
            prop_assert!(end <= it.range.start && it.range.start < it.range.end);
            prop_assert!(text.get(it.range.clone()).is_some(), "{:?}", it);
            end = it.range.end;
        }
    }

    #[test]
    fn a_number_is_found_wherever_it_stands(before in "[a-z ,]{0,40} ", after in "[ ,][a-z ,]{0,40}") {
        let text = format!("{before}+49 151 23456789{after}");
        let hits = SEARCH.find(&text);
        prop_assert_eq!(hits.len(), 1);
        prop_assert_eq!(hits[0].range.clone(), before.len()..before.len() + 16);
    }
}
