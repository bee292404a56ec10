//! Figures as the hall's `/metrics` tells them, read back for those who want them in another form.
//!
//! Reads the part of `OpenMetrics` that our encoder writes: counters, gauges and histograms, without
//! timestamps and exemplars. What it does not know is left out.

use std::collections::BTreeMap;

/// All figures of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name, without the endings of counters and histograms.
    pub name: String,
    /// What it is, in words.
    pub help: String,
    /// What kind of figure.
    pub kind: Kind,
    /// One for each combination of labels.
    pub points: Vec<Point>,
}

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Grows, or begins anew at a start.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// One figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Its labels, by name.
    pub labels: BTreeMap<String, String>,
    /// Its value; of a histogram, the sum of what was seen.
    pub value: f64,
    /// Of a histogram: how much was seen up to each bound, the last without one.
    pub buckets: Vec<(f64, u64)>,
}

impl Point {
    /// Of a histogram: how much was seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.last().map_or(0, |(_, count)| *count)
    }
}

/// Reads the text of `/metrics`.
#[must_use]
pub fn read(text: &str) -> Vec<Family> {
    let (mut families, mut helps): (Vec<Family>, BTreeMap<&str, &str>) = Default::default();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helps.extend(rest.split_once(' '));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            families.extend(begun(rest, &helps));
        } else if let (false, Some(family)) = (line.starts_with('#'), families.last_mut()) {
            take(family, line);
        }
    }
    families.retain(|it| !it.points.is_empty());
    families
}

fn begun(rest: &str, helps: &BTreeMap<&str, &str>) -> Option<Family> {
    let (name, kind) = rest.split_once(' ')?;
    let kind = match kind {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        _ => return None,
    };
    let help = helps.get(name).copied().unwrap_or_default().to_owned();
    Some(Family { name: name.to_owned(), help, kind, points: Vec::new() })
}

fn take(family: &mut Family, line: &str) {
    let Some((name, mut labels, value)) = sample(line) else { return };
    let ending = name.strip_prefix(family.name.as_str()).unwrap_or(name);
    let bound = labels.remove("le").and_then(|it| it.parse::<f64>().ok());
    let at = family.points.iter().position(|it| it.labels == labels);
    let point = match at.and_then(|at| family.points.get_mut(at)) {
        Some(point) => point,
        None => {
            let known = match family.kind {
                Kind::Counter => ending == "_total",
                Kind::Gauge => ending.is_empty(),
                Kind::Histogram => matches!(ending, "_sum" | "_count" | "_bucket"),
            };
            if !known {
                return;
            }
            family.points.push(Point { labels, ..Point::default() });
            let Some(point) = family.points.last_mut() else { return };
            point
        }
    };
    match (family.kind, ending, bound) {
        (Kind::Counter, "_total", _) | (Kind::Gauge, "", _) | (Kind::Histogram, "_sum", _) => {
            point.value = value;
        }
        (Kind::Histogram, "_bucket", Some(bound)) => point.buckets.push((bound, whole(value))),
        (Kind::Counter | Kind::Gauge | Kind::Histogram, _, _) => {}
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(value: f64) -> u64 {
    value as u64
}

/// `name{label="value",…} 5`.
fn sample(line: &str) -> Option<(&str, BTreeMap<String, String>, f64)> {
    let ends = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(ends);
    let mut labels = BTreeMap::new();
    let mut letters = rest.chars();
    if letters.clone().next() == Some('{') {
        letters.next();
        loop {
            let key: String = letters.by_ref().take_while(|it| *it != '=').collect();
            if letters.next()? != '"' {
                return None;
            }
            labels.insert(key, quoted(&mut letters)?);
            if letters.next()? == '}' {
                break;
            }
        }
    }
    let value = letters.as_str().trim().split(' ').next()?.parse().ok()?;
    Some((name, labels, value))
}

/// Up to the closing quotation mark.
fn quoted(letters: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => match letters.next()? {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{prelude::any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    pub(crate) const TEXT: &str = r#"# HELP guildhall_llm_requests Calls to models, by result.
# TYPE guildhall_llm_requests counter
guildhall_llm_requests_total{model="a \"b\", c=\\d",result="ok"} 5
guildhall_llm_requests_total{model="x",result="timed_out"} 2
# HELP guildhall_store_bytes Bytes on disk.
# TYPE guildhall_store_bytes gauge
guildhall_store_bytes 1024
# HELP guildhall_reply_duration_seconds How long.
# TYPE guildhall_reply_duration_seconds histogram
guildhall_reply_duration_seconds_sum 2.5
guildhall_reply_duration_seconds_count 4
guildhall_reply_duration_seconds_bucket{le="0.5"} 3
guildhall_reply_duration_seconds_bucket{le="+Inf"} 4
# EOF
"#;

    #[test]
    fn counters_gauges_and_histograms_are_read_with_their_labels() {
        let families = read(TEXT);
        let names: Vec<&str> = families.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["guildhall_llm_requests", "guildhall_store_bytes", "guildhall_reply_duration_seconds"]
        );
        assert_eq!(families[0].help, "Calls to models, by result.");
        assert_eq!(families[0].points[0].labels["model"], "a \"b\", c=\\d");
        assert_eq!((families[0].points[0].value, families[0].points[1].value), (5.0, 2.0));
        assert_eq!(families[1].points[0].value, 1024.0);
        let histogram = &families[2].points[0];
        assert_eq!((histogram.value, histogram.count()), (2.5, 4));
        assert_eq!(histogram.buckets, [(0.5, 3), (f64::INFINITY, 4)]);
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in any::<String>()) {
            let families = read(&format!("# TYPE a counter\n{text}\na_total{{x=\"{text}\"}} 1"));
            prop_assert!(families.iter().all(|it| !it.points.is_empty()));
        }

        #[test]
        fn a_label_is_read_as_it_was_written(value in "[^\u{0}]*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let line = format!("a_total{{x=\"{escaped}\"}} 7");
            let (_, labels, number) = sample(&line).unwrap();
            prop_assert_eq!((&labels["x"], number), (&value, 7.0));
        }
    }
}
