//! What every backend must do: one story per trait, run against each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may say so by panicking")]

#[path = "../support/entries.rs"]
mod entries;
#[path = "../support/files.rs"]
mod files;
#[path = "../support/stores.rs"]
mod stores;
#[path = "../support/turns.rs"]
mod turns;

mod conversations;
mod routing;

use std::sync::Arc;

use entries::bare_entry;
use files::new_file;
use store::{
    AccessKeys, AuditVerdict, By, Entry, GLOBAL, KeyChanges, KeyRole, Ledger, NewAccessKey, Outcome, Secrets,
    Store, StoreError, Totals,
};
use stores::{by, new_credential, second};
use tempfile::TempDir;
use uuid::Uuid;

/// A fresh store of each kind. The directory lasts as long as the store.
async fn backends() -> Vec<(&'static str, Arc<dyn Store>, TempDir)> {
    let directory = TempDir::new().unwrap();
    let opened = stores::open(directory.path()).await.unwrap();
    vec![("sqlite", opened.store, directory)]
}

#[tokio::test]
async fn secrets_keep_their_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        a_credential_is_stored_masked_and_opened(&*store).await;
        a_second_write_replaces_the_key_and_keeps_the_id(&*store).await;
        a_list_is_ordered_and_filtered_by_project(&*store).await;
        a_deleted_credential_is_gone_and_its_id_is_not_used_again(&*store).await;
        what_is_not_there_is_said_so(&*store).await;
        any_text_can_be_a_secret(&*store).await;
    }
}

async fn a_credential_is_stored_masked_and_opened(store: &dyn Secrets) {
    let put = store.put_credential(new_credential("acme", "default", GLOBAL, FIRST), &by(1)).await.unwrap();
    assert_eq!((&*put.provider, &*put.key_name, &*put.project), ("acme", "default", GLOBAL));
    assert_eq!((&*put.masked_value, put.intact), ("sk-firs...***", true));
    assert_eq!((put.created_at, put.updated_at), (second(1), second(1)));
    assert_eq!(store.credential(put.id).await.unwrap().as_ref(), Some(&put));
    assert_eq!(store.credentials(None).await.unwrap(), std::slice::from_ref(&put));
    assert_eq!(store.open_credential(put.id).await.unwrap().expose(), FIRST);
}

const FIRST: &str = "sk-first-0123456789abcdef";
const SECOND: &str = "sk-second-0123456789abcdef";

async fn a_second_write_replaces_the_key_and_keeps_the_id(store: &dyn Secrets) {
    let [old] = store.credentials(None).await.unwrap().try_into().unwrap();
    let put = store.put_credential(new_credential("acme", "default", GLOBAL, SECOND), &by(2)).await.unwrap();
    assert_eq!(put.id, old.id);
    assert_eq!((put.created_at, put.updated_at), (second(1), second(2)));
    assert_eq!(put.masked_value, "sk-seco...***");
    assert_eq!(store.open_credential(put.id).await.unwrap().expose(), SECOND);
    assert_eq!(store.credentials(None).await.unwrap(), [put]);
}

async fn a_list_is_ordered_and_filtered_by_project(store: &dyn Secrets) {
    for (provider, key_name, project) in
        [("zeta", "default", "team"), ("acme", "second", "other"), ("acme", "default", "team")]
    {
        store.put_credential(new_credential(provider, key_name, project, "sk-x"), &by(3)).await.unwrap();
    }
    assert_eq!(
        names(store, None).await,
        ["acme/default/_global", "acme/default/team", "acme/second/other", "zeta/default/team"]
    );
    assert_eq!(
        names(store, Some("team")).await,
        ["acme/default/_global", "acme/default/team", "zeta/default/team"]
    );
    assert_eq!(names(store, Some("nobody")).await, ["acme/default/_global"]);
    assert_eq!(names(store, Some(GLOBAL)).await, ["acme/default/_global"]);
}

async fn names(store: &dyn Secrets, project: Option<&str>) -> Vec<String> {
    let credentials = store.credentials(project).await.unwrap();
    credentials.iter().map(|c| format!("{}/{}/{}", c.provider, c.key_name, c.project)).collect()
}

