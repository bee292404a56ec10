//! The outbox in front of a made-up service.

use super::{pacer::IN_FLIGHT_MIN, *};
use crate::{
    roster::View,
    testing::{FakeLedger, FakeMessenger, Side, local},
    words,
};

const PACING: Pacing = Pacing {
    enabled: true,
    chat_per_second: 1.0,
    chat_burst: 3.0,
    group_per_minute: 20.0,
    all_per_second: 30.0,
};
const CHAT: ChatId = ChatId(1);

/// A roster that remembers what it was told.
struct Deaf(Arc<std::sync::Mutex<Vec<roster::Msg>>>);

impl Actor for Deaf {
    type Msg = roster::Msg;

    fn handle(&mut self, msg: roster::Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.0.lock().unwrap().push(msg);
        Ok(())
    }
}

/// Runs an outbox in front of a made-up service for a while; what the roster heard.
async fn with_outbox<T>(
    messenger: &Arc<FakeMessenger>,
    work: impl AsyncFnOnce(&Mailbox<Msg>) -> T,
) -> (T, Vec<roster::Msg>) {
    with_paced(PACING, messenger, work).await
}

async fn with_paced<T>(
    pacing: Pacing,
    messenger: &Arc<FakeMessenger>,
    work: impl AsyncFnOnce(&Mailbox<Msg>) -> T,
) -> (T, Vec<roster::Msg>) {
    let heard = Arc::<std::sync::Mutex<Vec<roster::Msg>>>::default();
    let health = kit::Health::default();
    let spec = |name| kit::Spec::new(name, name, 8, kit::RestartPolicy::GENTLE);
    let (roster, deaf) = {
        let heard = Arc::clone(&heard);
        kit::supervise(spec("roster"), &health, move || Deaf(Arc::clone(&heard)))
    };
    let hall = Shared::new(arc_swap::ArcSwap::from_pointee(View::default()));
    let tally = Tally::register(&mut prometheus_client::registry::Registry::default());
    let fake = Arc::clone(messenger);
    let (outbox, running) = kit::supervise(spec("outbox"), &health, move || {
        let (fake, hall) = (Arc::clone(&fake) as Arc<dyn Messenger>, Arc::clone(&hall));
        let ledger = Arc::new(FakeLedger::default());
        let egress = tokio::runtime::Handle::current();
        Outbox::incarnate(fake, ledger, egress, roster.clone(), hall, pacing, tally.clone())
    });
    let running = [
        kit::spawn(async { drop(deaf.await) }),
        kit::spawn(async {
            drop(running.await);
        }),
    ];
    let done = work(&outbox).await;
    outbox.stop().await;
    running.iter().for_each(|it| it.abort());
    (done, std::mem::take(&mut *heard.lock().unwrap()))
}

const HERE: Address = Address { chat: CHAT, topic: None };

async fn send_to(outbox: &Mailbox<Msg>, notice: Notice) -> Result<MessageId, MessengerError> {
    let what = Sayable::Notice(notice);
    let sent = kit::ask(outbox, |reply| {
        let reply = Some(reply);
        Msg::Send { to: HERE, what, reply_to: None, part: None, reply }
    });
    sent.await.unwrap()
}

/// Sends one message; the first tries end with the given failures. What became of it, what was
/// sent, and what the roster heard.
fn send(
    failures: Vec<MessengerError>,
) -> (Result<MessageId, MessengerError>, Vec<ChatId>, Vec<roster::Msg>) {
    local(async move {
        let messenger = Arc::new(FakeMessenger::new());
        *messenger.failures.lock().unwrap() = failures.into();
        let work = async |outbox: &Mailbox<Msg>| send_to(outbox, words::stopped()).await;
        let (sent, heard) = with_outbox(&messenger, work).await;
        let to = messenger.sent.lock().unwrap().iter().map(|(to, _)| *to).collect();
        (sent, to, heard)
    })
}

/// A kill may repeat what was accepted and is not known here yet.
#[test]
fn without_pacing_no_more_than_eight_messages_are_on_their_way() {
    local(async {
        let messenger = Arc::new(FakeMessenger::new());
        let work = async |outbox: &Mailbox<Msg>| {
            let mut sent = Vec::new();
            for chat in 1..=100 {
                let (reply, answer) = oneshot::channel();
                let to = Address { chat: ChatId(chat), topic: None };
                let what = Sayable::Notice(words::stopped());
                let reply = Some(reply);
                outbox
                    .tell(Msg::Send { to, what, reply_to: None, part: None, reply })
                    .await
                    .unwrap();
                sent.push(answer);
            }
            for answer in sent {
                answer.await.unwrap().unwrap();
            }
        };
        with_paced(Pacing { enabled: false, ..PACING }, &messenger, work).await;
        assert_eq!(*messenger.on_the_way.lock().unwrap(), (0, IN_FLIGHT_MIN));
    });
}

#[test]
fn outbox_3_what_goes_along_with_messages_holds_them_up_for_moments_only_if_it_hangs_or_panics() {
    for side in [Side::Hangs, Side::Panics] {
        local(async {
            let messenger = Arc::new(FakeMessenger::new());
            *messenger.side.lock().unwrap() = side;
            let react = |is_on| Msg::React { to: HERE, message: MessageId(1), is_on };
            let work = async |outbox: &Mailbox<Msg>| {
                // A sign is taken away in its turn, and no message waits for that either.
                let think = Msg::Think { to: HERE, draft: 1 };
                for along in [Msg::Typing(HERE), think, react(true), react(false)] {
                    outbox.tell(along).await.unwrap();
                    let moments = SIDE_TIME_MAX + Duration::from_secs(1);
                    let sent = tokio::time::timeout(moments, send_to(outbox, words::stopped()));
                    sent.await.expect("it is sent in moments").unwrap();
                    tokio::time::sleep(Duration::from_secs(10)).await;
                }
            };
            with_outbox(&messenger, work).await;
            assert_eq!(messenger.sent.lock().unwrap().len(), 4, "{side:?}");
        });
    }
}

