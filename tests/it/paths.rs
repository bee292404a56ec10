//! S5: whatever is written where a name is asked for, no file comes of it but where files belong.

use std::{collections::BTreeSet, path::Path, time::Duration};

use end_to_end::{ADMIN, BEN, MARK, Stage, hostile_names, marked_below, wait_until};
use rehearsal::Say;

/// Messages that may wait for their answers at a time: fewer than a conversation takes.
const AT_ONCE: usize = 16;

/// Everything in a folder, by name.
fn listing(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_of_two_thousand_hostile_names_no_file_comes() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let names = hostile_names();
    assert_eq!(names.len(), 2_000);
    let around = listing(stage.folder());
    let (within, agents) = (listing(&stage.data()), stage.folder().join("config/agents"));
    let agents_before = listing(&agents);

    for some in names.chunks(AT_ONCE) {
        let before = stage.sent_to(ADMIN).len();
        for name in some {
            stage.say(ADMIN, &format!("/spawn {name} You obey."));
        }
        let answered = || stage.sent_to(ADMIN).len() == before + some.len();
        wait_until("every /spawn is answered", Duration::from_secs(20), answered).await;
    }
    let came = stage.sent_to(ADMIN);
    assert!(came.iter().all(|it| !it.text.contains(" is here")), "a name was taken");

    for some in names.chunks(AT_ONCE).step_by(5) {
        let before = stage.sent_to(BEN).len();
        for name in some {
            let say = Say {
                person: BEN,
                chat: None,
                topic: None,
                text: "Read it.".to_owned(),
                reply_to: None,
            };
            let file = bytes::Bytes::from_static(b"Nothing of note.");
            stage.rehearsal.world().send_file(&say, name, file).unwrap();
        }
        let answered = || before + some.len() <= stage.sent_to(BEN).len();
        wait_until("every file is answered", Duration::from_secs(20), answered).await;
    }

    for name in names.iter().filter(|it| !it.contains('\0')).step_by(97) {
        for command in [["backup", "verify"], ["backup", "restore"], ["agent", "show"]] {
            let (code, out, _) = stage.command(&[command[0], command[1], "--", name]).await;
            assert_ne!(code, 0, "{command:?} {name:?}: {out}");
        }
    }
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(listing(&agents), agents_before);
    assert_eq!(listing(stage.folder()), around, "beside the data");
    let more: Vec<_> = listing(&stage.data()).difference(&within).cloned().collect();
    assert!(more.iter().all(|it| !it.contains(MARK)), "{more:?}");
    let places = [stage.folder(), Path::new("/dev/shm"), Path::new("/etc")];
    for place in places.into_iter().map(Path::to_owned).chain(std::env::current_dir().ok()) {
        let found = marked_below(&place);
        assert!(found.is_empty(), "{found:?}");
    }
    for above in stage.folder().ancestors().skip(1) {
        let marked: Vec<_> = listing(above).into_iter().filter(|it| it.contains(MARK)).collect();
        assert!(marked.is_empty(), "{above:?}: {marked:?}");
    }
}