async fn a_deleted_credential_is_gone_and_its_id_is_not_used_again(store: &dyn Secrets) {
    let last = store.put_credential(new_credential("acme", "last", GLOBAL, "sk-x"), &by(4)).await.unwrap();
    assert!(store.delete_credential(last.id, &by(9)).await.unwrap());
    assert!(!store.delete_credential(last.id, &by(9)).await.unwrap());
    assert_eq!(store.credential(last.id).await.unwrap(), None);
    let next = store.put_credential(new_credential("acme", "last", GLOBAL, "sk-y"), &by(5)).await.unwrap();
    assert!(next.id > last.id);
}

async fn what_is_not_there_is_said_so(store: &dyn Secrets) {
    let error = store.open_credential(999).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound { what } if what == "credential 999"), "{error}");
    assert!(!error.is_retryable());
}

async fn any_text_can_be_a_secret(store: &dyn Secrets) {
    for text in ["", "ключ", "a\0b", &"x".repeat(1 << 20)] {
        let put = store.put_credential(new_credential("odd", "x", GLOBAL, text), &by(6)).await.unwrap();
        assert!(store.open_credential(put.id).await.unwrap().expose() == text);
    }
}

#[tokio::test]
async fn auth_files_keep_their_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        a_file_is_stored_listed_and_opened(&*store).await;
        a_second_write_of_a_file_keeps_its_id(&*store).await;
        a_file_and_a_credential_of_the_same_name_do_not_meet(&*store).await;
        a_file_is_replaced_only_in_the_version_that_its_writer_knows(&*store).await;
        a_deleted_file_is_gone(&*store).await;
        every_change_moves_the_generation(&*store).await;
    }
}

async fn a_file_is_stored_listed_and_opened(store: &dyn Secrets) {
    let put = store.put_file(new_file("claude", "auth.json", "team", "{}"), &by(1)).await.unwrap();
    assert_eq!((&*put.provider, &*put.file_name, &*put.project), ("claude", "auth.json", "team"));
    assert_eq!((put.intact, put.created_at, put.updated_at), (true, second(1), second(1)));
    assert_eq!(store.file(put.id).await.unwrap().as_ref(), Some(&put));
    assert_eq!(store.files(Some("team")).await.unwrap(), std::slice::from_ref(&put));
    assert!(store.files(Some("other")).await.unwrap().is_empty());
    assert_eq!(store.open_file(put.id).await.unwrap().expose(), "{}");
}

async fn a_second_write_of_a_file_keeps_its_id(store: &dyn Secrets) {
    let [old] = store.files(None).await.unwrap().try_into().unwrap();
    let large = "x".repeat(1 << 20);
    let put = store.put_file(new_file("claude", "auth.json", "team", &large), &by(2)).await.unwrap();
    assert_eq!((put.id, put.created_at, put.updated_at), (old.id, second(1), second(2)));
    assert!(store.open_file(put.id).await.unwrap().expose() == large);
}

async fn a_file_and_a_credential_of_the_same_name_do_not_meet(store: &dyn Secrets) {
    let file = store.put_file(new_file("acme", "default", GLOBAL, "content"), &by(3)).await.unwrap();
    let credential =
        store.put_credential(new_credential("acme", "default", GLOBAL, FIRST), &by(3)).await.unwrap();
    assert_eq!(store.open_file(file.id).await.unwrap().expose(), "content");
    assert_eq!(store.open_credential(credential.id).await.unwrap().expose(), FIRST);
}

async fn a_file_is_replaced_only_in_the_version_that_its_writer_knows(store: &dyn Secrets) {
    let new = |content| new_file("codex", "auth.json", GLOBAL, content);
    let first = store.put_file(new("first"), &by(3)).await.unwrap();
    let refreshed = store.replace_file(new("refreshed"), first.version, &by(4)).await.unwrap();
    assert_eq!((refreshed.id, refreshed.created_at, refreshed.updated_at), (first.id, second(3), second(4)));
    assert_eq!(store.file(first.id).await.unwrap().as_ref(), Some(&refreshed));
    // The writer's own copy of a version is as good as the list's.
    let known: store::Version = refreshed.version.to_string().parse().unwrap();
    assert_eq!(known, refreshed.version);
    let late = |version| async move { store.replace_file(new("late"), version, &by(5)).await };
    assert!(matches!(late(first.version).await, Err(StoreError::Stale { .. })));
    assert_eq!(store.open_file(first.id).await.unwrap().expose(), "refreshed");
    store.delete_file(first.id, &by(6)).await.unwrap();
    assert!(matches!(late(known).await, Err(StoreError::Stale { .. })), "nothing is there to replace");
    // A new file begins anew, but never in a version that was.
    let again = store.put_file(new("again"), &by(7)).await.unwrap();
    for gone in [first.version, known] {
        assert!(matches!(late(gone).await, Err(StoreError::Stale { .. })));
    }
    assert_eq!(store.open_file(again.id).await.unwrap().expose(), "again");
    store.delete_file(again.id, &by(8)).await.unwrap();
}

