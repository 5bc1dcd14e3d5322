//! Auth files of command-line programs in the vault, by project; and `/v1/files`.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use policy::{Kind, Snapshot};
use serde::Serialize;
use serde_json::json;
use store::{AuthFile, By, NewAuthFile, Store, Version};
use wire::{Fault, RawObject};

use super::fields::{self, REQUIRED, invalid, optional_name};
use super::scope::{asked_project, seen_by};
use super::{civil, json as json_answer};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;

/// Bytes of a file's content, at most. The largest that a program is known to write has some kilobytes.
pub const CONTENT_LIMIT: usize = 1 << 20;
/// Bytes of a request that stores a file: in JSON, a byte of content takes up to six.
const BODY_LIMIT: usize = 6 * CONTENT_LIMIT + 4096;
/// Bytes of a file's name, as most file systems have it.
const NAME_LIMIT: usize = 255;

/// Answers every method of the route; `id` stands for the `*` of its path.
pub async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    arrival: Arrival,
    id: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    match (request.method(), id) {
        (&Method::POST, _) => {
            refuse_upload(request.headers())?;
            demand_json(request.headers())?;
            let version = known_version(request.headers())?;
            let header = asked_project(None, request.headers());
            let body = RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?;
            let new = read(&body, caller, header)?;
            let by = caller.acts(arrival);
            let stored = put(&*app.store, &app.world().snapshot, new, version, &by).await?;
            Ok(with_version(json_answer(StatusCode::CREATED, &created(&stored)), stored.version))
        }
        (&Method::DELETE, Some(id)) => {
            delete(&*app.store, caller, fields::id(id)?, &caller.acts(arrival)).await?;
            Ok(json_answer(StatusCode::OK, &json!({ "ok": true })))
        }
        _ => {
            let project = asked_project(request.uri().query(), request.headers());
            let found = list(&*app.store, caller, project.as_deref()).await?;
            let rows: Vec<Row<'_>> = found.iter().map(Row::of).collect();
            Ok(json_answer(StatusCode::OK, &json!({ "files": rows })))
        }
    }
}

/// OpenAI's Files API lives at the same path; who means that one is told.
fn refuse_upload(headers: &HeaderMap) -> Result<(), Fault> {
    let media_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    if !media_type.to_ascii_lowercase().starts_with(b"multipart/") {
        return Ok(());
    }
    let why = "this is not OpenAI's Files API but the vault for auth files of command-line programs: \
               send JSON with provider, fileName and content";
    Err(Fault::MediaType { why: why.to_owned() })
}

/// The version of `If-Match`: only this one is to be replaced.
fn known_version(headers: &HeaderMap) -> Result<Option<Version>, Fault> {
    let Some(tag) = headers.get(IF_MATCH) else { return Ok(None) };
    let inner = tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let version = inner.and_then(|version| version.parse().ok());
    version
        .map(Some)
        .ok_or_else(|| invalid("If-Match", "must be the one version that a list or an ETag gave"))
}

fn with_version(mut answer: Response<OutBody>, version: Version) -> Response<OutBody> {
    let tag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits and a dot are a valid header");
    answer.headers_mut().insert(ETAG, tag);
    answer
}

/// What a body asks to be stored; `header` is the project that counts where the body names none.
///
/// # Errors
/// `Malformed`, naming the field; `Forbidden`, for a project that is not the caller's.
pub fn read(body: &RawObject, caller: &Caller, header: Option<String>) -> Result<NewAuthFile, Fault> {
    let asked = optional_name(body, "project")?.or(header);
    Ok(NewAuthFile {
        project: caller.project(asked.as_deref())?,
        provider: optional_name(body, "provider")?.unwrap_or_default(),
        file_name: body.get::<String>("fileName")?.unwrap_or_default(),
        content: fields::secret(body, "content")?,
    })
}

/// Stores or replaces an auth file of a known program. With a version, only what is still in that one is replaced: so a
/// token that a program refreshed does not undo what was uploaded meanwhile.
///
/// # Errors
/// `Malformed`, naming the field; `TooLarge`; `Stale`; those of the store.
pub async fn put(
    store: &dyn Store,
    snapshot: &Snapshot,
    new: NewAuthFile,
    version: Option<Version>,
    by: &By,
) -> Result<AuthFile, Fault> {
    if new.content.expose().is_empty() {
        return Err(invalid("content", REQUIRED));
    }
    let new = checked(snapshot, new)?;
    let stored = match version {
        None => store.put_file(new, by).await,
        Some(version) => store.replace_file(new, version, by).await,
    };
    let stored = stored.map_err(fault)?;
    let AuthFile { provider, file_name, project, .. } = &stored;
    tracing::info!(provider, file_name, project, by = by.actor, "auth file stored");
    Ok(stored)
}

