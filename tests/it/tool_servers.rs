//! Tools with the real program: servers that nobody here wrote, and one that tries what it may not.

use std::{fmt::Write as _, fs, path::Path, process::Command as Blocking};

use end_to_end::{ADMIN, Stage, program};
use serde_json::{Value, json};

/// A server that tries to open what it is told, and says what came of it.
const PROBE: &str = r#"
import json, os, socket, sys
def tried(what):
    try:
        what()
        return "open"
    except (OSError, MemoryError) as error:
        return "closed"
def probe():
    data, key, port = os.environ["DATA"], os.environ["KEY"], int(os.environ["PORT"])
    return {
        "list the data": tried(lambda: os.listdir(data)),
        "write into the data": tried(lambda: open(data + "/x", "w")),
        "read the key": tried(lambda: open(key).read()),
        "read the settings": tried(lambda: open(os.environ["SETTINGS"]).read()),
        "read the hall's variables": tried(lambda: open("/proc/%d/environ" % os.getppid(), "rb").read()),
        "signal the hall": tried(lambda: os.kill(os.getppid(), 0)),
        "reach this machine": tried(lambda: socket.create_connection(("127.0.0.1", port), 2)),
        "send a datagram": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "open a local socket": tried(lambda: socket.socket(socket.AF_UNIX)),
        "write where all may": tried(lambda: open("/tmp/guildhall-probe", "w")),
        "take much memory": tried(lambda: bytearray(512 << 20)),
        "write a long file": tried(lambda: os.truncate("own", 1 << 20)),
        "write its own file": tried(lambda: open("own", "w").write("x")),
        "variables": sorted(os.environ),
    }
open("own", "w").write("x")
for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    if method == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "probe", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": "probe", "inputSchema": {"type": "object"}}]}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": json.dumps(probe())}]}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

/// What the shell says, on one line.
fn said(command: &str, arguments: &[&str]) -> String {
    let output = Blocking::new(command).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The machine's own Python, past wrappers, and the folder that it is installed in.
pub(crate) fn python() -> (String, String) {
    let text = said(
        "python3",
        &["-c", "import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix)"],
    );
    let (program, prefix) = text.split_once('\n').unwrap();
    (program.to_owned(), prefix.to_owned())
}

/// Adds to the stage's settings.
pub(crate) fn set(stage: &Stage, text: &str) {
    let file = stage.folder().join("config/guildhall.toml");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{before}\n{text}")).unwrap();
}

/// Settings of the server that tries things.
fn probe(stage: &Stage, more: &str) -> String {
    let folder = stage.folder().join("probe");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("probe.py"), PROBE).unwrap();
    let (python, prefix) = python();
    let port = stage.rehearsal.url().rsplit_once(':').unwrap().1.to_owned();
    let env = json!([
        format!("DATA={}", stage.data().display()),
        format!("KEY={}", stage.folder().join("secrets/master.key").display()),
        format!("SETTINGS={}", stage.folder().join("config/guildhall.toml").display()),
        format!("PORT={port}"),
    ]);
    let script = folder.join("probe.py");
    format!(
        "[[tool_servers]]\nname = \"probe\"\ncommand = {python:?}\nargs = [{script:?}]\nenv = {env}\n\
         read = [{folder:?}, {prefix:?}]\nmemory_max = \"256MiB\"\nfile_max = \"64KiB\"\n{more}\n\
         [[tool_servers.tool]]\nname = \"probe\"\neffects = \"read_only\"\n"
    )
}

