//! Signatures of reasoning. What a provider signed must come back as it was given: a seal says whose it is and what
//! it was put on, and checks itself, so that this upstream needs no memory of what it issued.

/// Whose seal it is. A seal of one vendor is a forgery at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    Anthropic,
    Google,
    OpenAi,
}

/// Letters of the mark before the hashes. Mark and hashes are whole groups of base64, because a client may decode and
/// encode them again, and use no letter that its two alphabets write differently.
const MARK: usize = 8;

impl Vendor {
    fn mark(self) -> &'static str {
        match self {
            Self::Anthropic => "antFAKEs",
            Self::Google => "gglFAKEs",
            Self::OpenAi => "oaiFAKEs",
        }
    }

    /// The seal of a content.
    pub(crate) fn seal(self, content: &str) -> String {
        let hash = hash_of(self, content);
        let check = hash_of(self, &hash);
        format!("{}{hash}{check}", self.mark())
    }

    /// This vendor issued it, for whatever content.
    pub(crate) fn issued(self, seal: &str) -> bool {
        let Some((hash, check)) = seal.strip_prefix(self.mark()).and_then(|rest| rest.split_at_checked(16))
        else {
            return false;
        };
        seal.len() == MARK + 32 && check == hash_of(self, hash)
    }

    /// This vendor issued it for just this content.
    pub(crate) fn fits(self, content: &str, seal: &str) -> bool {
        self.seal(content) == seal
    }
}

fn hash_of(vendor: Vendor, text: &str) -> String {
    format!("{:016x}", hash(vendor, text))
}

/// FNV-1a behind the vendor's mark: enough against mistakes, which are all that tests make.
fn hash(vendor: Vendor, text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    vendor.mark().bytes().chain(text.bytes()).fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_fits_its_content_at_its_vendor_and_nothing_else() {
        let seal = Vendor::Google.seal("think");
        assert!(Vendor::Google.fits("think", &seal) && Vendor::Google.issued(&seal));
        assert!(!Vendor::Google.fits("thunk", &seal) && !Vendor::Anthropic.issued(&seal));
        assert!(!Vendor::Google.issued(&seal.replace('a', "b")) && !Vendor::Google.issued("gglFAKEs"));
        assert_eq!(seal.len() % 4, 0);
    }
}
