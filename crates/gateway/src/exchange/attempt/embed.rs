//! Texts to vectors: the client's bytes for another model, or the request in another format; and the answer likewise.

use std::borrow::Cow;

use bytes::Bytes;
use policy::Target;
use wire::chat::{Loss, Undo};
use wire::dialect::Echo;
use wire::embed::{Content, EmbedRequest, EmbedWire, VectorForm};
use wire::{Fault, RawObject};

use super::chat::carried_headers;
use super::{Outgoing, Reply, is_carried, unreadable};
use crate::exchange::admit::{Inbound, embeddings};
use crate::exchange::meter::Meter;
use crate::tokens;

/// Carries the body when both sides speak the same dialect, else translates it. Rules are those of conversations and do
/// not apply.
pub(super) async fn outgoing(inbound: &Inbound, target: &Target) -> Result<Outgoing, Fault> {
    let (wire, model) = (target.endpoint().wire, target.model.sent_as());
    let embeds = format_of(target)?;
    if is_carried(inbound, target) {
        let mut body = inbound.body.clone();
        inbound.surface.surface().strip(&mut body);
        embeds.retarget(&mut body, model)?;
        let headers = carried_headers(wire.wire(), inbound);
        return Ok(Outgoing { headers, body: body.into_segments(), losses: Vec::new(), undo: None });
    }
    let mut losses = Vec::new();
    let request = match embeds.takes_tokens() {
        true => Cow::Borrowed(inbound.texts()?),
        false => as_texts(inbound.texts()?, &mut losses).await?,
    };
    let encoded = embeds.encode_request(&request, model)?;
    losses.extend(encoded.losses);
    let headers = wire.wire().headers();
    Ok(Outgoing { headers, body: vec![encoded.body], losses, undo: Some(Undo::default()) })
}

fn format_of(target: &Target) -> Result<&'static dyn EmbedWire, Fault> {
    let wire = target.endpoint().wire;
    wire.embeds().ok_or_else(|| Fault::internal(format!("{} does not embed", wire.name())))
}

/// Tokens in words. Clients number them by the vocabulary of OpenAI's embedding models, whatever model they name.
async fn as_texts<'a>(
    request: &'a EmbedRequest,
    losses: &mut Vec<Loss>,
) -> Result<Cow<'a, EmbedRequest>, Fault> {
    if request.inputs.iter().all(|input| matches!(input.content, Content::Text(_))) {
        return Ok(Cow::Borrowed(request));
    }
    let mut request = request.clone();
    for (place, input) in request.inputs.iter_mut().enumerate() {
        if let Content::Tokens(tokens) = &mut input.content {
            let text = tokens::text_of(std::mem::take(tokens)).await?;
            let unknown =
                || Fault::malformed(format!("input.{place}"), "these tokens are no text in cl100k_base");
            input.content = Content::Text(text.ok_or_else(unknown)?);
        }
    }
    losses.push(Loss::at("tokens_decoded", "input"));
    Ok(Cow::Owned(request))
}

/// A whole answer: checked, counted, and given the client's form. Servers exist that send numbers where base64 was asked
/// for, which the clients of OpenAI cannot read.
pub(super) fn whole(
    inbound: &Inbound,
    target: &Target,
    body: Bytes,
    carried: bool,
    mut echo: Echo,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    let (surface, embeds) = (embeddings(inbound.surface)?, format_of(target)?);
    let answer = RawObject::parse(body.clone()).map_err(unreadable)?;
    if answer.raw("error").is_some_and(|error| error != "null") {
        return Err(target.endpoint().wire.wire().decode_fault(200, None, &body));
    }
    let seen = embeds.glance(&answer)?;
    let wanted: VectorForm = surface.form(&inbound.body)?;
    if carried && seen.form.is_none_or(|form| form == wanted) {
        let model: Option<String> = answer.get("model").ok().flatten();
        meter.answered(seen.usage.as_ref(), model.as_deref(), &mut echo);
        return Ok(Reply::Whole { pieces: answer.into_segments(), echo });
    }
    let request = inbound.texts()?;
    let response = embeds.decode_response(&body)?;
    if response.vectors.len() != request.inputs.len() {
        let (sent, came) = (request.inputs.len(), response.vectors.len());
        let why = format!("it has {came} vectors for {sent} texts");
        return Err(Fault::BadAnswer { provider: String::new(), why });
    }
    meter.answered(response.usage.as_ref(), response.model.as_deref(), &mut echo);
    let body = surface.encode_response(&response, request, &echo.resolved_model);
    Ok(Reply::Whole { pieces: vec![body], echo })
}
