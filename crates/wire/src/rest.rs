//! Structures that keep the fields they have no name for, in their `rest`.
//!
//! `serde(flatten)` would do the same, but reads each field into a tree before it knows whose it is. Here a field is read
//! once: by the structure's derived code if that has its name, into `rest` if not.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// Makes structures keep unknown fields in `rest`. They derive `Deserialize` with `remote = "Self"`, which makes the
/// derived code a function of the type and leaves the trait to this, and have `rest` marked `skip_deserializing`. Fields
/// in one of the lists after `but` are not kept.
macro_rules! keeps_rest {
    ($($name:ident $(<$life:lifetime>)?),+) => {
        $crate::rest::keeps_rest!($($name $(<$life>)?),+; but &[]);
    };
    ($($name:ident $(<$life:lifetime>)?),+; but $idle:expr) => {$(
        impl<'de $(: $life, $life)?> ::serde::Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut rest = ::serde_json::Map::new();
                let sieve = $crate::rest::Sieve::new(deserializer, &mut rest).but($idle);
                let mut whole = Self::deserialize(sieve)?;
                whole.rest = rest;
                Ok(whole)
            }
        }
    )+};
}
pub(crate) use keeps_rest;

/// A structure that keeps no unknown fields itself, and those that stood beside its own.
#[derive(Debug)]
pub(crate) struct WithRest<T> {
    pub(crate) known: T,
    pub(crate) rest: Map<String, Value>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithRest<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rest = Map::new();
        let known = T::deserialize(Sieve::new(deserializer, &mut rest))?;
        Ok(Self { known, rest })
    }
}

/// Hands a structure the fields that it names, and puts all others aside.
pub(crate) struct Sieve<'r, D> {
    from: D,
    rest: &'r mut Map<String, Value>,
    idle: &'static [&'static [&'static str]],
}

impl<'r, D> Sieve<'r, D> {
    pub(crate) fn new(from: D, rest: &'r mut Map<String, Value>) -> Self {
        Self { from, rest, idle: &[] }
    }

    /// Passes over fields that say nothing, unless the structure names them.
    pub(crate) fn but(self, idle: &'static [&'static [&'static str]]) -> Self {
        Self { idle, ..self }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Sieve<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.from.deserialize_map(Fields { of: visitor, known, idle: self.idle, rest: self.rest })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.from.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields of an object, on their way to the visitor or the map of a structure.
struct Fields<'r, T> {
    of: T,
    known: &'static [&'static str],
    idle: &'static [&'static [&'static str]],
    rest: &'r mut Map<String, Value>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.of.visit_map(Fields { of: map, known: self.known, idle: self.idle, rest: self.rest })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.of.next_key()? {
            if self.known.contains(&&*key) {
                return seed.deserialize(CowStrDeserializer::new(key)).map(Some);
            }
            if self.idle.iter().any(|names| names.contains(&&*key)) {
                self.of.next_value::<IgnoredAny>()?;
            } else {
                let value = self.of.next_value()?;
                self.rest.insert(key.into_owned(), value);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.of.next_value_seed(seed)
    }
}

/// A key, which is borrowed unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(remote = "Self", default, rename_all = "camelCase")]
    struct Thing<'a> {
        #[serde(alias = "first_name")]
        first_name: Option<String>,
        #[serde(borrow)]
        raw: Option<&'a RawValue>,
        inner: Vec<Inner>,
        #[serde(skip_deserializing)]
        rest: Map<String, Value>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(remote = "Self")]
    struct Inner {
        size: u8,
        #[serde(skip_deserializing)]
        rest: Map<String, Value>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(remote = "Self", default)]
    struct Terse {
        size: u8,
        #[serde(skip_deserializing)]
        rest: Map<String, Value>,
    }

    keeps_rest!(Thing<'a>, Inner);
    keeps_rest!(Terse; but &[&["object"], &["size"]]);

    fn why(text: &str) -> String {
        serde_json::from_str::<Thing<'_>>(text).unwrap_err().to_string()
    }

    #[test]
    fn known_fields_are_read_and_all_others_kept_in_their_order() {
        let text = r#"{"z":[1, {"b":null}],"first_name":"a","r\u0061w":{"k" : 1},"rest":1,"a":2,
            "inner":[{"size":3,"more":true}]}"#;
        let thing: Thing<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(thing.first_name.as_deref(), Some("a"));
        assert_eq!(thing.raw.unwrap().get(), r#"{"k" : 1}"#);
        assert_eq!(serde_json::to_string(&thing.rest).unwrap(), r#"{"z":[1,{"b":null}],"rest":1,"a":2}"#);
        assert_eq!((thing.inner[0].size, &thing.inner[0].rest["more"]), (3, &json!(true)));
    }

    #[test]
    fn fields_that_say_nothing_are_passed_over() {
        let terse: Terse = serde_json::from_str(r#"{"object":"x","size":3,"object":[1],"b":2}"#).unwrap();
        assert_eq!((terse.size, Value::Object(terse.rest)), (3, json!({"b": 2})));
    }

    #[test]
    fn unknown_fields_of_a_structure_without_a_rest_stand_beside_it() {
        #[derive(Debug, Deserialize)]
        struct Plain {
            #[serde(alias = "a_size")]
            size: u8,
        }
        let both: Vec<WithRest<Plain>> = serde_json::from_str(r#"[{"a_size":1},{"b":2,"size":3}]"#).unwrap();
        assert_eq!((both[0].known.size, both[0].rest.len()), (1, 0));
        assert_eq!((both[1].known.size, &both[1].rest["b"]), (3, &json!(2)));
    }

    #[test]
    fn what_is_wrong_is_said_as_of_any_structure() {
        assert_eq!(why("[]"), "invalid type: sequence, expected struct Thing at line 1 column 0");
        assert!(why(r#"{"inner":[{}]}"#).starts_with("missing field `size`"));
        assert!(why(r#"{"raw":1,"raw":2}"#).starts_with("duplicate field `raw`"));
        assert!(why(r#"{"unknown":[1,}"#).starts_with("expected value"));
    }

    #[test]
    fn a_wrong_field_is_found_by_its_path() {
        let text = r#"{"odd":{},"inner":[{"size":1},{"more":1,"size":"x"}]}"#;
        let mut source = serde_json::Deserializer::from_str(text);
        let error = serde_path_to_error::deserialize::<_, Thing<'_>>(&mut source).unwrap_err();
        assert_eq!(error.path().to_string(), "inner[1].size");
    }
}
