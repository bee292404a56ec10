//! The languages are held together: every message in each, with the same variables and commands, none
//! unused, each within Telegram's limits and begun on the right side.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use protocol::Language;

use super::language::{Argument, Text, is_right_to_left, source};
use crate::request::MENU;

/// Messages that are written on buttons.
const LABELS: [&str; 9] = [
    "agree-button",
    "forget-button",
    "language-auto",
    "talk-to",
    "example-explain",
    "example-write",
    "example-plan",
    "panel-",
    "button-",
];
const LABEL_CHARS_MAX: usize = 64;
/// Russian messages whose words before the number ask for the genitive: it has one form for few and many.
const IN_THE_GENITIVE: [&str; 7] = [
    "fact-too-long",
    "used-tokens-left",
    "tool-allow",
    "time-too-often",
    "reminder-too-long",
    "up-to-seconds",
    "up-to-minutes",
];

/// What a message holds: its variables, and the commands and `quoted` words in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    variables: BTreeSet<String>,
    fixed: BTreeSet<String>,
}

fn messages(language: Language) -> BTreeMap<String, Held> {
    let resource = fluent_syntax::parser::parse(source(language));
    let resource = resource.unwrap_or_else(|(_, errors)| panic!("{language}: {errors:?}"));
    let mut all = BTreeMap::new();
    for entry in resource.body {
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            Entry::Term(_) | Entry::Junk { .. } => panic!("{language}: {entry:?}"),
        };
        let key = message.id.name.to_owned();
        let attributes = message.attributes.iter().map(|it| {
            let key = format!("{key}.{}", it.id.name);
            (key, held(&it.value))
        });
        let value = message.value.iter().map(|it| (key.clone(), held(it)));
        for (key, held) in value.chain(attributes).collect::<Vec<_>>() {
            assert!(all.insert(key.clone(), held).is_none(), "{key} twice in {language}");
        }
    }
    all
}

fn held(pattern: &Pattern<&str>) -> Held {
    let mut held = Held::default();
    walk(pattern, &mut held);
    held
}

fn walk(pattern: &Pattern<&str>, held: &mut Held) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => held.fixed.extend(fixed(value)),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => {
                variable(inline, held);
            }
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                variable(selector, held);
                variants.iter().for_each(|it| walk(&it.value, held));
            }
        }
    }
}

