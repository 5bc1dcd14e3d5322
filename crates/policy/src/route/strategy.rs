//! In which order the members of a route are tried.

use std::sync::Arc;
use std::time::Duration;

use crate::health::Pace;
use crate::provider::Model;

/// Which member is tried first, and which then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// By priority, then as written.
    #[default]
    InOrder,
    /// By lot, with weights.
    Weighted,
    /// By lot.
    Random,
    /// Each in its turn.
    RoundRobin,
    /// Who has the fewest requests in flight.
    LeastBusy,
    /// Who was quickest lately; those of whom nothing is known first, so that it gets known.
    LowestLatency,
    /// By the price of a million tokens in and out; unknown prices last.
    Cheapest,
}

/// Names of strategies: ours, then those of mcp-llm-bridge. The first name of each is the one that is shown.
const NAMES: [(&str, Strategy); 9] = [
    ("in-order", Strategy::InOrder),
    ("weighted", Strategy::Weighted),
    ("random", Strategy::Random),
    ("round-robin", Strategy::RoundRobin),
    ("least-busy", Strategy::LeastBusy),
    ("lowest-latency", Strategy::LowestLatency),
    ("cheapest", Strategy::Cheapest),
    ("failover", Strategy::InOrder),
    ("latency", Strategy::LowestLatency),
];

impl Strategy {
    /// By name; `_` and space are as good as `-`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, strategy)| *strategy)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, strategy)| *strategy == self).map_or("", |(name, _)| *name)
    }

    /// All names that can be written.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Who is tried first, and who then. The same for the same arguments.
    pub(crate) fn order(self, mut members: Vec<Candidate>, turn: u64, dice: u64) -> Vec<Candidate> {
        match self {
            Strategy::InOrder => members.sort_by_key(|member| member.priority),
            Strategy::Weighted => members = drawn(members, dice, |member| member.weight),
            Strategy::Random => members = drawn(members, dice, |_| 1),
            Strategy::RoundRobin if members.is_empty() => {}
            Strategy::RoundRobin => {
                let first = turn % members.len() as u64;
                members.rotate_left(usize::try_from(first).unwrap_or_default());
            }
            Strategy::LeastBusy => members.sort_by_key(|member| member.pace.in_flight),
            Strategy::LowestLatency => {
                members.sort_by_key(|member| member.pace.latency().unwrap_or(Duration::ZERO));
            }
            Strategy::Cheapest => members.sort_by_key(Candidate::price),
        }
        members
    }
}

/// A member that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Position in the snapshot.
    pub(crate) provider: usize,
    pub(crate) model: Arc<Model>,
    /// The credential that the operator wants for it.
    pub(crate) key: Option<Arc<str>>,
    pub(crate) weight: u32,
    pub(crate) priority: u32,
    pub(crate) pace: Pace,
}

impl Candidate {
    /// Of a million tokens in and a million out, in nanodollars each; unknown is more than any.
    fn price(&self) -> i128 {
        let base = self.model.rate.as_ref().map(|rate| &rate.base);
        let known = base.and_then(|base| Some(i128::from(base.input?) + i128::from(base.output?)));
        known.unwrap_or(i128::MAX)
    }
}

/// By lot, one after the other, each draw among those that are left. Members of weight 0 come last, as written.
fn drawn(mut left: Vec<Candidate>, dice: u64, weight: fn(&Candidate) -> u32) -> Vec<Candidate> {
    let mut order = Vec::with_capacity(left.len());
    let mut state = dice;
    while !left.is_empty() {
        let all: u64 = left.iter().map(|member| u64::from(weight(member))).sum();
        state = scatter(state);
        let mut lot = if all == 0 { 0 } else { state % all };
        let at = left.iter().position(|member| {
            let own = u64::from(weight(member));
            let hit = all == 0 || lot < own;
            lot = lot.saturating_sub(own);
            hit
        });
        order.push(left.remove(at.unwrap_or_default()));
    }
    order
}

/// The next number of a row that looks random (splitmix64, Steele and others 2014).
fn scatter(state: u64) -> u64 {
    let mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
