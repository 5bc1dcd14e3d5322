//! Short stable names for texts that may not go upstream as they are.

/// FNV-1a with 128 bits as 32 hexadecimal digits: the same text has the same name in every process and release. It
/// keeps names apart; it is no seal.
/// Source: RFC 9923; the two numbers as in the crate fnv0 1.1.0, read 2026-11-25.
pub(super) fn hex(text: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_test_vectors_hold() {
        assert_eq!(super::hex(""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(super::hex("a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(super::hex("foobar"), "343e1662793c64bf6f0d3597ba446f18");
    }
}
