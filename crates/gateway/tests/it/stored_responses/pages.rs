//! The list of what an answer answers.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use super::{ON, ask, at, before};
use crate::support::block_on;

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_text_is_listed_as_a_message_with_an_id() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    let page = gateway.get(&format!("{}/input_items", at(&answer))).json();
    let id = page["data"][0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("msg_"), "{id}");
    let item = json!({"id": id, "type": "message", "role": "user", "status": "completed",
        "content": [{"type": "input_text", "text": "Hi"}]});
    assert_eq!(
        page,
        json!({"object": "list", "data": [item], "first_id": id, "last_id": id, "has_more": false})
    );
    let body = json!({"model": "oai/text", "input": "And?", "previous_response_id": answer["id"]});
    let page = gateway.get(&format!("{}/input_items", at(&ask(&gateway, &body)))).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "only what is new in the turn");
}

#[test]
fn pages_go_through_all_items_in_both_orders_and_ids_of_the_client_stay() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let mut items: Vec<Value> = (0..45).map(|n| json!({"role": "user", "content": format!("{n}")})).collect();
    items[3]["id"] = json!("msg_mine");
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": items}));
    let page = |query: &str| gateway.get(&format!("{}/input_items?{query}", at(&answer))).json();
    let all = ids(&page("limit=100&order=asc"));
    assert_eq!((all.len(), all[3].as_str()), (45, "msg_mine"));
    let newest_first: Vec<String> = all.iter().rev().cloned().collect();
    for (order, expected) in [("order=asc", &all), ("order=desc", &newest_first), ("", &newest_first)] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = page(&format!("{order}&after={after}&include[]=message.input_image.image_url"));
            seen.extend(ids(&page));
            after = page["last_id"].as_str().unwrap().to_owned();
            if page["has_more"] == false {
                break;
            }
            assert_eq!(ids(&page).len(), 20, "a page unless the client says otherwise");
        }
        assert_eq!(&seen, expected, "{order}");
    }
}

#[test]
fn parameters_without_sense_are_named() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("order=up", "order"),
        ("after=msg_x", "after"),
    ] {
        let refused = gateway.get(&format!("{}/input_items?{query}", at(&answer)));
        assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!(parameter)), "{query}");
    }
}
