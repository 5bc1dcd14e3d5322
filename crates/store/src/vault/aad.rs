//! What a sealed value is bound to: its place. A value moved to another row, project or version does not open there.

use uuid::Uuid;

/// First field of every tuple: the format of what is sealed.
const FORMAT: &[u8] = b"gwv1";

/// Who a stored secret is. Every field is bound, so none can be changed behind the vault's back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub table: &'static str,
    pub row: Uuid,
    pub provider: &'a str,
    pub name: &'a str,
    pub project: &'a str,
    /// Counts the writes of this row, from 1.
    pub version: i64,
}

/// The tuple for the secret itself. The key-encryption key is not in it: rotation re-wraps, it does not re-seal.
pub(crate) fn of_body(vault: Uuid, place: &Place<'_>) -> Vec<u8> {
    tuple("body", vault, place, &[])
}

/// The tuple for the data key, which also names the key-encryption key that wraps it.
pub(crate) fn of_wrapped_key(vault: Uuid, place: &Place<'_>, kek_no: u32) -> Vec<u8> {
    tuple("data-key", vault, place, &kek_no.to_be_bytes())
}

fn tuple(purpose: &str, vault: Uuid, place: &Place<'_>, last: &[u8]) -> Vec<u8> {
    encode(&[
        FORMAT,
        purpose.as_bytes(),
        vault.as_bytes(),
        place.table.as_bytes(),
        place.row.as_bytes(),
        place.provider.as_bytes(),
        place.name.as_bytes(),
        place.project.as_bytes(),
        &place.version.to_be_bytes(),
        last,
    ])
}

/// Each field with its length before it, so that no two tuples share an encoding.
pub(crate) fn encode(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(fields.iter().map(|field| 8 + field.len()).sum());
    for field in fields {
        out.extend_from_slice(&(field.len() as u64).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_flow_into_each_other() {
        assert_ne!(encode(&[b"ab", b"c"]), encode(&[b"a", b"bc"]));
        assert_ne!(encode(&[b"a", b""]), encode(&[b"a"]));
    }

    #[test]
    fn a_body_and_a_data_key_never_share_a_tuple() {
        let place = Place {
            table: "credentials",
            row: Uuid::nil(),
            provider: "p",
            name: "n",
            project: "x",
            version: 1,
        };
        assert_ne!(of_body(Uuid::nil(), &place), of_wrapped_key(Uuid::nil(), &place, 0));
    }
}
