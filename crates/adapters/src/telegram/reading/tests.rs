//! What updates mean, and that no bytes can make reading them panic.

use proptest::prelude::*;
use protocol::BotId;
use serde_json::{Value, json};

use super::*;

fn me() -> BotIdentity {
    BotIdentity {
        id: BotId(4242),
        username: "HallBot".to_owned(),
        manages_bots: false,
        has_topics: false,
    }
}

/// Overwrites the fields of `base` by those of `fields`.
fn with(mut base: Value, fields: &Value) -> Value {
    let base_fields = base.as_object_mut().expect("an object");
    base_fields.extend(fields.as_object().expect("an object").clone());
    base
}

/// A message in a group with these fields added.
fn grouped(fields: &Value) -> Value {
    let base = json!({
        "message_id": 10,
        "date": 0,
        "chat": {"id": -100, "type": "supergroup", "title": "G"},
        "from": {"id": 7, "is_bot": false, "first_name": "Ada", "language_code": "pt-br"},
    });
    with(base, fields)
}

/// As where other bots are not heard.
fn read(raw: &[u8], me: &BotIdentity) -> Option<Inbound> {
    super::read(raw, me, false)
}

fn update(message: &Value) -> String {
    json!({"update_id": 1, "message": message}).to_string()
}

fn inbound(message: &Value) -> Inbound {
    read(update(message).as_bytes(), &me()).expect("readable")
}

fn said(message: &Value) -> Said {
    let Inbound::Said(said) = inbound(message) else { panic!("nothing was said: {message}") };
    said
}

fn origin_of(message: &Value) -> Origin {
    origin(update(message).as_bytes()).expect("has an origin")
}

fn entity(kind: &str, offset: usize, length: usize) -> Value {
    json!({"type": kind, "offset": offset, "length": length})
}

/// `addressed`, text, and the command if there is one, of a text in a group.
fn heard(text: &str, entities: &[Value]) -> (bool, String, Option<(String, String)>) {
    let said = said(&grouped(&json!({"text": text, "entities": entities})));
    (said.addressed, said.text, said.command.map(|c| (c.name, c.arguments)))
}

fn command(name: &str, arguments: &str) -> Option<(String, String)> {
    Some((name.to_owned(), arguments.to_owned()))
}

#[test]
fn a_private_message_is_addressed_and_names_its_person() {
    let chat = json!({"id": 7, "type": "private", "first_name": "Ada"});
    let message = grouped(&json!({"chat": chat, "text": " hi ", "message_thread_id": 3}));
    let person = Person {
        id: PersonId(7),
        first_name: "Ada".to_owned(),
        language: Some("pt-br".to_owned()),
    };
    let expected = Said {
        person: Some(person),
        message: MessageId(10),
        private: true,
        addressed: true,
        text: "hi".to_owned(),
        command: None,
        quoted: None,
        replied: None,
        forwarded_from: None,
        beside: Vec::new(),
        attachment: None,
        album: None,
        written: Timestamp(0),
        replied_file: None,
        company: Default::default(),
    };
    assert_eq!(said(&message), expected);
    let expected = Origin {
        chat: ChatId(7),
        topic: Some(TopicId(3)),
        person: Some(PersonId(7)),
        private: true,
    };
    assert_eq!(origin_of(&message), expected);
}

#[test]
fn a_thread_is_a_topic_only_in_a_forum() {
    let reply_chain = grouped(&json!({"text": "x", "message_thread_id": 3}));
    assert_eq!(origin_of(&reply_chain).topic, None);
    let forum = with(reply_chain, &json!({"is_topic_message": true}));
    assert_eq!(origin_of(&forum).topic, Some(TopicId(3)));
}

#[test]
fn mentions_are_found_by_utf16_offsets_and_taken_off_both_ends() {
    let mention = |offset| [entity("mention", offset, 8)];
    assert_eq!(heard("@HallBot, hi", &mention(0)), (true, "hi".to_owned(), None));
    assert_eq!(heard("🦀🦀 @hallbot", &mention(5)), (true, "🦀🦀".to_owned(), None));
    let middle = "🦀 ask @HALLBOT now";
    assert_eq!(heard(middle, &mention(7)), (true, middle.to_owned(), None));
    assert_eq!(heard("@HallBot", &mention(0)), (true, String::new(), None));
    let both = [entity("mention", 0, 8), entity("mention", 12, 8)];
    assert_eq!(heard("@HallBot hi @HallBot", &both), (true, "hi".to_owned(), None));
    // Offsets in bytes or characters would find the mention here, and are wrong.
    assert!(!heard("🦀@HallBot", &mention(4)).0);
    assert!(!heard("🦀@HallBot", &mention(1)).0);
}

