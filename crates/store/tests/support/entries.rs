//! Ledger rows for tests.

use jiff::Timestamp;
use store::{Entry, Outcome};
use uuid::Uuid;

/// A row with little in it.
pub fn bare_entry(id: Uuid) -> Entry {
    Entry {
        id,
        started_at: Timestamp::from_second(1_767_225_600).unwrap(),
        key_name: None,
        project: store::GLOBAL.into(),
        surface: "openai_chat".into(),
        operation: "chat".into(),
        provider: None,
        wire: None,
        model_asked: None,
        model_sent: None,
        model_answered: None,
        stream: false,
        input: None,
        cache_read: None,
        cache_write: None,
        cache_write_1h: None,
        output: None,
        reasoning: None,
        usage_odd: false,
        cost_nanos: None,
        stated_cost_nanos: None,
        price_source: None,
        status: 404,
        outcome: Outcome::ClientError,
        fault_code: None,
        attempts: 0,
        attempts_detail: None,
        first_byte_us: None,
        total_us: 120,
        client_request_id: None,
        losses: None,
    }
}
