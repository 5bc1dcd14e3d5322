//! Settings of circuit breakers: what was said of them by API, over what the gateway was started with.

use std::time::Duration;

use policy::BreakerSettings;
use store::BreakerRule;

/// The settings that hold.
pub fn settings(rule: &BreakerRule, usual: BreakerSettings) -> BreakerSettings {
    let millis = Duration::from_millis;
    BreakerSettings {
        enabled: rule.enabled.unwrap_or(usual.enabled),
        failures: rule.failure_threshold.unwrap_or(usual.failures),
        open_for: rule.reset_timeout_ms.map_or(usual.open_for, millis),
        probes: rule.half_open_max_attempts.unwrap_or(usual.probes),
        backoff: rule.backoff_base_ms.map_or(usual.backoff, |base| base.map(millis)),
        factor: rule.backoff_multiplier.unwrap_or(usual.factor),
        longest: rule.backoff_max_ms.map_or(usual.longest, millis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_holds_over_what_is_usual_and_the_rest_stays() {
        let usual = BreakerSettings {
            enabled: false,
            backoff: Some(Duration::from_secs(9)),
            ..BreakerSettings::default()
        };
        assert_eq!(settings(&BreakerRule::default(), usual), usual);
        let rule: BreakerRule = serde_json::from_str(
            r#"{"failureThreshold": 3, "resetTimeoutMs": 1500, "backoffBaseMs": null, "backoffMultiplier": 4}"#,
        )
        .unwrap();
        let expected = BreakerSettings {
            failures: 3,
            open_for: Duration::from_millis(1500),
            backoff: None,
            factor: 4,
            ..usual
        };
        assert_eq!(settings(&rule, usual), expected);
    }
}