#[test]
fn other_mentions_and_bare_words_do_not_address_the_bot() {
    assert!(!heard("@HallBot hi", &[]).0);
    assert!(!heard("@HallBots hi", &[entity("mention", 0, 9)]).0);
    assert!(!heard("@HallBot hi", &[entity("mention", 0, 99)]).0);
    assert!(!heard("@HallBot hi", &[entity("mention", usize::MAX, usize::MAX)]).0);
    assert!(!heard("@HallBot hi", &[entity("code", 0, 8)]).0);
}

#[test]
fn a_mention_by_id_and_a_reply_address_the_bot() {
    let by_id = |id| {
        let user = json!({"id": id, "is_bot": true, "first_name": "Hall"});
        heard("Hall hi", &[with(entity("text_mention", 0, 4), &json!({"user": user}))])
    };
    assert_eq!(by_id(4242), (true, "hi".to_owned(), None));
    assert!(!by_id(4243).0);
    let replying = |id, more: &Value| {
        let replied = json!({"message_id": 1, "from": {"id": id, "is_bot": true}, "text": "old"});
        said(&grouped(&json!({"text": "x", "reply_to_message": with(replied, more)})))
    };
    assert!(replying(4242, &json!({})).addressed);
    assert!(!replying(4243, &json!({})).addressed);
    // Every message in a topic answers the service message that opened it.
    assert!(!replying(4242, &json!({"forum_topic_created": {"name": "x"}})).addressed);
}

#[test]
fn commands_are_what_telegram_marks_at_the_very_beginning() {
    let marked = |length| [entity("bot_command", 0, length)];
    assert_eq!(
        heard("/Agent  sage ", &marked(6)),
        (true, "/Agent  sage".to_owned(), command("agent", "sage"))
    );
    assert_eq!(heard("/new@hallBOT", &marked(12)).2, command("new", ""));
    assert_eq!(heard("/start abc", &[]).2, command("start", "abc"));
    assert_eq!(heard("/start abc", &[entity("bold", 7, 3)]).2, None);
    assert_eq!(heard("see /start", &[entity("bot_command", 4, 6)]).2, None);
    assert_eq!(heard(" /start", &[]).2, None);
    assert_eq!(heard("/path/to/file", &[]).2, None);
    assert_eq!(heard("/", &[]).2, None);
    assert_eq!(heard(&format!("/{}", "a".repeat(33)), &[]).2, None);
    assert_eq!(heard("/üben", &[]).2, None);
}

#[test]
fn a_command_for_another_bot_is_neither_addressed_nor_a_command() {
    let entities = [entity("bot_command", 0, 10), entity("mention", 11, 8)];
    let (addressed, _, command) = heard("/new@Other @HallBot", &entities);
    assert_eq!((addressed, command), (false, None));
    let chat = json!({"id": 7, "type": "private"});
    let private = grouped(&json!({"chat": chat, "text": "/new@Other", "entities": [entities[0]]}));
    let private = said(&private);
    assert_eq!(
        (private.addressed, private.command),
        (true, None),
        "nobody else is there to answer"
    );
}

#[test]
fn forwarded_edited_and_inline_bot_texts_are_never_commands() {
    let text = json!({"text": "/new", "entities": [entity("bot_command", 0, 4)]});
    assert!(said(&grouped(&text)).command.is_some());
    for foreign in [
        json!({"forward_origin": {"type": "hidden_user", "sender_user_name": "x", "date": 0}}),
        json!({"edit_date": 5}),
        json!({"via_bot": {"id": 9, "is_bot": true, "first_name": "x"}}),
    ] {
        let said = said(&with(grouped(&text), &foreign));
        assert_eq!((said.command, said.addressed), (None, false), "{foreign}");
    }
}

