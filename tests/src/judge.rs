//! Reads a history and says whether every question was answered once, in order, and to the one who
//! asked.
//!
//! Questions carry `[ask:BODY]`, answers repeat it as `[answer:BODY]`; see `rehearsal::models::marks`.

use std::collections::{HashMap, HashSet};

use rehearsal::{CallRecord, History, models::marks};

/// What a history shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Marked questions that people wrote.
    pub asked: usize,
    /// Questions that were confirmed to Telegram and not answered.
    pub lost: Vec<String>,
    /// Questions that were not answered, confirmed or not.
    pub unanswered: Vec<String>,
    /// Answers beyond the first, over all questions.
    pub repeats: Vec<String>,
    /// Answers whose first copy came before that of an older question of the same chat.
    pub out_of_order: Vec<String>,
    /// Answers in a chat where nobody asked for them.
    pub misdirected: Vec<String>,
}

impl Verdict {
    /// Panics unless all was answered in order and to the right chat, with at most `repeats_max`
    /// answers too many.
    ///
    /// # Panics
    /// As said, with the verdict in the message.
    pub fn check(&self, repeats_max: usize) {
        let is_good = self.lost.is_empty()
            && self.unanswered.is_empty()
            && self.out_of_order.is_empty()
            && self.misdirected.is_empty()
            && self.repeats.len() <= repeats_max;
        assert!(is_good, "at most {repeats_max} repeats were allowed: {self:?}");
    }
}

/// Judges everything that is in the history.
#[must_use]
pub fn judge(history: &History) -> Verdict {
    let mut verdict = Verdict::default();
    // Which question it is of its chat, by chat and mark.
    let mut places: HashMap<(i64, &str), usize> = HashMap::new();
    let mut asked_in: HashMap<i64, usize> = HashMap::new();
    let messages = history.updates.iter().filter(|it| it.kind == "message");
    let questions: Vec<_> =
        messages.filter_map(|it| Some((it, marks::asks(&it.text).last()?))).collect();
    for (update, mark) in &questions {
        let place = asked_in.entry(update.chat).or_default();
        places.insert((update.chat, mark), *place);
        *place += 1;
    }
    let mut answered: HashSet<(i64, &str)> = HashSet::new();
    let mut newest: HashMap<i64, usize> = HashMap::new();
    for (chat, mark) in history.calls.iter().filter(|it| is_message(it)).flat_map(answers) {
        let Some(place) = places.get(&(chat, mark)) else {
            verdict.misdirected.push(format!("{mark} in {chat}"));
            continue;
        };
        if !answered.insert((chat, mark)) {
            verdict.repeats.push(format!("{mark} in {chat}"));
            continue;
        }
        let newest = newest.entry(chat).or_default();
        if *place < *newest {
            verdict.out_of_order.push(format!("{mark} in {chat}"));
        }
        *newest = (*newest).max(*place);
    }
    verdict.asked = questions.len();
    for (update, mark) in questions {
        if !answered.contains(&(update.chat, mark)) {
            verdict.unanswered.push(mark.to_owned());
            verdict.lost.extend(update.confirmed.map(|_at| mark.to_owned()));
        }
    }
    verdict
}

fn is_message(call: &CallRecord) -> bool {
    call.message_id != 0 && call.method.starts_with("send")
}

fn answers(call: &CallRecord) -> impl Iterator<Item = (i64, &str)> {
    marks::answers(&call.text).map(|mark| (call.chat, mark))
}

#[cfg(test)]
mod tests {
    use rehearsal::UpdateRecord;

    use super::*;

    fn history(asked: &[(i64, &str)], answered: &[(i64, &str)]) -> History {
        let update = |(chat, mark): &(i64, &str)| UpdateRecord {
            bot: 1,
            update_id: 1,
            kind: "message".to_owned(),
            chat: *chat,
            message_id: 1,
            text: format!("[ask:{mark}]"),
            created: 0,
            fetched: None,
            fetches: 1,
            confirmed: Some(1),
        };
        let call = |(chat, mark): &(i64, &str)| CallRecord {
            bot: 1,
            method: "sendMessage".to_owned(),
            chat: *chat,
            message_id: 2,
            text: format!("[answer:{mark}]"),
            reply_to: None,
            markdown: None,
            only_for: None,
            at: 0,
        };
        let mut history = History::default();
        history.updates.extend(asked.iter().map(update));
        history.calls.extend(answered.iter().map(call));
        history
    }

    #[test]
    fn each_kind_of_wrong_is_told_apart() {
        let asked = [(1, "a"), (1, "b"), (2, "c"), (2, "d")];
        let answered = [(1, "b"), (1, "a"), (1, "a"), (1, "c"), (2, "d")];
        let verdict = judge(&history(&asked, &answered));
        assert_eq!(verdict.asked, 4);
        assert_eq!(verdict.out_of_order, ["a in 1"]);
        assert_eq!(verdict.repeats, ["a in 1"]);
        assert_eq!(verdict.misdirected, ["c in 1"]);
        assert_eq!(verdict.lost, ["c"]);
    }

    #[test]
    fn one_answer_each_in_order_is_good() {
        let asked = [(1, "a"), (2, "c"), (1, "b")];
        judge(&history(&asked, &[(2, "c"), (1, "a"), (1, "b")])).check(0);
    }
}
