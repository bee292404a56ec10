//! Budgets in the whole tree: refusals, warnings, quotas, and what a restart finds.

use super::*;
use crate::treasurer::caps::{Allowance, Budgets, Cap};

/// Every answer of the echo costs fifty tokens.
const ANSWER: u64 = 50;

fn capped(tokens_day: Option<u64>) -> Budgets {
    let day = Cap { tokens: tokens_day, micros: None };
    let person = Allowance { day, ..Allowance::default() };
    Budgets { person, warn_percent: 80, ..Budgets::default() }
}

fn with(messenger: &Arc<FakeMessenger>, ledger: &Arc<FakeLedger>, budgets: Budgets) -> Wiring {
    let wiring = wiring(messenger, ledger);
    Wiring { founding: Arc::new(Founding { budgets, ..founding() }), ..wiring }
}

#[test]
fn who_nears_a_cap_is_told_once_and_who_reaches_it_is_refused_until_it_goes_on() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let (told, before) = (Arc::clone(&chat), Arc::clone(&ledger));
    // Three answers: the second passes three fifths. More would be too many at once.
    let budgets = || Budgets { warn_percent: 60, ..capped(Some(3 * ANSWER)) };
    let made = || with(&chat, &ledger, budgets());
    stands_with(made, async move {
        for update in 1..=4 {
            told.write(update, GUEST, &format!("question {update}"));
            let fits = match update {
                4 => "You have used up what you may ask today".to_owned(),
                update => format!("echo: question {update}"),
            };
            told.wait_for(GUEST, &fits).await;
        }
        told.wait_for(GUEST, "You have now used all that may be asked today").await;
        assert_eq!(told.count(GUEST, "You have used 60 %"), 1);
        assert_eq!(told.count(GUEST, "echo: question 4"), 0, "no model was asked");
        told.wait_for(GUEST, "I go on at 00:00 (UTC)").await;
        told.write(7, FRIEND, "hello");
        told.wait_for(FRIEND, "echo: hello").await;
        told.write(8, GUEST, "/usage");
        told.wait_for(GUEST, "today: 3 answers, 150 tokens; 0 of 150 tokens left").await;
        at_rest(&before).await;
    });
    // The next hall knows it, and lifts nothing.
    let after = Arc::clone(&chat);
    stands_with(|| with(&chat, &ledger, budgets()), async move {
        after.write(11, GUEST, "question 11");
        let refusals = || after.count(GUEST, "You have used up what you may ask today");
        for _ in 0..1_000 {
            if refusals() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((refusals(), after.count(GUEST, "echo: question 11")), (2, 0));
        after.write(12, FRIEND, "again");
        after.wait_for(FRIEND, "echo: again").await;
    });
}

#[test]
fn an_admin_sets_a_quota_that_holds_at_once_and_takes_it_back() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "/quota 2 1");
        chat.wait_for(GUEST, "I do not know that command").await;
        chat.write(2, ADMIN, "/quota 2 60 tokens day");
        chat.wait_for(ADMIN, "person 2 may use 60 tokens a day").await;
        for update in 3..=5 {
            chat.write(update, GUEST, &format!("question {update}"));
        }
        chat.wait_for(GUEST, "You have used up what you may ask today").await;
        assert_eq!(chat.count(GUEST, "echo: question"), 2, "one beyond the cap at most");
        chat.write(6, ADMIN, "/quota 2 usual day");
        chat.wait_for(ADMIN, "are as the configuration says").await;
        chat.write(7, GUEST, "question 7");
        chat.wait_for(GUEST, "echo: question 7").await;
        chat.write(8, ADMIN, "/usage all");
        chat.wait_for(ADMIN, "hall\n  today: 3 answers, 150 tokens").await;
        chat.wait_for(ADMIN, "person somebody").await;
        chat.write(10, ADMIN, "/status");
        chat.wait_for(ADMIN, "Used today: 3 answers, 150 tokens").await;
        chat.write(9, GUEST, "/usage all");
        chat.wait_for(GUEST, "you\n  today: 3 answers").await;
        assert_eq!(chat.count(GUEST, "person somebody"), 0);
        assert!(ledger.everything().contains("quota_set"));
    });
}

