//! `/v1/circuit-breaker/config` and `stats`, and closing breakers by hand; names and numbers as mcp-llm-bridge has them.

use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use store::{BreakerRule, By};
use wire::{Fault, RawObject};

use super::json as json_answer;
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;

/// Bytes of a request that changes settings, at most.
const BODY_LIMIT: usize = 16 * 1024;
/// Settings beyond this are mistakes: a day, and as many failures.
const MOST: u32 = 86_400_000;

/// Answers every method of both routes; `rest` stands for the `*` of the path.
pub async fn answer(
    app: &App,
    caller: &Caller,
    arrival: Arrival,
    rest: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    match (request.method(), rest) {
        (&Method::POST, provider) => reset(app, provider.unwrap_or_default()),
        (&Method::PUT, Some("config")) => configure(app, &caller.acts(arrival), request).await,
        (&Method::PUT, _) => Err(Fault::MethodNotAllowed { method: "PUT".to_owned(), allowed: "GET, HEAD" }),
        (_, Some("config")) => Ok(json_answer(StatusCode::OK, &config(app))),
        (_, Some("stats")) => Ok(json_answer(StatusCode::OK, &stats(app))),
        (_, other) => {
            let what = format!("there is no '{}' here; see config and stats", other.unwrap_or_default());
            Err(Fault::NotFound { what })
        }
    }
}

fn config(app: &App) -> Value {
    let settings = app.health.look(|health, _| *health.settings());
    json!({
        "enabled": settings.enabled,
        "failureThreshold": settings.failures,
        "resetTimeoutMs": millis(settings.open_for),
        "halfOpenMaxAttempts": settings.probes,
        "backoffBaseMs": settings.backoff.map(millis),
        "backoffMultiplier": settings.factor,
        "backoffMaxMs": millis(settings.longest),
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn configure(app: &App, by: &By, request: Request<Incoming>) -> Result<Response<OutBody>, Fault> {
    demand_json(request.headers())?;
    let body = RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?;
    Ok(json_answer(StatusCode::OK, &set(app, &body, by).await?))
}

/// Changes settings, and tells all of them. What the body does not name stays as it is.
///
/// # Errors
/// `Malformed`, naming the field; those of the store.
pub async fn set(app: &App, body: &RawObject, by: &By) -> Result<Value, Fault> {
    let changes = changes(body)?;
    if !changes.is_silent() {
        app.store.change_breakers(changes, by).await.map_err(fault)?;
        tracing::info!(by = by.actor, "circuit breakers configured");
        app.breakers_changed().await?;
    }
    Ok(config(app))
}

fn changes(body: &RawObject) -> Result<BreakerRule, Fault> {
    let base = number(body, "backoffBaseMs")?;
    Ok(BreakerRule {
        enabled: body.get("enabled")?,
        failure_threshold: number(body, "failureThreshold")?,
        reset_timeout_ms: number(body, "resetTimeoutMs")?.map(u64::from),
        half_open_max_attempts: number(body, "halfOpenMaxAttempts")?,
        // Null says that there is none.
        backoff_base_ms: body.has("backoffBaseMs").then_some(base.map(u64::from)),
        backoff_multiplier: number(body, "backoffMultiplier")?,
        backoff_max_ms: number(body, "backoffMaxMs")?.map(u64::from),
    })
}

fn number(body: &RawObject, field: &'static str) -> Result<Option<u32>, Fault> {
    let Some(number) = body.get::<u64>(field)? else { return Ok(None) };
    let number = u32::try_from(number).ok().filter(|number| (1..=MOST).contains(number));
    let wrong = || Fault::malformed(field.to_owned(), format!("{field} must be a whole number, 1 to {MOST}"));
    number.map(Some).ok_or_else(wrong)
}

/// By provider, with the breakers of its models below it. Only what has failed lately is there.
pub fn stats(app: &App) -> Value {
    let mut providers = Map::new();
    app.health.look(|health, now| {
        for (provider, model, breaker) in health.breakers() {
            let retry_ms = breaker.wait(now).map(millis);
            let shown =
                json!({ "state": breaker.name(), "failures": breaker.failures(), "retryAfterMs": retry_ms });
            let of_provider =
                providers.entry(provider.to_string()).or_insert_with(|| json!({ "models": {} }));
            match model {
                Some(model) => of_provider["models"][&**model] = shown,
                None => of_provider["provider"] = shown,
            }
        }
    });
    json!({ "stats": providers })
}

fn reset(app: &App, provider: &str) -> Result<Response<OutBody>, Fault> {
    let world = app.world();
    let found = world.snapshot.provider(provider).ok_or_else(|| Fault::UnknownProvider {
        provider: provider.to_owned(),
        known: world.snapshot.providers().iter().map(|provider| provider.id.to_string()).collect(),
    })?;
    app.health.change(|health, _| health.reset(Some(&found.id)));
    tracing::info!(provider = %found.id, "circuit breakers closed by hand");
    Ok(json_answer(StatusCode::OK, &json!({ "ok": true, "provider": *found.id })))
}
