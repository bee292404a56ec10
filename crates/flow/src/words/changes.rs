//! Why a change of the hall was not made.

use super::{Text, text};
use crate::roster::AdministerError;

/// In words. The English is that of the error itself.
pub(crate) fn why_not(error: &AdministerError) -> Text {
    use AdministerError as It;
    match error {
        It::Taken(agent) => text!("not-agent-taken", agent = agent),
        It::NoSuchAgent(agent) => text!("not-no-such-agent", agent = agent),
        It::NoSuchModel { name, known } => text!("not-no-such-model", model = name, known = known),
        It::TooMany(most) => text!("not-too-many-agents", most = *most),
        It::BadInstructions(most) => text!("not-bad-instructions", most = *most),
        It::IsAdmin => text!("not-is-admin"),
        It::NotAllowed => text!("not-allowed"),
        It::RoleIsFixed => text!("not-role-is-fixed"),
        It::NoRole => text!("not-no-role"),
        It::NoPerson => text!("not-no-person"),
        It::TooManyRoles(most) => text!("not-too-many-roles", most = *most),
        It::RuleTaken(rule) => text!("not-rule-taken", rule = rule),
        It::NoSuchRule(rule) => text!("not-no-such-rule", rule = rule),
        It::TooManyRules(most) => text!("not-too-many-rules", most = *most),
        It::BadRule(why) => text!("not-bad-rule", why = why),
        It::NoSuchAside(reference) => text!("not-no-such-aside", reference = *reference),
        It::AlarmKnown(reference) => text!("not-alarm-known", reference = *reference),
        It::NoSuchAlarm(reference) => text!("not-no-such-alarm", reference = *reference),
        It::TooManyAlarms(most) => text!("not-too-many-alarms", most = *most),
        It::TooManyQuotas(most) => text!("not-too-many-quotas", most = *most),
        It::Settled => text!("not-settled"),
        It::OfficersSpared => text!("not-officers-spared"),
        It::SoAlready => text!("not-so-already"),
        It::InviteGone => text!("not-invite-gone"),
        It::TooManyInvites(most) => text!("not-too-many-invites", most = *most),
        It::HasBot(agent) => text!("not-has-bot", agent = agent),
        It::TooManyBots(most) => text!("not-too-many-bots", most = *most),
        It::NothingHeldBack => text!("not-nothing-held-back"),
        It::NotStored => text!("not-stored"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Language, RefId};

    #[test]
    fn what_an_officer_reads_in_english_is_what_the_error_says() {
        let sage = || "sage".parse().unwrap();
        let (name, known) = ("x".to_owned(), "y".to_owned());
        for error in [
            AdministerError::Taken(sage()),
            AdministerError::NoSuchAgent(sage()),
            AdministerError::NoSuchModel { name, known },
            AdministerError::TooMany(7),
            AdministerError::BadInstructions(7),
            AdministerError::IsAdmin,
            AdministerError::NotAllowed,
            AdministerError::RoleIsFixed,
            AdministerError::NoRole,
            AdministerError::NoPerson,
            AdministerError::TooManyRoles(7),
            AdministerError::InviteGone,
            AdministerError::TooManyInvites(7),
            AdministerError::HasBot(sage()),
            AdministerError::TooManyBots(7),
            AdministerError::RuleTaken("r".to_owned()),
            AdministerError::NoSuchRule("r".to_owned()),
            AdministerError::TooManyRules(7),
            AdministerError::BadRule("why".to_owned()),
            AdministerError::AlarmKnown(RefId(7)),
            AdministerError::NoSuchAlarm(RefId(7)),
            AdministerError::TooManyAlarms(7),
            AdministerError::TooManyQuotas(7),
            AdministerError::Settled,
            AdministerError::OfficersSpared,
            AdministerError::SoAlready,
            AdministerError::NothingHeldBack,
            AdministerError::NotStored,
        ] {
            assert_eq!(why_not(&error).in_language(Language::English), error.to_string());
        }
    }
}
