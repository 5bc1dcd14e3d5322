//! A JSON object as received: what the top level says, and edits that leave the rest byte for byte.
//!
//! One pass checks UTF-8, the whole grammar, the depth and that no top-level key stands twice, and notes where each
//! member lies. What is inside a member is decoded on demand by [`RawObject::get`], or never.

pub(crate) mod check;
pub(crate) mod scan;
mod splice;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::scan::{Key, ScanError, Scanner};
use crate::fault::Fault;

/// Levels that may be open at once, the outermost object included.
const MAX_DEPTH: u32 = 64;
/// The same inside [`DEEP_MEMBER`]: schemas nest deeper than conversations.
const MAX_DEPTH_IN_TOOLS: u32 = 128;
const DEEP_MEMBER: &[u8] = b"tools";
/// Members of the top level; no dialect has a tenth of it, and it bounds the search for duplicates.
const MAX_MEMBERS: usize = 1024;

/// A JSON object as received. Untouched, it gives back the very same bytes; edited, everything but the edited members
/// stays as it was, spaces included.
#[derive(Debug, Clone)]
pub struct RawObject {
    bytes: Bytes,
    members: Vec<Member>,
    /// Where the first member begins, and where the last one ends: before and after lie braces and spaces.
    inside: Range<usize>,
    edited: bool,
}

/// A key and its value.
#[derive(Debug, Clone)]
struct Member {
    /// The key without its escapes; `None` when it stands in the text as it is.
    name: Option<String>,
    /// From the comma before it to its key.
    lead: Text,
    /// With its quotes.
    key: Text,
    /// The colon and the spaces around it.
    colon: Text,
    value: Text,
}

/// A piece of the object's text.
#[derive(Debug, Clone)]
enum Text {
    Received(Range<usize>),
    Made(String),
}

impl RawObject {
    /// Checks `bytes` and finds their members. [`Fault::Malformed`] says what is wrong and where: not UTF-8, not JSON,
    /// not an object, a key twice (`model` and `mod\u0065l` are one key), nested deeper than 64 levels (128 in `tools`).
    pub fn parse(bytes: Bytes) -> Result<Self, Fault> {
        check_encoding(&bytes)?;
        let mut scanner = Scanner::new(&bytes);
        if scanner.peek().is_some_and(|first| first != b'{') {
            return Err(Fault::malformed(None, "the body must be a JSON object"));
        }
        let mut members: Vec<Member> = Vec::with_capacity(16);
        let mut end = 0;
        scanner.each_member(|scanner, key| {
            let member = take_member(scanner, key, end)?;
            admit(&bytes, &members, &member)?;
            end = scanner.at();
            members.push(member);
            Ok::<(), Fault>(())
        })?;
        let closing = scanner.at() - 1;
        scanner.end()?;
        let inside = members.first().map_or(closing..closing, |first| first.key.start()..end);
        Ok(Self { bytes, members, inside, edited: false })
    }

