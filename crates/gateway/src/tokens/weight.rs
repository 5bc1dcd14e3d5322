//! What of a request has tokens: texts to be counted, and what is added without counting.

use wire::chat::{ChatRequest, MediaSource, OutputFormat, Part, Tool};

use super::family::Family;

/// A page of a PDF, as text and picture. Source: Anthropic documentation, "PDF support": 1,500 to 3,000 a page.
const PDF_PAGE: u64 = 2000;
/// Base64 characters of such a page, a guess on the heavy side.
const PDF_PAGE_LENGTH: usize = 130_000;
/// Base64 characters of a second of sound (64 kbit/s), and its tokens. Source: Gemini API documentation, "Understand and
/// count tokens", read 2026-11-25.
const SECOND_LENGTH: usize = 10_900;
const SECOND: u64 = 32;

/// A request, reduced to what counts.
#[derive(Debug, Default)]
pub(super) struct Weight {
    texts: Vec<String>,
    fixed: u64,
}

impl Weight {
    pub(super) fn of(request: &ChatRequest, family: &Family) -> Self {
        let mut weight = Self { texts: Vec::new(), fixed: family.priming };
        for message in &request.messages {
            weight.fixed += family.per_turn;
            weight.text(message.name.as_deref().unwrap_or_default());
            message.parts.iter().for_each(|part| weight.part(part, family));
        }
        if !request.tools.is_empty() {
            weight.fixed += family.tools;
        }
        request.tools.iter().for_each(|tool| weight.tool(tool));
        if let Some(OutputFormat::JsonSchema { schema, .. }) = &request.format {
            weight.text(schema.get());
        }
        weight
    }

    /// How many tokens that is.
    pub(super) fn tokens(&self, family: &Family) -> u64 {
        let counted: u64 = self.texts.iter().map(|text| family.vocabulary.count(text) as u64).sum();
        self.fixed + (counted * family.per_cent).div_ceil(100)
    }

    fn text(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    fn part(&mut self, part: &Part, family: &Family) {
        match part {
            Part::Text { text, .. } | Part::Refusal { text } | Part::Thinking { text, .. } => self.text(text),
            Part::Image { source, detail, .. } => self.fixed += family.images.tokens(source, detail.as_ref()),
            Part::File { source, name, .. } => self.file(source, name.as_deref()),
            Part::Audio { data, .. } => self.fixed += SECOND * data.len().div_ceil(SECOND_LENGTH) as u64,
            // Encrypted, and a good deal longer than what it holds.
            Part::RedactedThinking { data, .. } => self.fixed += data.len() as u64 / 8,
            Part::ToolCall { name, args, .. } => {
                self.text(name);
                self.text(args);
            }
            Part::ToolResult { parts, .. } => parts.iter().for_each(|part| self.part(part, family)),
            Part::ServerTool { raw, .. } | Part::Foreign { raw, .. } => self.text(&raw.to_string()),
        }
    }

    fn file(&mut self, source: &MediaSource, name: Option<&str>) {
        self.text(name.unwrap_or_default());
        match source {
            MediaSource::Text(text) => self.text(text),
            MediaSource::Base64 { data, .. } => {
                self.fixed += PDF_PAGE * data.len().div_ceil(PDF_PAGE_LENGTH) as u64;
            }
            MediaSource::Url(_) | MediaSource::FileId { .. } => self.fixed += PDF_PAGE,
        }
    }

    fn tool(&mut self, tool: &Tool) {
        self.text(&tool.name);
        self.text(tool.description.as_deref().unwrap_or_default());
        self.text(tool.parameters.as_ref().map(|schema| schema.get()).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use wire::chat::{Extra, Message, Role};

    use super::*;

    fn estimate(model: &str, text: &str) -> u64 {
        let turn =
            Message { role: Role::User, parts: vec![Part::text(text)], name: None, extra: Extra::default() };
        let request = ChatRequest { messages: vec![turn], ..ChatRequest::default() };
        let family = Family::of(model);
        Weight::of(&request, family).tokens(family)
    }

    /// What the vendors reported in recorded traffic for these very texts.
    #[test]
    fn short_conversations_are_counted_as_their_vendors_do() {
        assert_eq!(estimate("claude-haiku-4-5", "hello"), 9);
        assert_eq!(estimate("gemini-2.5-flash", "What is the capital of France?"), 7);
    }

    #[test]
    fn every_kind_of_part_weighs_something() {
        let nothing = estimate("gpt-4o", "");
        let family = Family::of("gpt-4o");
        let media = |data: &str| MediaSource::Base64 { mime: "application/pdf".into(), data: data.into() };
        for part in [
            Part::Refusal { text: "no".into() },
            Part::Image { source: media(""), detail: None, cache: None },
            Part::File { source: media("AAAA"), name: None, cache: None },
            Part::Audio { data: "AAAA".into(), format: "wav".into() },
        ] {
            let parts = vec![part];
            let turn = Message { role: Role::User, parts, name: None, extra: Extra::default() };
            let request = ChatRequest { messages: vec![turn], ..ChatRequest::default() };
            assert!(Weight::of(&request, family).tokens(family) > nothing, "{request:?}");
        }
    }
}
