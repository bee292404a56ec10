"""Runs load against the pump and the hall, in turns, and prints what came of it.

Called by scripts/bench with the folder of the programs. Every run has a server, a data folder and a
key of its own, so that runs do not know of each other.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

# The shape of a token; no bot of that name exists.
TOKEN = "123456789:AAbench-bench-bench-bench-bench-bench"
WAIT_S = 30
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("programs", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turns")
    parser.add_argument("--seconds", type=int, default=10, help="how long people write in a run")
    parser.add_argument("--people", type=int, default=1000, help="how many write")
    parser.add_argument("--json", type=pathlib.Path, help="also write every run's figures here")
    options = parser.parse_args()
    bench = Bench(options.programs)

    closed = {"people": options.people, "seconds": options.seconds}
    opened = {"people": options.people, "seconds": 2 * options.seconds, "rate": 100}
    many = {"people": 10_000, "seconds": 20, "rate": 500}
    runs = {"pump": [], "hall": [], "pump at 100/s": [], "hall at 100/s": [], "hall, 10,000 people": []}
    for number in range(options.rounds):
        for bot in ("pump", "hall"):
            runs[bot].append(bench.run(bot, closed, f"round {number + 1}"))
    for bot in ("pump", "hall"):
        runs[f"{bot} at 100/s"].append(bench.run(bot, opened, "100 messages a second"))
    runs["hall, 10,000 people"].append(bench.run("hall", many, "10,000 people"))

    if options.json:
        options.json.write_text(json.dumps(runs, indent=2) + "\n")
    print_tables(runs, options)
    wrongs = [run for name in runs if name.startswith("hall") for run in runs[name] if run["wrong"]]
    for run in wrongs:
        print(f"WRONG: {run['wrong']}", file=sys.stderr)
    # EX_SOFTWARE: figures of a hall that loses messages are worth nothing.
    sys.exit(70 if wrongs else 0)


class Bench:
    def __init__(self, programs):
        self.programs = programs

    def run(self, bot, plan, what):
        print(f"bench: {bot}, {what}", file=sys.stderr)
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            load, url = self.start_load(stack, plan)
            log = stack.enter_context(open(folder / "log", "w"))
            process = subprocess.Popen(
                self.command(bot), env=self.env(bot, url, folder), cwd=folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )
            stack.callback(end, process)
            report, _ = load.communicate(timeout=WAIT_S + plan["seconds"] * 4 + 240)
            if load.returncode != 0 or process.poll() is not None:
                sys.exit(f"bench: the run failed; the {bot} said:\n{(folder / 'log').read_text()[-2000:]}")
            figures = json.loads(report) | usage(process.pid)
            # What is held a moment after the last answer, not what the answers took.
            time.sleep(1)
            figures["rss_mib"] = usage(process.pid)["rss_mib"]
        figures["cpu_us_per_message"] = 1e6 * figures["cpu_s"] / max(figures["answered"] + figures["people"], 1)
        wrong = ("lost", "duplicates", "out_of_order", "cross_talk", "leaks", "given_up", "unmarked")
        if bot == "hall":
            wrong += ("context_gaps", "context_disorder")
        figures["wrong"] = {name: figures[name] for name in wrong if figures[name]}
        return figures

    def start_load(self, stack, plan):
        command = [self.programs / "rehearsal", "load", "--addr", "127.0.0.1:0", "--token", TOKEN]
        command += ["--greeting", "/start", "--wait", str(WAIT_S), "--drain", "30", "--patience", "120"]
        for name, value in plan.items():
            command += [f"--{name}", str(value)]
        load = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        stack.callback(end, load)
        url = load.stderr.readline().strip()
        if not url.startswith("http://"):
            sys.exit(f"bench: the rehearsal did not start: {url}")
        return load, url

    def command(self, bot):
        return [self.programs / "rehearsal", "pump"] if bot == "pump" else [self.programs / "guildhall", "run"]

    def env(self, bot, url, folder):
        env = {
            "PATH": os.environ["PATH"],
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": url,
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": "sk-rehearsal-only-no-secret",
            "OPENAI_MODEL": "rehearsal-1",
        }
        if bot == "hall":
            env |= {
                "GUILDHALL_ALLOW": "*",
                "GUILDHALL_DATA_DIR": str(folder / "data"),
                "GUILDHALL_KEY_FILE": str(folder / "master.key"),
                "GUILDHALL_HTTP_ADDR": f"127.0.0.1:{free_port()}",
                # No limit but the machine.
                "GUILDHALL__LIMITS__PERSON_PER_MINUTE": "0",
                "GUILDHALL__TELEGRAM__PACING": "false",
                # Each message is a question of its own, and counted.
                "GUILDHALL__SESSION__GATHER_TIME": "0s",
            }
            agents = pathlib.Path(__file__).resolve().parents[2] / "config" / "agents"
            env["GUILDHALL__HALL__AGENTS_DIR"] = str(agents)
        return env


def end(process):
    """Ends a process of ours, gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def usage(pid):
    """Processor time and memory of a running process, from its beginning until now."""
    process = pathlib.Path("/proc") / str(pid)
    # Fields 14 and 15, counted after the name, which may hold spaces.
    ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    memory = dict(re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB", (process / "status").read_text(), re.MULTILINE))
    return {
        "cpu_s": sum(map(int, ticks)) / TICKS_PER_S,
        "rss_mib": int(memory["VmRSS"]) / 1024,
        "rss_peak_mib": int(memory["VmHWM"]) / 1024,
    }


def print_tables(runs, options):
    def median(name, key):
        return statistics.median(run[key] for run in runs[name])

    pump, hall = "pump", "hall"
    print(f"\n{options.people} people, each writes again when answered; median of {options.rounds} runs of {options.seconds} s")
    print(f"{'':26}{'pump':>10}{'hall':>10}{'hall/pump':>11}")
    rows = [
        ("messages a second", "messages_per_s", 0),
        ("p50, ms", "p50_ms", 1),
        ("p99, ms", "p99_ms", 1),
        ("processor, µs a message", "cpu_us_per_message", 0),
        ("memory at most, MiB", "rss_peak_mib", 0),
    ]
    for words, key, digits in rows:
        one, other = median(pump, key), median(hall, key)
        ratio = other / one if one else float("nan")
        print(f"{words:26}{one:>10.{digits}f}{other:>10.{digits}f}{ratio:>10.2f}x")

    pump, hall = "pump at 100/s", "hall at 100/s"
    print("\n100 messages a second")
    print(f"{'':26}{'pump':>10}{'hall':>10}{'added':>11}")
    for words, key in (("p50, ms", "p50_ms"), ("p99, ms", "p99_ms"), ("p99.9, ms", "p999_ms")):
        one, other = median(pump, key), median(hall, key)
        print(f"{words:26}{one:>10.1f}{other:>10.1f}{other - one:>+11.1f}")

    many = runs["hall, 10,000 people"][0]
    print(f"\nafter 10,000 people and {many['answered'] + many['people']} answers")
    print(f"memory, MiB               {many['rss_mib']:>10.0f} (at most {many['rss_peak_mib']:.0f})")
    halls = [run for name in runs if name.startswith("hall") for run in runs[name]]
    count = sum(run["answered"] for run in halls)
    wrong = sum(sum(run["wrong"].values()) for run in halls)
    print(f"\n{count} answers of the hall checked, {wrong} wrong (lost, twice, out of order, to another, off context)")
    print(f"on {os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}")


if __name__ == "__main__":
    main()