fn variable(inline: &InlineExpression<&str>, held: &mut Held) {
    match inline {
        InlineExpression::VariableReference { id } => {
            held.variables.insert(id.name.to_owned());
        }
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::FunctionReference { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::Placeable { .. } => panic!("only variables are used: {inline:?}"),
    }
}

/// Commands, and what stands `so`.
fn fixed(text: &str) -> Vec<String> {
    let command = |(at, _): (usize, &str)| {
        let before = text[..at].chars().next_back();
        let name: String =
            text[at + 1..].chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
        let is_one = !name.is_empty() && before.is_none_or(|it| !it.is_alphanumeric());
        is_one.then(|| format!("/{name}"))
    };
    let commands = text.match_indices('/').filter_map(command);
    let quoted = text.split('`').skip(1).step_by(2).map(|it| format!("`{it}`"));
    commands.chain(quoted).collect()
}

/// Every `text!` of this crate: key and names of what stands in it.
fn used() -> Vec<(String, BTreeSet<String>)> {
    let mut used = Vec::new();
    for (name, code) in sources() {
        if name == "words/language.rs" || name.ends_with("locales_tests.rs") {
            continue;
        }
        used.extend(code.match_indices("text!(").map(|(at, it)| call(&code[at + it.len()..])));
    }
    used
}

fn sources() -> Vec<(String, String)> {
    fn visit(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, root, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    visit(&root, &root, &mut found);
    found
}

/// The key and the names of one call, from behind its bracket.
fn call(code: &str) -> (String, BTreeSet<String>) {
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    let mut parts = vec![String::new()];
    for letter in code.chars() {
        match (in_text, letter) {
            (true, '"') if !escaped => in_text = false,
            (false, '"') => in_text = true,
            (false, '(' | '[' | '{') => depth += 1,
            (false, ')' | ']' | '}') => depth -= 1,
            _ => (),
        }
        escaped = in_text && letter == '\\' && !escaped;
        if depth == 0 {
            break;
        }
        if depth == 1 && !in_text && letter == ',' {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(letter);
        }
    }
    let key = parts.remove(0).trim().trim_matches('"').to_owned();
    let names = parts.iter().filter(|it| !it.trim().is_empty());
    (key, names.map(|it| it.split('=').next().unwrap().trim().to_owned()).collect())
}

/// A message with something in each place.
fn sample(key: &str, held: &Held) -> Text {
    let argument = |name: &String| -> (&'static str, Argument) {
        let counted = ["count", "minutes", "most", "left", "month", "day", "percent"];
        let value = match counted.contains(&name.as_str()) {
            true => Argument::Count(3),
            false => Argument::from("sage"),
        };
        (name.clone().leak(), value)
    };
    Text::Message {
        key: key.to_owned().into(),
        arguments: held.variables.iter().map(argument).collect(),
        english: None,
    }
}

#[test]
fn every_text_that_is_said_stands_in_english_with_just_its_variables() {
    let english = messages(Language::English);
    let used = used();
    assert!(100 < used.len(), "they are found: {}", used.len());
    for (key, names) in &used {
        let Some(held) = english.get(key) else { panic!("there is no message {key}") };
        assert_eq!(&held.variables, names, "{key}");
    }
    let used: BTreeSet<_> = used.into_iter().map(|(key, _)| key).collect();
    let unused: Vec<_> = english.keys().filter(|it| !used.contains(*it)).collect();
    assert!(unused.is_empty(), "never said: {unused:?}");
}

#[test]
fn every_language_has_every_message_with_the_same_variables_and_commands() {
    let english = messages(Language::English);
    for language in Language::ALL.into_iter().filter(|it| *it != Language::English) {
        let mut theirs = messages(language);
        for item in MENU {
            let does = theirs.remove(&format!("cmd-{}", item.name));
            assert!(does.is_some(), "/{} is not described in {language}", item.name);
            let usage = theirs.remove(&format!("cmd-{}.usage", item.name));
            assert_eq!(usage.is_some(), !item.usage.is_empty(), "/{} in {language}", item.name);
        }
        for (key, held) in &english {
            let Some(other) = theirs.remove(key) else { panic!("{key} is missing in {language}") };
            assert_eq!(&other, held, "{key} in {language}");
        }
        assert!(theirs.is_empty(), "not in English: {:?} in {language}", theirs.keys());
    }
}

#[test]
fn every_message_fits_telegram_in_every_language() {
    for language in Language::ALL {
        for (key, held) in messages(language) {
            let text = sample(&key, &held).in_language(language);
            assert!(!text.trim().is_empty() && !text.contains('{'), "{key} in {language}: {text}");
            assert!(text.encode_utf16().count() <= 2_000, "{key} in {language}");
            if LABELS.iter().any(|it| key == *it || (it.ends_with('-') && key.starts_with(it))) {
                assert!(text.chars().count() <= LABEL_CHARS_MAX, "{key} in {language}: {text}");
            }
        }
        for item in MENU {
            let does = item.does().in_language(language);
            assert!((3..=256).contains(&does.encode_utf16().count()), "{does}");
        }
    }
}

#[test]
fn every_line_of_arabic_begins_at_the_right() {
    let begins = |line: &str| {
        let strong = |it: &char| it.is_alphabetic() || *it == '\u{200F}';
        line.chars().find(strong).is_some_and(|it| it == '\u{200F}' || is_right_to_left(it))
    };
    for (key, held) in messages(Language::Arabic) {
        let text = sample(&key, &held).in_language(Language::Arabic);
        for line in text.lines().filter(|it| it.chars().any(is_right_to_left)) {
            assert!(begins(line), "{key}: {line}");
        }
    }
    let line = Text::from("sage يستريح. /agents و a/b").in_language(Language::Arabic);
    assert_eq!(line, "\u{200F}sage يستريح. \u{200E}/agents و a/b");
    let plain = Text::from("/help\nguildhall person receipt");
    assert_eq!(plain.in_language(Language::Arabic), "/help\nguildhall person receipt");
}

#[test]
fn numbers_are_counted_as_each_language_counts() {
    let answers = |count: u64, language| {
        let arguments = vec![("count", Argument::Count(count))];
        let key = "used-answers".into();
        Text::Message { key, arguments, english: None }.in_language(language)
    };
    let russian = |count| answers(count, Language::Russian);
    assert_eq!(
        [1, 2, 5, 11, 21, 22].map(russian),
        ["1 ответ", "2 ответа", "5 ответов", "11 ответов", "21 ответ", "22 ответа"]
    );
    let arabic = |count| answers(count, Language::Arabic);
    assert_eq!(
        [0, 1, 2, 3, 11, 100].map(arabic),
        ["لا إجابات", "إجابة واحدة", "إجابتان", "3 إجابات", "11 إجابة", "100 إجابة"]
    );
    let large = Language::ALL.map(|it| answers(1_234_567, it));
    let digits = large.map(|it| it.split(' ').next().unwrap().to_owned());
    assert_eq!(digits, ["1,234,567", "1.234.567", "1.234.567", "1\u{A0}234\u{A0}567", "1,234,567"]);
    let cost = Argument::Decimal("2.50".to_owned());
    let arguments = vec![("amount", cost), ("currency", Argument::from("EUR"))];
    let money = Text::Message { key: "money".into(), arguments, english: None };
    assert_eq!(money.in_language(Language::German), "2,50 EUR");
    assert_eq!(money.in_language(Language::English), "2.50 EUR");
}

#[test]
fn numbers_are_told_in_all_the_forms_that_a_language_has() {
    let forms = |language, key: &str| match language {
        Language::English | Language::German | Language::Spanish => vec!["one"],
        Language::Russian if IN_THE_GENITIVE.contains(&key) => vec!["one"],
        Language::Russian => vec!["one", "few"],
        Language::Arabic => vec!["one", "two", "few"],
    };
    let is_plural = |it: &str| ["zero", "one", "two", "few", "many", "other"].contains(&it);
    for language in Language::ALL {
        let resource = fluent_syntax::parser::parse(source(language)).unwrap();
        for entry in &resource.body {
            let Entry::Message(message) = entry else { continue };
            let Some(pattern) = &message.value else { continue };
            for element in &pattern.elements {
                let PatternElement::Placeable { expression: Expression::Select { variants, .. } } =
                    element
                else {
                    continue;
                };
                let keys: Vec<&str> = variants.iter().map(|it| key_of(&it.key)).collect();
                let counts = keys.iter().all(|it| is_plural(it)) && 1 < keys.len();
                let missing =
                    forms(language, message.id.name).into_iter().filter(|it| !keys.contains(it));
                let missing: Vec<_> = missing.filter(|_| counts).collect();
                assert!(missing.is_empty(), "{} in {language}: no {missing:?}", message.id.name);
            }
        }
    }
}

fn key_of<'k>(key: &fluent_syntax::ast::VariantKey<&'k str>) -> &'k str {
    match key {
        fluent_syntax::ast::VariantKey::Identifier { name } => name,
        fluent_syntax::ast::VariantKey::NumberLiteral { value } => value,
    }
}

