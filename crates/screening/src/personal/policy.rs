//! What is to happen to each type of personal data.

use serde::{Deserialize, Serialize};

use super::{PersonalType, PhoneRegion};

/// What is to happen to personal data of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonalAction {
    /// It is not looked for.
    Off,
    /// It is noted, and passes.
    Flag,
    /// A placeholder stands in its place.
    Redact,
    /// The whole text is refused.
    Refuse,
}

/// The action for every type, and what telephone numbers look like here.
///
/// By default, what identifies a person or opens an account is redacted, the rest is flagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonalPolicy {
    /// For e-mail addresses.
    pub email: PersonalAction,
    /// For telephone numbers.
    pub phone: PersonalAction,
    /// For payment cards.
    pub credit_card: PersonalAction,
    /// For social security numbers of the United States.
    pub ssn: PersonalAction,
    /// For bank accounts.
    pub iban: PersonalAction,
    /// For internet addresses.
    pub ip: PersonalAction,
    /// For passports.
    pub passport: PersonalAction,
    /// For national identity numbers.
    pub national_id: PersonalAction,
    /// For addresses of cryptocurrencies.
    pub crypto_address: PersonalAction,
    /// For dates of birth.
    pub date_of_birth: PersonalAction,
    /// For names of persons.
    pub person_name: PersonalAction,
    /// Whose national forms of telephone numbers are known. International ones always are.
    pub phone_regions: Vec<PhoneRegion>,
}

impl Default for PersonalPolicy {
    fn default() -> Self {
        Self {
            email: PersonalAction::Flag,
            phone: PersonalAction::Flag,
            credit_card: PersonalAction::Redact,
            ssn: PersonalAction::Redact,
            iban: PersonalAction::Redact,
            ip: PersonalAction::Flag,
            passport: PersonalAction::Redact,
            national_id: PersonalAction::Redact,
            crypto_address: PersonalAction::Flag,
            date_of_birth: PersonalAction::Flag,
            person_name: PersonalAction::Flag,
            phone_regions: vec![
                PhoneRegion::De,
                PhoneRegion::Fr,
                PhoneRegion::Es,
                PhoneRegion::It,
                PhoneRegion::Gb,
                PhoneRegion::Us,
            ],
        }
    }
}

impl PersonalPolicy {
    /// The same action for every type, with the usual regions.
    #[must_use]
    pub fn all(action: PersonalAction) -> Self {
        Self {
            email: action,
            phone: action,
            credit_card: action,
            ssn: action,
            iban: action,
            ip: action,
            passport: action,
            national_id: action,
            crypto_address: action,
            date_of_birth: action,
            person_name: action,
            phone_regions: Self::default().phone_regions,
        }
    }

    /// What is to happen to data of this type.
    #[must_use]
    pub fn action(&self, kind: PersonalType) -> PersonalAction {
        match kind {
            PersonalType::Email => self.email,
            PersonalType::Phone => self.phone,
            PersonalType::CreditCard => self.credit_card,
            PersonalType::Ssn => self.ssn,
            PersonalType::Iban => self.iban,
            PersonalType::Ip => self.ip,
            PersonalType::Passport => self.passport,
            PersonalType::NationalId => self.national_id,
            PersonalType::CryptoAddress => self.crypto_address,
            PersonalType::DateOfBirth => self.date_of_birth,
            PersonalType::PersonName => self.person_name,
        }
    }

    /// Whether nothing is looked for at all.
    pub(super) fn is_off(&self) -> bool {
        PersonalType::ALL.into_iter().all(|kind| self.action(kind) == PersonalAction::Off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_written_by_type_and_an_unknown_type_is_an_error() {
        let policy: PersonalPolicy =
            toml::from_str("email = \"redact\"\nphone_regions = [\"fr\"]").unwrap();
        assert_eq!(policy.action(PersonalType::Email), PersonalAction::Redact);
        assert_eq!(policy.action(PersonalType::Iban), PersonalAction::Redact);
        assert_eq!(policy.phone_regions, [PhoneRegion::Fr]);
        assert!(toml::from_str::<PersonalPolicy>("emails = \"off\"").is_err());
        assert!(PersonalPolicy::all(PersonalAction::Off).is_off());
        assert!(!PersonalPolicy::default().is_off());
    }
}
