//! A Rust file as a flat row of tokens, without its tests and comments.

use std::iter::Peekable;
use std::str::FromStr;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens that ship, in order.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) tokens: Vec<Token>,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// As written; joint punctuation (`::`, `=>`) is one token; a literal keeps its quotes.
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
}

impl Source {
    /// Anything under `#[cfg(test)]`, comments and documentation are left out. A file that is no Rust has no tokens:
    /// the compiler will have said so.
    pub(super) fn read(text: &str) -> Self {
        let mut source = Self::default();
        if let Ok(stream) = TokenStream::from_str(text) {
            source.push(stream);
        }
        source
    }

    /// Where the words occur in a row.
    pub(super) fn find<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        let windows = self.tokens.windows(words.len()).enumerate();
        windows
            .filter(|(_, row)| row.iter().map(|token| token.text.as_str()).eq(words.iter().copied()))
            .map(|(at, _)| at)
    }

    /// The lines on which the words occur in a row.
    pub(super) fn lines_of<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        self.find(words).map(|at| self.tokens[at].line)
    }

    /// The text at an index; empty outside of the file.
    pub(super) fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// String literals: line and content, raw or not; escapes are left as they are.
    pub(super) fn strings(&self) -> impl Iterator<Item = (usize, &str)> {
        self.tokens.iter().filter_map(|token| {
            let text = token.text.trim_start_matches(['b', 'c', 'r']).trim_matches('#');
            Some((token.line, text.strip_prefix('"')?.strip_suffix('"')?))
        })
    }

    fn push(&mut self, stream: TokenStream) {
        let mut trees = stream.into_iter().peekable();
        let mut skipping = false;
        while let Some(tree) = trees.next() {
            match attribute(&tree, &mut trees) {
                Some(Attribute { inner: true, group }) if is_test_only(&group) => return,
                Some(Attribute { group, .. }) if is_test_only(&group) => skipping = true,
                Some(Attribute { group, .. }) if skipping || is_documentation(&group) => {}
                Some(Attribute { group, .. }) => self.push_group(&group),
                None if !skipping => self.push_tree(tree),
                None => skipping = !ends_item(&tree),
            }
        }
    }

    fn push_tree(&mut self, tree: TokenTree) {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => self.push_group(&group),
            TokenTree::Punct(mark) => self.push_mark(mark.as_char(), line),
            other => self.tokens.push(Token { text: other.to_string(), line }),
        }
    }

    fn push_group(&mut self, group: &Group) {
        let (open, close) = brackets(group.delimiter());
        self.tokens.push(Token { text: open.to_owned(), line: group.span_open().start().line });
        self.push(group.stream());
        self.tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
    }

    /// Glues `:` to `::` and `=` to `=>`, which is all that guards look for.
    fn push_mark(&mut self, mark: char, line: usize) {
        if let Some(last) = self.tokens.last_mut() {
            let glued = format!("{}{mark}", last.text);
            if last.line == line && matches!(glued.as_str(), "::" | "=>" | "==" | "!=" | "->") {
                last.text = glued;
                return;
            }
        }
        self.tokens.push(Token { text: mark.to_string(), line });
    }
}

/// `#[...]` of the item that follows, or `#![...]` of the one around.
struct Attribute {
    inner: bool,
    group: Group,
}

/// Takes the rest of an attribute whose `#` was read.
fn attribute(tree: &TokenTree, rest: &mut Peekable<IntoIter>) -> Option<Attribute> {
    if !is_mark(tree, '#') {
        return None;
    }
    let inner = rest.next_if(|next| is_mark(next, '!')).is_some();
    let group = rest.next_if(|next| matches!(next, TokenTree::Group(_)))?;
    let TokenTree::Group(group) = group else { return None };
    Some(Attribute { inner, group })
}

fn is_mark(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(found) if found.as_char() == mark)
}

/// `cfg(test)`, `cfg(all(test, ...))`, but not `cfg(not(test))`.
fn is_test_only(attribute: &Group) -> bool {
    let text = attribute.stream().to_string();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

fn is_documentation(attribute: &Group) -> bool {
    attribute.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc")
}

/// An item ends with its braces or a semicolon.
fn ends_item(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_comments_and_documentation_are_left_out() {
        let text = "
            //! Says unwrap.
            /// Says unwrap.
            fn kept() { /* unwrap */ keep() }
            #[cfg(test)]
            #[expect(dead_code)]
            mod tests { fn lost() { x.unwrap() } }
            #[cfg(test)] mod far;
            fn also_kept() {}";
        let source = Source::read(text);
        assert!(!source.tokens.iter().any(|token| token.text.contains("unwrap") || token.text == "far"));
        assert_eq!(source.lines_of(&["keep", "("]).collect::<Vec<_>>(), [4]);
        assert_eq!(source.find(&["fn", "also_kept"]).count(), 1);
    }

    #[test]
    fn code_that_is_not_for_tests_only_is_kept() {
        let source = Source::read("#[cfg(not(test))] fn kept() {} #[cfg(unix)] fn kept() {}");
        assert_eq!(source.find(&["fn", "kept"]).count(), 2);
    }

    #[test]
    fn a_file_or_module_that_says_inside_that_it_is_for_tests_is_left_out() {
        assert!(Source::read("#![cfg(test)] fn lost() {}").tokens.is_empty());
        let source = Source::read("mod a { #![cfg(test)] fn lost() {} } #![allow(x)] fn kept() {}");
        assert_eq!(source.find(&["fn"]).count(), 1);
        assert_eq!(source.find(&["[", "allow"]).count(), 1);
    }

    #[test]
    fn strings_are_found_in_macros_attributes_and_raw_form() {
        let source =
            Source::read(r##"#[name = "a"] fn f() { vec![format!("b {}", 1), r#"c"#, b"d", '"'] }"##);
        assert_eq!(source.strings().map(|(_, text)| text).collect::<Vec<_>>(), ["a", "b {}", "c", "d"]);
    }

    #[test]
    fn paths_and_arrows_are_single_tokens() {
        let source = Source::read("match x { WireId::OpenAiChat => 1, }");
        assert_eq!(source.find(&["WireId", "::", "OpenAiChat", "=>"]).count(), 1);
    }
}
