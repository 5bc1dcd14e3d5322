//! Checks streams, answers and requests against the rules of Gemini as its SDKs and its servers need them, and says what
//! a client would have read. Shares no code with the codec.
//! Source: DIALECTS, sections 2 to 8; CLIENTS, section 3; the recorded traffic.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// What a client has at the end of a stream, or of a whole answer.
#[derive(Debug, Default)]
pub struct Read {
    pub candidates: BTreeMap<u64, Candidate>,
    pub usage: Option<Value>,
    /// The error object, when the stream ended in one.
    pub error: Option<Value>,
}

/// One answer as a client has put it together.
#[derive(Debug, Default, PartialEq)]
pub struct Candidate {
    pub text: String,
    pub thoughts: String,
    /// Name and arguments of each call.
    pub calls: Vec<(String, Value)>,
    pub finish: Option<String>,
    pub sources: usize,
}

/// Checks a stream of server-sent events. Panics with the rule that is broken.
pub fn check(case: &str, stream: &[u8]) -> Read {
    let stream = std::str::from_utf8(stream).expect("a stream is UTF-8");
    let events = stream.strip_suffix("\n\n").expect("a stream ends in a blank line").split("\n\n");
    let data = |event: &str| {
        let data = event.strip_prefix("data: ").filter(|data| !data.contains('\n'));
        serde_json::from_str(data.unwrap_or_else(|| panic!("{case}: an odd event: {event}"))).unwrap()
    };
    check_chunks(case, &events.map(data).collect::<Vec<Value>>())
}

/// Checks chunks that make an answer; a whole answer is one.
pub fn check_chunks(case: &str, chunks: &[Value]) -> Read {
    let mut checker = Checker { case, read: Read::default(), ids: Vec::new() };
    for chunk in chunks {
        checker.rule("nothing follows an error", checker.read.error.is_none());
        match chunk.get("error") {
            Some(error) => checker.error(error),
            None => checker.chunk(chunk),
        }
    }
    checker.end()
}

struct Checker<'a> {
    case: &'a str,
    read: Read,
    ids: Vec<String>,
}

impl Checker<'_> {
    fn rule(&self, rule: &str, holds: bool) {
        assert!(holds, "{}: {rule}", self.case);
    }

    fn error(&mut self, error: &Value) {
        self.rule("an error has a code", error["code"].is_u64());
        self.rule("an error has words", error["message"].is_string() && error["status"].is_string());
        self.read.error = Some(error.clone());
    }

    fn chunk(&mut self, chunk: &Value) {
        let named = chunk["modelVersion"].is_string() && chunk["responseId"].is_string();
        self.rule("a chunk names its model and its answer", named);
        let id = chunk["responseId"].as_str().unwrap().to_owned();
        self.rule("all chunks have one id", self.ids.first().is_none_or(|first| *first == id));
        self.ids.push(id);
        if let Some(usage) = chunk.get("usageMetadata") {
            let counted = usage.as_object().unwrap().values().all(|it| !it.is_number() || it.is_u64());
            self.rule("counts are whole numbers", counted);
            self.read.usage = Some(usage.clone());
        }
        let candidates = chunk["candidates"].as_array().expect("candidates is a list");
        candidates.iter().for_each(|candidate| self.candidate(candidate));
    }

    fn candidate(&mut self, candidate: &Value) {
        let index = candidate["index"].as_u64().expect("a candidate has an index");
        let finished = self.read.candidates.get(&index).is_some_and(|known| known.finish.is_some());
        self.rule("nothing follows the finish", !finished);
        self.rule("content is the model's", candidate["content"]["role"] == "model");
        self.read.candidates.entry(index).or_default();
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            self.part(index, part);
        }
        let known = self.read.candidates.get_mut(&index).unwrap();
        known.finish = candidate["finishReason"].as_str().map(str::to_owned);
        let text = known.text.clone();
        let chunks = candidate["groundingMetadata"]["groundingChunks"].as_array().map_or(0, Vec::len);
        known.sources += chunks;
        for support in candidate["groundingMetadata"]["groundingSupports"].as_array().into_iter().flatten() {
            let segment = &support["segment"];
            let place = |name: &str| usize::try_from(segment[name].as_u64().unwrap()).unwrap();
            let quoted = text.get(place("startIndex")..place("endIndex"));
            self.rule("a source points at what it quotes", quoted == segment["text"].as_str());
            let all = support["groundingChunkIndices"].as_array().unwrap();
            let known = all.iter().all(|index| index.as_u64().unwrap() < chunks as u64);
            self.rule("a source points at a chunk", known);
        }
    }

    fn part(&mut self, index: u64, part: &Value) {
        self.rule("a part is not empty", part.as_object().is_some_and(|part| !part.is_empty()));
        let signature = part.get("thoughtSignature").map(|it| it.as_str().expect("a signature is a text"));
        self.rule("a signature is base64", signature.is_none_or(is_base64));
        let known = self.read.candidates.get_mut(&index).unwrap();
        if let Some(text) = part["text"].as_str() {
            if part["thought"] == true { &mut known.thoughts } else { &mut known.text }.push_str(text);
        }
        if let Some(call) = part.get("functionCall") {
            let name = call["name"].as_str().expect("a call has a name").to_owned();
            let args = call["args"].clone();
            known.calls.push((name, args.clone()));
            self.rule("arguments are an object", args.is_object());
            self.rule("a call has an id", call["id"].is_string());
        }
        if let Some(blob) = part.get("inlineData") {
            let whole = blob["mimeType"].is_string() && blob["data"].is_string();
            self.rule("media have a type and data", whole);
        }
    }

    fn end(self) -> Read {
        if self.read.error.is_none() {
            self.rule("there is an answer", !self.read.candidates.is_empty());
            let finished = self.read.candidates.values().all(|candidate| candidate.finish.is_some());
            self.rule("each candidate says why it finished", finished);
        } else {
            let finished = self.read.candidates.values().any(|candidate| candidate.finish.is_some());
            self.rule("an answer that failed did not finish", !finished);
        }
        self.read
    }
}