async fn a_deleted_file_is_gone(store: &dyn Secrets) {
    let file = store.put_file(new_file("acme", "last", GLOBAL, "content"), &by(4)).await.unwrap();
    assert!(store.delete_file(file.id, &by(5)).await.unwrap());
    assert!(!store.delete_file(file.id, &by(5)).await.unwrap());
    assert_eq!(store.file(file.id).await.unwrap(), None);
    let error = store.open_file(file.id).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound { what } if what.starts_with("file ")), "{error}");
}

async fn every_change_moves_the_generation(store: &dyn Secrets) {
    let before = store.generation().await.unwrap();
    let file = store.put_file(new_file("acme", "moves", GLOBAL, "content"), &by(6)).await.unwrap();
    let after = store.generation().await.unwrap();
    store.delete_file(file.id, &by(6)).await.unwrap();
    assert!(before < after && after < store.generation().await.unwrap());
}

#[tokio::test]
async fn access_keys_keep_their_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        a_made_key_opens_the_door_and_no_other_text_does(&*store).await;
        a_key_that_is_narrowed_is_narrow_at_once(&*store).await;
        a_rotated_key_leaves_the_old_one_some_time(&*store).await;
        an_expired_key_opens_nothing(&*store).await;
        a_revoked_key_opens_nothing_for_good(&*store).await;
        a_key_that_is_not_there_is_said_so(&*store).await;
    }
}

fn new_key(name: &str) -> NewAccessKey {
    NewAccessKey {
        name: name.into(),
        role: KeyRole::Caller,
        project: Some("team".into()),
        models: vec!["gpt-*".into()],
        providers: vec!["acme".into()],
        labels: [("owner".into(), "alice".into())].into(),
        expires_at: None,
    }
}

async fn a_made_key_opens_the_door_and_no_other_text_does(store: &dyn AccessKeys) {
    let (key, secret) = store.create_key(new_key("ci"), &by(1)).await.unwrap();
    assert_eq!((&key.grant, &*key.created_by, key.intact), (&new_key("ci"), "tests", true));
    assert!(
        secret.expose().starts_with(&format!("gw_{}_", key.id)) && secret.expose().ends_with(&key.ending)
    );
    assert_eq!(store.access_keys().await.unwrap(), std::slice::from_ref(&key));
    let issued = store.issued_keys().await.unwrap();
    assert_eq!(issued.find(secret.expose(), second(2)), Some(&key));
    let (_, other) = store.create_key(new_key("other"), &by(1)).await.unwrap();
    assert_eq!(issued.find(other.expose(), second(2)), None, "made later");
    let all_but_the_last = &secret.expose()[..60];
    for text in ["", "gw_", all_but_the_last, &format!("{all_but_the_last}~"), "' OR '1'='1' --"] {
        assert_eq!(issued.find(text, second(2)), None, "{text}");
    }
}

async fn a_key_that_is_narrowed_is_narrow_at_once(store: &dyn AccessKeys) {
    let (key, secret) = store.create_key(new_key("wide"), &by(1)).await.unwrap();
    let changes = KeyChanges { models: Some(vec!["gpt-5".into()]), ..KeyChanges::default() };
    let changed = store.update_key(&key.id, changes, &by(2)).await.unwrap();
    assert_eq!(
        (changed.grant.models.as_slice(), &*changed.grant.name),
        (["gpt-5".to_owned()].as_slice(), "wide")
    );
    assert_eq!((changed.created_at, changed.updated_at), (second(1), second(2)));
    assert_eq!(store.issued_keys().await.unwrap().find(secret.expose(), second(3)), Some(&changed));
}

