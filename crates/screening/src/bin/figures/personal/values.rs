//! Makes up personal data of every type, in the forms people write it in. Shares nothing with the
//! search: check digits are computed here a second time.

use sha2::{Digest, Sha256};

use super::{random::Random, sentences::Language};

const FIRST: [(Language, &str); 5] = [
    (Language::En, "Oliver|Amelia|Harry|Priya|Siobhan|Marcus|Grace|Tyrone|Mary-Ann|Owen"),
    (Language::De, "Jürgen|Annika|Sören|Lena|Björn|Heike|Karl-Heinz|Fatma|Uwe|Käthe"),
    (Language::Fr, "Zoé|Jean-Luc|Amélie|Thibault|Fatou|Loïc|Élodie|Rémi|Anaïs|Guy"),
    (Language::Es, "José|Lucía|Íñigo|María|Álvaro|Ximena|Jesús|Begoña|Pablo|Noelia"),
    (Language::It, "Lucia|Niccolò|Giulia|Matteo|Chiara|Pierluigi|Noè|Ilaria|Dario|Elena"),
];

const LAST: [(Language, &str); 5] = [
    (
        Language::En,
        "Smith|O'Connor|Patel|Whitfield|McAllister|Nguyen|Hughes-Barrow|Okafor|Lee|Brooks",
    ),
    (
        Language::De,
        "Müller|Groß|von Arnim|Schäfer|Yılmaz|Weiß-Lorenz|Kühn|Zimmermann|Vogt|Böttcher",
    ),
    (
        Language::Fr,
        "Lefèvre|de la Fontaine|Dubois|N'Diaye|Besson|Le Goff|Marchand|Çelik|Roux|D'Aubigné",
    ),
    (
        Language::Es,
        "García López|Núñez|de la Vega|Ibáñez Ruiz|Muñoz|Ortega|Peña|Castro|del Río|\
            Zubizarreta",
    ),
    (
        Language::It,
        "Rossi|D'Angelo|De Luca|Bianchi|Lo Cascio|Fabbri|della Rovere|Nicolò|Greco|Sartori",
    ),
];

const DOMAINS: &str = "example.com|example.org|mail.example.net|posta.example.it|uni-bonn.example.de|\
    correo.example.es|example.co.uk|my-shop.example.io|EXAMPLE.COM|x1.example.photography|\
    student.ac.example.fr|xn--bcher-kva.example";

