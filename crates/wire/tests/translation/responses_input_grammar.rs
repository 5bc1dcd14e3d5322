//! Checks a request body against the rules of Responses, without the code that writes it.
//! Source: OpenAI API reference, responses; DIALECTS; the recorded requests.

use std::collections::HashSet;

use serde_json::Value;

/// Panics with the rule that is broken.
pub fn check(case: &str, body: &Value) {
    let rule = |rule: &str, holds: bool| assert!(holds, "{case}: {rule}\n{body:#}");
    rule("a model is named", body["model"].as_str().is_some_and(|model| !model.is_empty()));
    rule("nothing is stored", body["store"] == false);
    rule(
        "no field of another dialect",
        ["messages", "stop", "n", "seed"].iter().all(|key| body.get(key).is_none()),
    );
    rule("the limit is 16 at least", body["max_output_tokens"].as_u64().is_none_or(|limit| limit >= 16));
    for tool in body["tools"].as_array().into_iter().flatten() {
        check_tool(case, tool);
    }
    let (mut calls, mut answered) = (HashSet::new(), HashSet::new());
    for item in body["input"].as_array().expect("input is a list") {
        match item["type"].as_str().expect("an item has a type") {
            "message" => check_message(case, item),
            "reasoning" => rule("a thought has a summary", item["summary"].is_array()),
            "function_call" | "custom_tool_call" => {
                let id = item["call_id"].as_str().expect("a call has an id");
                rule("ids of calls have 1 to 64 characters", (1..=64).contains(&id.len()));
                let args = item["arguments"].as_str().or(item["input"].as_str());
                rule("a call has a legal name", is_name(&item["name"]) && args.is_some());
                // Clients may count anew in each turn.
                answered.remove(id);
                calls.insert((id, item["type"] == "custom_tool_call"));
            }
            kind @ ("function_call_output" | "custom_tool_call_output") => {
                let id = item["call_id"].as_str().expect("a result has an id");
                rule("a result follows its call", calls.contains(&(id, kind == "custom_tool_call_output")));
                rule("a call is answered once", answered.insert(id));
                check_content(case, &item["output"], "input_");
            }
            _ => {}
        }
    }
}

fn is_name(name: &Value) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    name.as_str().is_some_and(|name| (1..=64).contains(&name.len()) && name.chars().all(legal))
}

fn check_tool(case: &str, tool: &Value) {
    match tool["type"].as_str().expect("a tool has a type") {
        "function" => {
            let complete =
                is_name(&tool["name"]) && tool["parameters"].is_object() && tool["strict"].is_boolean();
            assert!(complete, "{case}: a function has a name, parameters and strict: {tool}");
        }
        "custom" => assert!(is_name(&tool["name"]), "{case}: {tool}"),
        _ => {}
    }
}

fn check_message(case: &str, item: &Value) {
    let role = item["role"].as_str().expect("a message has a role");
    assert!(["system", "developer", "user", "assistant"].contains(&role), "{case}: role {role}");
    check_content(case, &item["content"], if role == "assistant" { "output_" } else { "input_" });
}

fn check_content(case: &str, content: &Value, prefix: &str) {
    if content.is_string() {
        return;
    }
    for part in content.as_array().unwrap_or_else(|| panic!("{case}: content is a text or a list: {content}"))
    {
        let kind = part["type"].as_str().expect("a part has a type");
        let refusal = prefix == "output_" && kind == "refusal";
        assert!(kind.starts_with(prefix) || refusal, "{case}: {kind} where {prefix} parts belong");
    }
}
