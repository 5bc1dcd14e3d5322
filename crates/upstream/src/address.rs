//! Where the name of a provider may lead: the guard against names that point into the operator's own network.
//!
//! A name is somebody else's word, and what it leads to can change between two calls; so it is judged where it is looked
//! up, all addresses at once, and the connection goes to one that was judged. An address, or `localhost`, that stands in
//! the URL is the operator's own word.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a name may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reach {
    /// To public addresses only.
    #[default]
    Public,
    /// Also to this machine and to private networks.
    Private,
}

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of the public Internet.
    Public,
    /// This machine, or a private network.
    Private,
    /// Never a provider: link-local, where clouds keep their metadata, multicast, reserved.
    Special,
}

/// IPv4 addresses that are not public: network, bits of its prefix, what it is.
/// Source: IANA's registry of special-purpose addresses, <https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// read 2026-11-25.
const V4: [(Ipv4Addr, u32, Place); 12] = [
    (Ipv4Addr::new(0, 0, 0, 0), 32, Place::Private),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Place::Special),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Place::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Place::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Place::Private),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Place::Special),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Place::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Place::Special),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Place::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Place::Private),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Place::Special),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Place::Special),
];

/// The same of IPv6, but for addresses that hold an IPv4 address.
/// Source: <https://www.iana.org/assignments/iana-ipv6-special-registry>, read 2026-11-25.
const V6: [(Ipv6Addr, u32, Place); 9] = [
    (Ipv6Addr::UNSPECIFIED, 128, Place::Private),
    (Ipv6Addr::LOCALHOST, 128, Place::Private),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Place::Special),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, Place::Special),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Place::Special),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Place::Private),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Place::Special),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Place::Private),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Place::Special),
];

/// The metadata service of a large cloud, within its private range.
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>, read 2026-11-25.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

impl Place {
    /// What an address is. One that only wraps another (IPv4-mapped, NAT64, 6to4) is what that one is.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(METADATA) => Place::Special,
            IpAddr::V6(address) => within(address).map_or_else(|| of_v6(address), of_v4),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Place::Public => "a public address",
            Place::Private => "an address of this machine or of a private network",
            Place::Special => "a link-local, multicast or reserved address",
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Place {
    let holds = |network: Ipv4Addr, bits| (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits;
    let found = V4.iter().find(|(network, bits, _)| holds(*network, *bits));
    found.map_or(Place::Public, |(_, _, place)| *place)
}

fn of_v6(address: Ipv6Addr) -> Place {
    let holds = |network: Ipv6Addr, bits| (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits;
    let found = V6.iter().find(|(network, bits, _)| holds(*network, *bits));
    found.map_or(Place::Public, |(_, _, place)| *place)
}

/// The IPv4 address that an IPv6 address stands for: mapped or compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

impl Reach {
    /// Refuses a name if any of its addresses is out of reach: one that leads to two places is trusted in neither.
    pub(crate) fn check(self, host: &str, addresses: &[SocketAddr]) -> Result<(), String> {
        if host == "localhost" || host.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        let places = addresses.iter().map(|address| (address.ip(), Place::of(address.ip())));
        let out_of_reach = |place| match self {
            Reach::Public => place != Place::Public,
            Reach::Private => place == Place::Special,
        };
        let Some((address, place)) = places.into_iter().find(|(_, place)| out_of_reach(*place)) else {
            return Ok(());
        };
        let help = if place == Place::Private {
            "; if it is meant to, write allow_private: true in the provider's section of the configuration"
        } else {
            ""
        };
        Err(format!("{host} leads to {address}, {}, and is not connected to{help}", place.in_words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str) -> Place {
        Place::of(address.parse().unwrap())
    }

    #[test]
    fn every_special_network_is_known_from_its_first_to_its_last_address() {
        for (first, last, expected) in [
            ("0.0.0.0", "0.0.0.0", Place::Private),
            ("0.0.0.1", "0.255.255.255", Place::Special),
            ("10.0.0.0", "10.255.255.255", Place::Private),
            ("100.64.0.0", "100.127.255.255", Place::Private),
            ("127.0.0.0", "127.255.255.255", Place::Private),
            ("169.254.0.0", "169.254.255.255", Place::Special),
            ("172.16.0.0", "172.31.255.255", Place::Private),
            ("192.168.0.0", "192.168.255.255", Place::Private),
            ("224.0.0.0", "255.255.255.255", Place::Special),
            ("::", "::1", Place::Private),
            ("fc00::", "fdff:ffff::", Place::Private),
            ("fe80::", "febf::1", Place::Special),
            ("ff00::", "ffff::", Place::Special),
            ("fd00:ec2::254", "fd00:ec2::254", Place::Special),
        ] {
            assert_eq!((place(first), place(last)), (expected, expected), "{first} to {last}");
        }
    }

    #[test]
    fn the_neighbours_of_special_networks_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "fe00::1",
        ] {
            assert_eq!(place(address), Place::Public, "{address}");
        }
    }

    #[test]
    fn an_address_that_wraps_another_is_what_that_one_is() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", Place::Private),
            ("::ffff:169.254.169.254", Place::Special),
            ("::127.0.0.1", Place::Private),
            ("::ffff:0:10.0.0.1", Place::Private),
            ("64:ff9b::10.0.0.1", Place::Private),
            ("64:ff9b::8.8.8.8", Place::Public),
            ("2002:a00:1::", Place::Private),
            ("2002:808:808::1", Place::Public),
            ("2001:0:1234::1", Place::Special),
        ] {
            assert_eq!(place(address), expected, "{address}");
        }
    }

    #[test]
    fn one_bad_address_among_good_ones_is_enough_to_refuse_a_name() {
        let at = |addresses: &[&str]| -> Vec<SocketAddr> {
            addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 443)).collect()
        };
        assert!(Reach::Public.check("a.example", &at(&["8.8.8.8", "2606:4700::1"])).is_ok());
        let mixed = at(&["8.8.8.8", "10.0.0.1"]);
        let why = Reach::Public.check("a.example", &mixed).unwrap_err();
        assert!(why.contains("a.example leads to 10.0.0.1") && why.contains("allow_private"), "{why}");
        assert!(Reach::Private.check("a.example", &mixed).is_ok());
        let metadata = at(&["8.8.8.8", "169.254.169.254"]);
        let why = Reach::Private.check("a.example", &metadata).unwrap_err();
        assert!(why.contains("link-local") && !why.contains("allow_private"), "{why}");
    }

    #[test]
    fn what_the_url_states_itself_is_not_questioned() {
        for (host, address) in [("localhost", "127.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1")] {
            let addresses = [SocketAddr::new(address.parse().unwrap(), 80)];
            assert!(Reach::Public.check(host, &addresses).is_ok(), "{host}");
        }
    }
}