async fn a_rotated_key_leaves_the_old_one_some_time(store: &dyn AccessKeys) {
    let (key, old) = store.create_key(new_key("rotated"), &by(1)).await.unwrap();
    let (rotated, new) = store.rotate_key(&key.id, second(10), &by(2)).await.unwrap();
    assert_eq!((&rotated.id, rotated.old_until), (&key.id, Some(second(10))));
    let issued = store.issued_keys().await.unwrap();
    for (secret, at, opens) in [(&old, 9, true), (&old, 10, false), (&new, 9, true), (&new, 99, true)] {
        assert_eq!(issued.find(secret.expose(), second(at)).is_some(), opens, "at {at}");
    }
}

async fn an_expired_key_opens_nothing(store: &dyn AccessKeys) {
    let new = NewAccessKey { expires_at: Some(second(10)), ..new_key("short") };
    let (_, secret) = store.create_key(new, &by(1)).await.unwrap();
    let issued = store.issued_keys().await.unwrap();
    assert!(issued.find(secret.expose(), second(9)).is_some());
    assert!(issued.find(secret.expose(), second(10)).is_none());
}

async fn a_revoked_key_opens_nothing_for_good(store: &dyn AccessKeys) {
    let (key, secret) = store.create_key(new_key("leaked"), &by(1)).await.unwrap();
    let (_, newer) = store.rotate_key(&key.id, second(100), &by(2)).await.unwrap();
    assert_eq!(store.revoke_key(&key.id, &by(3)).await.unwrap().revoked_at, Some(second(3)));
    assert_eq!(store.revoke_key(&key.id, &by(4)).await.unwrap().revoked_at, Some(second(3)));
    let issued = store.issued_keys().await.unwrap();
    assert!([&secret, &newer].iter().all(|secret| issued.find(secret.expose(), second(5)).is_none()));
    assert!(issued.get(&key.id).is_some(), "it is still listed");
}

async fn a_key_that_is_not_there_is_said_so(store: &dyn AccessKeys) {
    let error = store.revoke_key("nobody", &by(1)).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound { what } if what == "access key nobody"), "{error}");
}

#[tokio::test]
async fn the_audit_log_keeps_its_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: 0 });
        let request = By { actor: "key/abcd".into(), request_id: Some(id(7)), at: second(2) };
        let credential =
            store.put_credential(new_credential("acme", "default", "team", FIRST), &by(1)).await.unwrap();
        store.put_file(new_file("claude", "auth.json", GLOBAL, "{}"), &request).await.unwrap();
        let (key, _) = store.create_key(new_key("ci"), &by(3)).await.unwrap();
        store.revoke_key(&key.id, &by(4)).await.unwrap();
        store.delete_credential(credential.id, &by(5)).await.unwrap();
        let entries = store.audit(None, 10).await.unwrap();
        let said: Vec<_> = entries.iter().rev().map(|entry| (&*entry.action, &*entry.detail)).collect();
        assert_eq!(
            said,
            [
                ("credential.stored", "acme/default of team"),
                ("file.stored", "claude/auth.json of _global"),
                ("key.created", "ci"),
                ("key.revoked", "ci"),
                ("credential.deleted", "acme/default of team"),
            ]
        );
        assert_eq!(
            (&*entries[3].actor, entries[3].request_id, entries[3].at),
            ("key/abcd", Some(id(7)), second(2))
        );
        assert_eq!(entries[4].target, format!("credential/{}", credential.id));
        let page = store.audit(Some(3), 1).await.unwrap();
        assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2]);
        assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: 5 });
    }
}

#[tokio::test]
async fn the_ledger_keeps_its_story() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        an_empty_ledger_sums_to_nothing(&*store).await;
        a_row_comes_back_as_it_was(&*store).await;
        a_batch_may_be_repeated(&*store).await;
        a_large_batch_is_one_piece_and_newest_come_first(&*store).await;
        sums_do_not_overflow(&*store).await;
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

async fn an_empty_ledger_sums_to_nothing(store: &dyn Ledger) {
    store.append(&[]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 0);
    assert_eq!(store.totals().await.unwrap(), Totals::default());
    assert_eq!(store.recent(10).await.unwrap(), []);
}

async fn a_row_comes_back_as_it_was(store: &dyn Ledger) {
    let rows = [bare_entry(id(1)), full_entry(id(2))];
    store.append(&rows).await.unwrap();
    let [newer, older] = store.recent(10).await.unwrap().try_into().unwrap();
    assert_eq!([older, newer], rows);
    let totals = store.totals().await.unwrap();
    let expected =
        Totals { requests: 2, input: 11 + 12 + 13 + 14, output: 15 + 16, cost_nanos: 17, unpriced: 1 };
    assert_eq!(totals, expected);
}