#[test]
fn anonymous_admins_and_channels_are_nobody() {
    let sender = json!({
        "text": "/new",
        "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"},
        "sender_chat": {"id": -100, "type": "supergroup", "title": "G"},
    });
    assert_eq!(said(&grouped(&sender)).person, None);
    assert_eq!(origin_of(&grouped(&sender)).person, None);
}

#[test]
fn other_bots_and_service_messages_are_nothing() {
    let bot = json!({"text": "@HallBot", "from": {"id": 9, "is_bot": true, "first_name": "x"}});
    assert_eq!(inbound(&grouped(&bot)), Inbound::Nothing);
    // A command of a bot is heard to be logged, and is neither a command nor addressed.
    let bot = json!({"text": "/spawn x", "from": {"id": 9, "is_bot": true, "first_name": "x"}});
    let Inbound::Said(said) = inbound(&grouped(&bot)) else { panic!("it is not heard") };
    assert_eq!((said.person, said.command, said.addressed), (None, None, false));
    assert_eq!(inbound(&grouped(&json!({"new_chat_title": "x"}))), Inbound::Nothing);
}

#[test]
fn where_bots_are_heard_a_bot_that_mentions_or_answers_us_is_told_apart_from_people() {
    let bot = |text: &str, more: &Value| {
        let from = json!({"id": 9, "is_bot": true, "first_name": "Weather"});
        let mut message = grouped(&json!({"text": text, "from": from}));
        let more = more.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(more);
        super::read(update(&message).as_bytes(), &me(), true)
    };
    let mention = json!({"entities": [entity("mention", 0, 8)]});
    let Some(Inbound::Said(said)) = bot("@HallBot, rain?", &mention) else { panic!("not heard") };
    assert!(said.company.by_bot && said.addressed && said.text == "rain?");
    let Some(Inbound::Said(said)) = bot("rain", &json!({})) else { panic!("not heard") };
    assert!(said.company.by_bot && !said.addressed, "it speaks to somebody else");
    // A command is none, wherever it stands, and in private bots are not heard.
    for text in ["/spawn x", "/start"] {
        let Some(Inbound::Said(said)) = bot(text, &json!({})) else { panic!("not heard") };
        assert_eq!((said.person, said.command, said.addressed), (None, None, false));
    }
    let private = json!({"chat": {"id": 9, "type": "private"}});
    assert_eq!(bot("hi", &private), Some(Inbound::Nothing));
}

