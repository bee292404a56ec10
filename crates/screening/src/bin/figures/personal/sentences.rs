//! Builds labelled sentences from `sentences.txt`: personal data with its place and type, beside
//! ordinary talk and numbers that are none.

use std::ops::Range;

use super::{random::Random, values};

/// Sentences as written, to be filled in.
const SENTENCES: &str = include_str!("sentences.txt");
/// How many of a hundred texts hold no personal data.
const PLAIN_PERCENT: u64 = 30;

/// A language of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    En,
    De,
    Fr,
    Es,
    It,
}

impl Language {
    pub(crate) const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Es, Self::It];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::It => "it",
        }
    }

    /// What people say before and after.
    fn talk(self) -> &'static str {
        match self {
            Self::En => {
                "Hi there!|Thanks a lot.|Sorry for the late reply.|Any news?|\
                It rained all day, again.|ok so|Let me know if that works for you."
            }
            Self::De => {
                "Moin!|Vielen Dank im Voraus.|Entschuldige die späte Antwort.|\
                Gibt es etwas Neues?|Es regnet schon wieder.|Sag Bescheid, ob das passt."
            }
            Self::Fr => {
                "Salut !|Merci d'avance.|Désolée pour le retard.|Des nouvelles ?|\
                Il pleut encore.|Dis-moi si ça te va."
            }
            Self::Es => {
                "¡Hola!|Muchas gracias.|Perdona la tardanza.|¿Alguna novedad?|Otra vez llueve.|\
                Dime si te viene bien."
            }
            Self::It => {
                "Ciao!|Grazie mille.|Scusa il ritardo.|Ci sono novità?|Piove di nuovo.|\
                Fammi sapere se va bene."
            }
        }
    }
}

/// A text and what is in it.
pub(crate) struct Labelled {
    pub(crate) language: Language,
    pub(crate) text: String,
    /// Type and place of everything personal.
    pub(crate) truths: Vec<(&'static str, Range<usize>)>,
}

struct Sentence {
    language: Language,
    kind: &'static str,
    text: &'static str,
}

/// Texts from a seed; `reported` adds the sentences that nothing was tuned on.
pub(crate) fn generate(seed: u64, count: usize, reported: bool) -> Vec<Labelled> {
    let sentences = read(reported);
    let mut random = Random::new(seed);
    let mut texts = Vec::with_capacity(count);
    for language in Language::ALL.into_iter().cycle().take(count) {
        texts.push(compose(language, &sentences, &mut random));
    }
    texts
}

fn read(reported: bool) -> Vec<Sentence> {
    let lines = SENTENCES.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (language, rest) = line.split_once(' ')?;
            let (kind, text) = rest.split_once(' ')?;
            let language = Language::ALL.into_iter().find(|it| it.word() == language)?;
            match text.strip_prefix("* ") {
                Some(text) => reported.then_some(Sentence { language, kind, text }),
                None => Some(Sentence { language, kind, text }),
            }
        })
        .collect()
}

fn compose(language: Language, sentences: &[Sentence], random: &mut Random) -> Labelled {
    let mut labelled = Labelled { language, text: String::new(), truths: Vec::new() };
    if random.chance(40) {
        labelled.text.push_str(random.pick_of(language.talk()));
        labelled.text.push(' ');
    }
    let count = if random.chance(15) { 2 } else { 1 };
    for at in 0..count {
        if at != 0 {
            labelled.text.push_str(if random.chance(70) { " " } else { "\n" });
        }
        let kind = if random.chance(PLAIN_PERCENT) {
            "none"
        } else {
            let kinds = screening::PersonalType::ALL.map(|kind| kind.as_str());
            random.pick(&kinds)
        };
        let fits = |it: &&Sentence| it.language == language && it.kind == kind;
        let fitting: Vec<&Sentence> = sentences.iter().filter(fits).collect();
        let sentence = random.pick(&fitting);
        fill(sentence, &mut labelled, random);
    }
    if random.chance(30) {
        labelled.text.push(' ');
        labelled.text.push_str(random.pick_of(language.talk()));
    }
    labelled
}