/// A file that may be stored, under its program's own name.
///
/// # Errors
/// `Malformed`, naming the field; `TooLarge`.
pub fn checked(snapshot: &Snapshot, new: NewAuthFile) -> Result<NewAuthFile, Fault> {
    if new.content.expose().len() > CONTENT_LIMIT {
        return Err(Fault::TooLarge { limit: CONTENT_LIMIT as u64 });
    }
    Ok(NewAuthFile {
        provider: known_program(snapshot, &new.provider)?,
        file_name: safe_name(new.file_name)?,
        project: fields::name("project", new.project)?,
        content: new.content,
    })
}

/// A bare name of a file: it will be written into a directory, and must not lead out of it.
fn safe_name(name: String) -> Result<String, Fault> {
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    let why = match name.as_str() {
        "" => REQUIRED,
        "." | ".." => "must name a file, not a directory",
        name if name.contains(odd) => "must be a bare file name, without / \\ : or control characters",
        name if name.trim() != name || name.ends_with('.') => {
            "must not begin or end in a space, or end in a dot"
        }
        name if name.len() > NAME_LIMIT => "must have at most 255 bytes",
        _ => return Ok(name),
    };
    Err(invalid("fileName", why))
}

/// The program's own name. Both spellings that mcp-llm-bridge uses, `claude` and `claude-cli`, become the first.
fn known_program(snapshot: &Snapshot, named: &str) -> Result<String, Fault> {
    let programs = snapshot.providers().iter().filter(|provider| provider.kind == Kind::Cli);
    let programs: Vec<&str> = programs.map(|provider| short(&provider.id)).collect();
    let found = programs.iter().find(|program| **program == short(named));
    found.map(|program| (*program).to_owned()).ok_or_else(|| {
        let what =
            if named.is_empty() { REQUIRED.to_owned() } else { format!("'{named}' is not known here") };
        invalid("provider", &format!("{what}; valid programs are {}", programs.join(", ")))
    })
}

fn short(program: &str) -> &str {
    program.strip_suffix("-cli").unwrap_or(program)
}

/// Auth files that a caller sees: of one project and the global ones, or all.
///
/// # Errors
/// `Forbidden`, for a project that is not the caller's; those of the store.
pub async fn list(store: &dyn Store, caller: &Caller, project: Option<&str>) -> Result<Vec<AuthFile>, Fault> {
    let project = seen_by(caller, project)?;
    let mut found = store.files(project.as_deref()).await.map_err(fault)?;
    found.retain(|file| caller.sees(&file.project));
    Ok(found)
}

/// Removes an auth file; another project's is not there for a caller that belongs to one.
///
/// # Errors
/// `NotFound`; those of the store.
pub async fn delete(store: &dyn Store, caller: &Caller, id: i64, by: &By) -> Result<(), Fault> {
    let found = store.file(id).await.map_err(fault)?;
    let is_hidden = match &found {
        Some(found) => !caller.sees(&found.project),
        None => caller.scope.project.is_some(),
    };
    if is_hidden || !store.delete_file(id, by).await.map_err(fault)? {
        return Err(Fault::NotFound { what: format!("there is no file {id}") });
    }
    tracing::info!(id, by = by.actor, "auth file deleted");
    Ok(())
}

/// What the answer to a stored file says.
pub fn created(stored: &AuthFile) -> serde_json::Value {
    json!({
        "id": stored.id, "provider": stored.provider, "fileName": stored.file_name, "project": stored.project,
    })
}

/// An auth file as it is listed, never with its content.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    id: i64,
    provider: &'a str,
    file_name: &'a str,
    project: &'a str,
    /// What to send as `If-Match`, in quotes, to replace this content and no other.
    version: String,
    created_at: String,
    updated_at: String,
    /// Only said where it is not so.
    #[serde(skip_serializing_if = "Clone::clone")]
    intact: bool,
}

impl Row<'_> {
    /// Names of the columns of `line`.
    pub const HEAD: [&'static str; 6] = ["ID", "PROVIDER", "FILE", "PROJECT", "VERSION", "UPDATED"];

    /// The row in a table for people.
    pub fn line(&self) -> Vec<String> {
        let names = [self.provider, self.file_name, self.project, &self.version, &self.updated_at];
        std::iter::once(self.id.to_string()).chain(names.map(str::to_owned)).collect()
    }
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(file: &'a AuthFile) -> Self {
        Self {
            id: file.id,
            provider: &file.provider,
            file_name: &file.file_name,
            project: &file.project,
            version: file.version.to_string(),
            created_at: civil(file.created_at),
            updated_at: civil(file.updated_at),
            intact: file.intact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_of_its_directory_is_refused() {
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "c:x",
            "a\0b",
            "a\nb",
            " a",
            "a ",
            "a.",
            &"x".repeat(256),
        ] {
            assert!(safe_name(name.to_owned()).is_err(), "{name:?}");
        }
        for name in ["auth.json", ".credentials.json", "oauth_creds.json", "..x", "ключ.json"] {
            assert_eq!(safe_name(name.to_owned()).unwrap(), name);
        }
    }
}