/// Either alphabet, with or without padding, as decoders of proto JSON take it.
fn is_base64(text: &str) -> bool {
    let plain = text.trim_end_matches('=');
    plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}

/// Checks a request body. `levels`: the target refuses calls that are not signed. Panics with the rule that is broken.
pub fn check_request(case: &str, body: &Value, levels: bool) {
    let rule = |rule: &str, holds: bool| assert!(holds, "{case}: {rule}\n{body:#}");
    let contents = body["contents"].as_array().expect("contents is a list");
    rule("the model stands in the path", body.get("model").is_none());
    rule("the first turn is the user's", contents.first().is_some_and(|turn| turn["role"] == "user"));
    rule("roles are known", contents.iter().all(|turn| turn["role"] == "user" || turn["role"] == "model"));
    rule("roles alternate", contents.windows(2).all(|pair| pair[0]["role"] != pair[1]["role"]));
    let mut names = HashMap::new();
    for turn in contents {
        let parts = turn["parts"].as_array().expect("parts is a list");
        rule("no turn is empty", !parts.is_empty());
        rule(
            "no part is empty",
            parts.iter().all(|part| part.as_object().is_some_and(|part| !part.is_empty())),
        );
        let first_call = parts.iter().find(|part| part.get("functionCall").is_some());
        rule(
            "the first call is signed",
            !levels || first_call.is_none_or(|part| part["thoughtSignature"].is_string()),
        );
        for part in parts {
            if let Some(call) = part.get("functionCall") {
                rule("calls are the model's", turn["role"] == "model");
                rule("arguments are an object", call["args"].is_object());
                rule("names are legal", call["name"].as_str().is_some_and(is_name));
                names.insert(call["id"].to_string(), call["name"].clone());
            }
            if let Some(result) = part.get("functionResponse") {
                rule("results are the user's", turn["role"] == "user");
                rule("a response is an object", result["response"].is_object());
                let called = names.get(&result["id"].to_string());
                rule("a result has the name of its call", called == Some(&result["name"]));
            }
            if part.get("text").is_some_and(|text| text == "") {
                rule("an empty text is there for its signature only", part.get("thoughtSignature").is_some());
            }
        }
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        for declared in tool["functionDeclarations"].as_array().into_iter().flatten() {
            rule("names are legal", declared["name"].as_str().is_some_and(is_name));
            let both = declared.get("parameters").is_some() && declared.get("parametersJsonSchema").is_some();
            rule("parameters are said once", !both);
        }
    }
    let stops = body["generationConfig"]["stopSequences"].as_array().map_or(0, Vec::len);
    rule("at most five stop texts", stops <= 5);
}

fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.len() <= 64 && name.chars().all(legal)
}
