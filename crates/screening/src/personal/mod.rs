//! Personal data in a text: eleven types, each with an action of its own.
//!
//! One pass over the bytes stops only at digits and `@` ([`scan`]); what stands there is shown to
//! hand-written checks, most of them by check digit (`card`, `iban`, `national`, `crypto`), by
//! form and value (`email`, `ip`, `date`, `phone`) or by the words around it (`context`). Names
//! are the one exception: they are found by a search for the phrases that announce them (`name`).
//!
//! Every check looks at a bounded number of bytes, so the whole is linear in the text's length.
//!
//! Invariants: PERSONAL-1 what is found lies on character boundaries and does not overlap.

mod card;
mod context;
mod country;
mod crypto;
mod date;
mod email;
mod iban;
mod ip;
mod name;
mod national;
mod phone;
mod phone_regions;
mod placeholders;
mod policy;
mod run;
mod scan;
#[cfg(test)]
mod tests;

use std::{fmt, ops::Range, str::FromStr, sync::Arc};

use aho_corasick::BuildError;
use serde::{Deserialize, Serialize};

pub use phone_regions::PhoneRegion;
pub use placeholders::Placeholders;
pub use policy::{PersonalAction, PersonalPolicy};

/// A type of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalType {
    /// An e-mail address.
    Email,
    /// A telephone number, international or in the national form of a configured region.
    Phone,
    /// The number of a payment card.
    CreditCard,
    /// A social security number of the United States.
    Ssn,
    /// An international bank account number.
    Iban,
    /// An address of the internet protocol, version 4 or 6.
    Ip,
    /// The number of a passport, announced as such.
    Passport,
    /// A personal number or identity card of Germany, France, Spain, Italy, Poland or the
    /// Netherlands.
    NationalId,
    /// An address of Bitcoin, Litecoin, Dogecoin, Tron or Ethereum.
    CryptoAddress,
    /// A date, announced as a date of birth.
    DateOfBirth,
    /// The name of a person, announced as such or after a title.
    PersonName,
}

/// A word that names no [`PersonalType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no type of personal data")]
pub struct UnknownPersonalType;

impl PersonalType {
    /// All types, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Email,
        Self::Phone,
        Self::CreditCard,
        Self::Ssn,
        Self::Iban,
        Self::Ip,
        Self::Passport,
        Self::NationalId,
        Self::CryptoAddress,
        Self::DateOfBirth,
        Self::PersonName,
    ];

    /// The word for it: the one in findings, after `pii.`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CreditCard => "credit_card",
            Self::Ssn => "ssn",
            Self::Iban => "iban",
            Self::Ip => "ip",
            Self::Passport => "passport",
            Self::NationalId => "national_id",
            Self::CryptoAddress => "crypto_address",
            Self::DateOfBirth => "date_of_birth",
            Self::PersonName => "person_name",
        }
    }
}

impl fmt::Display for PersonalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PersonalType {
    type Err = UnknownPersonalType;

    fn from_str(word: &str) -> Result<Self, UnknownPersonalType> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or(UnknownPersonalType)
    }
}

/// One piece of personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: PersonalType,
    /// Its bytes.
    pub range: Range<usize>,
}

/// The search for personal data by one policy. Made once, then only read.
pub struct PersonalSearch {
    policy: PersonalPolicy,
    names: Option<name::NameSearch>,
    labels: [Arc<str>; PersonalType::ALL.len()],
}

impl fmt::Debug for PersonalSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonalSearch").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl PersonalSearch {
    /// Prepares the search for the types that the policy does not switch off.
    ///
    /// # Errors
    /// If the search for names cannot be built, which no known platform brings about.
    pub fn new(policy: PersonalPolicy) -> Result<Self, BuildError> {
        let names = match policy.action(PersonalType::PersonName) {
            PersonalAction::Off => None,
            PersonalAction::Flag | PersonalAction::Redact | PersonalAction::Refuse => {
                Some(name::NameSearch::new()?)
            }
        };
        let labels = PersonalType::ALL.map(|kind| Arc::from(kind.as_str()));
        Ok(Self { policy, names, labels })
    }

    /// The policy it was made from.
    #[must_use]
    pub fn policy(&self) -> &PersonalPolicy {
        &self.policy
    }

    /// What personal data `text` holds, from first to last. Takes time linear in its length.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if self.policy.is_off() {
            return found;
        }
        scan::find(text, &self.policy.phone_regions, &mut found);
        found.retain(|it| self.policy.action(it.kind) != PersonalAction::Off);
        if let Some(names) = &self.names {
            names.find(text, &mut found);
        }
        found
    }

    /// The shared word for a type.
    pub(crate) fn label(&self, kind: PersonalType) -> Arc<str> {
        let label = PersonalType::ALL.iter().zip(&self.labels).find(|(it, _)| **it == kind);
        label.map_or_else(|| Arc::from(kind.as_str()), |(_, label)| Arc::clone(label))
    }
}