#[test]
fn a_bot_that_was_made_for_us_to_manage_is_between_us_and_its_owner() {
    let user = r#"{"id":7,"is_bot":false,"first_name":"Ada","language_code":"de"}"#;
    let bot = r#"{"id":9,"is_bot":true,"first_name":"Bard","username":"bard_bot"}"#;
    let raw = format!(r#"{{"update_id":1,"managed_bot":{{"user":{user},"bot":{bot}}}}}"#);
    let chat = ChatId(7);
    let expected = Origin { chat, topic: None, person: Some(PersonId(7)), private: true };
    assert_eq!(origin(raw.as_bytes()), Some(expected));
    let Some(Inbound::BotMade { owner, bot, username }) = read(raw.as_bytes(), &me()) else {
        panic!("not read")
    };
    assert_eq!((owner.id, bot, username.as_str()), (PersonId(7), BotId(9), "bard_bot"));
}

#[test]
fn several_who_are_called_are_known_in_the_order_of_the_text() {
    let entities = [entity("mention", 0, 6), entity("mention", 7, 8), entity("mention", 16, 6)];
    let message = grouped(&json!({"text": "@Other @HallBot @other hi", "entities": entities}));
    let company = said(&message).company;
    assert_eq!(company.called, ["other", "hallbot"]);
    assert_eq!(company.called_before("HallBot"), ["other"]);
    assert!(company.called_before("other").is_empty() && company.called_before("third").is_empty());
    let alone = grouped(&json!({"text": "@HallBot hi", "entities": [entity("mention", 0, 8)]}));
    assert_eq!(said(&alone).company, Company::default());
}

#[test]
fn captions_are_read_like_texts_and_files_are_noticed() {
    let photo = json!({
        "photo": [{"file_id": "x"}],
        "caption": "🦀 @HallBot",
        "caption_entities": [entity("mention", 3, 8)],
    });
    let with_caption = said(&grouped(&photo));
    assert_eq!((with_caption.text.as_str(), with_caption.addressed), ("🦀", true));
    let Some(Attachment::File(photo)) = with_caption.attachment else { panic!("no file") };
    assert_eq!((photo.kind, photo.file.as_str()), (FileKind::Photo, "x"));
    let voice = said(&grouped(&json!({"voice": {"file_id": "x"}})));
    assert_eq!(voice.text, "");
    assert!(matches!(voice.attachment, Some(Attachment::File(_))), "{voice:?}");
}

#[test]
fn a_file_is_described_by_what_its_sender_says_and_a_picture_by_its_largest_size() {
    let file = |fields: Value| match said(&grouped(&fields)).attachment {
        Some(Attachment::File(file)) => *file,
        other => panic!("{fields}: {other:?}"),
    };
    let voice = json!({"voice": {"file_id": "AwA-_1", "duration": 7, "mime_type": "audio/ogg",
        "file_size": 900}});
    let expected = FileRef {
        kind: FileKind::Voice,
        file: "AwA-_1".to_owned(),
        bytes: Some(900),
        media_type: Some("audio/ogg".to_owned()),
        seconds: Some(7),
        name: None,
        language: Some("pt-br".to_owned()),
        is_replied: false,
    };
    assert_eq!(file(voice), expected);
    let photo = json!({"photo": [
        {"file_id": "small", "width": 90, "height": 60, "file_size": 1_000},
        {"file_id": "large", "width": 1280, "height": 800, "file_size": 200_000},
        {"file_id": "huge", "width": 9000, "height": 9000, "file_size": 21 << 20},
        {"file_id": "middle", "width": 320, "height": 200},
    ]});
    assert_eq!(file(photo).file, "large");
    let document = json!({"document": {"file_id": "d", "file_name": "a.pdf"}});
    assert_eq!(
        (file(document.clone()).kind, file(document).name.as_deref()),
        (FileKind::Document, Some("a.pdf"))
    );
    let animation = json!({"animation": {"file_id": "g"}, "document": {"file_id": "g"}});
    assert_eq!(said(&grouped(&animation)).attachment, Some(Attachment::Other));
}

#[test]
fn the_file_of_the_message_that_is_answered_is_read_too() {
    let document = json!({"message_id": 3, "document": {"file_id": "d", "file_name": "a.md"}});
    let said_with =
        |replied: Value| said(&grouped(&json!({"text": "and this?", "reply_to_message": replied})));
    let replied = said_with(document.clone());
    assert_eq!(replied.attachment, None);
    assert_eq!(replied.replied_file.unwrap().name.as_deref(), Some("a.md"));
    let photo = json!({"message_id": 3, "photo": [{"file_id": "p"}]});
    assert_eq!(said_with(photo).replied_file.unwrap().kind, FileKind::Photo);
    for none in [
        json!({"message_id": 3, "document": 7}),
        with(document, &json!({"forum_topic_created": {}})),
    ] {
        assert_eq!(said_with(none).replied_file, None);
    }
}

#[test]
fn a_file_that_is_described_in_another_way_is_something_that_we_cannot_read() {
    for odd in [
        json!({"voice": 5}),
        json!({"voice": {}}),
        json!({"voice": {"file_id": "../x"}}),
        json!({"voice": {"file_id": ""}}),
        json!({"voice": {"file_id": "x".repeat(257)}}),
        json!({"photo": []}),
        json!({"photo": {"file_id": "x"}}),
        json!({"sticker": {"file_id": "x"}}),
    ] {
        assert_eq!(said(&grouped(&odd)).attachment, Some(Attachment::Other), "{odd}");
    }
}

#[test]
fn every_text_that_comes_with_a_message_is_read_with_where_it_came_from() {
    let cases = [
        (json!({"document": {"file_name": "a.pdf"}}), Channel::FileName, "a.pdf"),
        (
            json!({"audio": {"file_name": "a.mp3", "title": "T", "performer": "P"}}),
            Channel::FileName,
            "a.mp3\nT\nP",
        ),
        (json!({"video": {"file_name": "v.mp4"}}), Channel::FileName, "v.mp4"),
        (
            json!({"contact": {"phone_number": "+1", "first_name": "A", "last_name": "B"}}),
            Channel::Contact,
            "A\nB",
        ),
        (
            json!({"poll": {"question": "Q", "options": [{"text": "1"}, {"text": "2"}]}}),
            Channel::Poll,
            "Q\n1\n2",
        ),
        (json!({"venue": {"title": "V", "address": "S"}}), Channel::Place, "V\nS"),
        (json!({"game": {"title": "G", "description": "D"}}), Channel::Game, "G\nD"),
        (
            json!({"checklist": {"title": "L", "tasks": [{"id": 1, "text": "t"}]}}),
            Channel::Checklist,
            "L\nt",
        ),
        (
            json!({"reply_markup": {"inline_keyboard": [[{"text": "x"}], [{"text": "y"}]]}}),
            Channel::Buttons,
            "x\ny",
        ),
    ];
    for (fields, channel, text) in cases {
        let message = with(grouped(&json!({"caption": "look"})), &fields);
        let said = said(&message);
        let expected = vec![Beside { channel, text: text.to_owned() }];
        assert_eq!((said.text.as_str(), said.beside), ("look", expected), "{fields}");
    }
    let long = json!({"text": "x", "document": {"file_name": "é".repeat(2_000)}});
    assert_eq!(said(&grouped(&long)).beside[0].text, "é".repeat(1_000));
    for odd in [json!(5), json!("x"), json!({"file_name": 7}), json!([])] {
        let said = said(&grouped(&json!({"text": "x", "document": odd})));
        assert_eq!((said.beside, said.attachment), (vec![], Some(Attachment::Other)), "{odd}");
    }
    let lone = r#"{"update_id":1,"message":{"message_id":1,"chat":{"id":7,"type":"private"},
        "from":{"id":7,"first_name":"A"},"text":"x","document":{"file_name":"a\ud800b"}}}"#;
    let Some(Inbound::Said(said)) = read(lone.as_bytes(), &me()) else { panic!("not read") };
    assert!(said.beside[0].text.starts_with('a'), "{:?}", said.beside);
}

