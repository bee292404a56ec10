//! Makes texts with a credential in them and texts that only look like it, from a seed.
//!
//! The credentials come from the forms in `rules/secret-formats.txt`, which states what providers
//! document, not from the rules' patterns. The texts are our own.

use std::ops::Range;

const FORMATS: &str = include_str!("../../../rules/secret-formats.txt");

/// A text with one credential in it.
pub(crate) struct Sample {
    /// The rule that is meant to find it.
    pub(crate) rule: &'static str,
    /// What sort of text it stands in.
    pub(crate) place: &'static str,
    /// The text.
    pub(crate) text: String,
    /// Where the credential stands.
    pub(crate) secret: Range<usize>,
}

/// Texts around a credential that can stand anywhere: place, text.
const AROUND_VALUES: &[(&str, &str)] = &[
    ("chat", "hey, can you see why this one stopped working? @ thanks!"),
    ("chat", "@"),
    ("chat", "I pasted (@) into the form and it says \"not valid\"."),
    ("chat", "try `@` instead, the old one has expired"),
    ("chat", "Мой ключ: @, что не так?"),
    ("env", "DEBUG=true\nACME_VALUE=@\nPORT=8080\n"),
    ("env", "export ACME_VALUE=\"@\""),
    ("yaml", "service:\n  name: web\n  value: @\n  replicas: 2\n"),
    ("yaml", "  - value: '@'\n  - other: 1\n"),
    ("json", "{\"id\": 7, \"value\": \"@\", \"ok\": true}"),
    ("json", "{\"body\":\"{\\\"value\\\":\\\"@\\\"}\"}"),
    ("curl", "curl -s -H \"X-Thing: @\" https://api.example.org/v1/items"),
    ("code", "let client = Client::connect(\"@\").await?;"),
    ("code", "client = Client('@')  # remove before the release"),
    ("code", "const c = new Client({ value: `@` });"),
    ("log", "2026-03-01T10:22:33Z ERROR worker-3 refused value=@ status=401"),
    ("log", "[warn] 10:22:33 retry 2/5 with @: forbidden"),
];

/// Texts around a variable `#` and its value `@`; `~` is the name in words.
const AROUND_NAMED: &[(&str, &str)] = &[
    ("env", "DEBUG=true\n#=@\nPORT=8080\n"),
    ("env", "export #=\"@\""),
    ("env", "#='@'"),
    ("yaml", "env:\n  #: @\n  replicas: 2\n"),
    ("yaml", "  #: \"@\"\n"),
    ("yaml", "env:\n  - name: #\n    value: \"@\"\n"),
    ("json", "{\"id\": 7, \"#\": \"@\", \"ok\": true}"),
    ("json", "{\"body\":\"{\\\"#\\\":\\\"@\\\"}\"}"),
    ("curl", "curl -s -H \"#: @\" https://api.example.org/v1/items"),
    ("curl", "docker run -e #=@ -p 80:80 registry.example.org/web"),
    ("code", "os.environ[\"#\"] = \"@\""),
    ("code", "const # = '@';"),
    ("code", "# := \"@\" // remove before the release"),
    ("log", "2026-03-01T10:22:33Z DEBUG config loaded #=@ mode=prod"),
    ("chat", "why does #=@ not work?"),
    ("chat", "my ~ is @"),
    ("chat", "here is the ~: @, please keep it"),
];

/// Texts around a line or block of its own.
const AROUND_LINES: &[(&str, &str)] = &[
    ("chat", "@"),
    ("chat", "look at this:\n@\nwhat is wrong with it?"),
    ("code", "```\n@\n```"),
    ("log", "$ history | tail -1\n@\n"),
];