async fn tools(stage: &Stage, arguments: &[&str]) -> (i32, String, String) {
    let all: Vec<&str> = std::iter::once("tools").chain(arguments.iter().copied()).collect();
    stage.command(&all).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_server_reaches_neither_data_nor_keys_nor_the_network() {
    let stage = Stage::set().await;
    set(&stage, &probe(&stage, ""));
    let (code, _, problem) = stage.command(&["init"]).await;
    assert_eq!(code, 0, "{problem}");
    let (code, text, problem) = tools(&stage, &["call", "probe.probe"]).await;
    assert_eq!(code, 0, "{problem}");
    let found: Value = serde_json::from_str(&text).unwrap();
    for (what, came) in found.as_object().unwrap() {
        match what.as_str() {
            "variables" => {
                let expected =
                    json!(["DATA", "HOME", "KEY", "LANG", "PATH", "PORT", "SETTINGS", "TMPDIR"]);
                assert_eq!(*came, expected, "it inherits nothing");
            }
            "write its own file" => assert_eq!(came, "open"),
            _ => assert_eq!(came, "closed", "{what}: {text}"),
        }
    }
    assert_eq!(found.as_object().unwrap().len(), 14);
    // What it may use is open, so that the rest is closed by the sandbox and by nothing else.
    let stage = Stage::set().await;
    set(&stage, &probe(&stage, "network = true"));
    let (code, text, problem) = tools(&stage, &["call", "probe.probe"]).await;
    assert_eq!(code, 0, "{problem}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["reach this machine"], "open", "{text}");
    assert_eq!(found["list the data"], "closed", "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_server_that_could_open_the_data_is_refused_before_anything_is_started() {
    for (path, what) in [("data", "data"), ("secrets", "master.key"), ("", "data")] {
        let stage = Stage::set().await;
        let open = stage.folder().join(path);
        let more = format!("write = [{open:?}]");
        set(&stage, &probe(&stage, &more));
        let (code, _, _) = stage.command(&["init"]).await;
        assert_eq!(code, 0);
        for command in [&["config", "check"][..], &["tools", "list"][..]] {
            let (code, _, problem) = stage.command(command).await;
            assert_eq!(code, 78, "{path}: {problem}");
            assert!(problem.contains("the tool server `probe` could open"), "{problem}");
            assert!(problem.contains(what), "{problem}");
        }
    }
}

/// SANDBOX-1: nothing runs where the kernel cannot confine it, and namespaces are not needed for it.
#[test]
fn sandbox_1_a_sandbox_stands_without_namespaces_and_closes_what_an_outer_one_closed() {
    let policy = |read: &[&Path]| {
        json!({
            "read": read, "write": [], "work": "/", "network": false, "memory_bytes_max": 1_u64 << 30,
            "file_bytes_max": 1 << 20, "cpu_time_max": { "secs": 10, "nanos": 0 }, "files_max": 64,
            "processes_max": 64, "required": true,
        })
        .to_string()
    };
    let hall = program().canonicalize().unwrap();
    let standing = |arguments: &[&str]| -> Value {
        let output = Blocking::new(&hall).env_clear().args(arguments).output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{problem}"))
    };
    let outer = policy(&[hall.parent().unwrap()]);
    let alone = standing(&["sandbox-exec", "--policy", &outer]);
    assert_eq!((&alone["files"], &alone["calls"]), (&json!(true), &json!(true)), "{alone}");
    // In there user namespaces cannot be made: as in a container, and under the unit that is shipped.
    let name = hall.to_str().unwrap();
    let inner = policy(&[]);
    let inside = standing(&[
        "sandbox-exec",
        "--policy",
        &outer,
        "--",
        name,
        "sandbox-exec",
        "--policy",
        &inner,
    ]);
    assert_eq!((&inside["files"], &inside["calls"]), (&json!(true), &json!(true)), "{inside}");
    assert_eq!(inside["namespaces"], false, "{inside}");
    // A policy that names a path that is not there ends it.
    let missing = policy(&[Path::new("/not/there")]);
    let ended =
        Blocking::new(&hall).args(["sandbox-exec", "--policy", &missing, "--", "true"]).status();
    assert_eq!(ended.unwrap().code(), Some(71));
}

/// Settings of servers from the registries, which may use one folder.
pub(crate) fn real_servers(servers: &str, shared: &Path) -> String {
    let node = said("node", &["-p", "process.execPath"]);
    let (_, prefix) = python();
    let main =
        |name: &str| format!("{servers}/node_modules/@modelcontextprotocol/{name}/dist/index.js");
    let mut text = String::new();
    let mut add = |name: &str, command: &str, args: Value, more: &str, tool: &str| {
        writeln!(
            text,
            "[[tool_servers]]\nname = {name:?}\ncommand = {command:?}\nargs = {args}\n{more}\n\
             [[tool_servers.tool]]\nname = {tool:?}\neffects = \"read_only\"\n"
        )
        .unwrap();
    };
    let reads = format!("read = [{servers:?}, {:?}]", Path::new(&node).parent().unwrap());
    add("all", &node, json!([main("server-everything"), "stdio"]), &reads, "get-sum");
    let writes = format!("{reads}\nwrite = [{shared:?}]");
    add("files", &node, json!([main("server-filesystem"), shared]), &writes, "write_file");
    let graph = format!(
        "{reads}\nwrite = [{shared:?}]\nenv = [\"MEMORY_FILE_PATH={}/graph\"]",
        shared.display()
    );
    add("memory", &node, json!([main("server-memory")]), &graph, "create_entities");
    let reads = format!("read = [{servers:?}, {prefix:?}]");
    let python = format!("{servers}/python/bin/python");
    add("time", &python, json!(["-m", "mcp_server_time"]), &reads, "convert_time");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_nobody_here_wrote_work_in_the_sandbox() {
    let Ok(servers) = std::env::var("GUILDHALL_MCP_SERVERS") else {
        println!(
            "not run: GUILDHALL_MCP_SERVERS is not set; scripts/lib/mcp-servers says its value"
        );
        return;
    };
    let stage = Stage::set().await;
    let shared = stage.folder().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("note.txt"), "the note").unwrap();
    let shared = shared.canonicalize().unwrap();
    set(&stage, &real_servers(&servers, &shared));

    let (code, text, problem) = tools(&stage, &["list", "--json"]).await;
    assert_eq!(code, 0, "{problem}");
    let look: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(look["problems"], json!([]), "{text}");
    let names: Vec<_> = look["tools"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    let expected = [
        "all.get-sum",
        "calculator",
        "clock",
        "files.write_file",
        "memory.create_entities",
        "search_files",
        "time.convert_time",
    ];
    assert_eq!(names, expected, "only what is named is offered");
    let calls = [
        ("all.get-sum", json!({ "a": 2, "b": 40 }), "42"),
        (
            "files.write_file",
            json!({ "path": shared.join("new.txt"), "content": "new" }),
            "Successfully",
        ),
        (
            "memory.create_entities",
            json!({ "entities": [{ "name": "Ada", "entityType": "person", "observations": [] }] }),
            "Ada",
        ),
        (
            "time.convert_time",
            json!({ "source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo" }),
            "T21:00",
        ),
        ("calculator", json!({ "expression": "5 feet 11 inches to cm" }), "180.34 cm"),
    ];
    for (tool, arguments, says) in calls {
        let (code, text, problem) = tools(&stage, &["call", tool, &arguments.to_string()]).await;
        assert_eq!(code, 0, "{tool}: {problem} {text}");
        assert!(text.contains(says), "{tool}: {text}");
    }
    assert_eq!(fs::read_to_string(shared.join("new.txt")).unwrap(), "new");
    let (code, _, problem) = tools(&stage, &["call", "all.get-sum", "{\"a\":\"two\"}"]).await;
    assert_eq!((code, problem.contains("the arguments do not fit")), (65, true), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_and_check_name_a_server_that_is_broken() {
    let stage = Stage::set().await;
    set(
        &stage,
        "[[tool_servers]]\nname = \"mute\"\ncommand = \"true\"\n[[tool_servers.tool]]\nname = \"a\"\n",
    );
    let (code, text, problem) = tools(&stage, &["check"]).await;
    assert_eq!(code, 69, "{problem}");
    assert!(
        text.contains("the tool server `mute` is not there: it ended before it was ready"),
        "{text}"
    );
    let (code, text, _) = stage.command(&["doctor"]).await;
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("the tool server `mute` is not there"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_how_each_tool_server_is_and_what_is_wrong_with_it() {
    let stage = Stage::set().await;
    set(
        &stage,
        "[[tool_servers]]\nname = \"mute\"\ncommand = \"true\"\n[[tool_servers.tool]]\nname = \"a\"\n",
    );
    let hall = stage.open().await;
    let why = "it ended before it was ready";
    let text = stage.exchange(ADMIN, "/status", "Tool server mute").await.text;
    assert!(text.contains(&format!("Tool server mute: 🔴 {why} · calls: 0, failed: 0")), "{text}");
    let (code, text, problem) = stage.command(&["status"]).await;
    assert!(code == 0 && text.contains(&format!("Tool server mute: {why};")), "{text}{problem}");
    stage.metrics_with("guildhall_tool_server_healthy{server=\"mute\"} 0").await;
    stage.metrics_with("guildhall_tool_server_ends_total{server=\"mute\"} ").await;
    assert_eq!(hall.stop().await.0, 0);
}