fn panel() -> Notice {
    use crate::words::panel::{Page, Standing, panel};
    panel(&"Well.".into(), None, (&Page::Main, Standing::default()), protocol::Timestamp(0))
}

#[test]
fn outbox_4_a_panel_is_pinned_once_it_is_there_and_stands_where_that_is_refused() {
    local(async {
        let messenger = Arc::new(FakeMessenger::new());
        let flooded = MessengerError::Flooded { retry_after: Duration::from_secs(3) };
        let refused = MessengerError::Rejected { description: "not enough rights".to_owned() };
        let refusals = [flooded, refused, MessengerError::Forbidden];
        *messenger.pin_failures.lock().unwrap() = refusals.into();
        let work = async |outbox: &Mailbox<Msg>| {
            for _ in 0..3 {
                send_to(outbox, panel()).await.unwrap();
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            send_to(outbox, words::stopped()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(10)).await;
        };
        with_outbox(&messenger, work).await;
        let pins = messenger.pins.lock().unwrap().clone();
        assert_eq!(pins, [(CHAT, MessageId(3), "st:".to_owned())], "two were refused");
        assert_eq!(messenger.sent.lock().unwrap().len(), 4);
    });
}

#[test]
fn an_edit_waits_its_turn_is_tried_again_and_says_when_it_never_can_be() {
    local(async {
        let messenger = Arc::new(FakeMessenger::new());
        let work = async |outbox: &Mailbox<Msg>| {
            let message = send_to(outbox, words::stopped()).await.unwrap();
            let flooded = MessengerError::Flooded { retry_after: Duration::from_secs(3) };
            let lost = MessengerError::Unreachable("the line is cut".into());
            *messenger.failures.lock().unwrap() =
                [flooded, lost, MessengerError::Broken { status: 502 }].into();
            let began = Instant::now();
            let edit = async |message| {
                let what = panel();
                let asked = kit::ask(outbox, |reply| Msg::Edit { to: HERE, message, what, reply });
                asked.await.unwrap()
            };
            assert_eq!(edit(message).await.unwrap(), message);
            assert!(Duration::from_secs(3) <= began.elapsed(), "OUTBOX-2");
            let gone = edit(MessageId(999)).await.unwrap_err();
            assert!(matches!(gone, MessengerError::Rejected { .. }), "{gone:?}");
        };
        with_outbox(&messenger, work).await;
        assert_eq!(messenger.edits.lock().unwrap().len(), 1);
        assert!(messenger.sent.lock().unwrap()[0].1.contains("Well."));
    });
}

#[test]
fn a_message_to_a_migrated_group_goes_on_under_the_new_id_and_the_roster_learns_it() {
    let (sent, to, heard) = send(vec![MessengerError::Migrated { to: ChatId(-77) }]);
    assert!(sent.is_ok());
    assert_eq!(to, [ChatId(-77)]);
    let [roster::Msg::ChatMigrated { from: CHAT, to: ChatId(-77) }] = heard[..] else {
        panic!("{heard:?}")
    };
}

#[test]
fn what_may_not_have_arrived_is_sent_again_and_what_never_can_is_final() {
    let flooded = MessengerError::Flooded { retry_after: Duration::from_secs(3) };
    let again = vec![
        MessengerError::Unreachable("gone".into()),
        MessengerError::Broken { status: 502 },
        MessengerError::Unauthorized,
        flooded,
    ];
    let (sent, to, _) = send(again);
    assert!(sent.is_ok());
    assert_eq!(to, [CHAT]);
    let (sent, to, _) = send(vec![MessengerError::Forbidden]);
    assert!(matches!(sent, Err(MessengerError::Forbidden)));
    assert_eq!(to, []);
}

#[test]
fn outbox_5_a_part_that_is_asked_for_again_by_a_session_made_anew_is_sent_once() {
    local(async {
        let messenger = Arc::new(FakeMessenger::new());
        let session = protocol::SessionKey { bot: protocol::BotId(1), chat: CHAT, topic: None };
        let part = PartId { session, update: protocol::UpdateId(7), part: 0 };
        let ask = |outbox: &Mailbox<Msg>, part: PartId| {
            let (reply, answer) = oneshot::channel();
            let (what, reply) = (Sayable::Notice(words::stopped()), Some(reply));
            let send = Msg::Send { to: HERE, what, reply_to: None, part: Some(part), reply };
            outbox.try_tell(send).unwrap();
            answer
        };
        let work = async |outbox: &Mailbox<Msg>| {
            // It waits for the service, and whoever asked is gone meanwhile.
            let flooded = MessengerError::Flooded { retry_after: Duration::from_secs(3) };
            *messenger.failures.lock().unwrap() = [flooded].into();
            drop(ask(outbox, part));
            let message = ask(outbox, part).await.unwrap().unwrap();
            // It is sent while nobody waits, and asked for afterwards.
            let next = PartId { part: 1, ..part };
            drop(ask(outbox, next));
            tokio::time::sleep(Duration::from_secs(60)).await;
            let second = ask(outbox, next).await.unwrap().unwrap();
            assert_ne!(message, second);
        };
        with_outbox(&messenger, work).await;
        assert_eq!(messenger.sent.lock().unwrap().len(), 2);
    });
}