fn of(
    language: Language,
    table: &[(Language, &'static str); 5],
    random: &mut Random,
) -> &'static str {
    let names = table.iter().find(|(it, _)| *it == language).map_or("", |(_, names)| *names);
    random.pick_of(names)
}

pub(super) fn first_name(language: Language, random: &mut Random) -> String {
    of(language, &FIRST, random).to_owned()
}

pub(super) fn last_name(language: Language, random: &mut Random) -> String {
    of(language, &LAST, random).to_owned()
}

/// A full name; in one of thirty all small, as people in a hurry write it.
pub(super) fn full_name(language: Language, random: &mut Random) -> String {
    let (first, last) = (first_name(language, random), last_name(language, random));
    match random.within(1, 30) {
        1 => format!("{first} {last}").to_lowercase(),
        2..=4 => first,
        5..=6 => format!("{first} {}. {last}", random.fill("@")),
        7..=8 => format!("{first} {} {last}", first_name(language, random)),
        _ => format!("{first} {last}"),
    }
}

pub(super) fn email(language: Language, random: &mut Random) -> String {
    let ascii = |name: String| -> String {
        let plain = name.to_lowercase();
        plain.chars().filter(char::is_ascii_alphanumeric).collect()
    };
    let first = ascii(first_name(language, random));
    let last = ascii(last_name(language, random));
    let initial: String = first.chars().take(1).collect();
    let local = match random.within(1, 10) {
        1..=3 => format!("{first}.{last}"),
        4 => format!("{initial}{last}{}", random.fill("##")),
        5 => format!("{first}_{last}+news"),
        6 => random.fill("%#########"),
        7 => format!("{first}-{last}"),
        8 => first_name(language, random),
        9 => format!("{initial}.{last}"),
        _ => format!("{}{last}", random.fill("##")),
    };
    format!("{local}@{}", random.pick_of(DOMAINS))
}

pub(super) fn phone(language: Language, random: &mut Random) -> String {
    const FOREIGN: &str = "+41 79 %## ## ##|+48 %## ### ###|+31 6 %#######|+351 91# ### ###|+90 53# ### ## ##|\
        +91 98### #####|+86 138 #### ####|+55 11 9####-####|+43 664 %######|+380 67 ### ## ##|\
        +32 47# ## ## ##|+353 86 ### ####|+1 (212) %##-####|+420 60# ### ###";
    let forms = match language {
        Language::En => {
            "(415) 5%#-####|212-7%#-####|303.4%#.####|+1 646 5%# ####|+1-718-3%#-####|\
            1-800-2%#-####|503 8%# ####|+16177%#####|07%## ######|+44 7%## ######|\
            020 7### ####|0161 4## ####|+44 (0)20 8### ####|01632 96####|9172%#####|\
            (0117) 9## ####"
        }
        Language::De => {
            "0151 %#######|+49 170 %######|0049 176 %#######|030 %######|(0221) %#####|\
            089/%#####|+49 (0) 40 %######|0172%######|015%########|0711 / %## ## ##|\
            +4915%########|04321-%####|0 30 / %# ## ## ##|+49 (0)69-%#####-##|0611 %##-###|\
            030%#######"
        }
        Language::Fr => {
            "06 ## ## ## ##|07.##.##.##.##|01-##-##-##-##|06########|+33 6 ## ## ## ##|\
            0033 7 ## ## ## ##|+33 (0)1 ## ## ## ##|+336########|04 ## ## ## ##|05########|\
            06## ## ## ##"
        }
        Language::Es => {
            "6## ## ## ##|6## ### ###|91 %## ## ##|+34 6## ### ###|0034 9%# ## ## ##|7########|\
            93 %## ## ##|+349%#######|(93) %## ## ##|6##-###-###|6########"
        }
        Language::It => {
            "34# %######|333 %## ####|+39 32# %######|0039 06 %#######|02 %#######|\
            06 %### ####|055-%#####|38########|+393########|051 %## ###|347-%######|\
            081/%######"
        }
    };
    let form = if random.chance(12) { random.pick_of(FOREIGN) } else { random.pick_of(forms) };
    random.fill(form)
}

pub(super) fn card(random: &mut Random) -> String {
    const BRANDS: &str = "4##############|51#############|55#############|2345###########|34############|\
        37############|6011###########|65#############|36###########|3530###########|\
        4##############";
    let pattern = random.pick_of(BRANDS);
    let body = random.fill(pattern);
    let number = format!("{body}{}", luhn_digit(&body));
    let sizes: &[usize] = match number.len() {
        15 => &[4, 6, 5],
        14 => &[4, 6, 4],
        _ => &[4, 4, 4, 4],
    };
    match random.within(1, 20) {
        1..=8 => number,
        9..=16 => grouped(&number, sizes, " "),
        17..=19 => grouped(&number, sizes, "-"),
        _ => grouped(&number, sizes, "."),
    }
}

/// The digit that makes the weighted sum a multiple of ten.
fn luhn_digit(body: &str) -> u32 {
    let mut sum = 0;
    let mut doubles = true;
    for digit in body.chars().rev().filter_map(|c| c.to_digit(10)) {
        let weighed = if doubles { digit * 2 } else { digit };
        sum += weighed / 10 + weighed % 10;
        doubles = !doubles;
    }
    (10 - sum % 10) % 10
}

fn grouped(number: &str, sizes: &[usize], gap: &str) -> String {
    let mut groups = Vec::new();
    let mut rest = number;
    for size in sizes {
        let (group, after) = rest.split_at((*size).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    if !rest.is_empty() {
        groups.push(rest);
    }
    groups.join(gap)
}

/// A number in one of its valid ranges.
pub(super) fn ssn(random: &mut Random) -> String {
    let area = loop {
        let area = random.within(1, 899);
        if area != 666 {
            break area;
        }
    };
    let (group, serial) = (random.within(1, 99), random.within(1, 9_999));
    match random.within(1, 10) {
        1 => format!("{area:03} {group:02} {serial:04}"),
        2 => format!("{area:03}{group:02}{serial:04}"),
        _ => format!("{area:03}-{group:02}-{serial:04}"),
    }
}

pub(super) fn iban(random: &mut Random) -> String {
    const FORMS: &str = "DE##################|FR#######################|ES####################|\
        IT@######################|GBWEST##############|NLABNA##########|AT################|\
        BE############|CH#################|PL########################|PT#####################|\
        SE####################|FR##########0500013M02###";
    let form = random.pick_of(FORMS);
    let (country, bban) = form.split_at(2);
    let bban = random.fill(bban);
    let check = 98 - remainder_97(&format!("{bban}{country}00"));
    let number = format!("{country}{check:02}{bban}");
    match random.within(1, 20) {
        1..=11 => grouped(&number, &[4; 8], " ").trim_end().to_owned(),
        12..=17 => number,
        18 => grouped(&number, &[4; 8], "-").trim_end_matches('-').to_owned(),
        19 => number.to_lowercase(),
        _ => format!(
            "{country} {}",
            grouped(&format!("{check:02}{bban}"), &[2, 4, 4, 4, 4, 4, 4, 4], " ")
        ),
    }
}

fn remainder_97(text: &str) -> u32 {
    let mut digits = String::new();
    for c in text.chars() {
        digits.push_str(&c.to_digit(36).unwrap_or(0).to_string());
    }
    digits.chars().filter_map(|c| c.to_digit(10)).fold(0, |sum, digit| (sum * 10 + digit) % 97)
}

pub(super) fn ip(random: &mut Random) -> String {
    let byte = |random: &mut Random| random.within(0, 255);
    match random.within(1, 20) {
        1..=4 => format!("192.168.{}.{}", byte(random), byte(random)),
        5..=6 => format!("10.{}.{}.{}", byte(random), byte(random), byte(random)),
        7..=13 => {
            let first = random.within(11, 223);
            format!("{first}.{}.{}.{}", byte(random), byte(random), byte(random))
        }
        14 => format!("{}.{}.{}.{}", random.within(1, 9), byte(random), byte(random), byte(random)),
        15..=16 => random.fill("2001:db8:&&&&:&&&&:&&&&:&&&&:&&&&:&&&&"),
        17 => random.fill("fe80::%&&:%&ff:fe%&:%&&&"),
        18 => random.fill("2a02:%&&:%&&&::%&"),
        19 => random.fill("2001:DB8::%&&&").to_uppercase(),
        _ => random.fill("fd%&:%&&&:%&&&::1"),
    }
}

pub(super) fn passport(random: &mut Random) -> String {
    const FORMS: &str = "#########|@########|##@@#####|@@@######|@@#######";
    match random.within(1, 8) {
        1..=6 => {
            let form = random.pick_of(FORMS);
            random.fill(form)
        }
        _ => {
            // Germany: letters that cannot be mistaken.
            const LETTERS: &str = "C|F|G|H|J|K|L|M|N|P|R|T|V|W|X|Y|Z";
            let mut number = random.pick_of("C|F|G|H|J|K").to_owned();
            for at in 0..8 {
                let is_letter = at == 2 || (at % 3 == 0 && random.chance(50));
                number.push_str(&if is_letter {
                    random.pick_of(LETTERS).to_owned()
                } else {
                    random.fill("#")
                });
            }
            number
        }
    }
}

pub(super) fn national_id(language: Language, random: &mut Random) -> String {
    match language {
        Language::De => tax_number(random),
        Language::Fr => nir(random),
        Language::Es => dni(random),
        Language::It => fiscal_code(random),
        Language::En => pesel(random),
    }
}

/// The German tax number: ten digits of which one comes twice, and a digit of check.
fn tax_number(random: &mut Random) -> String {
    let mut pool: Vec<u32> = (0..10).collect();
    for at in 0..pool.len() {
        let other = usize::try_from(random.within(0, 9)).unwrap_or(0);
        pool.swap(at, other);
    }
    if let (Some(first), Some(last)) = (pool.first().copied(), pool.last_mut()) {
        *last = first;
    }
    if pool.first() == Some(&0) {
        pool.swap(0, 1);
    }
    let mut product = 10;
    for digit in &pool {
        let mut sum = (digit + product) % 10;
        if sum == 0 {
            sum = 10;
        }
        product = sum * 2 % 11;
    }
    let check = if 11 - product == 10 { 0 } else { 11 - product };
    let mut number: String = pool.iter().map(u32::to_string).collect();
    number.push_str(&check.to_string());
    if random.chance(50) { grouped(&number, &[2, 3, 3, 3], " ") } else { number }
}

fn nir(random: &mut Random) -> String {
    let (sex, year) = (random.within(1, 2), random.within(30, 99));
    let (month, department) = (random.within(1, 12), random.within(1, 95));
    let (commune, order) = (random.within(1, 600), random.within(1, 999));
    let body = format!("{sex}{year:02}{month:02}{department:02}{commune:03}{order:03}");
    let key = 97 - body.parse::<u64>().unwrap_or(0) % 97;
    let number = format!("{body}{key:02}");
    if random.chance(60) { grouped(&number, &[1, 2, 2, 2, 3, 3, 2], " ") } else { number }
}

fn dni(random: &mut Random) -> String {
    const LETTERS: &str = "TRWAGMYFPDXBNJZSQVHLCKE";
    let letter =
        |value: u64| LETTERS.chars().nth(usize::try_from(value % 23).unwrap_or(0)).unwrap_or('T');
    if random.chance(30) {
        let (head, body) = (random.within(0, 2), random.within(0, 9_999_999));
        let first = nth("X|Y|Z", head);
        let gap = if random.chance(30) { "-" } else { "" };
        return format!("{first}{gap}{body:07}{gap}{}", letter(head * 10_000_000 + body));
    }
    let body = random.within(10_000_000, 99_999_999);
    match random.within(1, 5) {
        1 => format!("{body}-{}", letter(body)),
        2 => format!("{}-{}", grouped(&body.to_string(), &[2, 3, 3], "."), letter(body)),
        3 => format!("{body} {}", letter(body)),
        _ => format!("{body}{}", letter(body)),
    }
}

fn nth(choices: &'static str, at: u64) -> &'static str {
    choices.split('|').nth(usize::try_from(at).unwrap_or(0)).unwrap_or_default()
}

fn fiscal_code(random: &mut Random) -> String {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
        6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let month = random.pick_of("A|B|C|D|E|H|L|M|P|R|S|T").to_owned();
    let day = random.within(1, 28) + if random.chance(50) { 40 } else { 0 };
    let body = format!("{}{month}{day:02}{}", random.fill("@@@@@@##"), random.fill("@###"));
    let sum: u32 = body
        .chars()
        .enumerate()
        .map(|(at, c)| {
            let value = c.to_digit(36).unwrap_or(0);
            let even = if value < 10 { value } else { value - 10 };
            if at % 2 == 0 { ODD.get(value as usize).copied().unwrap_or(0) } else { even }
        })
        .sum();
    let check = char::from_u32('A' as u32 + sum % 26).unwrap_or('A');
    let code = format!("{body}{check}");
    match random.within(1, 10) {
        1 => grouped(&code, &[3, 3, 5, 5], " "),
        2 => code.to_lowercase(),
        _ => code,
    }
}

fn pesel(random: &mut Random) -> String {
    let (year, month, day) = (random.within(30, 99), random.within(1, 12), random.within(1, 28));
    let body = format!("{year:02}{month:02}{day:02}{:04}", random.within(0, 9_999));
    let weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];
    let sum: u32 =
        body.chars().filter_map(|c| c.to_digit(10)).zip(weights).map(|(d, w)| d * w).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// The Dutch citizen's number.
pub(super) fn bsn(random: &mut Random) -> String {
    loop {
        let body = random.fill("%#######");
        let digits = body.chars().filter_map(|c| c.to_digit(10));
        let sum: u32 = digits.zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        if sum % 11 < 10 {
            return format!("{body}{}", sum % 11);
        }
    }
}

/// The German identity card: nine characters and one of check.
pub(super) fn identity_card(random: &mut Random) -> String {
    const LETTERS: &str = "C|F|G|H|J|K|L|M|N|P|R|T|V|W|X|Y|Z";
    let mut body = random.pick_of("L|M|N|P|R|T|V|W|X|Y").to_owned();
    for at in 0..8 {
        body.push_str(&if at % 3 == 2 {
            random.pick_of(LETTERS).to_owned()
        } else {
            random.fill("#")
        });
    }
    let weights = [7, 3, 1, 7, 3, 1, 7, 3, 1];
    let sum: u32 =
        body.chars().filter_map(|c| c.to_digit(36)).zip(weights).map(|(v, w)| v * w).sum();
    if random.chance(50) { format!("{body}{}", sum % 10) } else { body }
}

pub(super) fn crypto(random: &mut Random) -> String {
    match random.within(1, 10) {
        1..=3 => base58(0x00, random),
        4 => base58(0x05, random),
        5 => base58(0x30, random),
        6 => base58(0x41, random),
        7..=8 => format!("0x{}", random.fill(&"&".repeat(40))),
        _ => bech32(random),
    }
}

fn base58(version: u8, random: &mut Random) -> String {
    const DIGITS: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = vec![version];
    bytes.extend((0..20).map(|_| u8::try_from(random.within(1, 255)).unwrap_or(1)));
    let check = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(check.iter().take(4));
    let mut digits: Vec<u32> = Vec::new();
    for byte in &bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 58;
            carry /= 58;
        }
        while 0 < carry {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let letter = |digit: &u32| DIGITS.chars().nth(*digit as usize).unwrap_or('1');
    let written = digits.iter().rev().map(letter);
    std::iter::repeat_n('1', zeros).chain(written).collect()
}

fn bech32(random: &mut Random) -> String {
    const DIGITS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let polymod = |values: &[u32]| {
        let mut check: u32 = 1;
        for value in values {
            let top = check >> 25;
            check = ((check & 0x1FF_FFFF) << 5) ^ value;
            for (bit, term) in
                [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3].iter().enumerate()
            {
                if top >> bit & 1 == 1 {
                    check ^= term;
                }
            }
        }
        check
    };
    let mut data = vec![0];
    data.extend((0..32).map(|_| u32::try_from(random.within(0, 31)).unwrap_or(0)));
    let mut values = vec![3, 3, 0, 2, 3];
    values.extend(&data);
    values.extend([0; 6]);
    let check = polymod(&values) ^ 1;
    data.extend((0..6).map(|at| check >> (5 * (5 - at)) & 31));
    let letter = |value: &u32| DIGITS.chars().nth(*value as usize).unwrap_or('q');
    format!("bc1{}", data.iter().map(letter).collect::<String>())
}

pub(super) fn birth_date(language: Language, random: &mut Random) -> String {
    let (day, month, year) =
        (random.within(1, 28), random.within(1, 12), random.within(1935, 2009));
    date(language, day, month, year, random)
}

pub(super) fn recent_date(language: Language, random: &mut Random) -> String {
    let (day, month, year) =
        (random.within(1, 28), random.within(1, 12), random.within(2020, 2027));
    date(language, day, month, year, random)
}

fn date(language: Language, day: u64, month: u64, year: u64, random: &mut Random) -> String {
    let names = match language {
        Language::En => {
            "January|February|March|April|May|June|July|August|September|October|November|\
            December"
        }
        Language::De => {
            "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
        }
        Language::Fr => {
            "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|\
            décembre"
        }
        Language::Es => {
            "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|\
            diciembre"
        }
        Language::It => {
            "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|\
            novembre|dicembre"
        }
    };
    let name = nth(names, month - 1);
    let short = year % 100;
    match (language, random.within(1, 6)) {
        (Language::En, 1) => format!("{month}/{day}/{year}"),
        (Language::En, 2) => format!("{name} {day}, {year}"),
        (Language::En, 3) => format!("{day} {name} {year}"),
        (Language::En, 4) => format!("{month:02}/{day:02}/{short:02}"),
        (Language::En, 5) => format!("{} {day}, {year}", name.get(..3).unwrap_or(name)),
        (Language::De, 1 | 2) => format!("{day:02}.{month:02}.{year}"),
        (Language::De, 3) => format!("{day}. {name} {year}"),
        (Language::De, 4) => format!("{day}.{month}.{short:02}"),
        (Language::De, 5) => format!("{day}. {month}. {year}"),
        (Language::Fr, 1 | 2) => format!("{day:02}/{month:02}/{year}"),
        (Language::Fr, 3 | 4) if day == 1 => format!("1er {name} {year}"),
        (Language::Fr, 3 | 4) => format!("{day} {name} {year}"),
        (Language::Es, 1 | 2) => format!("{day}/{month}/{year}"),
        (Language::Es, 3 | 4) => format!("{day} de {name} de {year}"),
        (Language::It, 1 | 2) => format!("{day:02}/{month:02}/{year}"),
        (Language::It, 3 | 4) => format!("{day} {name} {year}"),
        (Language::Fr | Language::Es | Language::It, 5) => format!("{day:02}-{month:02}-{year}"),
        (Language::En | Language::De | Language::Fr | Language::Es | Language::It, _) => {
            format!("{year}-{month:02}-{day:02}")
        }
    }
}
