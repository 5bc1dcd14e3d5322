//! Bytes through splitter and reader, in any chunks.

use wire::chat::{ChatResponse, Event, Fold, Undo};
use wire::frame::SseSplitter;
use wire::{Fault, Wire};

/// Larger than any event of the recordings.
const LIMIT: usize = 1 << 20;

/// What came of a stream: the events, and how it ended.
pub struct Outcome {
    pub events: Vec<Event>,
    pub end: Result<(), Fault>,
}

impl Outcome {
    /// The whole answer of a stream that ended well.
    pub fn folded(&self, id: &str) -> ChatResponse {
        assert!(self.end.is_ok(), "{id}: {:?}", self.end);
        let mut fold = Fold::new();
        self.events.iter().for_each(|event| fold.push(event));
        fold.finish()
    }
}

/// Reads a stream that arrives in these chunks.
pub fn read<'a>(wire: &dyn Wire, undo: &Undo, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut events = Vec::new();
    let end = run(wire, undo, chunks, &mut events);
    Outcome { events, end }
}

/// Reads a stream that arrives at once.
pub fn read_whole(wire: &dyn Wire, bytes: &[u8]) -> Outcome {
    read(wire, &Undo::default(), std::iter::once(bytes))
}

fn run<'a>(
    wire: &dyn Wire,
    undo: &Undo,
    chunks: impl Iterator<Item = &'a [u8]>,
    events: &mut Vec<Event>,
) -> Result<(), Fault> {
    let mut splitter = SseSplitter::new(LIMIT);
    let mut reader = wire.stream_reader(undo);
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(event) = splitter.next()? {
            reader.read(event.frame(), events)?;
        }
    }
    if let Some(event) = splitter.finish()? {
        reader.read(event.frame(), events)?;
    }
    reader.finish(events)
}
