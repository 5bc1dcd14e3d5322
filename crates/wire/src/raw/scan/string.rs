//! Finding the end of a string's plain bytes, many bytes at a time.

use memchr::{memchr_iter, memchr2};

/// Most strings are shorter, most bytes are in longer ones.
const SHORT: usize = 64;

/// Behind the quote that closes the string whose inside begins at `from`.
pub(super) fn closing_quote(text: &[u8], from: usize) -> usize {
    let near = from + plain_in_words(&text[from..text.len().min(from + SHORT)]);
    if text.get(near) == Some(&b'"') {
        return near + 1;
    }
    for quote in memchr_iter(b'"', &text[from..]) {
        let inside = &text[from..from + quote];
        let backslashes = inside.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if backslashes % 2 == 0 {
            return from + quote + 1;
        }
    }
    text.len()
}

/// How many bytes at the start of `text` are plain parts of a string: no quote, no backslash, no control character.
pub(super) fn plain(text: &[u8]) -> usize {
    if text.len() <= SHORT {
        return plain_in_words(text);
    }
    match plain_in_words(&text[..SHORT]) {
        SHORT => SHORT + plain_in_bulk(&text[SHORT..]),
        short => short,
    }
}

/// The same, by words of eight bytes: finds the place fast.
fn plain_in_words(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

/// The same, in two passes at the speed of memory: to the next quote or backslash, then over what lies before it.
fn plain_in_bulk(text: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', text).unwrap_or(text.len());
    let least = text[..end].iter().fold(u8::MAX, |least, byte| least.min(*byte));
    if least < 0x20 { plain_in_words(&text[..end]) } else { end }
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte of `word` that is not plain. Exact up to the first such byte; a borrow may set bits above.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for length in 0..200 {
            for special in [b'"', b'\\', 0, 0x1f] {
                let mut text = vec![b'a'; length];
                text.push(special);
                text.extend([b'b'; 40]);
                assert_eq!(plain(&text), length);
            }
        }
    }
}