#[test]
fn what_was_forwarded_is_told_apart_and_names_who_wrote_it() {
    let user = json!({"id": 5, "is_bot": false, "first_name": "Eve", "last_name": "E"});
    for (origin, author) in [
        (json!({"type": "user", "date": 0, "sender_user": user}), "Eve E"),
        (json!({"type": "hidden_user", "date": 0, "sender_user_name": "Mallory"}), "Mallory"),
        (
            json!({"type": "channel", "chat": {"id": -1, "type": "channel", "title": "News"}}),
            "News",
        ),
        (json!({"type": "new kind"}), ""),
    ] {
        let said = said(&grouped(&json!({"text": "x", "forward_origin": origin})));
        assert_eq!(said.forwarded_from.as_deref(), Some(author), "{origin}");
    }
    assert_eq!(said(&grouped(&json!({"text": "x"}))).forwarded_from, None);
}

#[test]
fn the_message_that_is_answered_is_named_with_its_time() {
    let replied = json!({"message_id": 5, "date": 1_795_000_000, "text": "old"});
    let fields = json!({"text": "/trace", "reply_to_message": replied});
    let expected = inbound::Replied { message: MessageId(5), at: Timestamp(1_795_000_000_000) };
    assert_eq!(said(&grouped(&fields)).replied, Some(expected));
    let opened = json!({"message_id": 5, "date": 1, "forum_topic_created": {"name": "x"}});
    let fields = json!({"text": "x", "reply_to_message": opened});
    assert_eq!(said(&grouped(&fields)).replied, None);
}

#[test]
fn the_writers_own_quote_comes_before_the_whole_message_and_is_cut() {
    let replied = json!({"text": "whole"});
    let fields = json!({"text": "x", "reply_to_message": replied, "quote": {"text": "part"}});
    assert_eq!(said(&grouped(&fields)).quoted.as_deref(), Some("part"));
    let long = json!({"text": "x", "reply_to_message": {"caption": "é".repeat(1_001)}});
    assert_eq!(said(&grouped(&long)).quoted, Some("é".repeat(1_000)));
}

