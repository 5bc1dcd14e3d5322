//! Every recorded answer, with what it says.

use wire::WireId;
use wire::chat::{Event, Undo, unfold};

use crate::fixtures::Fixture;
use crate::golden::answered;
use crate::recording::{self, Said};
use crate::{chat_recording, gemini_recording, responses_recording, streams};

/// The answers of a wire.
pub struct Recorded {
    pub wire: WireId,
    pub answers: fn() -> Vec<Answer>,
    /// What may be the last thing of a stream that is complete: without one of these it is not.
    pub ends: &'static [&'static str],
}

/// All wires.
pub const RECORDED: [Recorded; 4] = [
    Recorded {
        wire: WireId::OpenAiChat,
        answers: chat,
        ends: &["\"finish_reason\":\"", "\"finish_reason\": \""],
    },
    Recorded { wire: WireId::OpenAiResponses, answers: responses, ends: &["response.completed"] },
    Recorded { wire: WireId::AnthropicMessages, answers: messages, ends: &["message_stop"] },
    Recorded { wire: WireId::Gemini, answers: gemini, ends: &["\"finishReason\"", "\"blockReason\""] },
];

/// One answer.
pub struct Answer {
    pub id: String,
    /// Of a stream: its frames, in order. Of a whole answer: its body, alone.
    pub pieces: Vec<String>,
    stream: bool,
    /// What it says, read naively.
    pub said: Said,
}

impl Answer {
    fn of(fixture: &Fixture, said: Said) -> Self {
        let pieces = match fixture.stream {
            true => fixture.stream_events().into_iter().map(str::to_owned).collect(),
            false => vec![String::from_utf8(fixture.body()).unwrap()],
        };
        Self { id: fixture.id.clone(), pieces, stream: fixture.stream, said }
    }

    pub fn is_stream(&self) -> bool {
        self.stream
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat().into_bytes()
    }

    /// The steps of the answer, as its wire reads them.
    pub fn events(&self, wire: WireId) -> Vec<Event> {
        if !self.stream {
            return unfold(&wire.wire().decode_response(&self.bytes(), &Undo::default()).unwrap());
        }
        let outcome = streams::read_whole(wire.wire(), &self.bytes());
        assert!(outcome.end.is_ok(), "{}: {:?}", self.id, outcome.end);
        outcome.events
    }
}

fn chat() -> Vec<Answer> {
    answered("openai.chat").map(|it| Answer::of(&it, chat_recording::of_recording(&it))).collect()
}

fn messages() -> Vec<Answer> {
    answered("anthropic.messages").map(|it| Answer::of(&it, recording::of_recording(&it))).collect()
}

fn gemini() -> Vec<Answer> {
    answered("gemini.generate").map(|it| Answer::of(&it, gemini_recording::of_recording(&it))).collect()
}

fn responses() -> Vec<Answer> {
    let streamed = responses_recording::streamed().into_iter().map(|stream| {
        let said = responses_recording::said(&stream.answer());
        Answer { id: stream.id, pieces: stream.frames, stream: true, said }
    });
    let whole = responses_recording::whole().map(|it| Answer::of(&it, responses_recording::said(it.json())));
    streamed.chain(whole).collect()
}
