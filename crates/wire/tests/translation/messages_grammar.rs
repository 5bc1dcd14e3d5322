//! Checks a request body against the rules of Anthropic Messages, without the code that writes it.
//! Source: DIALECTS, and the recorded requests.

use std::collections::HashSet;

use serde_json::Value;

/// Panics with the rule that is broken.
pub fn check(case: &str, body: &Value) {
    let checked = Body { case, body };
    checked.check_limits();
    checked.check_sampling();
    checked.check_tools();
    checked.rule("at most four cache marks", count_marks(body) <= 4);
    checked.check_blocks(&body["system"]);
    checked.check_turns(body["messages"].as_array().expect("messages is a list"));
}

struct Body<'a> {
    case: &'a str,
    body: &'a Value,
}

impl<'a> Body<'a> {
    fn rule(&self, rule: &str, holds: bool) {
        assert!(holds, "{}: {rule}\n{:#}", self.case, self.body);
    }

    fn check_limits(&self) {
        self.rule("a model is named", self.body["model"].as_str().is_some_and(|model| !model.is_empty()));
        let max_tokens = self.body["max_tokens"].as_u64().expect("max_tokens is a number");
        let budget = self.body["thinking"]["budget_tokens"].as_u64();
        let fits = budget.is_none_or(|budget| (1024..max_tokens).contains(&budget));
        self.rule("the budget is at least 1024 and below max_tokens", fits);
    }

    fn check_sampling(&self) {
        let temperature =
            self.body.get("temperature").map(|it| it.as_f64().expect("temperature is a number"));
        self.rule("temperature is 0 to 1", temperature.is_none_or(|it| (0.0..=1.0).contains(&it)));
        let both = temperature.is_some() && self.body.get("top_p").is_some();
        self.rule("temperature and top_p do not stand together", !both);
        if matches!(self.body["thinking"]["type"].as_str(), Some("enabled" | "adaptive")) {
            let usual = temperature.is_none_or(|it| it == 1.0) && self.body.get("top_k").is_none();
            self.rule("thinking leaves sampling alone", usual);
            let forced = matches!(self.body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
            self.rule("thinking forbids forced tools", !forced);
        }
    }

    fn check_tools(&self) {
        let mut names = HashSet::new();
        for tool in self.body["tools"].as_array().into_iter().flatten() {
            let name = tool["name"].as_str().expect("a tool has a name");
            self.rule("tool names are legal", is_name(name, 128));
            self.rule("tool names differ", names.insert(name));
            let typed = tool.get("type").is_some() || !tool["input_schema"]["type"].is_null();
            self.rule("a tool has a schema with a type at its root", typed);
        }
        let choice = &self.body["tool_choice"];
        self.rule("a choice needs tools", choice.is_null() || !names.is_empty());
        let chosen = choice["name"].as_str();
        self.rule("the chosen tool is offered", chosen.is_none_or(|name| names.contains(name)));
    }

    fn check_turns(&self, turns: &'a [Value]) {
        self.rule("the first turn is the user's", turns.first().is_some_and(|turn| turn["role"] == "user"));
        let alternate = turns.windows(2).all(|pair| pair[0]["role"] != pair[1]["role"]);
        self.rule("roles alternate", alternate);
        let mut calls = HashSet::new();
        for (place, turn) in turns.iter().enumerate() {
            let blocks = turn["content"].as_array().expect("content is a list");
            self.rule("no turn is empty", !blocks.is_empty());
            self.check_blocks(&turn["content"]);
            self.check_results(turn, blocks, &calls);
            let made: Vec<&str> = of_type(blocks, "tool_use")
                .map(|call| call["id"].as_str().expect("a call has an id"))
                .collect();
            self.rule("ids of calls are legal", made.iter().all(|id| is_name(id, usize::MAX)));
            if let Some(next) = turns.get(place + 1) {
                let answered: Vec<_> = next["content"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|block| &block["tool_use_id"])
                    .collect();
                let all = made.iter().all(|id| answered.iter().any(|it| *it == id));
                self.rule("each call is answered in the next turn", all);
            }
            calls.extend(made);
        }
    }

    fn check_results(&self, turn: &Value, blocks: &[Value], calls: &HashSet<&str>) {
        let leading = blocks.iter().take_while(|block| block["type"] == "tool_result").count();
        self.rule("results come first", of_type(blocks, "tool_result").count() == leading);
        for result in of_type(blocks, "tool_result") {
            self.rule("results are the user's", turn["role"] == "user");
            let answers = result["tool_use_id"].as_str().is_some_and(|id| calls.contains(id));
            self.rule("a result answers a call", answers);
        }
    }

    fn check_blocks(&self, content: &Value) {
        for block in content.as_array().into_iter().flatten() {
            match block["type"].as_str().expect("a block has a type") {
                "text" => self.rule("no text is blank", has_words(&block["text"])),
                "thinking" => self.rule("a thought is signed", has_words(&block["signature"])),
                "tool_use" => self.rule("input is an object", block["input"].is_object()),
                "image" => self.rule("an image is of a type that is taken", is_image(&block["source"])),
                "tool_result" => self.check_blocks(&block["content"]),
                _ => {}
            }
        }
    }
}

fn of_type<'a>(blocks: &'a [Value], kind: &'static str) -> impl Iterator<Item = &'a Value> {
    blocks.iter().filter(move |block| block["type"] == kind)
}

fn has_words(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn count_marks(value: &Value) -> usize {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| usize::from(key == "cache_control") + count_marks(value)).sum()
        }
        Value::Array(list) => list.iter().map(count_marks).sum(),
        _ => 0,
    }
}

fn is_image(source: &Value) -> bool {
    let mime = source["media_type"].as_str();
    source["type"] != "base64"
        || matches!(mime, Some("image/png" | "image/jpeg" | "image/gif" | "image/webp"))
}

fn is_name(name: &str, longest: usize) -> bool {
    !name.is_empty()
        && name.len() <= longest
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