#[test]
fn unknown_kinds_and_chat_types_are_read_as_far_as_known() {
    let odd = grouped(&json!({"text": "x", "chat": {"id": -1, "type": "guild"}, "widget": [1]}));
    assert_eq!(said(&odd).text, "x");
    assert!(!origin_of(&odd).private);
    let unknown = br#"{"update_id":1,"widget_query":{"id":"x"}}"#;
    assert_eq!((origin(unknown), read(unknown, &me())), (None, Some(Inbound::Nothing)));
    let edited = json!({"update_id": 1, "edited_message": 7});
    assert_eq!(read(edited.to_string().as_bytes(), &me()), None);
}

#[test]
fn an_edited_message_is_told_apart_and_gives_no_orders() {
    let message = grouped(&json!({"text": "/new", "edit_date": 9, "media_group_id": "77"}));
    let edited = json!({"update_id": 1, "edited_message": message}).to_string();
    let Some(Inbound::Edited(said)) = read(edited.as_bytes(), &me()) else { panic!("not read") };
    assert_eq!((said.command, said.album.as_deref()), (None, Some("77")));
    assert_eq!(origin(edited.as_bytes()), origin(update(&message).as_bytes()));
}

#[test]
fn presses_name_person_and_place() {
    let query = json!({
        "id": "q9",
        "from": {"id": 7, "first_name": "Ada"},
        "chat_instance": "x",
        "data": "k1",
        "message": {
            "message_id": 1,
            "date": 0,
            "chat": {"id": -100, "type": "supergroup"},
            "from": {"id": 4242, "is_bot": true, "first_name": "Hall"},
            "message_thread_id": 5,
            "is_topic_message": true,
        },
    });
    let raw = json!({"update_id": 1, "callback_query": query}).to_string();
    let expected = Pressed {
        person: Person { id: PersonId(7), first_name: "Ada".to_owned(), language: None },
        query: "q9".to_owned(),
        data: "k1".to_owned(),
        private: false,
        message: Some(MessageId(1)),
    };
    assert_eq!(read(raw.as_bytes(), &me()), Some(Inbound::Pressed(expected)));
    let expected = Origin {
        chat: ChatId(-100),
        topic: Some(TopicId(5)),
        person: Some(PersonId(7)),
        private: false,
    };
    assert_eq!(origin(raw.as_bytes()), Some(expected));
}

#[test]
fn a_press_on_an_inline_message_belongs_to_no_chat_but_can_be_answered() {
    let raw = br#"{"update_id":1,"callback_query":{"id":"q","from":{"id":7}}}"#;
    assert_eq!(origin(raw), None);
    assert!(matches!(read(raw, &me()), Some(Inbound::Pressed(_))));
}

#[test]
fn membership_tells_whether_the_bot_may_write() {
    let may_write = |member: Value| {
        let raw = json!({"update_id": 1, "my_chat_member": {
            "chat": {"id": 7, "type": "private"}, "from": {"id": 7}, "date": 0,
            "old_chat_member": {"status": "member"}, "new_chat_member": member,
        }});
        let raw = raw.to_string();
        assert_eq!(origin(raw.as_bytes()).expect("origin").person, Some(PersonId(7)));
        read(raw.as_bytes(), &me()) == Some(Inbound::Membership { may_write: true })
    };
    assert!(may_write(json!({"status": "member"})));
    assert!(may_write(json!({"status": "administrator"})));
    assert!(may_write(json!({"status": "restricted", "is_member": true})));
    assert!(!may_write(json!({"status": "restricted", "can_send_messages": false})));
    assert!(!may_write(json!({"status": "restricted", "is_member": false})));
    assert!(!may_write(json!({"status": "kicked"})));
    assert!(!may_write(json!({"status": "left"})));
}

#[test]
fn a_stopped_draft_is_stopped_by_the_person_of_the_private_chat() {
    let raw = br#"{"update_id":1,"stopped_message_generation":
        {"chat":{"id":7,"type":"private","first_name":"Ada"},"message_thread_id":3,"draft_id":9}}"#;
    let ada = Person { id: PersonId(7), first_name: "Ada".to_owned(), language: None };
    assert_eq!(read(raw, &me()), Some(Inbound::StopRequested { person: Some(ada) }));
    let expected = Origin {
        chat: ChatId(7),
        topic: Some(TopicId(3)),
        person: Some(PersonId(7)),
        private: true,
    };
    assert_eq!(origin(raw), Some(expected));
}

