//! Stored responses, as every backend has to keep them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may say so by panicking")]

#[path = "support/stores.rs"]
mod stores;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use store::{
    Chain, ChainLimits, NewResponse, Opened, ResponseOwner, ResponseRef, Store, StoreError, StoredResponse,
};
use stores::{by, new_credential, open, second};
use tempfile::TempDir;

fn owner(key: &str, project: &str) -> ResponseOwner {
    ResponseOwner { key: Some(key.into()), project: project.into() }
}

fn limits() -> ChainLimits {
    ChainLimits { since: second(0), turns: 10, bytes: 1 << 20 }
}

/// A response of `ci` in `blue` at a second.
fn new(id: &str, at: i64, previous: Option<ResponseRef>) -> NewResponse {
    NewResponse {
        owner: owner("ci", "blue"),
        id: id.into(),
        previous,
        created_at: second(at),
        input: format!(r#"["question {id}"]"#),
        answer: format!(r#"{{"id":"{id}","at":{at}}}"#),
    }
}

async fn find(store: &dyn Store, id: &str) -> Option<StoredResponse> {
    store.response(&owner("ci", "blue"), id, second(0)).await.unwrap()
}

async fn chain(store: &dyn Store, id: &str, limits: ChainLimits) -> Chain {
    store.conversation(&owner("ci", "blue"), id, limits).await.unwrap()
}

/// Keeps a conversation of `turns` turns, `r1`, `r2`, ... at the seconds 1, 2, ...
async fn talk(store: &dyn Store, turns: i64) {
    let mut previous = None;
    for turn in 1..=turns {
        let id = format!("r{turn}");
        store.keep_response(new(&id, turn, previous)).await.unwrap();
        previous = find(store, &id).await.map(|stored| stored.at);
    }
}

async fn opened() -> (TempDir, Opened) {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    (directory, opened)
}

fn ids(chain: &Chain) -> Vec<&str> {
    let Chain::Whole(turns) = chain else { panic!("{chain:?}") };
    turns.iter().map(|turn| turn.at.id.as_str()).collect()
}

#[tokio::test]
async fn a_response_is_found_by_its_owner_alone_until_it_is_deleted() {
    let (_directory, Opened { store, .. }) = opened().await;
    talk(&*store, 1).await;
    let found = find(&*store, "r1").await.unwrap();
    assert_eq!((found.input.as_str(), found.created_at), (r#"["question r1"]"#, second(1)));
    assert_eq!(found.answer, r#"{"id":"r1","at":1}"#);
    let nobody = ResponseOwner { key: None, project: "blue".into() };
    for other in [owner("ci", "red"), owner("dev", "blue"), nobody] {
        assert_eq!(store.response(&other, "r1", second(0)).await.unwrap(), None);
        assert_eq!(store.conversation(&other, "r1", limits()).await.unwrap(), Chain::Unknown);
        assert!(!store.delete_response(&other, "r1", second(0)).await.unwrap());
    }
    assert!(store.delete_response(&owner("ci", "blue"), "r1", second(0)).await.unwrap());
    assert!(find(&*store, "r1").await.is_none());
    assert!(!store.delete_response(&owner("ci", "blue"), "r1", second(0)).await.unwrap());
}

#[tokio::test]
async fn a_conversation_is_followed_to_its_beginning_oldest_first() {
    let (directory, Opened { store, .. }) = opened().await;
    talk(&*store, 3).await;
    assert_eq!(ids(&chain(&*store, "r3", limits()).await), ["r1", "r2", "r3"]);
    assert_eq!(ids(&chain(&*store, "r2", limits()).await), ["r1", "r2"]);
    store.close().await;
    let store = open(directory.path()).await.unwrap().store;
    assert_eq!(ids(&chain(&*store, "r3", limits()).await), ["r1", "r2", "r3"], "after opening it again");
}

#[tokio::test]
async fn a_conversation_has_bounds_and_says_which_turn_is_missing() {
    let (_directory, Opened { store, .. }) = opened().await;
    talk(&*store, 4).await;
    let few = ChainLimits { turns: 3, ..limits() };
    assert_eq!(chain(&*store, "r4", few).await, Chain::TooManyTurns);
    assert_eq!(ids(&chain(&*store, "r3", few).await).len(), 3);
    assert_eq!(chain(&*store, "r4", ChainLimits { bytes: 100, ..limits() }).await, Chain::TooLarge);
    let recent = ChainLimits { since: second(3), ..limits() };
    assert_eq!(chain(&*store, "r4", recent).await, Chain::Broken { missing: "r2".into() });
    assert_eq!(chain(&*store, "r2", recent).await, Chain::Unknown);
    store.delete_response(&owner("ci", "blue"), "r1", second(0)).await.unwrap();
    assert_eq!(chain(&*store, "r4", limits()).await, Chain::Broken { missing: "r1".into() });
}

#[tokio::test]
async fn an_id_that_a_server_gives_twice_names_the_later_and_breaks_no_conversation() {
    let (_directory, Opened { store, .. }) = opened().await;
    let mut previous = None;
    for at in 1..=3 {
        store.keep_response(new("same", at, previous)).await.unwrap();
        previous = find(&*store, "same").await.map(|stored| stored.at);
    }
    assert_eq!(find(&*store, "same").await.unwrap().created_at, second(3));
    assert_eq!(ids(&chain(&*store, "same", limits()).await), ["same"; 3]);
    assert!(store.delete_response(&owner("ci", "blue"), "same", second(0)).await.unwrap());
    assert!(find(&*store, "same").await.is_none(), "all of them are gone");
}

#[tokio::test]
async fn pruning_removes_what_is_old_and_then_the_oldest_for_which_there_is_no_room() {
    let (_directory, Opened { store, .. }) = opened().await;
    for turn in 0..60 {
        store.keep_response(new(&format!("r{turn}"), turn, None)).await.unwrap();
    }
    let prune = async |before, room| store.prune_responses(second(before), room).await.unwrap();
    assert!(prune(55, u64::MAX).await, "a step removes some, and says that there may be more");
    assert!(!prune(55, u64::MAX).await);
    assert!(find(&*store, "r54").await.is_none() && find(&*store, "r55").await.is_some());
    // Two of these, sealed, and no third.
    let size = |text: &str| text.len() as u64 + 28;
    let one = size(r#"["question r55"]"#) + size(r#"{"id":"r55","at":55}"#);
    assert!(!prune(0, 2 * one + 1).await);
    assert!(find(&*store, "r57").await.is_none() && find(&*store, "r58").await.is_some());
    assert!(find(&*store, "r59").await.is_some());
}

#[tokio::test]
async fn texts_are_sealed_and_a_new_master_key_leaves_them_readable() {
    let (directory, Opened { store, database, .. }) = opened().await;
    talk(&*store, 2).await;
    store.put_credential(new_credential("acme", "default", store::GLOBAL, "sk-1"), &by(1)).await.unwrap();
    store.rotate_root(&by(1)).await.unwrap();
    store.rotate_kek(&by(2)).await.unwrap();
    assert_eq!(ids(&chain(&*store, "r2", limits()).await).len(), 2);
    store.close().await;
    let bytes = std::fs::read(&database).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"question"), "nothing stands there in the clear");
    let store = open(directory.path()).await.unwrap().store;
    assert_eq!(ids(&chain(&*store, "r2", limits()).await).len(), 2);
}

#[tokio::test]
async fn a_row_that_was_moved_to_another_owner_does_not_open() {
    let (_directory, Opened { store, database, .. }) = opened().await;
    talk(&*store, 1).await;
    let mut connection = SqliteConnectOptions::new().filename(&database).connect().await.unwrap();
    sqlx::raw_sql("UPDATE responses SET key = 'thief'").execute(&mut connection).await.unwrap();
    let stolen = store.response(&owner("thief", "blue"), "r1", second(0)).await;
    assert!(matches!(stolen, Err(StoreError::Tampered { .. })), "{stolen:?}");
}
