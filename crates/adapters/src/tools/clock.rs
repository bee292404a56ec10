//! Tells the time and the date in any time zone, and how far apart two moments are.
//!
//! Owns      nothing: the time comes from the hall's clock, the zones are built in.

use jiff::{Timestamp, Unit, Zoned, civil::DateTime, tz::TimeZone};
use protocol::tool::{Taint, ToolOutput};
use serde_json::{Value, json};

pub(super) const DESCRIPTION: &str = "Tells the date and time now in a time zone. With `from` and `until`, \
    tells how far apart two moments are; each is a date (2026-11-26), or a date and a time \
    (2026-11-26T18:30), in that zone, or the word `now`.";

pub(super) fn parameters() -> Value {
    let moment = |about: &str| json!({ "type": "string", "maxLength": 40, "description": about });
    json!({
        "type": "object",
        "properties": {
            "zone": { "type": "string", "maxLength": 60,
                "description": "A time zone such as Europe/Berlin; UTC if it is left out." },
            "from": moment("The first moment; now if it is left out."),
            "until": moment("The second moment; now if it is left out."),
        },
        "additionalProperties": false,
    })
}

/// Tells what is asked for.
pub(super) fn call(now: protocol::Timestamp, arguments: &Value) -> ToolOutput {
    match answer(now, arguments) {
        Ok(text) => ToolOutput { text, taint: Taint::Hall, is_error: false },
        Err(text) => ToolOutput { text: text.to_owned(), taint: Taint::Hall, is_error: true },
    }
}

fn answer(now: protocol::Timestamp, arguments: &Value) -> Result<String, &'static str> {
    let field = |name| arguments.get(name).and_then(Value::as_str);
    let zone = TimeZone::get(field("zone").unwrap_or("UTC"))
        .map_err(|_unknown| "there is no such time zone; a name such as Europe/Berlin is needed")?;
    let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
    let now = Timestamp::from_millisecond(millis).map_err(|_far| "the clock is wrong")?;
    let now = now.to_zoned(zone.clone());
    let (from, until) = (field("from"), field("until"));
    if from.is_none() && until.is_none() {
        return Ok(now
            .strftime("%A, %Y-%m-%d %H:%M:%S %Z (UTC%:z), week %G-W%V, day %-j of the year")
            .to_string());
    }
    let moment = |text: Option<&str>| match text {
        None | Some("now") => Ok(now.clone()),
        Some(text) => read(text, &zone),
    };
    let (from, until) = (moment(from)?, moment(until)?);
    let too_far = "these moments are too far apart";
    let span = from.until((Unit::Year, &until)).map_err(|_far| too_far)?;
    let days = from.until((Unit::Day, &until)).map_err(|_far| too_far)?.get_days();
    let hours = from.duration_until(&until).as_secs() / 3_600;
    let show = |it: &Zoned| it.strftime("%a %Y-%m-%d %H:%M %Z").to_string();
    Ok(format!(
        "From {} until {}: {span:#}; that is {days} days, or {hours} hours.",
        show(&from),
        show(&until)
    ))
}

fn read(text: &str, zone: &TimeZone) -> Result<Zoned, &'static str> {
    let wrong = "a moment must look like 2026-11-26 or 2026-11-26T18:30";
    let moment = text.parse::<DateTime>().map_err(|_unreadable| wrong)?;
    moment.to_zoned(zone.clone()).map_err(|_far| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 26 November 2026, 09:30:15 UTC.
    const NOW: protocol::Timestamp = protocol::Timestamp(1_795_685_415_000);

    fn says(arguments: Value) -> String {
        call(NOW, &arguments).text
    }

    #[test]
    fn the_time_is_told_in_any_zone() {
        assert_eq!(
            says(json!({})),
            "Thursday, 2026-11-26 09:30:15 UTC (UTC+00:00), week 2026-W48, day 330 of the year"
        );
        assert!(says(json!({ "zone": "Asia/Kathmandu" })).contains("15:15:15 +0545"));
        assert!(says(json!({ "zone": "Europe/Berlin" })).contains("10:30:15 CET (UTC+01:00)"));
    }

    #[test]
    fn the_distance_of_two_moments_is_told_over_a_change_of_the_clocks() {
        let arguments =
            json!({ "zone": "Europe/Berlin", "from": "2026-03-28", "until": "2026-03-30T00:00" });
        assert_eq!(
            says(arguments),
            "From Sat 2026-03-28 00:00 CET until Mon 2026-03-30 00:00 CEST: 2d; that is 2 days, or 47 hours."
        );
        assert!(says(json!({ "until": "2026-12-24" })).contains("that is 27 days, or 662 hours"));
        assert!(says(json!({ "from": "2026-11-25", "until": "now" })).contains("1d 9h 30m"));
    }

    #[test]
    fn what_is_no_zone_and_no_moment_is_said() {
        for arguments in [
            json!({ "zone": "Middle/Earth" }),
            json!({ "from": "tomorrow" }),
            json!({ "from": "2026-02-30" }),
            json!({ "until": "99999-01-01" }),
        ] {
            assert!(call(NOW, &arguments).is_error, "{arguments}");
        }
    }
}
