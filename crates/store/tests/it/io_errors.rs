//! Whatever call of the system fails, once or for ever: nothing that was acknowledged is lost, nothing
//! is written twice, and the program goes on or ends as it should.
//!
//! A child works under `strace`, which makes the n-th call of a kind fail, for n = 1, 2, 3 … until a
//! whole run meets no failure any more.

use std::{
    env,
    path::Path,
    process::{Command, Output, Stdio},
};

use store::EngineKind;

use crate::{
    common::{Home, Random},
    kills::{check, child_command, child_environment, said_in},
};

for_each_engine!(whichever_call_of_the_system_fails_nothing_acknowledged_is_lost);

/// What changes a file or makes a change durable, and what reads one.
const CALLS: [&str; 7] =
    ["pwrite64", "fdatasync", "fsync", "ftruncate", "pread64", "rename", "unlink"];

/// A child under `strace`: the `nth` call of a kind fails, and with `for_ever` all after it.
fn run(call: &str, nth: u64, for_ever: bool, home: &Path) -> Output {
    let every = if for_ever { "+" } else { "" };
    let inject = format!("inject={call}:error=EIO:when={nth}{every}");
    let mut command = Command::new("strace");
    command.args(["-f", "-q", "-o"]).arg(home.join("trace")).arg("-e").arg(inject);
    command.args(child_command());
    child_environment(&mut command, "through-errors", home);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().expect("strace is there: scripts/test installs it")
}

async fn whichever_call_of_the_system_fails_nothing_acknowledged_is_lost(engine: EngineKind) {
    let mut random = Random::seeded();
    let all = env::var_os("STORE_TEST_IO_ERRORS").is_some();
    let (mut runs, mut failed) = (0, 0);
    for call in CALLS {
        for for_ever in [false, true] {
            let mut nth = 1;
            loop {
                let home = Home::of(engine);
                let ended = run(call, nth, for_ever, home.root.path());
                let what = format!("{call} {nth} for_ever={for_ever}");
                let words = String::from_utf8_lossy(&ended.stderr);
                if words.contains("loading shared libraries") {
                    nth += 1;
                    continue; // The program has not begun.
                }
                assert!(ended.status.success(), "{what}: {:?}\n{words}", ended.status);
                // sled panics where it cannot sync; the store catches that.
                let mut panics = words.lines().filter(|it| it.contains("panicked at"));
                assert!(panics.all(|it| it.contains("/sled-")), "{what}: {words}");
                let said = String::from_utf8_lossy(&ended.stdout);
                let store = home.open().unwrap_or_else(|error| panic!("{what}: {error}"));
                check(&store, said_in(&said, [0; 4])).await;
                store.close().unwrap();
                let trace = std::fs::read_to_string(home.root.path().join("trace")).unwrap();
                runs += 1;
                if !trace.contains("(INJECTED)") {
                    break;
                }
                failed += u64::from(said.contains("\nrefused\n"));
                // By day a sample.
                nth += if all { 1 } else { 1 + random.below(6) };
            }
        }
    }
    println!("{runs} runs, {failed} of them ended early and said so");
    assert!(0 < failed, "some of the calls matter");
}
