"""Times other guards on the texts of `guard-figures speed`, one after the other on one core, and ours
on the same texts in the same run. Prints a table with ratios.

Called by `scripts/bench guard` with the path of guard-figures; runs in the environment that
guard-peers-venv makes.
"""

import argparse
import contextlib
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# One core for everybody, before anything that reads it is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

CORE = min(os.sched_getaffinity(0))
OPEN = contextlib.ExitStack()


def attacks_by_patterns():
    from prompt_shield import PromptScanner

    scanner = PromptScanner()
    return scanner.scan


def secrets_and_attacks_by_patterns():
    from classifinder_engine import scan

    return scan


def secrets_by_patterns():
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    # Its settings hold until the end of the program.
    OPEN.enter_context(default_settings())
    return lambda text: [list(scan_line(line)) for line in text.splitlines()]


def personal_data_by_patterns():
    """The recognisers that need no language model, as the analyser calls them."""
    import tldextract
    from presidio_analyzer import predefined_recognizers as known

    # The list that it brings, or it would ask the network for a newer one.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

    names = (
        "CreditCardRecognizer CryptoRecognizer DateRecognizer EmailRecognizer IbanRecognizer "
        "IpRecognizer PhoneRecognizer UsSsnRecognizer UsPassportRecognizer EsNifRecognizer "
        "ItFiscalCodeRecognizer ItPassportRecognizer PlPeselRecognizer"
    )
    recognizers = [getattr(known, name)() for name in names.split()]

    def analyze(text):
        return [it.analyze(text, it.supported_entities, None) for it in recognizers]

    return analyze


def attacks_by_transformer():
    import onnxruntime

    usual = onnxruntime.InferenceSession

    def one_thread(path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return usual(path, options)

    onnxruntime.InferenceSession = one_thread
    from stackone_defender.classifiers.onnx_classifier import OnnxClassifier

    classifier = OnnxClassifier()
    classifier.load_model()
    return classifier.classify


PEERS = {
    "ai-injection-guard, attacks": (attacks_by_patterns, 3),
    "classifinder-engine, attacks and secrets": (secrets_and_attacks_by_patterns, 3),
    "detect-secrets, secrets": (secrets_by_patterns, 3),
    "presidio-analyzer, personal data by patterns": (personal_data_by_patterns, 3),
    "stackone-defender, attacks by a transformer": (attacks_by_transformer, 1),
}


def measure(judge, texts, rounds):
    """The best time of each text over some rounds, as guard-figures takes it. The processor's time:
    long calls would meet whatever else the machine does."""
    for text in texts[:50]:
        judge(text)
    best = [float("inf")] * len(texts)
    for _ in range(rounds):
        for at, text in enumerate(texts):
            begin = time.thread_time()
            judge(text)
            best[at] = min(best[at], (time.thread_time() - begin) * 1e6)
    return best


def figures(times, byte_count):
    ordered = sorted(times)
    at = lambda share: ordered[min(int(len(ordered) * share), len(ordered) - 1)]
    return {"p50_us": at(0.5), "p99_us": at(0.99), "mb_s": byte_count / sum(ordered)}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench guard")
    parser.add_argument("program", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    # What is started from here stays on this core, too.
    os.sched_setaffinity(0, {CORE})

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "texts.jsonl"
        command = [options.program, "speed", "--json", "--write", file]
        said = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if not said.stdout.strip():
            sys.exit("guard-figures measured nothing")
        ours = json.loads(said.stdout)
        texts = [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    byte_count = sum(len(text.encode()) for text in texts)

    rows = {"Guildhall, whole judgement, in": ours["in"], "Guildhall, whole judgement, out": ours["out"]}
    every = {}
    for name, (make, rounds) in PEERS.items():
        print(f"bench: {name}", file=sys.stderr)
        every[name] = measure(make(), texts, rounds)
        rows[name] = figures(every[name], byte_count)
    together = ["ai-injection-guard, attacks", "detect-secrets, secrets", PERSONAL]
    summed = [sum(times) for times in zip(*(every[name] for name in together))]
    rows["the three for attacks, secrets and personal data together"] = figures(summed, byte_count)

    print(f"{len(texts)} texts, {byte_count} bytes, one core, the best of some rounds for each text\n")
    print("| guard | p50 | p99 | MB/s | p50 as a multiple of ours |\n|---|---|---|---|---|")
    for name, row in rows.items():
        ratio = row["p50_us"] / ours["in"]["p50_us"]
        print(
            f"| {name} | {row['p50_us']:.1f} µs | {row['p99_us']:.1f} µs "
            f"| {row['mb_s']:.3f} | {ratio:.1f} |"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    OPEN.close()


PERSONAL = "presidio-analyzer, personal data by patterns"

if __name__ == "__main__":
    main()
