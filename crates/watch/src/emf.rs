//! Figures as lines of `CloudWatch`'s Embedded Metric Format, for its agent or for the log driver of a
//! container.
//!
//! One line for each combination of labels, which are its dimensions. What counts up is told as how much it
//! grew since the line before, so that sums over time are right; of a histogram, `_sum` and `_count` grow so.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>:
//! at most 100 metrics and 30 dimensions a line, values at the root.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use protocol::Timestamp;
use serde_json::{Map, Value, json};

use crate::figures::{Family, Kind, Point};

/// What every such line begins with, and no line of the log.
pub(crate) const BEGINNING: &[u8] = b"{\"_aws\":";
const METRICS_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const DIMENSION_CHARS_MAX: usize = 1_024;
/// A file that would grow beyond this is followed by another; one more is kept.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Labels, or dimensions.
type Labels = BTreeMap<String, String>;
/// A name, a value, a unit.
type Metric = (String, f64, &'static str);

/// Makes the lines, and remembers what was counted before.
#[derive(Debug)]
pub struct Emf {
    namespace: String,
    before: BTreeMap<(String, Labels), f64>,
}

impl Emf {
    /// Lines for a namespace of `CloudWatch`'s.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), before: BTreeMap::new() }
    }

    /// The lines for these figures, each with its line end.
    pub fn lines(&mut self, families: &[Family], now: Timestamp) -> Vec<String> {
        let mut groups: BTreeMap<Labels, Vec<Metric>> = BTreeMap::new();
        for family in families {
            for point in &family.points {
                let metrics = self.metrics(family, point);
                groups.entry(dimensions(&point.labels)).or_default().extend(metrics);
            }
        }
        let mut lines = Vec::new();
        for (dimensions, metrics) in &groups {
            for some in metrics.chunks(METRICS_MAX) {
                lines.push(self.line(dimensions, some, now));
            }
        }
        lines
    }

    fn metrics(&mut self, family: &Family, point: &Point) -> Vec<Metric> {
        let name = &family.name;
        let unit = match () {
            () if name.ends_with("_seconds") => "Seconds",
            () if name.ends_with("_bytes") => "Bytes",
            () => "None",
        };
        match family.kind {
            Kind::Gauge => vec![(name.clone(), point.value, unit)],
            Kind::Counter => {
                let grown = self.grown(name, &point.labels, point.value);
                vec![(name.clone(), grown, "Count")]
            }
            Kind::Histogram => {
                let (sum, count) = (format!("{name}_sum"), format!("{name}_count"));
                #[expect(clippy::cast_precision_loss, reason = "counts fit in 53 bits")]
                let counted = self.grown(&count, &point.labels, point.count() as f64);
                let summed = self.grown(&sum, &point.labels, point.value);
                vec![(sum, summed, unit), (count, counted, "Count")]
            }
        }
    }

    /// How much a counter grew since it was last told. One that counts less than before began anew.
    fn grown(&mut self, name: &str, labels: &Labels, value: f64) -> f64 {
        let before = self.before.insert((name.to_owned(), labels.clone()), value);
        match before {
            Some(before) if before <= value => value - before,
            Some(_) | None => value,
        }
    }

    fn line(&self, dimensions: &Labels, metrics: &[Metric], now: Timestamp) -> String {
        let names: Vec<&String> = dimensions.keys().collect();
        let defined: Vec<Value> =
            metrics.iter().map(|(name, _, unit)| json!({ "Name": name, "Unit": unit })).collect();
        let about = json!({
            "Timestamp": now.0,
            "CloudWatchMetrics": [{
                "Namespace": self.namespace, "Dimensions": [names], "Metrics": defined,
            }],
        });
        let mut values = Map::new();
        for (name, value) in dimensions {
            values.insert(name.clone(), json!(value));
        }
        for (name, value, _) in metrics {
            values.insert(name.clone(), json!(value));
        }
        let values = Value::Object(values).to_string();
        // By hand, so that it begins as no line of the log does.
        let rest = values.trim_start_matches('{');
        let comma = if rest == "}" { "" } else { "," };
        format!("{}{about}{comma}{rest}\n", String::from_utf8_lossy(BEGINNING))
    }
}