/// A row with something in every field, and no number twice.
fn full_entry(id: Uuid) -> Entry {
    Entry {
        id,
        started_at: second(1),
        key_name: Some("ci".into()),
        project: "team".into(),
        surface: "anthropic_messages".into(),
        operation: "chat".into(),
        provider: Some("acme".into()),
        wire: Some("openai_chat".into()),
        model_asked: Some("fast".into()),
        model_sent: Some("acme-1".into()),
        model_answered: Some("acme-1-2026".into()),
        stream: true,
        input: Some(11),
        cache_read: Some(12),
        cache_write: Some(13),
        cache_write_1h: Some(14),
        output: Some(15),
        reasoning: Some(16),
        usage_odd: true,
        cost_nanos: Some(17),
        stated_cost_nanos: Some(18),
        price_source: Some("catalogue".into()),
        status: 200,
        outcome: Outcome::ClientGone,
        fault_code: Some("client_gone".into()),
        attempts: 2,
        attempts_detail: Some(r#"[{"provider":"acme"}]"#.into()),
        first_byte_us: Some(19),
        total_us: 20,
        client_request_id: Some("abc".into()),
        losses: Some(r#"["messages[0]"]"#.into()),
    }
}

async fn a_batch_may_be_repeated(store: &dyn Ledger) {
    let first = [bare_entry(id(3)), bare_entry(id(4))];
    store.append(&first).await.unwrap();
    let again = [Entry { status: 500, ..bare_entry(id(4)) }, bare_entry(id(5))];
    store.append(&again).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 5);
    let newest = store.recent(2).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.status).collect::<Vec<_>>(), [404, 404], "what is written stays");
}

async fn a_large_batch_is_one_piece_and_newest_come_first(store: &dyn Ledger) {
    let rows: Vec<Entry> = (0..1_234)
        .map(|n| Entry {
            outcome: Outcome::ALL[n % 5],
            total_us: n as i64,
            ..bare_entry(id(100 + n as u128))
        })
        .collect();
    store.append(&rows).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 5 + 1_234);
    let mut newest = store.recent(1_234).await.unwrap();
    newest.reverse();
    assert_eq!(newest, rows);
}

async fn sums_do_not_overflow(store: &dyn Ledger) {
    let before = store.totals().await.unwrap();
    let huge = |n| Entry { output: Some(i64::MAX), cost_nanos: Some(i64::MIN), ..bare_entry(id(n)) };
    store.append(&[huge(5_000), huge(5_001), huge(5_002)]).await.unwrap();
    let after = store.totals().await.unwrap();
    assert_eq!(after.output - before.output, 3 * i128::from(i64::MAX));
    assert_eq!(after.cost_nanos - before.cost_nanos, 3 * i128::from(i64::MIN));
}

#[tokio::test]
async fn a_store_can_be_closed_and_goes_on_after_its_process_ends() {
    for (_, store, directory) in backends().await {
        let put =
            store.put_credential(new_credential("acme", "default", GLOBAL, FIRST), &by(1)).await.unwrap();
        store.append(&[bare_entry(id(1))]).await.unwrap();
        store.health().await.unwrap();
        store.close().await;
        drop(store);
        let again = stores::open(directory.path()).await.unwrap();
        assert!(!again.created);
        assert_eq!(again.store.open_credential(put.id).await.unwrap().expose(), FIRST);
        assert_eq!(again.store.count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_write_that_its_caller_abandons_leaves_the_store_usable() {
    for (_, store, _directory) in backends().await {
        for polls in 0..40 {
            let somebody = by(1);
            let put = store.put_credential(new_credential("acme", "default", GLOBAL, FIRST), &somebody);
            let mut put = std::pin::pin!(put);
            for _ in 0..polls {
                // Each turn of the loop lets the database take one more step, then the caller leaves.
                let step =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(put.as_mut().poll(cx).is_ready()));
                if step.await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let put =
            store.put_credential(new_credential("acme", "default", GLOBAL, SECOND), &by(2)).await.unwrap();
        assert_eq!(store.open_credential(put.id).await.unwrap().expose(), SECOND);
        assert_eq!(store.credentials(None).await.unwrap().len(), 1);
    }
}
