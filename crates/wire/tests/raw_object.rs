//! Laws of the object scanner, with serde_json as the judge.

use bytes::Bytes;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use wire::RawObject;

fn parse(text: &str) -> Result<RawObject, wire::Fault> {
    RawObject::parse(Bytes::copy_from_slice(text.as_bytes()))
}

/// Any JSON value, a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec(("[a-d\\PC]{0,3}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::vec(("[a-f]{1,2}", value()), 0..8).prop_map(|members| members.into_iter().collect())
}

/// Text that is nearly JSON: tokens in any order.
fn tokens() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\"",
        "\"\\u00e9\"",
        "\"\\ud800\"",
        "\"\\",
        "\"\n\"",
        "0",
        "-",
        "1.5",
        "1e9",
        "01",
        "true",
        "null",
        "nul",
        " ",
        "\t\r\n",
        "\u{e9}",
        "\u{0}",
    ]);
    proptest::collection::vec(token, 0..12).prop_map(|tokens| format!("{{\"k\":{}", tokens.concat()))
}

#[derive(Debug, Clone)]
enum Edit {
    Set(String, Value),
    Rename(String, String),
    Remove(String),
}

fn edit() -> impl Strategy<Value = Edit> {
    let key = || "[a-f]{1,2}";
    prop_oneof![
        (key(), value()).prop_map(|(key, value)| Edit::Set(key, value)),
        (key(), key()).prop_map(|(from, to)| Edit::Rename(from, to)),
        key().prop_map(Edit::Remove),
    ]
}

fn edit_raw(object: &mut RawObject, edit: &Edit) {
    match edit {
        Edit::Set(key, value) => object.set(key, value),
        Edit::Rename(from, to) => object.rename(from, to),
        Edit::Remove(key) => object.remove(key),
    }
}

fn edit_map(object: &mut Map<String, Value>, edit: &Edit) {
    match edit {
        Edit::Set(key, value) => drop(object.insert(key.clone(), value.clone())),
        Edit::Remove(key) => drop(object.shift_remove(key)),
        Edit::Rename(from, to) if from == to || !object.contains_key(from) => {}
        Edit::Rename(from, to) => {
            object.shift_remove(to);
            let renamed = |key: String| if key == *from { to.clone() } else { key };
            *object = std::mem::take(object).into_iter().map(|(key, value)| (renamed(key), value)).collect();
        }
    }
}

proptest! {
    #[test]
    fn spliced_edits_equal_edits_of_the_parsed_object(
        start in object(),
        edits in proptest::collection::vec(edit(), 0..6),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&start) } else { serde_json::to_string(&start) }.unwrap();
        let (mut raw, mut map) = (parse(&text).unwrap(), start);
        for edit in &edits {
            edit_raw(&mut raw, edit);
            edit_map(&mut map, edit);
        }
        for (key, value) in &map {
            prop_assert_eq!(&raw.get::<Value>(key).unwrap().unwrap_or_default(), value);
        }
        let segments = raw.clone().into_segments().concat();
        let bytes = raw.into_bytes();
        prop_assert_eq!(&segments, &bytes);
        let back: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
        prop_assert!(back.iter().eq(&map), "{:?} is not {:?}", back, map);
    }

    #[test]
    fn what_is_taken_apart_untouched_comes_back_as_the_same_bytes(start in object()) {
        let text = serde_json::to_string_pretty(&start).unwrap();
        prop_assert_eq!(&parse(&text).unwrap().into_bytes()[..], text.as_bytes());
    }

    #[test]
    fn exactly_what_serde_json_takes_is_taken(text in prop_oneof![tokens(), tokens().prop_map(|text| text + "}")]) {
        let judge = serde_json::from_str::<IgnoredAny>(&text);
        let twice = matches!(parse(&text), Err(wire::Fault::Malformed { why, .. }) if why.contains("occurs twice"));
        prop_assert_eq!(parse(&text).is_ok() || twice, judge.is_ok(), "{:?}: {:?}", text, judge);
    }

    #[test]
    fn a_damaged_object_is_taken_only_if_serde_json_takes_it(
        start in object(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = serde_json::to_vec(&start).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let ours = RawObject::parse(bytes.clone().into());
        let twice = matches!(&ours, Err(wire::Fault::Malformed { why, .. }) if why.contains("occurs twice"));
        let judge = str::from_utf8(&bytes).is_ok_and(|text| {
            text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
        });
        prop_assert_eq!(ours.is_ok() || twice, judge);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(RawObject::parse(bytes.into()));
    }
}

#[test]
fn deep_nesting_is_refused_without_a_deep_stack() {
    for (open, levels) in [("[", 100_000), ("{\"a\":", 100_000)] {
        let text = format!("{{\"messages\":{}", open.repeat(levels));
        assert!(parse(&text).is_err());
    }
}
