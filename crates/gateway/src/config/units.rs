//! Durations and sizes: text with a unit, or bare numbers where LLM-Bridge's file has them.

use std::time::Duration;

use super::tree::{Node, Value};

const DURATIONS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];

const SIZES: [(&str, f64); 8] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// `90s`, `1.5m`, `500ms`, `1h`, `30d`; a bare number means seconds. At most a year, and more than nothing.
pub(super) fn duration(node: &Node) -> Result<Duration, &'static str> {
    const WANTED: &str = "a duration such as 90s, 500ms or 2m";
    const YEAR: f64 = 365.0 * 86_400.0;
    let seconds =
        scaled(node, &DURATIONS).filter(|seconds| *seconds > 0.0 && *seconds <= YEAR).ok_or(WANTED)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| WANTED)
}

/// `10MB`, `512KiB`; a bare number means bytes. At most 1 TB, and more than nothing.
pub(super) fn size(node: &Node) -> Result<usize, &'static str> {
    let bytes = scaled(node, &SIZES).filter(|bytes| *bytes >= 1.0 && *bytes <= 1e12);
    bytes.map(|bytes| bytes as usize).ok_or("a size such as 10MB or 512KiB")
}

fn scaled(node: &Node, units: &[(&str, f64)]) -> Option<f64> {
    match &node.value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => {
            let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            let (number, unit) = text.split_at(split);
            let number: f64 = number.parse().ok()?;
            let unit = unit.trim();
            let scale = units.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
            scale.or(unit.is_empty().then_some(1.0)).map(|scale| number * scale)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node { line: 1, value: Value::Text(text.to_owned()) }
    }

    #[test]
    fn durations_carry_units_and_bare_numbers_are_seconds() {
        let millis = |node: &Node| duration(node).unwrap().as_millis();
        for (written, expected) in [
            ("90s", 90_000),
            ("500ms", 500),
            ("1.5m", 90_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
            ("7", 7_000),
        ] {
            assert_eq!(millis(&text(written)), expected, "{written}");
        }
        assert_eq!(millis(&Node { line: 1, value: Value::Int(120) }), 120_000);
    }

    #[test]
    fn sizes_carry_units_and_bare_numbers_are_bytes() {
        for (written, expected) in
            [("10MB", 10_000_000), ("512 KiB", 524_288), ("2GiB", 2_147_483_648), ("7", 7)]
        {
            assert_eq!(size(&text(written)), Ok(expected), "{written}");
        }
        assert_eq!(size(&Node { line: 1, value: Value::Int(10_485_760) }), Ok(10_485_760));
    }

    #[test]
    fn what_has_no_sense_is_refused() {
        for written in ["", "s", "-5s", "5 parsecs", "1e9", "0", "99999h"] {
            assert!(duration(&text(written)).is_err(), "{written}");
        }
        for written in ["10M", "0", "1e9", "-1"] {
            assert!(size(&text(written)).is_err(), "{written}");
        }
    }
}
