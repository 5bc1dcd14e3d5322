//! Decisions, pure: what exists is a [`Snapshot`], what is asked an [`Ask`], and what to do about it a [`Plan`].
//!
//! Which provider serves a request and who comes next when one fails ([`plan`]), what an operator's parameter rules do
//! to a body ([`rule`]), and what an answer cost ([`price`]). Nothing here does I/O, asks the time or throws dice:
//! whether a credential exists is asked of a [`Standing`], and jitter comes in as an argument. Reading the configuration
//! and the catalogue, and sending anything, is done elsewhere.

pub mod access;
pub mod breaker;
pub mod found;
pub mod glob;
pub mod health;
pub mod money;
pub mod nearest;
pub mod plan;
pub mod price;
pub mod provider;
pub mod route;
pub mod rule;
pub mod snapshot;

pub use access::Access;
pub use breaker::{Breaker, BreakerSettings};
pub use found::{Found, FoundModel};
pub use health::{Health, Hold, KeyId, Pace, Pin, Verdict};
pub use money::Money;
pub use plan::{Ask, Budget, Choice, Needs, Next, Plan, Skipped, Standing, Target, available, plan};
pub use price::{Prices, Rate, Tier, cost};
pub use provider::{Auth, Endpoint, Kind, Model, Provider, Reason, Timeouts};
pub use route::{Condition, Member, Modality, Route, Strategy};
pub use rule::{ConditionalRules, Rule, Rules, When};
pub use snapshot::{DemoRole, Snapshot};