/// Adds a sentence, its slots filled in, and the labels of what is personal.
fn fill(sentence: &Sentence, labelled: &mut Labelled, random: &mut Random) {
    let mut rest = sentence.text;
    while let Some((before, after)) = rest.split_once('{') {
        labelled.text.push_str(before);
        // A brace that opens no slot is a brace.
        let slot = after
            .split_once('}')
            .filter(|(slot, _)| slot.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        let Some((slot, after)) = slot else {
            labelled.text.push('{');
            rest = after;
            continue;
        };
        let start = labelled.text.len();
        match personal(slot, sentence.language, random) {
            Some((kind, value)) => {
                labelled.text.push_str(&value);
                labelled.truths.push((kind, start..labelled.text.len()));
            }
            None => labelled.text.push_str(&other(slot, sentence.language, random)),
        }
        rest = after;
    }
    labelled.text.push_str(rest);
}

fn personal(slot: &str, language: Language, random: &mut Random) -> Option<(&'static str, String)> {
    Some(match slot {
        "email" => ("email", values::email(language, random)),
        "phone" => ("phone", values::phone(language, random)),
        "credit_card" => ("credit_card", values::card(random)),
        "ssn" => ("ssn", values::ssn(random)),
        "iban" => ("iban", values::iban(random)),
        "ip" => ("ip", values::ip(random)),
        "passport" => ("passport", values::passport(random)),
        "national_id" => ("national_id", values::national_id(language, random)),
        "bsn" => ("national_id", values::bsn(random)),
        "identity_card" => ("national_id", values::identity_card(random)),
        "crypto_address" => ("crypto_address", values::crypto(random)),
        "date_of_birth" => ("date_of_birth", values::birth_date(language, random)),
        "person_name" => ("person_name", values::full_name(language, random)),
        "last_name" => ("person_name", values::last_name(language, random)),
        _ => return None,
    })
}

/// A number that is no personal data, however much it may look like it.
fn other(slot: &str, language: Language, random: &mut Random) -> String {
    let forms = match slot {
        "order" => {
            "4155%#####|0#########|%##-%######-%######|%#########|A%###-%####|%######|\
            %##########|00########|%##-###-####|2024-#####|%###############|%## ### ###"
        }
        "tracking" => {
            "1Z@@@###########|%###########|%##############|%###############|RR#########DE|\
            00%#################|%### #### #### ####|JJD#################"
        }
        "version" => "%.%#.#|1#.%.0.%|v%.#.#.%|20%#.#.%|12#.0.6%##.%##|%.#.#-rc.%",
        "small_version" => "%.%.%.%|1.%#.%.%|3.1#.%.1#",
        "price" => return price(language, random),
        "isbn" => {
            "978-3-16-14####-#|978##########|0-306-40###-%|979-10-90636-0#-#|3-%####-###-%|\
            0306406##%"
        }
        "coordinates" => {
            "48.8%###, 2.3%##|52.5%##,13.4%##|-33.8%####, 151.2%##|40°26'46\"N 79°58'56\"W|\
            41.%#####, -8.%#####"
        }
        "hash" => {
            "&&&&&&&|&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&|&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&|\
            &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&"
        }
        "years" => "199#-200#|201#–202#|200# - 201#|198#/8#|1990-2000-2010",
        "sum" => {
            "%## + %### = %####|(%## - %##) * %###|%###### / %## = %###.%#|2 * %######## + 1|\
            555-1234 - 42 = 0"
        }
        "timestamp" => {
            "2024-0%-1# 12:00:05|2025-0%-2#T08:15:30Z|202406%%T1%0000Z|2024/0%/1# 23:59:59.%##|\
            [2025-0%-1# 07:0#:1#,%##]"
        }
        "epoch" => "17########|17########000|17#######.####",
        "uuid" => "&&&&&&&&-&&&&-4&&&-a&&&-&&&&&&&&&&&&|########-####-4###-8###-############",
        "mac" => "00:1&:&&:&&:&&:&&|&&-&&-&&-&&-&&-&&|00:1&:&&:ff:fe:&&:&&:&&",
        "imei" => "35#############|86#############|01-######-######-#",
        "population" => "%## ###|% ### ###|%.###.###|%,###,###|%## ### ###|%##.###",
        "lottery" => "0% 1# 2# 3# 4#|0%, 1#, 2#, 3#, 4#|%-1#-2#-3#-4#-49",
        "part" => "555-12-####|%##-###-##|AB-%####-%#|%###-%##",
        "serial" => "C02@%##@@###|%@@##%##%@@|SN%#########|%##-%#######",
        "count" => "%##|%###|%#",
        "recent_date" => return values::recent_date(language, random),
        _ => "?",
    };
    let form = random.pick_of(forms);
    random.fill(form)
}

fn price(language: Language, random: &mut Random) -> String {
    let form = match language {
        Language::En => random.pick_of("$%,###.##|£%##|%## dollars|$%#####|USD %,###,###.00"),
        Language::De => random.pick_of("%.###,## €|%## Euro|€%##|%##.###,00 EUR"),
        Language::Fr => random.pick_of("% ### €|%## euros|%## ### ### euros|%#,## €"),
        Language::Es => random.pick_of("%.### €|%## euros|6## ### ### euros|%#,## €"),
        Language::It => random.pick_of("%.###,00 €|%## euro|€ %##|3%# ### ### euro"),
    };
    random.fill(form)
}