#[test]
fn an_agent_that_nears_its_cap_is_told_to_the_admins_and_answers_no_more_than_that() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let told = Arc::clone(&chat);
    let day = Cap { tokens: Some(4 * ANSWER), micros: None };
    let agent = Allowance { day, ..Allowance::default() };
    let budgets = Budgets { agent, warn_percent: 75, ..Budgets::default() };
    stands_with(|| with(&chat, &ledger, budgets), async move {
        for update in 1..=4 {
            told.write(update, GUEST, &format!("question {update}"));
            told.wait_for(GUEST, &format!("echo: question {update}")).await;
        }
        told.wait_for(ADMIN, "The agent sage has used 75 %").await;
        told.wait_for(ADMIN, "The agent sage has used up what it may this day").await;
        told.write(5, FRIEND, "hello");
        told.wait_for(FRIEND, "This agent has answered as much as it may today").await;
        assert_eq!(told.count(GUEST, "You have used"), 0, "it is no matter of theirs");
    });
}

/// As the echo, and says so.
struct Cheap(Echo);

#[async_trait::async_trait]
impl protocol::model::Model for Cheap {
    fn name(&self) -> &str {
        "cheap"
    }

    fn prompt_tokens_max(&self, answer: u32) -> usize {
        self.0.prompt_tokens_max(answer)
    }

    async fn complete(
        &self,
        request: &protocol::model::ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<protocol::model::Completion, protocol::model::CompleteError> {
        let mut answer = self.0.complete(request, on_text).await?;
        answer.text = format!("cheap {}", answer.text);
        Ok(answer)
    }
}

#[test]
fn where_little_is_left_the_cheaper_model_is_asked_and_who_is_forgotten_begins_anew() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let (told, kept) = (Arc::clone(&chat), Arc::clone(&ledger));
    let budgets = Budgets {
        step_down_percent: 50,
        step_down_to: Some("cheap".to_owned()),
        ..capped(Some(3 * ANSWER))
    };
    let made = || {
        let models = [Arc::new(Echo) as _, Arc::new(Cheap(Echo)) as _].into();
        Wiring { models, ..with(&chat, &ledger, budgets) }
    };
    stands_with(made, async move {
        for (update, fits) in [(1, "echo: one"), (2, "echo: two"), (3, "cheap echo: three")] {
            let asked = fits.rsplit(' ').next().unwrap();
            told.write(update, GUEST, asked);
            told.wait_for(GUEST, fits).await;
        }
        told.write(4, GUEST, "four");
        told.wait_for(GUEST, "You have used up what you may ask today").await;
        told.write(5, GUEST, "/forget yes");
        told.wait_for(GUEST, "Everything about you is erased").await;
        told.write(6, GUEST, "five");
        told.wait_for(GUEST, "echo: five").await;
        // The hall's own sums stay.
        told.write(7, ADMIN, "/usage all");
        told.wait_for(ADMIN, "hall\n  today: 4 answers, 200 tokens").await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(kept.everything().contains("\"whose\":\"hall\""));
    });
}

#[test]
fn who_nears_and_reaches_a_cap_is_an_incident_by_person_and_agent() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let audit = Arc::<FakeAudit>::default();
    let (told, noted) = (Arc::clone(&chat), Arc::clone(&audit));
    let made = || {
        let budgets = Budgets { warn_percent: 60, ..capped(Some(3 * ANSWER)) };
        let incidents = Arc::new(incident::Desk::before(audit));
        Wiring { incidents, ..with(&chat, &ledger, budgets) }
    };
    stands_with(made, async move {
        for update in 1..=3 {
            told.write(update, GUEST, &format!("question {update}"));
            told.wait_for(GUEST, &format!("echo: question {update}")).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let deeds = noted.deeds.lock().unwrap().clone();
        let of = |word: &str| -> Vec<String> {
            let found = deeds.iter().filter(|it| it.action.word() == word);
            found.map(|it| it.reference.clone()).collect()
        };
        assert_eq!(of("budget.crossed"), ["nearly used up, day", "used up, day"]);
        let opened = of("incident.opened");
        let [opened] = opened.as_slice() else { panic!("one incident: {opened:?}") };
        let about = "kind=budget person=person:2 about=sage score=2 count=1 severity=low";
        assert!(opened.starts_with(about), "{opened}");
    });
}