/// Texts that are no credential, however random parts of them look.
const ORDINARY: &[&str] = &[
    "Order {n:10} was shipped, tracking number 1Z{B:16}.",
    "The request id is {uuid}, can you find it in the logs?",
    "commit {h:40}\nAuthor: Ada <ada@example.org>\n\n    Fix the garden gate",
    "Merge {h:7} into main, then revert {h:8}.",
    "sha256:{h:64}  release.tar.gz",
    "{h:64}  ./photos/IMG_{n:4}.jpg",
    "md5 of the file: {h:32}",
    "image: registry.example.org/web@sha256:{h:64}",
    "![logo](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{s:400}==)",
    "<img src=\"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP{s:220}\">",
    "https://www.example.com/watch?v={w:11}&list=PL{w:32}",
    "https://docs.example.com/document/d/{w:44}/edit#gid={n:9}",
    "https://shop.example.org/item/{b:12}?ref={b:10}&utm_source=mail",
    "https://cdn.example.net/assets/app.{h:20}.js",
    "\"integrity\": \"sha512-{s:86}==\"",
    "checksum = \"{h:64}\"",
    "github.com/pkg/errors v0.9.1 h1:{s:43}=",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{s:43} ada@laptop",
    "-----BEGIN CERTIFICATE-----\nMIID{s:60}\n{s:64}\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB{s:60}\n-----END PUBLIC KEY-----",
    "etag: W/\"{h:32}\"",
    "traceparent: 00-{h:32}-{h:16}-01",
    "The MAC address is 3c:22:fb:{h:2}:{h:2}:{h:2} and the serial {B:12}.",
    "My IBAN ends in {n:4}, the invoice number is INV-{n:4}-{n:6}.",
    "ISBN 978-{n:1}-{n:4}-{n:4}-{n:1}, page {n:3}",
    "def check_password(password: str) -> bool:\n    return hash(password) == self.password_hash",
    "password = input('Password: ')\nif not password:\n    raise ValueError('no password')",
    "const token = await getToken(user.id);\nheaders.Authorization = `Bearer ${token}`;",
    "API_KEY=<your-api-key>\nDB_PASSWORD=${DB_PASSWORD}\nSECRET_KEY=changeme",
    "api_key: ${{ secrets.API_KEY }}",
    "export OPENAI_API_KEY=sk-...\nexport GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "How do I store an API key? I keep mine in an environment variable called STRIPE_SECRET_KEY.",
    "The password must have at least 12 characters, one digit and one capital letter.",
    "I forgot my password again, where do I reset it? My user name is ada{n:4}.",
    "What is the difference between an access token and a refresh token in OAuth 2.0?",
    "token_count = len(tokenizer.encode(text))  # at most {n:4} tokens",
    "AWS_REGION=eu-central-1\nAWS_ACCOUNT=arn:aws:iam::{n:12}:role/deploy",
    "\"next_page_token\": \"{w:44}\"",
    "{\"id\":\"{uuid}\",\"user\":\"{b:8}\",\"created\":{n:13},\"hash\":\"{h:40}\"}",
    "0000{h:4}: {h:4} {h:4} {h:4} {h:4} {h:4} {h:4} {h:4} {h:4}",
    "at com.example.app.Main.run(Main.java:{n:3})\n\tat java.lang.Thread.run(Thread.java:{n:3})",
    "The colours are #{h:6}, #{h:6} and #{h:6}; the font is 16px.",
    "Call me on +44 20 7946 {n:4} or write to ada.{l:6}@example.org.",
    "tx 0x{h:64} went from 0x{h:40} to 0x{h:40}",
    "git clone https://github.com/example/{l:8}.git && cd {l:8} && git checkout {h:40}",
    "npm install left-pad@1.{n:1}.{n:1} --save-exact  # {h:40}",
    "SELECT * FROM users WHERE id = '{uuid}' AND token_expires_at > now();",
    "Version 1.{n:2}.{n:1}-rc{n:1}+build.{n:4}.{h:7} is out.",
    "magnet:?xt=urn:btih:{h:40}&dn=linux.iso",
    "<div class=\"css-{b:6} sc-{L:6}\" data-testid=\"{b:8}-{n:4}\"></div>",
    "kubectl get pod web-{h:10}-{b:5} -n prod",
    "session {uuid} closed after {n:3} ms",
    "The key to a good {l:7} is patience: knead it for {n:2} minutes.",
    "password: ********\nuser: ada",
    "jdbc:postgresql://db.example.org:5432/app?sslmode=require",
    "postgres://localhost:5432/app and redis://cache.example.org:6379/0",
    "Server=db.example.org;Database=app;Trusted_Connection=True;",
    "Telegram says chat id -100{n:10}, message {n:5}, at {n:2}:{n:2}.",
    "Basic authentication sends a header that begins with Authorization: Basic",
    "public_key = \"{w:43}\"",
    "fingerprint SHA256:{s:43}",
];

