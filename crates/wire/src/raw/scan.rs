//! A scanner over JSON text: checks the grammar and finds spans, builds nothing.
//!
//! It does not recurse and does not allocate, so that hostile nesting costs a bit a level and nothing else. UTF-8 is
//! the caller's to check; the scanner works on bytes and never cuts a character.

mod nesting;
mod string;

use self::nesting::{Level, Nesting};
use self::string::{closing_quote, plain};

/// A place where the text is not JSON, or is nested too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanError {
    /// Offset in bytes from the start of the scanned text.
    pub(crate) at: usize,
    /// What was expected there.
    pub(crate) what: &'static str,
}

/// What a scan yields.
pub(crate) type Scan<T> = Result<T, ScanError>;

/// A key of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    /// Without quotes, still escaped.
    pub(crate) text: &'a [u8],
    /// Offset of the opening quote.
    pub(crate) start: usize,
}

impl Key<'_> {
    /// Quotes included.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.text.len() + 2
    }
}

/// A position in JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// The text is known to be JSON: strings need not be looked into.
    checked: bool,
}

impl<'a> Scanner<'a> {
    /// At the start of `text`.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, checked: false }
    }

    /// At the start of a text that has been scanned before.
    pub(crate) fn again(text: &'a [u8]) -> Self {
        Self { text, at: 0, checked: true }
    }

    /// Offset in bytes from the start of the text.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is not a space, without taking it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Nothing but spaces may follow.
    pub(crate) fn end(&mut self) -> Scan<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.expected("nothing after the value"),
        }
    }

    /// Takes an object. `visit` gets each key and must take the value.
    pub(crate) fn each_member<E: From<ScanError>>(
        &mut self,
        mut visit: impl FnMut(&mut Self, Key<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(b'{', "an object")?;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            visit(self, key)?;
            if self.takes(b'}') {
                return Ok(());
            }
            self.take(b',', "',' or '}'")?;
        }
    }

    /// Takes an array. `visit` must take the element.
    pub(crate) fn each_element<E: From<ScanError>>(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(b'[', "an array")?;
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            visit(self)?;
            if self.takes(b']') {
                return Ok(());
            }
            self.take(b',', "',' or ']'")?;
        }
    }

    /// Takes a value of any kind, in which at most `room` levels may be open at once. Yields its text.
    pub(crate) fn value(&mut self, room: u32) -> Scan<&'a [u8]> {
        self.peek();
        let start = self.at;
        let mut open = Nesting::within(room);
        loop {
            match self.peek() {
                Some(b'{') => {
                    self.open(&mut open, Level::Object)?;
                    if !self.takes(b'}') {
                        self.key()?;
                        continue;
                    }
                    open.pop();
                }
                Some(b'[') => {
                    self.open(&mut open, Level::Array)?;
                    if !self.takes(b']') {
                        continue;
                    }
                    open.pop();
                }
                _ => self.scalar()?,
            }
            if self.complete(&mut open)? {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    /// After a value: closes what closes here. `false`: another value follows.
    fn complete(&mut self, open: &mut Nesting) -> Scan<bool> {
        loop {
            match open.top() {
                None => return Ok(true),
                Some(Level::Object) if self.takes(b'}') => open.pop(),
                Some(Level::Array) if self.takes(b']') => open.pop(),
                Some(Level::Object) => {
                    self.take(b',', "',' or '}'")?;
                    self.key()?;
                    return Ok(false);
                }
                Some(Level::Array) => {
                    self.take(b',', "',' or ']'")?;
                    return Ok(false);
                }
            }
        }
    }

    fn open(&mut self, open: &mut Nesting, level: Level) -> Scan<()> {
        if !open.push(level) {
            return self.expected("less nesting");
        }
        self.at += 1;
        Ok(())
    }

    /// A key and its colon.
    fn key(&mut self) -> Scan<Key<'a>> {
        match self.peek() {
            Some(b'"') => {}
            _ => return self.expected("a key in double quotes"),
        }
        let start = self.at;
        let quoted = self.string()?;
        self.take(b':', "':'")?;
        Ok(Key { text: &quoted[1..quoted.len() - 1], start })
    }

    fn scalar(&mut self) -> Scan<()> {
        match self.text.get(self.at) {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.expected("a value"),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Scan<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.expected("a value")
    }

    /// A string; the scanner stands on its opening quote. Yields it with its quotes.
    fn string(&mut self) -> Scan<&'a [u8]> {
        let start = self.at;
        self.at += 1;
        if self.checked {
            self.at = closing_quote(self.text, self.at);
            return Ok(&self.text[start..self.at]);
        }
        loop {
            self.at += plain(&self.text[self.at..]);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.expected("no bare control character in a string"),
                None => return self.expected("the end of a string"),
            }
        }
    }

    fn escape(&mut self) -> Scan<()> {
        self.at += 1;
        match self.text.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.text.get(self.at) {
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        _ => return self.expected("four hexadecimal digits"),
                    }
                }
            }
            _ => return self.expected("a known escape"),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        self.skip(b'-');
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _sign = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.text.get(self.at) {
            self.at += 1;
        }
        if self.at == start { self.expected("a digit") } else { Ok(()) }
    }

    /// Takes `byte` if it stands right here.
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte` if it comes next, after spaces.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Scan<()> {
        if self.takes(byte) { Ok(()) } else { self.expected(what) }
    }

    fn expected<T>(&self, what: &'static str) -> Scan<T> {
        Err(ScanError { at: self.at, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Scan<()> {
        let mut scanner = Scanner::new(text.as_bytes());
        scanner.value(64)?;
        scanner.end()
    }

    #[test]
    fn values_of_every_kind_are_taken() {
        for text in
            ["null", "true", "-0.5e+3", "\"\"", "\"\\u00e9\\n\"", "[]", "{}", " [1, {\"a\":[{}]}, \"x\"] "]
        {
            assert_eq!(scan(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_goes_wrong() {
        let cases =
            [("[1,]", 3), ("{\"a\"}", 4), ("01", 1), ("1.", 2), ("\"\\x\"", 2), ("\"\n\"", 1), ("[1 2]", 3)];
        for (text, at) in cases {
            assert_eq!(scan(text).map_err(|error| error.at), Err(at), "{text}");
        }
    }

    #[test]
    fn a_second_scan_sees_what_the_first_saw() {
        for text in [r#"["a\"b", "\\", "\\\"", "", "é\n"]"#, r#"{"k\"": {"v": ["x"]}, "": []}"#] {
            let mut scanner = Scanner::again(text.as_bytes());
            assert_eq!(scanner.value(64), Ok(text.as_bytes()));
            assert_eq!(scan(text), Ok(()));
        }
    }

    #[test]
    fn nesting_ends_at_the_room_given() {
        assert_eq!(scan(&format!("{}{}", "[".repeat(64), "]".repeat(64))), Ok(()));
        assert_eq!(scan(&"[".repeat(100_000)).map_err(|error| error.at), Err(64));
    }
}