#[test]
fn lone_surrogates_become_replacement_characters() {
    let raw = br#"{"update_id":1,"message":{"message_id":1,"chat":{"id":7,"type":"private"},
        "from":{"id":7,"first_name":"\udc00A"},"text":"a\ud800b","caption":"\ud83d\ude00"}}"#;
    let Some(Inbound::Said(said)) = read(raw, &me()) else { panic!("not read") };
    assert!(said.text.starts_with('a') && said.text.ends_with('b'), "{}", said.text);
    assert!(said.person.expect("a person").first_name.ends_with('A'));
}

#[test]
fn depth_and_garbage_are_survived() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let unknown = format!(r#"{{"update_id":1,"x":{deep}}}"#);
    assert_eq!(read(unknown.as_bytes(), &me()), Some(Inbound::Nothing));
    let known = format!(r#"{{"update_id":1,"message":{deep}}}"#);
    assert_eq!(read(known.as_bytes(), &me()), None);
    let replies = r#"{"reply_to_message":"#.repeat(100_000);
    assert_eq!(read(format!(r#"{{"message":{replies}"#).as_bytes(), &me()), None);
    for garbage in ["", "{", "null", "[]", "\u{0}", "{\"update_id\":1}}", "\"x\""] {
        assert_eq!(origin(garbage.as_bytes()), None, "{garbage}");
        assert_eq!(update_id(garbage.as_bytes()), None, "{garbage}");
    }
    assert_eq!(update_id(br#"{"update_id":-9223372036854775808}"#), Some(UpdateId(i64::MIN)));
    assert_eq!(update_id(br#"{"update_id":9223372036854775808}"#), None);
}

/// A JSON value of every kind, edges included.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "1e400",
            r#""\ud800""#,
            r#""@HallBot""#,
            r#""/new@HallBot x""#,
            r#""bot_command""#,
            r#""mention""#,
            r#""private""#,
            "\"\u{202e}\u{200d}\"",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,40}".prop_map(|text| Value::String(text).to_string()),
        (0..200_usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let fields = prop::collection::vec((field_name(), inner.clone()), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            fields.prop_map(|fields| object(&fields)),
        ]
    })
}

fn field_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "update_id",
        "message",
        "callback_query",
        "my_chat_member",
        "chat",
        "from",
        "id",
        "type",
        "text",
        "caption",
        "entities",
        "caption_entities",
        "offset",
        "length",
        "user",
        "quote",
        "reply_to_message",
        "message_id",
        "message_thread_id",
        "is_topic_message",
        "sender_chat",
        "new_chat_member",
        "status",
        "is_bot",
        "first_name",
        "stopped_message_generation",
        "data",
        "forward_origin",
        "language_code",
        "photo",
        "unknown",
    ])
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_json_makes_reading_panic(fields in prop::collection::vec((field_name(), any_value()), 0..6)) {
        let raw = object(&fields);
        let _ = (update_id(raw.as_bytes()), origin(raw.as_bytes()), read(raw.as_bytes(), &me()));
    }

    #[test]
    fn no_bytes_make_reading_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (update_id(&raw), origin(&raw), read(&raw, &me()));
    }

    /// Rights are checked against the origin, so it must name who speaks.
    #[test]
    fn origin_and_message_name_the_same_person(
        changed in field_name(),
        value in any_value(),
        text in "[@/ a-zA-Z🦀]{0,30}",
        (offset, length) in (0..40_usize, 0..40_usize),
        kind in prop::sample::select(vec!["mention", "bot_command", "text_mention"]),
    ) {
        let entities = json!([entity(kind, offset, length)]);
        let mut message = grouped(&json!({"text": text, "entities": entities}));
        if let Ok(value) = serde_json::from_str::<Value>(&value) {
            message = with(message, &json!({ changed: value }));
        }
        let raw = update(&message);
        let both = (read(raw.as_bytes(), &me()), origin(raw.as_bytes()));
        if let (Some(Inbound::Said(said)), Some(origin)) = both {
            prop_assert_eq!(said.person.map(|p| p.id), origin.person);
            prop_assert_eq!(said.private, origin.private);
        }
    }
}
