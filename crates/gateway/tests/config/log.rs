//! The level of the log.

use crate::support::*;

#[test]
fn a_log_level_is_a_level_or_a_filter_in_any_of_the_usual_words() {
    for (said, meant) in [
        ("debug", "debug"),
        ("WARNING", "warn"),
        ("fatal", "error"),
        ("silent", "off"),
        ("gateway=debug,warn", "gateway=debug,warn"),
    ] {
        for name in ["LLM_GATEWAY_LOG", "LOG_LEVEL"] {
            assert_eq!(setting(&[(name, said)]).config().log, meant, "{name}={said}");
        }
    }
    assert_eq!(setting(&[("LLM_GATEWAY_LOG", "error"), ("LOG_LEVEL", "debug")]).config().log, "error");
}

#[test]
fn what_is_no_log_level_is_refused_in_our_own_variable_and_left_aside_in_the_shared_one() {
    for said in ["loud", "=,="] {
        let error = setting(&[("LLM_GATEWAY_LOG", said)]).error();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("LLM_GATEWAY_LOG"), "{error}");
        let config = setting(&[("LOG_LEVEL", said)]).config();
        assert_eq!(config.log, "info");
        assert!(build_snapshot(&config).1.iter().any(|warning| warning.to_string().contains("LOG_LEVEL")));
    }
}
