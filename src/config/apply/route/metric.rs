//! `mtu` and the other metrics of a route.

use super::super::super::grammar;
use super::super::super::model::{Metric, MetricKind};
use super::super::Build;
use super::super::words::{Dropped, Words};

/// The shortest time, in milliseconds: shorter ones are raised to it.
const SHORTEST: u32 = 200;

/// How the value of a metric is written.
enum Form {
    /// A number up to this.
    Number(u64),
    /// The same, perhaps behind `lock`.
    Lockable,
    /// A time with unit, or a number of these parts of a millisecond.
    Time(u64),
}

/// Reads the metric that `keyword` begins; `None` if it begins none.
pub(super) fn read(
    b: &mut Build<'_>,
    words: &mut Words<'_>,
    keyword: &str,
) -> Result<Option<Metric>, Dropped> {
    let number = Form::Number(u32::MAX.into());
    let (kind, form) = match keyword {
        "mtu" => (MetricKind::Mtu, Form::Lockable),
        "advmss" => (MetricKind::AdvMss, Form::Lockable),
        "reordering" => (MetricKind::Reordering, Form::Lockable),
        "cwnd" => (MetricKind::Cwnd, Form::Lockable),
        "ssthresh" => (MetricKind::SsThresh, Form::Lockable),
        "window" => (MetricKind::Window, number),
        "initcwnd" => (MetricKind::InitCwnd, number),
        "initrwnd" => (MetricKind::InitRwnd, number),
        "hoplimit" => (MetricKind::HopLimit, Form::Number(255)),
        "quickack" => (MetricKind::QuickAck, Form::Number(1)),
        "fastopen_no_cookie" => (MetricKind::FastOpenNoCookie, Form::Number(1)),
        "rtt" => (MetricKind::Rtt, Form::Time(8)),
        "rttvar" => (MetricKind::RttVar, Form::Time(4)),
        "rto_min" => (MetricKind::RtoMin, Form::Time(1)),
        "features" => {
            let word = words.value(b, keyword)?;
            if word != "ecn" {
                words.error(b, format!("feature {word} not supported - ignoring")).hint("ecn");
            }
            let value = u32::from(word == "ecn");
            return Ok(Some(Metric { kind: MetricKind::Features, value, locked: false }));
        }
        _ => return Ok(None),
    };
    let locked = !matches!(form, Form::Number(_)) && words.skip("lock");
    let value = match form {
        Form::Number(max) => words.number(b, keyword, max)?,
        Form::Lockable => words.number(b, keyword, u32::MAX.into())?,
        Form::Time(parts) => {
            let word = words.value(b, keyword)?;
            let value = time(word, parts).ok_or_else(|| {
                words
                    .error(b, format!("Invalid {keyword} {word} for route - dropping the route"))
                    .hint("seconds with s, milliseconds with ms, or a bare number in the kernel's unit");
                Dropped
            })?;
            let least = SHORTEST * parts as u32;
            if value < least {
                b.report.warning(
                    &words.place(),
                    format!("{keyword} value {word} below minimum {SHORTEST}ms, resetting"),
                );
            }
            value.max(least)
        }
    };
    Ok(Some(Metric { kind, value, locked }))
}

/// A time in parts of a millisecond. Only seconds may have a fraction, and one without unit is in these parts.
fn time(word: &str, parts: u64) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = grammar::decimal(digits, 1_000).filter(|d| !d.trailing)?;
    let whole = (!digits.contains('.')).then_some(number.millionths / 1_000_000);
    let value = match word.get(digits.len()..)? {
        "" => whole?,
        "s" | "sec" | "secs" if !number.rounded => (number.millionths / 1_000).checked_mul(parts)?,
        "ms" | "msec" | "msecs" => whole?.checked_mul(parts)?,
        _ => return None,
    };
    u32::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_units() {
        for (word, parts, value) in [
            ("200", 8, Some(200)),
            ("1s", 8, Some(8_000)),
            ("1.5sec", 4, Some(6_000)),
            ("500msecs", 1, Some(500)),
            ("1.5ms", 1, None),
            ("1.5", 1, None),
            ("1m", 1, None),
            ("1e1s", 1, None),
            ("s", 1, None),
            ("99999999999s", 8, None),
        ] {
            assert_eq!(time(word, parts), value, "{word}");
        }
    }
}