    /// The bytes as received, edits not included.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The JSON text of a member's value, as edited.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.member(key).map(|member| self.text(&member.value))
    }

    /// A member's value. `None`: absent or null. [`Fault::Malformed`] says what was expected, and where, as
    /// `messages.0.content`.
    pub fn get<'a, T: Deserialize<'a>>(&'a self, key: &str) -> Result<Option<T>, Fault> {
        let Some(member) = self.member(key) else { return Ok(None) };
        decode_at(key, self.text(&member.value))
    }

    /// The whole object.
    ///
    /// # Errors
    /// [`Fault::Malformed`], naming the place of what is not as it should be.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        decode_bytes_at("", self.as_bytes())
    }

    /// Whether the key is there, with whatever value.
    pub fn has(&self, key: &str) -> bool {
        self.member(key).is_some()
    }

    /// The keys in order, without escapes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| self.name(member))
    }

    /// Keys, without escapes, and the JSON texts of their values, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.members.iter().map(|member| (member.name_bytes(&self.bytes), self.slice(&member.value)))
    }

    /// The JSON text of a member's value, as edited.
    pub(crate) fn value(&self, key: &str) -> Option<&[u8]> {
        self.member(key).map(|member| self.slice(&member.value))
    }

    /// Sets a member: in its place if it exists, else at the end.
    pub fn set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        let text = serde_json::to_string(value).expect("values set by the gateway have string keys");
        self.set_raw(key, text);
    }

    /// Sets a member to a JSON text, which the caller knows to be valid.
    pub fn set_raw(&mut self, key: &str, json_text: String) {
        self.edited = true;
        match self.position(key) {
            Some(position) => self.members[position].value = Text::Made(json_text),
            None => self.members.push(Member::made(key, json_text)),
        }
    }

    /// Gives a member another key; value and place are kept. A member that has the new key already is removed. Without a
    /// member `from` nothing happens.
    pub fn rename(&mut self, from: &str, to: &str) {
        if from == to || !self.has(from) {
            return;
        }
        self.remove(to);
        let position = self.position(from).expect("only another key was removed");
        self.members[position].name = Some(to.to_owned());
        self.members[position].key = Text::Made(quoted(to));
        self.edited = true;
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) {
        if let Some(position) = self.position(key) {
            self.members.remove(position);
            self.edited = true;
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.members.iter().position(|member| member.is(key, &self.bytes))
    }

    fn member(&self, key: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.is(key, &self.bytes))
    }

    fn name<'a>(&'a self, member: &'a Member) -> &'a str {
        member.name(&self.bytes)
    }

    fn slice<'a>(&'a self, text: &'a Text) -> &'a [u8] {
        match text {
            Text::Received(span) => &self.bytes[span.clone()],
            Text::Made(text) => text.as_bytes(),
        }
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        let text = simdutf8::basic::from_utf8(self.slice(text));
        text.expect("the whole was checked, and spans end at ASCII")
    }
}

impl Member {
    fn made(key: &str, value: String) -> Self {
        Self {
            name: Some(key.to_owned()),
            lead: Text::Made(",".to_owned()),
            key: Text::Made(quoted(key)),
            colon: Text::Made(":".to_owned()),
            value: Text::Made(value),
        }
    }

    fn is(&self, name: &str, bytes: &[u8]) -> bool {
        self.name_bytes(bytes) == name.as_bytes()
    }

    fn name<'a>(&'a self, bytes: &'a [u8]) -> &'a str {
        str::from_utf8(self.name_bytes(bytes)).expect("the whole was checked, and quotes are ASCII")
    }

    fn name_bytes<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        match (&self.name, &self.key) {
            (Some(name), _) | (None, Text::Made(name)) => name.as_bytes(),
            (None, Text::Received(key)) => &bytes[key.start + 1..key.end - 1],
        }
    }
}

impl Text {
    fn start(&self) -> usize {
        match self {
            Text::Received(span) => span.start,
            Text::Made(_) => 0,
        }
    }
}

/// UTF-8, and not empty.
fn check_encoding(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::malformed(None, "the body is empty; a JSON object was expected"));
    }
    match simdutf8::compat::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Fault::malformed(None, format!("the body is not UTF-8 at byte {}", error.valid_up_to())))
        }
    }
}

/// The value of `key`; `end` is where the member before it ended.
fn take_member(scanner: &mut Scanner<'_>, key: Key<'_>, end: usize) -> Result<Member, Fault> {
    let name = unescaped(key.text)?;
    let plain = name.as_deref().map_or(key.text, str::as_bytes);
    let room = if plain == DEEP_MEMBER { MAX_DEPTH_IN_TOOLS } else { MAX_DEPTH };
    scanner.peek();
    let start = scanner.at();
    scanner.value(room - 1).map_err(|error| broken(error, str::from_utf8(plain).ok()))?;
    let key = key.span();
    Ok(Member {
        name,
        lead: Text::Received(end..key.start),
        colon: Text::Received(key.end..start),
        key: Text::Received(key),
        value: Text::Received(start..scanner.at()),
    })
}

