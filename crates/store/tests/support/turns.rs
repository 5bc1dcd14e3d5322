//! Turns of a conversation, and how they are looked for.

use store::{Chain, ChainLimits, NewResponse, ResponseOwner, ResponseRef, Store, StoredResponse};

use super::stores::second;

pub fn owner(key: &str, project: &str) -> ResponseOwner {
    ResponseOwner { key: Some(key.into()), project: project.into() }
}

pub fn limits() -> ChainLimits {
    ChainLimits { since: second(0), turns: 10, bytes: 1 << 20 }
}

/// A response of `ci` in `blue` at a second.
pub fn new(id: &str, at: i64, previous: Option<ResponseRef>) -> NewResponse {
    NewResponse {
        owner: owner("ci", "blue"),
        id: id.into(),
        previous,
        created_at: second(at),
        input: format!(r#"["question {id}"]"#),
        answer: format!(r#"{{"id":"{id}","at":{at}}}"#),
    }
}

pub async fn find(store: &dyn Store, id: &str) -> Option<StoredResponse> {
    store.response(&owner("ci", "blue"), id, second(0)).await.unwrap()
}

pub async fn chain(store: &dyn Store, id: &str, limits: ChainLimits) -> Chain {
    store.conversation(&owner("ci", "blue"), id, limits).await.unwrap()
}

/// Keeps a conversation of `turns` turns, `r1`, `r2`, ... at the seconds 1, 2, ...
pub async fn talk(store: &dyn Store, turns: i64) {
    let mut previous = None;
    for turn in 1..=turns {
        let id = format!("r{turn}");
        store.keep_response(new(&id, turn, previous)).await.unwrap();
        previous = find(store, &id).await.map(|stored| stored.at);
    }
}

pub fn ids(chain: &Chain) -> Vec<&str> {
    let Chain::Whole(turns) = chain else { panic!("{chain:?}") };
    turns.iter().map(|turn| turn.at.id.as_str()).collect()
}
