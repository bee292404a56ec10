//! `/incident`, `/quarantine`, `/backup`, `/report`, and the buttons under an incident.

use protocol::{PersonId, RefId, inbound::Pressed};

use super::{Look, MenuItem, Request, split_word};
use crate::{
    aside::Verdict,
    clerk::STANDARDS,
    right::{Auditing, Governing, Granted, Operating},
    roster::View,
    words::{
        self, Text,
        desk::{BUTTON, HANDLINGS},
        text,
    },
};

/// What an officer asks of the program, with the proof that they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Show one incident.
    Incident {
        /// Which.
        number: u64,
        /// Who.
        by: Granted<Auditing>,
    },
    /// List what was set aside.
    Quarantine {
        /// Who.
        by: Granted<Operating>,
    },
    /// Put back, or drop, something that was set aside.
    Settle {
        /// Which.
        reference: RefId,
        /// What.
        verdict: Verdict,
        /// Who.
        by: Granted<Operating>,
    },
    /// Make a backup.
    Backup {
        /// Who.
        by: Granted<Operating>,
    },
    /// List the backups.
    Backups {
        /// Who.
        by: Granted<Operating>,
    },
    /// Hold the hall against a standard.
    Report {
        /// Which: one of [`STANDARDS`].
        standard: &'static str,
        /// Who.
        by: Granted<Governing>,
    },
}

/// Reads the words after one of these commands. `None`: they may not, after all.
pub(super) fn of_command(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let errand = match item.name {
        "incident" => {
            let by = view.grant(by)?;
            let number = arguments.trim_start_matches('#').parse();
            number
                .map(|number| Errand::Incident { number, by })
                .map_err(|_no_number| text!("incident-number"))
        }
        "quarantine" => of_quarantine(arguments, view.grant(by)?),
        "backup" => {
            let by = view.grant(by)?;
            match arguments {
                "" | "now" => Ok(Errand::Backup { by }),
                "list" => Ok(Errand::Backups { by }),
                _ => Err(text!("backup-words")),
            }
        }
        "report" => {
            let by = view.grant(by)?;
            let word = arguments.to_ascii_lowercase();
            let standard = STANDARDS.into_iter().find(|it| *it == word);
            standard
                .map(|standard| Errand::Report { standard, by })
                .ok_or_else(words::desk::standards)
        }
        _ => return None,
    };
    Some(match errand {
        Ok(errand) => Request::Look(Look::Errand(errand)),
        Err(why) => Request::Say(words::usage(item.name, item.usage, why)),
    })
}

fn of_quarantine(arguments: &str, by: Granted<Operating>) -> Result<Errand, Text> {
    let (verb, reference) = split_word(arguments);
    let verdict = match verb {
        "" => return Ok(Errand::Quarantine { by }),
        "retry" => Verdict::Retried,
        "drop" => Verdict::Dropped,
        _ => return Err(text!("aside-verbs")),
    };
    let whole = reference.len() == 8 && reference.bytes().all(|it| it.is_ascii_hexdigit());
    let number = u32::from_str_radix(reference, 16).ok().filter(|_| whole);
    let number = number.ok_or_else(|| text!("aside-reference"))?;
    Ok(Errand::Settle { reference: RefId(number), verdict, by })
}

/// Reads what stands behind a button under an incident. `None` if it is no such button. It says which
/// incident it is about, and gives no right.
pub(super) fn of_press(pressed: &Pressed, view: &View) -> Option<Request> {
    let (word, number) = pressed.data.strip_prefix(BUTTON)?.split_once(':')?;
    let (_, handling) = HANDLINGS.into_iter().find(|(it, _)| *it == word)?;
    let number = number.parse().ok()?;
    let by = pressed.person.id;
    Some(match view.grant(by).filter(|_| pressed.private) {
        Some(by) => Request::Look(Look::Handle { number, handling, by }),
        None => Request::PressDenied(by),
    })
}

/// True for such a button.
pub(super) fn is_button(data: &str) -> bool {
    data.starts_with(BUTTON)
}
