//! What checks the streams of the codecs in their own tests, for streams that have come through the gateway.

#[path = "../../../wire/tests/translation/chat_grammar.rs"]
#[expect(dead_code, reason = "what a checker has put together is read another way in most tests")]
pub mod chat_grammar;
#[path = "../../../wire/tests/translation/messages_stream.rs"]
#[expect(dead_code, reason = "what a checker has put together is read another way in most tests")]
pub mod messages_stream;
