//! Probabilities of tokens: `logprobsResult`, in the canonical form of OpenAI and back.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Probabilities {
    chosen_candidates: Vec<Token>,
    top_candidates: Vec<Top>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Top {
    candidates: Vec<Token>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Token {
    token: String,
    log_probability: Option<f64>,
}

/// A `logprobsResult` as OpenAI's `logprobs` object; `None` for what cannot be read.
pub(super) fn decode(text: &str) -> Option<Value> {
    let given: Probabilities = serde_json::from_str(text).ok()?;
    let mut tops = given.top_candidates.into_iter();
    let content: Vec<Value> = given
        .chosen_candidates
        .into_iter()
        .map(|chosen| {
            let top = tops.next().unwrap_or_default().candidates;
            let mut entry = one(chosen);
            entry["top_logprobs"] = top.into_iter().map(one).collect();
            entry
        })
        .collect();
    Some(json!({"content": content, "refusal": null}))
}

fn one(token: Token) -> Value {
    json!({"token": token.token, "logprob": token.log_probability, "bytes": null})
}

/// OpenAI's `logprobs` object as a `logprobsResult`; `None` if it has no tokens.
pub(super) fn encode(logprobs: &Value) -> Option<Value> {
    let entries = logprobs["content"].as_array()?;
    let one = |entry: &Value| json!({"token": entry["token"], "logProbability": entry["logprob"]});
    let top = |entry: &Value| {
        let all: Vec<Value> = entry["top_logprobs"].as_array().into_iter().flatten().map(one).collect();
        json!({"candidates": all})
    };
    let chosen: Vec<Value> = entries.iter().map(one).collect();
    let tops: Vec<Value> = entries.iter().map(top).collect();
    Some(json!({"chosenCandidates": chosen, "topCandidates": tops}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let given = json!({"chosenCandidates": [{"token": "2", "logProbability": -0.5}],
            "topCandidates": [{"candidates": [{"token": "2", "logProbability": -0.5}, {"token": "4", "logProbability": -4.0}]}]});
        let read = decode(&given.to_string()).unwrap();
        assert_eq!(read["content"][0]["top_logprobs"][1]["logprob"], -4.0);
        assert_eq!(encode(&read), Some(given));
    }
}
