//! Putting an edited object together again.

use bytes::Bytes;

use super::{Member, RawObject, Text};

/// Pieces up to this many bytes are copied together; longer ones are handed on as slices of what was received.
const COPIED: usize = 4096;
/// Bytes that edits usually add.
const EDITS: usize = 512;

impl RawObject {
    /// The object as one piece. Untouched, these are the very bytes received, not a copy.
    pub fn into_bytes(self) -> Bytes {
        let mut segments = self.into_segments();
        match segments.len() {
            1 => segments.remove(0),
            _ => segments.concat().into(),
        }
    }

    /// The object as pieces in order: slices of the bytes received around the edits. Nothing large is copied.
    pub fn into_segments(self) -> Vec<Bytes> {
        if !self.edited {
            return vec![self.bytes];
        }
        let mut pieces = Pieces::of(&self.bytes);
        pieces.received(0..self.inside.start);
        for (position, member) in self.members.iter().enumerate() {
            pieces.member(member, position > 0);
        }
        pieces.received(self.inside.end..self.bytes.len());
        pieces.finish()
    }
}

/// Collects neighbouring spans into one, and small pieces into one buffer.
struct Pieces<'a> {
    bytes: &'a Bytes,
    done: Vec<Bytes>,
    /// Copied bytes that come after `done`.
    copied: Vec<u8>,
    /// A span that comes after `copied` and may still grow.
    span: std::ops::Range<usize>,
}

impl<'a> Pieces<'a> {
    fn of(bytes: &'a Bytes) -> Self {
        let copied = Vec::with_capacity(bytes.len().min(COPIED) + EDITS);
        Self { bytes, done: Vec::with_capacity(1), copied, span: 0..0 }
    }

    fn member(&mut self, member: &Member, follows: bool) {
        if follows {
            self.text(&member.lead);
        }
        self.text(&member.key);
        self.text(&member.colon);
        self.text(&member.value);
    }

    fn text(&mut self, text: &Text) {
        match text {
            Text::Received(span) => self.received(span.clone()),
            Text::Made(text) => {
                self.close_span();
                self.copied.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn received(&mut self, span: std::ops::Range<usize>) {
        if span.start != self.span.end {
            self.close_span();
            self.span = span;
        } else {
            self.span.end = span.end;
        }
    }

    fn close_span(&mut self) {
        let span = std::mem::replace(&mut self.span, 0..0);
        if span.len() <= COPIED {
            self.copied.extend_from_slice(&self.bytes[span]);
            return;
        }
        self.close_copied();
        self.done.push(self.bytes.slice(span));
    }

    fn close_copied(&mut self) {
        if !self.copied.is_empty() {
            self.done.push(std::mem::take(&mut self.copied).into());
        }
    }

    fn finish(mut self) -> Vec<Bytes> {
        self.close_span();
        self.close_copied();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &'static str, edit: impl FnOnce(&mut RawObject)) -> String {
        let mut object = RawObject::parse(Bytes::from_static(text.as_bytes())).unwrap();
        edit(&mut object);
        String::from_utf8(object.into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_untouched_object_is_the_very_same_bytes() {
        let bytes = Bytes::from_static(b" { \"a\" : 1 } ");
        let object = RawObject::parse(bytes.clone()).unwrap();
        assert_eq!(object.into_bytes().as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn edits_leave_everything_else_as_it_was() {
        let text = "{ \"a\" : 1 ,\n \"b\":[ 2 ] , \"c\": 3\t}\n";
        assert_eq!(edited(text, |o| o.set("a", &"x")), "{ \"a\" : \"x\" ,\n \"b\":[ 2 ] , \"c\": 3\t}\n");
        assert_eq!(edited(text, |o| o.set("d", &4)), "{ \"a\" : 1 ,\n \"b\":[ 2 ] , \"c\": 3,\"d\":4\t}\n");
        assert_eq!(edited(text, |o| o.remove("a")), "{ \"b\":[ 2 ] , \"c\": 3\t}\n");
        assert_eq!(edited(text, |o| o.remove("b")), "{ \"a\" : 1 , \"c\": 3\t}\n");
        assert_eq!(edited(text, |o| o.remove("c")), "{ \"a\" : 1 ,\n \"b\":[ 2 ]\t}\n");
        assert_eq!(edited(text, |o| o.rename("b", "z")), "{ \"a\" : 1 ,\n \"z\":[ 2 ] , \"c\": 3\t}\n");
        assert_eq!(edited(text, |o| o.rename("c", "a")), "{ \"b\":[ 2 ] , \"a\": 3\t}\n");
    }

    #[test]
    fn an_object_may_be_emptied_and_filled() {
        assert_eq!(edited("{ }", |o| o.set("a", &1)), "{ \"a\":1}");
        assert_eq!(edited("{\"a\":1 }", |o| o.remove("a")), "{ }");
        let refilled = edited("{\"a\":1}", |o| {
            o.remove("a");
            o.set("b", &2);
            o.set("c", &3);
        });
        assert_eq!(refilled, "{\"b\":2,\"c\":3}");
    }

    #[test]
    fn large_parts_are_not_copied() {
        let long = format!("{{\"model\":\"m\",\"text\":\"{}\"}}", "x".repeat(100_000));
        let bytes = Bytes::from(long);
        let mut object = RawObject::parse(bytes.clone()).unwrap();
        object.set("model", &"other");
        let segments = object.into_segments();
        assert_eq!(segments.len(), 2);
        assert_eq!(segments[1].as_ptr_range().end, bytes.as_ptr_range().end);
    }
}