/// `Some` when the key has escapes.
fn unescaped(key: &[u8]) -> Result<Option<String>, Fault> {
    if !key.contains(&b'\\') {
        return Ok(None);
    }
    let quoted = [b"\"", key, b"\""].concat();
    serde_json::from_slice(&quoted)
        .map(Some)
        .map_err(|_| Fault::malformed(None, "a key of the body has an escape that is not a character"))
}

fn admit(bytes: &[u8], members: &[Member], next: &Member) -> Result<(), Fault> {
    if members.iter().any(|member| member.name_bytes(bytes) == next.name_bytes(bytes)) {
        let name = next.name(bytes);
        return Err(Fault::malformed(name.to_owned(), format!("the key '{}' occurs twice", brief(name))));
    }
    if members.len() == MAX_MEMBERS {
        return Err(Fault::malformed(
            None,
            format!("the body has more than {MAX_MEMBERS} top-level members"),
        ));
    }
    Ok(())
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        broken(error, None)
    }
}

fn broken(error: ScanError, inside: Option<&str>) -> Fault {
    let place = inside.map_or_else(String::new, |key| format!(" (in '{}')", brief(key)));
    let why = format!("invalid JSON at byte {}{place}: expected {}", error.at, error.what);
    Fault::malformed(inside.map(|key| brief(key).into_owned()), why)
}

/// The value of a JSON text that stands at `place`. [`Fault::Malformed`] names the exact place inside it.
pub(crate) fn decode_at<'a, T: Deserialize<'a>>(place: &str, text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| mistyped::<T>(place, text.as_bytes(), &error))
}

/// The same of bytes, each of whose strings is still to be checked for UTF-8.
pub(crate) fn decode_bytes_at<'a, T: Deserialize<'a>>(place: &str, text: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(text).map_err(|error| mistyped::<T>(place, text, &error))
}

/// Decodes once more, keeping track of the path: that is too slow to do for texts that are in order.
fn mistyped<'a, T: Deserialize<'a>>(place: &str, text: &'a [u8], error: &serde_json::Error) -> Fault {
    let tracked = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(text));
    let inside = tracked.err().map(|error| dotted(error.path())).unwrap_or_default();
    let at = match place {
        "" => inside.trim_start_matches('.').to_owned(),
        place => format!("{place}{inside}"),
    };
    // Line and column count from the start of this text, which nobody else knows.
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    let what = in_words_of_json(what);
    match at.is_empty() {
        true => Fault::malformed(None, what),
        false => Fault::malformed(at.clone(), format!("'{at}': {what}")),
    }
}

/// What Rust calls types, and what JSON does.
const WORDS: [(&str, &str); 10] = [
    ("u64", "a whole number, not negative"),
    ("u32", "a whole number, not negative"),
    ("i64", "a whole number"),
    ("i32", "a whole number"),
    ("f64", "a number"),
    ("map", "object"),
    ("sequence", "array"),
    ("a map", "an object"),
    ("a sequence", "an array"),
    ("unit", "null"),
];

/// What serde says of a wrong type, for those who see the JSON alone.
fn in_words_of_json(said: &str) -> Cow<'_, str> {
    let word =
        |rust: &'_ str| WORDS.iter().find(|(of_rust, _)| *of_rust == rust).map(|(_, of_json)| *of_json);
    let Some((found, expected)) = said.rsplit_once(", expected ") else { return brief(said) };
    let expected = match expected.starts_with("struct ") {
        true => "an object",
        false => word(expected).unwrap_or(expected),
    };
    let found = match found.split_once(": ") {
        Some((what, rust)) => format!("{what}: {}", word(rust).unwrap_or(rust)),
        None => found.to_owned(),
    };
    Cow::Owned(format!("{}, expected {expected}", brief(&found)))
}

