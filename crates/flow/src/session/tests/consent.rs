//! Where people must agree to the privacy notice, no model sees a word before.

use protocol::ChatId;

use super::{script::press, *};

fn world(key: SessionKey) -> World {
    let mut config = config();
    config.house.must_accept = true;
    World::new(key, config)
}

fn asked_a_model(world: &World) -> bool {
    world.log.iter().any(|it| it.starts_with("ask ") || it.starts_with("screen "))
}

#[test]
fn a_question_waits_for_the_agreement_and_is_answered_then() {
    let mut world = world(KEY);
    world.say(1, "hi");
    world.complete(1);
    assert!(!asked_a_model(&world), "{:#?}", world.log);
    assert_eq!(world.log[0], "record notice, held(hi), ready(Notice)");
    assert!(world.log.last().unwrap().contains("Refused, close 1"));

    world.dies();
    press(&mut world, 2, GUEST, crate::words::ACCEPT);
    let log = world.log.join("\n");
    let accepted = log.find(&format!("record accepted by {GUEST}")).unwrap();
    let asked = log.find("ask sage for 2: [] hi").unwrap();
    assert!(accepted < asked, "the agreement is durable before a model is asked");
    assert_eq!(world.folded.held, None, "it is asked once");

    world.say(3, "more");
    world.complete(3);
    assert!(world.log.join("\n").contains("ask sage for 3"), "from then on it is like everywhere");
    press(&mut world, 4, GUEST, crate::words::ACCEPT);
    assert!(
        world.log.contains(&"send 4.0: Thank you. Just write, a".to_owned()),
        "{:#?}",
        world.log
    );
}

#[test]
fn a_crash_between_the_agreement_and_the_answer_loses_neither() {
    let mut world = world(KEY);
    world.say(1, "hi");
    world.complete(1);
    let person = Person { id: GUEST, first_name: String::new(), language: None };
    let (query, data) = ("q".to_owned(), crate::words::ACCEPT.to_owned());
    world.arrive(
        2,
        Some(Inbound::Pressed(Pressed { person, query, data, private: true, message: None })),
    );
    world.pull(false);
    world.settle();
    world.dies();
    world.pull(true);
    world.settle();
    world.complete(2);
    assert!(world.log.join("\n").contains("ask sage for 2: [] hi"), "{:#?}", world.log);
    assert_eq!(world.log.iter().filter(|it| it.starts_with("send 2.0: answer")).count(), 1);
}

#[test]
fn in_a_group_everybody_agrees_for_themselves() {
    let mut world = world(SessionKey { chat: ChatId(-5), ..KEY });
    let say = |world: &mut World, update: i64, by: PersonId| {
        let said = Said { private: false, addressed: true, ..said(by, "hi") };
        world.arrive(update, Some(Inbound::Said(said)));
        world.pull(false);
        world.settle();
        world.complete(update);
    };
    say(&mut world, 1, GUEST);
    assert!(!asked_a_model(&world));
    assert_eq!(world.folded.held, None, "others read along: nothing is kept");
    let anonymous = Said { private: false, addressed: true, person: None, ..said(GUEST, "hi") };
    world.arrive(9, Some(Inbound::Said(anonymous)));
    world.pull(false);
    world.settle();
    world.complete(9);
    let told = |it: &String| it.contains(": Here I answer only peopl");
    assert!(world.log.iter().any(told), "nobody can agree for a channel: {:#?}", world.log);
    press(&mut world, 10, GUEST, crate::words::ACCEPT);
    say(&mut world, 11, ADMIN);
    assert!(!asked_a_model(&world), "one agreement is nobody else's");
    say(&mut world, 12, GUEST);
    assert!(world.log.join("\n").contains("ask sage for 12"), "{:#?}", world.log);
}
