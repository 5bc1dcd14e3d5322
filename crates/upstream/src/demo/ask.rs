//! What the demonstration provider reads of a request; everything else is accepted and ignored.

use serde::Deserialize;

/// The part of a Chat Completions request that matters here.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    model: Option<String>,
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl Ask {
    /// The error is a sentence for the client.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let ask: Ask =
            serde_json::from_slice(body).map_err(|error| format!("not a chat request: {error}"))?;
        if ask.messages.is_empty() { Err("messages is empty".into()) } else { Ok(ask) }
    }

    pub(super) fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("demo")
    }

    pub(super) fn stream(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    /// The limit of the answer; a token is a word.
    pub(super) fn max_words(&self) -> usize {
        let limit = self.max_completion_tokens.or(self.max_tokens).unwrap_or(u64::MAX);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Size of the prompt; a token is a word.
    pub(super) fn words(&self) -> usize {
        self.messages.iter().flat_map(Message::texts).map(|text| text.split_whitespace().count()).sum()
    }

    /// The first text of the last user message, or nothing.
    pub(super) fn last_user_text(&self) -> &str {
        let last = self.messages.iter().rev().find(|message| message.role == "user");
        last.and_then(|message| message.texts().next()).unwrap_or_default()
    }
}

impl Message {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (text, parts) = match &self.content {
            None => (None, [].as_slice()),
            Some(Content::Text(text)) => (Some(text.as_str()), [].as_slice()),
            Some(Content::Parts(parts)) => (None, parts.as_slice()),
        };
        text.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }
}
