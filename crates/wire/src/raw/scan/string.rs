//! Finding the end of a string's plain bytes, many bytes at a time.

use memchr::memchr_iter;

/// Behind the quote that closes the string whose inside begins at `from`.
pub(super) fn closing_quote(text: &[u8], from: usize) -> usize {
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
    // Most strings are short, most bytes are in long ones.
    const SHORT: usize = 64;
    if text.len() <= SHORT {
        return plain_in_words(text);
    }
    match plain_in_words(&text[..SHORT]) {
        SHORT => {
            let long = SHORT + plain_blocks(&text[SHORT..]);
            long + plain_in_words(&text[long..])
        }
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

/// The length of the whole blocks of plain bytes: without an early exit inside a block the compiler compares all its
/// bytes at once.
fn plain_blocks(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<32>();
    let is_plain = |block: &[u8; 32]| !block.iter().fold(false, |any, byte| any | is_special(*byte));
    blocks.iter().take_while(|block| is_plain(block)).count() * 32
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
