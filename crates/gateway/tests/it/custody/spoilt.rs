//! Clients that edit or drop a thought. Its vendor refuses that; the conversation goes on all the same, without thoughts.

use serde_json::{Value, json};

use super::clients::{Client, Gemini, Messages, Responses};
use super::{MODEL, every_wire};

/// What becomes of the history before it is sent back.
type Spoil = fn(&mut Vec<Value>);

/// Asks, spoils the thoughts of the answer, and sends the result of its call to the same vendor.
#[track_caller]
fn goes_on(vendor: &str, client: &mut dyn Client, spoil: Spoil, warning: Option<&str>) {
    for stream in [false, true] {
        client.turns().clear();
        let (provider, gateway) = every_wire();
        let model = format!("{vendor}/{MODEL}");
        client.say("How is the weather?");
        let asked = client.ask(&gateway, &model, stream);
        let calls = client.take(&asked, stream);
        let before = client.turns().clone();
        spoil(client.turns());
        assert_ne!(*client.turns(), before, "something was spoilt");
        client.result(&calls[0], "sunny");
        let reply = client.ask(&gateway, &model, stream);
        assert_eq!(reply.status, 200, "{vendor}: {}", reply.text());
        let warnings = reply.header("x-gateway-warnings");
        let warned = |code: &str| warnings.is_some_and(|all| all.split(',').any(|one| one.trim() == code));
        assert!(warning.is_none_or(warned), "{vendor}: {warnings:?}");
        assert!(client.take(&reply, stream).is_empty(), "{vendor}: it is the answer to the result");
        assert_eq!(provider.received().len(), 3, "{vendor}: refused once, then answered");
        let rows = gateway.ledger(2);
        assert_eq!((rows[0].attempts, rows[0].status), (2, 200), "{rows:#?}");
    }
}

#[test]
fn an_edited_thought_of_messages_is_left_out() {
    let edit: Spoil = |turns| turns[1]["content"][0]["thinking"] = json!("I think otherwise.");
    goes_on("ant", &mut Messages::default(), edit, Some("thinking_dropped"));
    goes_on("ant", &mut Messages::default(), edit, Some("thinking_off"));
}

#[test]
fn a_dropped_thought_of_messages_switches_thinking_off() {
    let drop: Spoil = |turns| {
        turns[1]["content"].as_array_mut().unwrap().remove(0);
    };
    goes_on("ant", &mut Messages::default(), drop, Some("thinking_off"));
}

#[test]
fn an_edited_signature_of_gemini_is_left_out() {
    let edit: Spoil = |turns| {
        for part in turns[1]["parts"].as_array_mut().unwrap() {
            if part.get("thoughtSignature").is_some() {
                part["thoughtSignature"] = json!("c29tZXRoaW5n");
            }
        }
    };
    goes_on("ggl", &mut Gemini::default(), edit, Some("thinking_dropped"));
}

#[test]
fn a_dropped_signature_of_gemini_is_passed_over() {
    let drop: Spoil = |turns| {
        for part in turns[1]["parts"].as_array_mut().unwrap() {
            part.as_object_mut().unwrap().remove("thoughtSignature");
        }
    };
    goes_on("ggl", &mut Gemini::default(), drop, None);
}

#[test]
fn an_edited_reasoning_item_of_responses_is_left_out() {
    let edit: Spoil = |items| items[1]["encrypted_content"] = json!("gAAAAABo");
    goes_on("rsp", &mut Responses::default(), edit, Some("thinking_dropped"));
}

#[test]
fn an_item_of_responses_that_nobody_kept_is_left_out() {
    let forget: Spoil = |items| {
        items[1].as_object_mut().unwrap().remove("encrypted_content");
        items[1]["id"] = json!("rs_of_another_account");
    };
    goes_on("rsp", &mut Responses::default(), forget, Some("thinking_dropped"));
}

/// A first question holds no thoughts and misses none: it is not asked twice, whatever words its refusal has.
#[test]
fn where_there_are_no_thoughts_nothing_is_sent_once_more() {
    let (provider, gateway) = every_wire();
    for (vendor, _) in super::VENDORS {
        let before = provider.received().len();
        let question = json!([{"role": "user", "content": "encrypted_content"}]);
        let body = json!({"model": format!("{vendor}/text+signature"), "messages": question, "strict": true});
        let reply = gateway.post("/v1/chat/completions", &body);
        assert!(reply.status == 400 && reply.text().contains("signature"), "{}", reply.text());
        assert_eq!(provider.received().len() - before, 1, "{vendor}");
    }
}

#[test]
fn a_dropped_reasoning_item_of_responses_is_not_missed() {
    let drop: Spoil = |items| {
        items.remove(1);
    };
    goes_on("rsp", &mut Responses::default(), drop, None);
}