/// `per_format` samples of each documented form, in turn in every sort of text.
pub(crate) fn samples(per_format: usize, seed: u64) -> Vec<Sample> {
    let mut random = Random(seed);
    let mut samples = Vec::new();
    for (line, format) in FORMATS.lines().enumerate() {
        let mut fields = format.split('\t');
        let (Some(rule), Some(place), Some(form)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        for nth in 0..per_format {
            // By the line too, so that few samples of each form still see every sort of text.
            let sample = make(&mut random, line * 7 + nth, place, form);
            let (sort, text, secret) = sample;
            samples.push(Sample { rule, place: sort, text, secret });
        }
    }
    samples
}

/// Texts that are no credential.
pub(crate) fn ordinary(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    ORDINARY.iter().cycle().take(count).map(|form| fill(form, &mut random)).collect()
}

/// Messages of 200 to 500 characters such as people write, to time.
pub(crate) fn chat(count: usize, seed: u64) -> Vec<String> {
    const ENGLISH: &[&str] = &[
        "Could you help me plan a weekend in Porto with two children?",
        "I tried the recipe yesterday and the dough was far too wet.",
        "What would you write to a landlord who does not answer?",
        "Here is my function, it returns None when the list is empty.",
        "Thanks, that was exactly what I needed to know about the tax form.",
        "Our meeting is on Tuesday at 14:30, room 3, please bring the slides.",
        "Explain how a heat pump works as if I were ten years old.",
        "The train was late again, so I missed the start of the film.",
    ];
    const OTHERS: &[&str] = &[
        "Bitte übersetze den Brief ins Englische, aber nicht zu förmlich.",
        "Je cherche un petit restaurant près de la gare, pas trop cher.",
        "Сколько стоит билет до Казани и сколько ехать?",
    ];
    let mut random = Random(seed);
    let message = |_| {
        let sentences = if random.below(10) == 0 { OTHERS } else { ENGLISH };
        let mut text = String::new();
        while text.len() < 200 {
            text.push_str(random.one(sentences).copied().unwrap_or_default());
            text.push(' ');
        }
        text
    };
    (0..count).map(message).collect()
}

fn make(
    random: &mut Random,
    nth: usize,
    place: &str,
    form: &str,
) -> (&'static str, String, Range<usize>) {
    let marked = if form.contains("[[") { form.to_owned() } else { format!("[[{form}]]") };
    let value = fill(&marked, random);
    let around = match place {
        "value" => AROUND_VALUES,
        "line" => AROUND_LINES,
        _ => AROUND_NAMED,
    };
    let (sort, around) = around.get(nth % around.len()).copied().unwrap_or(("chat", "@"));
    let names: Vec<&str> = place.split(',').collect();
    let name = random.one(&names).copied().unwrap_or_default();
    let mut text = String::new();
    for c in around.chars() {
        match c {
            '@' => text.push_str(&value),
            '#' => text.push_str(name),
            '~' => text.push_str(&in_words(name)),
            _ => text.push(c),
        }
    }
    let start = text.find("[[").unwrap_or_default();
    let text = text.replacen("[[", "", 1);
    let end = text.find("]]").unwrap_or(text.len());
    (sort, text.replacen("]]", "", 1), start..end)
}

/// A variable's name as one would say it.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(if matches!(c, '_' | '-') { ' ' } else { c.to_ascii_lowercase() });
        before = c;
    }
    words
}

/// Replaces `{a:20}` and its kin by random characters.
fn fill(form: &str, random: &mut Random) -> String {
    let mut filled = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let part = after.split_once('}').and_then(|(spec, tail)| {
            let value = part(spec, random)?;
            Some((value, tail))
        });
        if let Some((value, tail)) = part {
            filled.push_str(&value);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

fn part(spec: &str, random: &mut Random) -> Option<String> {
    match spec {
        "nl" => return Some("\n".to_owned()),
        "uuid" => {
            let mut hex = |count| random.string("0123456789abcdef", count);
            let groups = [hex(8), hex(4), format!("4{}", hex(3)), format!("a{}", hex(3)), hex(12)];
            return Some(groups.join("-"));
        }
        _ => {}
    }
    let (alphabet, length) = spec.split_once(':')?;
    let alphabet = alphabet_of(alphabet)?;
    let (min, max) = length.split_once('-').unwrap_or((length, length));
    let (min, max): (usize, usize) = (min.parse().ok()?, max.parse().ok()?);
    let length = min + random.below(max - min + 1);
    Some(random.string(&alphabet, length))
}

fn alphabet_of(letter: &str) -> Option<String> {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    Some(match letter {
        "n" => DIGITS.to_owned(),
        "h" => "0123456789abcdef".to_owned(),
        "H" => "0123456789ABCDEF".to_owned(),
        "l" => LOWER.to_owned(),
        "u" => UPPER.to_owned(),
        "L" => [LOWER, UPPER].concat(),
        "a" => [LOWER, UPPER, DIGITS].concat(),
        "b" => [LOWER, DIGITS].concat(),
        "B" => [UPPER, DIGITS].concat(),
        "w" => [LOWER, UPPER, DIGITS, "-_"].concat(),
        "s" => [LOWER, UPPER, DIGITS, "+/"].concat(),
        "5" => [UPPER, "234567"].concat(),
        "1" => [LOWER, UPPER, DIGITS].concat().replace(['0', 'O', 'I', 'l'], ""),
        "q" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
        "Q" => "qpzry9x8gf2tvdw0s3jn54khce6mua7l".to_owned(),
        _ => return None,
    })
}

/// Splitmix64 (Steele, Lea and Flood, 2014): the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }

    fn one<'o, T>(&mut self, of: &'o [T]) -> Option<&'o T> {
        of.get(self.below(of.len()))
    }

    fn string(&mut self, alphabet: &str, length: usize) -> String {
        let bytes = alphabet.as_bytes();
        (0..length).filter_map(|_| self.one(bytes)).map(|&byte| char::from(byte)).collect()
    }
}
