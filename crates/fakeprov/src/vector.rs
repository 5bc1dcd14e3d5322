//! Makes up embeddings: the same text has the same vector, another text another.

/// How long a vector is when nobody asks for a length.
const USUAL: usize = 8;

/// The vector of a text, each number a multiple of 1/128 so that every spelling of it says exactly the same.
pub(crate) fn of(text: &str, length: Option<usize>) -> Vec<f32> {
    let mut state =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 24) as u8) / 128.0 - 1.0
    };
    (0..length.unwrap_or(USUAL)).map(|_| next()).collect()
}