#[test]
fn parts_of_a_date_keep_their_order_behind_arabic() {
    let arabic = |text: &str| Text::from(text).in_language(Language::Arabic);
    for (said, marked) in [
        ("صامت حتى 2026-11-26 12:00 UTC", "صامت حتى \u{200E}2026-11-26 12:00 UTC"),
        ("مثل 0 8 * * 1-5.", "مثل \u{200E}0 \u{200E}8 * * \u{200E}1-5."),
        ("في (-500) ثم +3", "في (\u{200E}-500) ثم \u{200E}+3"),
        ("أُرسل 1 من 2، 12:00", "أُرسل 1 من 2، 12:00"),
        ("لا شيء - هنا", "لا شيء - هنا"),
    ] {
        assert_eq!(arabic(said), marked);
    }
}

#[test]
fn nothing_is_said_in_english_alone() {
    for (name, code) in sources() {
        let is_of_words = name == "words.rs" || name.starts_with("words/");
        if !is_of_words || name.ends_with("language.rs") || name.ends_with("locales_tests.rs") {
            continue;
        }
        let code: String = code.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        let code: String = code.split_whitespace().collect::<Vec<_>>().join("");
        let code = code.replace("say(text!(", "");
        let plain = ["say(format!", "say(\"", "=>say(text)", "returnsay(text)", "in_english("];
        for it in plain {
            assert!(!code.contains(it), "{name}: {it} says what no other language has");
        }
    }
}
