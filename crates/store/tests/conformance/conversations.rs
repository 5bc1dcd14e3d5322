//! Stored responses: found by their owner alone, followed to the beginning of their conversation, pruned.

use store::{Chain, ChainLimits, ResponseOwner};

use super::backends;
use super::stores::second;
use super::turns::{chain, find, ids, limits, new, owner, talk};

#[tokio::test]
async fn a_response_is_found_by_its_owner_alone_until_it_is_deleted() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
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
}

#[tokio::test]
async fn a_conversation_is_followed_to_its_beginning_oldest_first() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
        talk(&*store, 3).await;
        assert_eq!(ids(&chain(&*store, "r3", limits()).await), ["r1", "r2", "r3"]);
        assert_eq!(ids(&chain(&*store, "r2", limits()).await), ["r1", "r2"]);
    }
}

#[tokio::test]
async fn a_conversation_has_bounds_and_says_which_turn_is_missing() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
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
}

#[tokio::test]
async fn an_id_that_a_server_gives_twice_names_the_later_and_breaks_no_conversation() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
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
}

#[tokio::test]
async fn pruning_removes_what_is_old_and_then_the_oldest_for_which_there_is_no_room() {
    for (backend, store, _directory) in backends().await {
        eprintln!("{backend}");
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
}
