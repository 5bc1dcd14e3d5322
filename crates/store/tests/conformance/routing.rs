//! What decides where requests go, and is made by API: groups of providers, and settings of circuit breakers.

use store::{BreakerRule, GroupMember, GroupRule, Store, StoreError};

use super::backends;
use super::stores::{self, by};

#[tokio::test]
async fn groups_keep_their_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        groups_are_made_changed_and_deleted_and_every_process_hears_of_it(&*store).await;
    }
}

fn rule(strategy: &str) -> GroupRule {
    let member = |provider: &str, weight: Option<f64>| GroupMember {
        provider: provider.to_owned(),
        key_name: None,
        weight: weight.and_then(serde_json::Number::from_f64),
        priority: None,
    };
    GroupRule {
        model_pattern: Some("gpt-*".to_owned()),
        members: vec![member("openai", Some(1.5)), member("groq", None)],
        strategy: strategy.to_owned(),
        weights: None,
        sticky_ttl: Some(60),
    }
}

async fn groups_are_made_changed_and_deleted_and_every_process_hears_of_it(store: &dyn Store) {
    let before = store.generation().await.unwrap();
    let first = store.create_group("fast", "Fast", rule("random"), &by(1)).await.unwrap();
    let second = store.create_group("fast", "Fast!", rule("random"), &by(1)).await.unwrap();
    assert_eq!((first.id.as_str(), second.id.as_str()), ("fast", "fast-2"));
    assert!(store.generation().await.unwrap() >= before + 2);
    let changed = store.update_group("fast", "Fast", rule("failover"), &by(2)).await.unwrap();
    assert_eq!((changed.created_at, changed.updated_at), (stores::second(1), stores::second(2)));
    assert_eq!(store.groups().await.unwrap(), [changed, second]);
    assert!(store.delete_group("fast-2", &by(3)).await.unwrap());
    assert!(!store.delete_group("fast-2", &by(3)).await.unwrap());
    let missing = store.update_group("fast-2", "x", rule("random"), &by(3)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    let log = store.audit(None, 10).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["group.deleted", "group.updated", "group.created", "group.created"]);
    assert!(store.inspect().await.unwrap().complaints.is_empty());
}

#[tokio::test]
async fn breakers_keep_their_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        what_is_said_of_breakers_adds_up_and_every_process_hears_of_it(&*store).await;
    }
}

async fn what_is_said_of_breakers_adds_up_and_every_process_hears_of_it(store: &dyn Store) {
    assert!(store.breakers().await.unwrap().is_silent());
    let before = store.generation().await.unwrap();
    let first =
        BreakerRule { failure_threshold: Some(3), backoff_base_ms: Some(Some(500)), ..Default::default() };
    assert_eq!(store.change_breakers(first, &by(1)).await.unwrap(), first);
    let changes = BreakerRule { enabled: Some(false), backoff_base_ms: Some(None), ..BreakerRule::default() };
    let expected = BreakerRule { failure_threshold: Some(3), ..changes };
    assert_eq!(store.change_breakers(changes, &by(2)).await.unwrap(), expected);
    assert_eq!(store.breakers().await.unwrap(), expected, "that there is no backoff was said, and is kept");
    assert_eq!(store.generation().await.unwrap(), before + 2);
    let log = store.audit(None, 10).await.unwrap();
    let said: Vec<_> = log.iter().map(|entry| (&*entry.action, &*entry.detail)).collect();
    let details =
        [r#"{"enabled":false,"backoffBaseMs":null}"#, r#"{"failureThreshold":3,"backoffBaseMs":500}"#];
    assert_eq!(said, details.map(|detail| ("breakers.changed", detail)));
    assert!(store.inspect().await.unwrap().complaints.is_empty());
}