fn dotted(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut dotted = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => dotted.push_str(&format!(".{index}")),
            Segment::Map { key } => dotted.push_str(&format!(".{}", brief(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    dotted
}

/// Enough of a client's text to recognise it by.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    const ENOUGH: usize = 120;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn quoted(key: &str) -> String {
    serde_json::to_string(key).expect("a string is always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> RawObject {
        RawObject::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn refusal(text: impl AsRef<[u8]>) -> (Option<String>, String) {
        match RawObject::parse(Bytes::copy_from_slice(text.as_ref())) {
            Err(Fault::Malformed { at, why }) => (at, why),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn members_are_found_and_typed() {
        let body = parse(r#" { "model" : "m", "n":null, "stream":true, "mess\u0061ges":[{"a":1}] } "#);
        assert_eq!(body.keys().collect::<Vec<_>>(), ["model", "n", "stream", "messages"]);
        assert_eq!(body.raw("messages"), Some(r#"[{"a":1}]"#));
        assert_eq!(body.get::<&str>("model").unwrap(), Some("m"));
        assert_eq!(body.get::<u64>("n").unwrap(), None);
        assert_eq!(body.get::<u64>("absent").unwrap(), None);
        assert!(body.has("n") && !body.has("absent"));
    }

    #[test]
    fn a_wrong_type_names_the_key_and_what_was_expected() {
        let body = parse(r#"{"stream":"yes"}"#);
        let Err(Fault::Malformed { at, why }) = body.get::<bool>("stream") else { panic!() };
        assert_eq!(at.as_deref(), Some("stream"));
        assert_eq!(why, r#"'stream': invalid type: string "yes", expected a boolean"#);
    }

    #[test]
    fn a_wrong_type_is_told_in_the_words_of_json() {
        #[derive(Debug, Deserialize)]
        struct Tool {
            _name: String,
        }
        let body = parse(r#"{"n":1.5,"tools":[1],"of":{},"words":"a, expected b"}"#);
        let told = |fault: Fault| fault.client_message("");
        let number = told(body.get::<u64>("n").unwrap_err());
        assert!(number.ends_with("floating point `1.5`, expected a whole number, not negative"), "{number}");
        let tool = told(body.get::<Vec<Tool>>("tools").unwrap_err());
        assert_eq!(tool, "'tools.0': invalid type: integer `1`, expected an object");
        let list = told(body.get::<Vec<u64>>("of").unwrap_err());
        assert_eq!(list, "'of': invalid type: object, expected an array");
        let word = told(body.get::<i64>("words").unwrap_err());
        assert_eq!(word, r#"'words': invalid type: string "a, expected b", expected a whole number"#);
    }

    #[test]
    fn a_key_that_occurs_twice_is_refused_however_it_is_spelt() {
        let (at, why) = refusal(r#"{"model":"a","mod\u0065l":"b"}"#);
        assert_eq!((at.as_deref(), why.as_str()), (Some("model"), "the key 'model' occurs twice"));
        assert_eq!(refusal(r#"{"a":1,"b":2,"a":3}"#).0.as_deref(), Some("a"));
    }

    #[test]
    fn bodies_that_are_no_object_are_refused_with_the_place() {
        assert_eq!(refusal("").1, "the body is empty; a JSON object was expected");
        assert_eq!(refusal("[1]").1, "the body must be a JSON object");
        assert_eq!(refusal(b"{\"a\":\"\xff\"}").1, "the body is not UTF-8 at byte 6");
        assert_eq!(refusal(r#"{"a":[1,}"#).1, "invalid JSON at byte 8 (in 'a'): expected a value");
        assert_eq!(refusal(r#"{"a":1} x"#).1, "invalid JSON at byte 8: expected nothing after the value");
        assert_eq!(refusal(r#"{"a":1"#).1, "invalid JSON at byte 6: expected ',' or '}'");
    }

    #[test]
    fn hostile_nesting_is_refused_and_schemas_may_nest_deeper() {
        let nested =
            |key: &str, levels: usize| format!("{{\"{key}\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(refusal(format!("{{\"a\":{}", "[".repeat(100_000))).0.as_deref(), Some("a"));
        parse(&nested("messages", 63));
        refusal(nested("messages", 64));
        parse(&nested("tools", 127));
        refusal(nested("tools", 128));
    }
}
