//! Words of time in every language that the hall speaks, as [`fold`] leaves them: in small letters,
//! without accents. Pure.

use std::time::Duration;

use jiff::civil::Weekday;

/// What stands before a time from now.
pub(super) const IN: &[&str] = &["in", "en", "dentro de", "через", "بعد", "خلال"];
/// What stands before what comes again.
pub(super) const EVERY: &[&str] = &[
    "every",
    "each",
    "jeden",
    "jede",
    "jedes",
    "alle",
    "cada",
    "todos los",
    "todas las",
    "los",
    "каждый",
    "каждую",
    "каждое",
    "каждые",
    "по",
    "كل",
];
/// Every day.
pub(super) const DAILY: &[&str] =
    &["daily", "taglich", "diariamente", "a diario", "ежедневно", "يوميا"];
/// A day, after "every".
pub(super) const DAYS: &[&str] = &["day", "tag", "dia", "dias", "день", "يوم"];
/// What stands before a day.
pub(super) const ON: &[&str] = &["on", "am", "el", "в", "во", "في يوم", "في", "يوم"];
/// What stands before a time of day. After it an hour alone is a time.
pub(super) const AT: &[&str] = &["at", "um", "gegen", "a las", "a la", "в", "على الساعة", "الساعة"];
/// What stands before a day and before a time of day alike.
pub(super) const ON_AND_AT: &[&str] = &["в"];
/// What makes an hour of a number.
pub(super) const HOUR: &[&str] = &["uhr", "часов", "en punto", "o'clock"];
/// What stands between two of something.
pub(super) const AND: &[&str] = &["and", "und", "y", "и", "و"];
/// One.
pub(super) const ONE: &[&str] = &[
    "a", "an", "one", "ein", "eine", "einem", "einer", "einen", "un", "una", "uno", "один", "одну",
];

/// Days that are counted from today.
pub(super) const FROM_TODAY: &[(&str, i32)] = &[
    ("today", 0),
    ("heute", 0),
    ("hoy", 0),
    ("сегодня", 0),
    ("اليوم", 0),
    ("the day after tomorrow", 2),
    ("ubermorgen", 2),
    ("pasado manana", 2),
    ("послезавтра", 2),
    ("بعد غد", 2),
    ("بعد الغد", 2),
    ("tomorrow", 1),
    ("morgen", 1),
    ("manana", 1),
    ("завтра", 1),
    ("غدا", 1),
    ("غد", 1),
    ("بكرة", 1),
];

/// A part of a day: the hour that it means by itself, and whether an hour with it is one after noon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) hour: i8,
    pub(super) is_late: bool,
}

const MORNING: Part = Part { hour: 9, is_late: false };
const NOON: Part = Part { hour: 12, is_late: true };
const AFTERNOON: Part = Part { hour: 15, is_late: true };
const EVENING: Part = Part { hour: 19, is_late: true };

/// Parts of the day that today is.
pub(super) const OF_TODAY: &[(&str, Part)] = &[
    ("this morning", MORNING),
    ("this afternoon", AFTERNOON),
    ("this evening", EVENING),
    ("tonight", EVENING),
    ("esta tarde", AFTERNOON),
    ("esta noche", EVENING),
    ("هذا المساء", EVENING),
    ("الليلة", EVENING),
];

/// Parts of a day, after it.
pub(super) const PARTS: &[(&str, Part)] = &[
    ("morning", MORNING),
    ("fruh", MORNING),
    ("vormittag", MORNING),
    ("por la manana", MORNING),
    ("утром", MORNING),
    ("صباحا", MORNING),
    ("noon", NOON),
    ("mittag", NOON),
    ("a mediodia", NOON),
    ("al mediodia", NOON),
    ("в полдень", NOON),
    ("ظهرا", NOON),
    ("afternoon", AFTERNOON),
    ("nachmittag", AFTERNOON),
    ("por la tarde", AFTERNOON),
    ("днем", AFTERNOON),
    ("عصرا", AFTERNOON),
    ("evening", EVENING),
    ("abend", EVENING),
    ("por la noche", EVENING),
    ("вечером", EVENING),
    ("مساء", EVENING),
];

