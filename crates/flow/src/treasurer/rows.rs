//! How accounts are written down. JSON: fields may be added with `#[serde(default)]`, never renamed.

use protocol::{AgentName, PersonId, Timestamp, ledger::Owned};
use serde::{Deserialize, Serialize};

use super::{
    books::Sums,
    caps::{Amount, Whose},
    habit::Habit,
};

/// One period of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBook {
    /// The number of its day or month.
    pub number: u32,
    /// What answers cost.
    #[serde(flatten)]
    pub sums: Sums,
    /// What was used without an answer.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub lost: Amount,
    /// Up to what calls may have been granted.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub lease: Amount,
    /// Somebody was told that little is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warned: bool,
    /// Somebody was told that nothing is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

fn is_nothing(amount: &Amount) -> bool {
    *amount == Amount::default()
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Whose.
    pub whose: Whose,
    /// The day.
    pub day: StoredBook,
    /// The month.
    pub month: StoredBook,
    /// Of a person: with whom they used it this month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<(AgentName, Sums)>,
    /// What they usually use at which hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub habit: Option<Habit>,
}

/// What stands at the head of what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the balance.
    pub balance: u64,
    /// The time that was believed.
    pub believed: Timestamp,
    /// The time by the clock.
    pub at: Timestamp,
}

/// The hall's own piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Halls {
    head: Head,
    #[serde(default)]
    rows: Vec<Row>,
}

/// As pieces: each person's account sealed with their key, a group's with the group's.
///
/// # Errors
/// If something cannot be written as JSON.
pub fn pieces(head: Head, rows: Vec<Row>) -> Result<Vec<Owned>, serde_json::Error> {
    let mut halls = Halls { head, rows: Vec::new() };
    let mut pieces = Vec::with_capacity(rows.len() + 1);
    for row in rows {
        let owner = match &row.whose {
            Whose::Person(person) => *person,
            Whose::Chat(chat) => PersonId(*chat),
            Whose::Agent(_) | Whose::Hall => {
                halls.rows.push(row);
                continue;
            }
        };
        pieces.push(Owned::by(owner, serde_json::to_vec(&[row])?));
    }
    pieces.push(Owned::halls(serde_json::to_vec(&halls)?));
    Ok(pieces)
}

/// Reads pieces back: the newest head, and the accounts in the order of writing.
///
/// # Errors
/// If one is no such piece.
pub fn read<'p>(
    pieces: impl Iterator<Item = &'p Owned>,
) -> Result<(Head, Vec<Row>), serde_json::Error> {
    let (mut head, mut rows) = (Head::default(), Vec::new());
    for piece in pieces {
        if piece.owners.is_empty() {
            let halls: Halls = serde_json::from_slice(&piece.bytes)?;
            if head.balance <= halls.head.balance {
                head = halls.head;
            }
            rows.extend(halls.rows);
        } else {
            rows.extend(serde_json::from_slice::<Vec<Row>>(&piece.bytes)?);
        }
    }
    Ok((head, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_every_piece_is_its_owner_s() {
        let row = |whose| Row {
            whose,
            day: StoredBook { number: 20_261_126, warned: true, ..StoredBook::default() },
            month: StoredBook::default(),
            agents: vec![("sage".parse().unwrap(), Sums { calls: 1, ..Sums::default() })],
            habit: None,
        };
        let (ada, group) = (Whose::Person(PersonId(7)), Whose::Chat(-3));
        let rows: Vec<Row> = [ada, group, Whose::Hall].map(row).into();
        let head = Head { balance: 4, believed: Timestamp(5), at: Timestamp(6) };
        let pieces = pieces(head, rows.clone()).unwrap();
        let owners: Vec<_> = pieces.iter().map(|it| it.owners.clone()).collect();
        assert_eq!(owners, [vec![PersonId(7)], vec![PersonId(-3)], vec![]]);
        assert_eq!(read(pieces.iter()).unwrap(), (head, rows.clone()));
        // Without the person's key nothing of theirs is there.
        assert_eq!(read(pieces.iter().skip(1)).unwrap().1, rows[1..]);
        let text = String::from_utf8(pieces[0].bytes.to_vec()).unwrap();
        assert_eq!(
            text,
            r#"[{"whose":{"person":7},"day":{"number":20261126,"calls":0,"input":0,"output":0,"micros":0,"warned":true},"month":{"number":0,"calls":0,"input":0,"output":0,"micros":0},"agents":[["sage",{"calls":1,"input":0,"output":0,"micros":0}]]}]"#
        );
    }
}