/// Labels as dimensions: `CloudWatch` takes none that is empty, too long, or holds control characters.
fn dimensions(labels: &Labels) -> Labels {
    let clean = |text: &str| -> String {
        let kept = text.chars().filter(|it| it.is_ascii() && !it.is_ascii_control());
        kept.take(DIMENSION_CHARS_MAX).collect()
    };
    let clean = labels.iter().map(|(name, value)| (clean(name), clean(value)));
    clean.filter(|(_, value)| !value.trim().is_empty()).take(DIMENSIONS_MAX).collect()
}

/// A file for `CloudWatch`'s agent, which is followed by another when it is full.
pub(crate) struct EmfFile {
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl EmfFile {
    /// Opens it.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let open = Some(opened(&path)?);
        Ok(Self { path, open })
    }
}

fn opened(path: &PathBuf) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

impl Write for EmfFile {
    /// Takes a whole line or nothing.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.open.as_ref().is_some_and(|(_, bytes)| FILE_BYTES_MAX < bytes + length) {
            self.open = None;
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            fs::rename(&self.path, old)?;
        }
        let (mut file, bytes) = match self.open.take() {
            Some(open) => open,
            None => opened(&self.path)?,
        };
        // A file on which a write fails is opened anew.
        file.write_all(line)?;
        self.open = Some((file, bytes + length));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{self, tests::TEXT};

    const NOW: Timestamp = Timestamp(1_795_348_800_123);

    fn told(emf: &mut Emf, text: &str) -> Vec<Value> {
        let lines = emf.lines(&figures::read(text), NOW);
        let whole = |it: &String| it.ends_with('\n') && it.matches('\n').count() == 1;
        assert!(lines.iter().all(whole), "{lines:?}");
        assert!(lines.iter().all(|it| it.as_bytes().starts_with(BEGINNING)), "{lines:?}");
        lines.iter().map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    #[test]
    fn labels_are_dimensions_and_what_counts_up_is_told_by_how_much_it_grew() {
        let mut emf = Emf::new("Guildhall");
        let lines = told(&mut emf, TEXT);
        let golden = json!({
            "_aws": {
                "Timestamp": 1_795_348_800_123_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Guildhall", "Dimensions": [["model", "result"]],
                    "Metrics": [{ "Name": "guildhall_llm_requests", "Unit": "Count" }],
                }],
            },
            "model": "x", "result": "timed_out", "guildhall_llm_requests": 2.0,
        });
        assert!(lines.contains(&golden), "{lines:#?}");
        let plain = &lines[0];
        assert_eq!(plain["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(plain["guildhall_store_bytes"], 1024.0);
        assert_eq!(plain["guildhall_reply_duration_seconds_count"], 4.0);
        let again = told(&mut emf, &TEXT.replace("result=\"ok\"} 5", "result=\"ok\"} 8"));
        let grown = |lines: &[Value], result: &str| {
            let line = lines.iter().find(|it| it["result"] == result);
            line.map(|it| it["guildhall_llm_requests"].clone())
        };
        assert_eq!(grown(&again, "ok"), Some(json!(3.0)));
        assert_eq!(grown(&again, "timed_out"), Some(json!(0.0)));
        let anew = told(&mut emf, &TEXT.replace("result=\"ok\"} 5", "result=\"ok\"} 1"));
        assert_eq!(grown(&anew, "ok"), Some(json!(1.0)), "it began anew");
    }

    #[test]
    fn a_line_holds_no_more_metrics_and_dimensions_than_cloudwatch_takes() {
        let mut text = String::new();
        for n in 0..250 {
            text += &format!("# TYPE g{n} gauge\ng{n} {n}\n");
        }
        let labels: Vec<String> = (0..40).map(|n| format!("l{n}=\"v\"")).collect();
        text += &format!("# TYPE many gauge\nmany{{{},empty=\"\"}} 1\n", labels.join(","));
        let lines = told(&mut Emf::new("N"), &text);
        assert_eq!(lines.len(), 4);
        for line in &lines {
            let metrics = &line["_aws"]["CloudWatchMetrics"][0];
            assert!(metrics["Metrics"].as_array().unwrap().len() <= 100);
            assert!(metrics["Dimensions"][0].as_array().unwrap().len() <= 30);
        }
    }

    #[test]
    fn a_full_file_is_followed_by_another_and_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("emf.ndjson");
        let mut file = EmfFile::open(path.clone()).unwrap();
        let line = vec![b'x'; 9 << 20];
        for _ in 0..3 {
            file.write_all(&line).unwrap();
        }
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!((names, fs::metadata(&path).unwrap().len()), (2, 9 << 20));
    }
}