/// Which half of the day an hour is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// Before noon.
    Early,
    /// After noon.
    Late,
    /// Before noon if it is a small hour.
    Night,
}

/// After an hour.
pub(super) const HALVES: &[(&str, Half)] = &[
    ("am", Half::Early),
    ("a.m.", Half::Early),
    ("morgens", Half::Early),
    ("fruh", Half::Early),
    ("vormittags", Half::Early),
    ("de la manana", Half::Early),
    ("de la madrugada", Half::Early),
    ("утра", Half::Early),
    ("صباحا", Half::Early),
    ("ص", Half::Early),
    ("pm", Half::Late),
    ("p.m.", Half::Late),
    ("mittags", Half::Late),
    ("nachmittags", Half::Late),
    ("abends", Half::Late),
    ("de la tarde", Half::Late),
    ("de la noche", Half::Late),
    ("дня", Half::Late),
    ("вечера", Half::Late),
    ("مساء", Half::Late),
    ("ظهرا", Half::Late),
    ("عصرا", Half::Late),
    ("م", Half::Late),
    ("nachts", Half::Night),
    ("ночи", Half::Night),
];

const MINUTE: u64 = 60;
const HOUR_SECONDS: u64 = 3_600;
const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

/// Spans that are said without a number.
pub(super) const ALONE: &[(&str, u64)] = &[
    ("half an hour", 30 * MINUTE),
    ("half hour", 30 * MINUTE),
    ("einer halben stunde", 30 * MINUTE),
    ("halbe stunde", 30 * MINUTE),
    ("media hora", 30 * MINUTE),
    ("полчаса", 30 * MINUTE),
    ("نصف ساعة", 30 * MINUTE),
    ("einer viertelstunde", 15 * MINUTE),
    ("un cuarto de hora", 15 * MINUTE),
    ("ربع ساعة", 15 * MINUTE),
    ("минуту", MINUTE),
    ("час", HOUR_SECONDS),
    ("день", DAY),
    ("неделю", WEEK),
    ("دقيقة", MINUTE),
    ("دقيقتين", 2 * MINUTE),
    ("ساعة", HOUR_SECONDS),
    ("ساعتين", 2 * HOUR_SECONDS),
    ("يومين", 2 * DAY),
    ("اسبوع", WEEK),
    ("اسبوعين", 2 * WEEK),
];

