//! Estimates of how many tokens a conversation has, for want of a provider that counts; and tokens back into text.
//!
//! What providers report is the truth; this is for the moments when nobody reports. OpenAI's vocabularies are public,
//! those of others are not: for them OpenAI's newest one counts, times a factor. A vocabulary is loaded when it is first
//! needed, off the threads that serve requests: a gateway that only relays never pays for it.
//!
//! Why no tokenizer crate: `bpe`, which counts in strictly linear time, first builds automata. Measured side by side on a
//! busy machine, o200k took it 7.3 s and 87 MB; reading the vocabulary into a map takes 0.8 s and 18 MB. Counting then runs
//! at 7 MB/s, and at 1.5 MB/s for the most hostile text that was tried.

mod family;
mod image;
mod pieces;
mod vocabulary;
mod weight;

use wire::Fault;
use wire::chat::ChatRequest;

use family::Family;
use vocabulary::CL100K;
use weight::Weight;

/// Roughly how many tokens a model of that name would read.
///
/// # Errors
/// `Internal`: the counting thread failed.
pub async fn estimate(request: &ChatRequest, model: &str) -> Result<u64, Fault> {
    let family = Family::of(model);
    let weight = Weight::of(request, family);
    aside(move || weight.tokens(family)).await
}

/// The text that a client meant by tokens of OpenAI's embedding models; `None`: they mean none.
///
/// # Errors
/// `Internal`: the decoding thread failed.
pub async fn text_of(tokens: Vec<u32>) -> Result<Option<String>, Fault> {
    aside(move || CL100K.text(&tokens)).await
}

/// Runs what takes long on a thread of its own.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)
}
