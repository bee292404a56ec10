//! Entities that Telegram finds by itself: commands, mentions, hashtags and links.

use super::{Entity, units};

/// Adds what can be found in `text` outside the entities that are already there.
pub(crate) fn detect(text: &str, entities: &mut Vec<Entity>) {
    let mut found = false;
    let mut offset = 0;
    let mut previous = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((kind, bytes)) = starts_here(previous, c, rest) {
            let piece = rest.get(..bytes).unwrap_or_default();
            let length = units(piece);
            let end = offset + length;
            if !entities.iter().any(|e| covers(e) && e.offset < end && offset < e.end()) {
                entities.push(Entity::new(kind, offset, length));
                found = true;
            }
            offset = end;
            previous = piece.chars().next_back().unwrap_or(c);
            rest = rest.get(bytes..).unwrap_or_default();
            continue;
        }
        offset += c.len_utf16();
        previous = c;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    if found {
        entities.sort_by(|a, b| (a.offset, b.length).cmp(&(b.offset, a.length)));
    }
}

/// Whether an entity keeps others from being found inside it; bold and its like do not.
fn covers(entity: &Entity) -> bool {
    !matches!(
        entity.kind.as_ref(),
        "bold"
            | "italic"
            | "underline"
            | "strikethrough"
            | "spoiler"
            | "blockquote"
            | "expandable_blockquote"
    )
}

/// The kind of entity that begins at `rest`, and its length in bytes.
fn starts_here(previous: char, c: char, rest: &str) -> Option<(&'static str, usize)> {
    if !matches!(c, '/' | '@' | '#' | 'h') || is_word(previous) {
        return None;
    }
    match c {
        '/' if !matches!(previous, '/' | '<' | '>') => command(rest).map(|n| ("bot_command", n)),
        '@' => {
            let name = word(rest.get(1..)?);
            (3..=32).contains(&name).then_some(("mention", name + 1))
        }
        '#' => {
            let tag = rest.get(1..)?;
            let bytes = tag.find(|c: char| !is_word(c)).unwrap_or(tag.len());
            let all_digits = tag.get(..bytes)?.chars().all(|c| c.is_ascii_digit());
            (bytes > 0 && !all_digits).then_some(("hashtag", bytes + 1))
        }
        'h' if rest.starts_with("http://") || rest.starts_with("https://") => url(rest),
        _ => None,
    }
}

fn url(rest: &str) -> Option<(&'static str, usize)> {
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    let url = rest.get(..end.unwrap_or(rest.len()))?;
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']']);
    let host = url.split_once("://")?.1;
    (!host.is_empty()).then_some(("url", url.len()))
}

/// `/name` or `/name@bot`; what follows must not be a letter or another slash.
fn command(rest: &str) -> Option<usize> {
    let name = word(rest.get(1..)?);
    if !(1..=64).contains(&name) {
        return None;
    }
    let mut end = 1 + name;
    if let Some(bot) = rest.get(end..)?.strip_prefix('@') {
        let bot = word(bot);
        if (3..=32).contains(&bot) {
            end += 1 + bot;
        }
    }
    match rest.get(end..)?.chars().next() {
        Some(next) if is_word(next) || matches!(next, '/' | '<' | '>') => None,
        _ => Some(end),
    }
}

/// Bytes of the ASCII word at the start of `rest`.
fn word(rest: &str) -> usize {
    rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        let mut entities = Vec::new();
        detect(text, &mut entities);
        let wide: Vec<u16> = text.encode_utf16().collect();
        let list = entities.iter().map(|e| {
            let piece = String::from_utf16(&wide[e.offset..e.offset + e.length]).unwrap();
            format!("{}:{piece}", e.kind)
        });
        list.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn commands_mentions_and_links_are_found_as_telegram_finds_them() {
        assert_eq!(found("/start now"), "bot_command:/start");
        assert_eq!(found("😀 /ask@hall_bot x"), "bot_command:/ask@hall_bot");
        assert_eq!(found("hi @hall_bot, see #news"), "mention:@hall_bot hashtag:#news");
        assert_eq!(found("see https://a.b/c?d=e."), "url:https://a.b/c?d=e");
        assert_eq!(found("a/b, 1/2, x@y, /a/b, #12"), "");
    }

    #[test]
    fn nothing_is_found_inside_code() {
        let mut entities = vec![Entity::new("code", 0, 6)];
        detect("/start /stop", &mut entities);
        assert_eq!(entities, [Entity::new("code", 0, 6), Entity::new("bot_command", 7, 5)]);
    }
}