/// A unit of time, in any of its forms.
pub(super) fn unit(word: &str) -> Option<Duration> {
    let seconds = match word {
        "s" | "sec" | "secs" | "second" | "seconds" | "sek" | "sekunde" | "sekunden" | "seg"
        | "segundo" | "segundos" | "с" | "сек" | "секунда" | "секунду" | "секунды" | "секунд"
        | "ثانية" | "ثوان" | "ثواني" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" | "minuten" | "minuto" | "minutos" | "мин"
        | "минута" | "минуту" | "минуты" | "минут" | "دقيقة" | "دقائق" => {
            MINUTE
        }
        "h" | "hr" | "hrs" | "hour" | "hours" | "std" | "stunde" | "stunden" | "hora" | "horas"
        | "ч" | "час" | "часа" | "часов" | "ساعة" | "ساعات" => HOUR_SECONDS,
        "d" | "day" | "days" | "tag" | "tage" | "tagen" | "dia" | "dias" | "день" | "дня"
        | "дней" | "يوم" | "يوما" | "ايام" => DAY,
        "w" | "week" | "weeks" | "woche" | "wochen" | "semana" | "semanas" | "неделя"
        | "неделю" | "недели" | "недель" | "اسبوع" | "اسبوعا" | "اسابيع" => {
            WEEK
        }
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// A day of the week, in any of its forms.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let day = match word {
        "monday"
        | "mondays"
        | "mon"
        | "montag"
        | "lunes"
        | "понедельник"
        | "понедельникам"
        | "الاثنين"
        | "اثنين" => Weekday::Monday,
        "tuesday" | "tuesdays" | "tue" | "dienstag" | "martes" | "вторник" | "вторникам"
        | "الثلاثاء" | "ثلاثاء" => Weekday::Tuesday,
        "wednesday" | "wednesdays" | "wed" | "mittwoch" | "miercoles" | "среда" | "среду"
        | "средам" | "الاربعاء" | "اربعاء" => Weekday::Wednesday,
        "thursday" | "thursdays" | "thu" | "donnerstag" | "jueves" | "четверг" | "четвергам"
        | "الخميس" | "خميس" => Weekday::Thursday,
        "friday" | "fridays" | "fri" | "freitag" | "viernes" | "пятница" | "пятницу"
        | "пятницам" | "الجمعة" | "جمعة" => Weekday::Friday,
        "saturday" | "saturdays" | "sat" | "samstag" | "sonnabend" | "sabado" | "sabados"
        | "суббота" | "субботу" | "субботам" | "السبت" | "سبت" => {
            Weekday::Saturday
        }
        "sunday"
        | "sundays"
        | "sun"
        | "sonntag"
        | "domingo"
        | "domingos"
        | "воскресенье"
        | "воскресеньям"
        | "الاحد"
        | "احد" => Weekday::Sunday,
        _ => return None,
    };
    Some(day)
}

/// Days of the week that are said by one word or two, as a field of a cron rule.
pub(super) const OF_THE_WEEK: &[(&str, &str)] = &[
    ("weekday", "1-5"),
    ("weekdays", "1-5"),
    ("workday", "1-5"),
    ("workdays", "1-5"),
    ("werktag", "1-5"),
    ("werktage", "1-5"),
    ("wochentag", "1-5"),
    ("dia laborable", "1-5"),
    ("dias laborables", "1-5"),
    ("будний день", "1-5"),
    ("рабочий день", "1-5"),
    ("будням", "1-5"),
    ("يوم عمل", "1-5"),
    ("weekend", "0,6"),
    ("weekends", "0,6"),
    ("wochenende", "0,6"),
    ("fin de semana", "0,6"),
    ("fines de semana", "0,6"),
    ("выходные", "0,6"),
    ("выходным", "0,6"),
];

/// Days that come again without "every".
pub(super) const ALWAYS: &[(&str, &str)] = &[
    ("montags", "1"),
    ("dienstags", "2"),
    ("mittwochs", "3"),
    ("donnerstags", "4"),
    ("freitags", "5"),
    ("samstags", "6"),
    ("sonntags", "0"),
    ("werktags", "1-5"),
    ("wochentags", "1-5"),
    ("entre semana", "1-5"),
];

/// What of a word says something about time: small letters without accents and marks, and the digits
/// that commands are written with.
pub(super) fn fold(word: &str) -> String {
    let word = word.trim_end_matches([',', ':', '،', '؛']);
    word.chars().flat_map(char::to_lowercase).filter_map(folded).collect()
}

fn folded(letter: char) -> Option<char> {
    let folded = match letter {
        'á' | 'à' | 'ä' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' | 'ö' => 'o',
        'ú' | 'ü' => 'u',
        'ñ' => 'n',
        'ё' => 'е',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        // What keeps Arabic readable and is no letter: vowels, the long line, marks of direction.
        '\u{64B}'..='\u{655}' | '\u{640}' | '\u{200E}' | '\u{200F}' | '\u{2066}'..='\u{2069}' => {
            return None;
        }
        _ => digit(letter).unwrap_or(letter),
    };
    Some(folded)
}

/// Digits of Arabic and Persian as European ones.
fn digit(letter: char) -> Option<char> {
    let zero = match letter {
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        _ => return None,
    };
    char::from_digit(u32::from(letter).checked_sub(u32::from(zero))?, 10)
}
