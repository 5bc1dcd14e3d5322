//! Rules that hold for some requests: by pattern of model, by the target's wire, by what the client speaks.

use wire::{SurfaceId, WireId};

use super::Rules;
use crate::access::Access;
use crate::provider::{Model, Provider};

/// For which requests rules hold; what is empty holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// Models, by pattern, and providers.
    pub targets: Access,
    /// Wires of the target.
    pub wires: Vec<WireId>,
    /// What the client speaks.
    pub surfaces: Vec<SurfaceId>,
}

/// Rules, and for which requests they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionalRules {
    #[allow(missing_docs)]
    pub when: When,
    #[allow(missing_docs)]
    pub rules: Rules,
}

impl When {
    /// Whether they hold for a request in this format that goes to this model over this wire.
    pub fn holds(&self, surface: SurfaceId, wire: WireId, provider: &Provider, model: &Model) -> bool {
        (self.surfaces.is_empty() || self.surfaces.contains(&surface))
            && (self.wires.is_empty() || self.wires.contains(&wire))
            && self.targets.to_model(provider, model)
    }
}
