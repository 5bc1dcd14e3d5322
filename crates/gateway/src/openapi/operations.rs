//! What a path and a method do, in one flat table. Who may use them stands in the table of routes.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::exchange::Explanation;
use crate::manage::{Page, audit, keys};
use crate::reload::Status as ConfigStatus;

/// What the document says of one operation.
pub(super) struct Operation {
    /// As in the table of routes.
    pub path: &'static str,
    pub method: &'static str,
    /// What clients that are made from the document call it.
    pub id: &'static str,
    pub about: &'static str,
    pub query: &'static [Parameter],
    pub body: Option<Shape>,
    /// The status of a good answer.
    pub status: u16,
    pub answer: Shape,
}

/// Gives a type's schema, and notes those of the types within.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A parameter of the query.
pub(super) struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub shape: Shape,
}

fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}

/// A request as `/v1/chat/completions` takes it; OpenAI's own description says what that is.
fn chat(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "required": ["model", "messages"],
        "properties": { "model": { "type": "string" }, "messages": { "type": "array" } },
    })
}

fn rows(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 })
}

const LIMIT: Parameter = Parameter { name: "limit", about: "Rows of the page", shape: rows };
const CURSOR: Parameter =
    Parameter { name: "cursor", about: "`next_cursor` of the page before", shape: of::<String> };
const PROJECT: Parameter =
    Parameter { name: "project", about: "Only what belongs to this project", shape: of::<String> };

type Key = keys::Row<'static>;
type Issued = keys::Issued<'static>;
type Entry = audit::Row<'static>;

const ONE_KEY: &str = "/admin/v1/keys/*";

#[rustfmt::skip]
pub(super) static OPERATIONS: [Operation; 10] = [
    read("/admin/v1/keys", "listKeys", "Access keys, oldest first, revoked ones too", &[PROJECT, LIMIT, CURSOR], of::<Page<Key>>),
    write("/admin/v1/keys", "POST", "createKey", "Makes an access key, which is shown this once", Some(of::<keys::NewKey>), 201, of::<Issued>),
    read(ONE_KEY, "readKey", "One access key, without its secret", &[], of::<Key>),
    write(ONE_KEY, "PATCH", "updateKey", "Changes what an access key may do", Some(of::<keys::Changes>), 200, of::<Key>),
    write(ONE_KEY, "DELETE", "revokeKey", "Makes an access key open nothing any more, for good", None, 200, of::<Key>),
    write("/admin/v1/keys/*/rotate", "POST", "rotateKey", "Gives an access key a new secret part, which is shown this once", Some(of::<keys::Rotation>), 200, of::<Issued>),
    read("/admin/v1/audit", "listAudit", "Who changed what in the vault, newest first", &[LIMIT, CURSOR], of::<Page<Entry>>),
    read("/admin/v1/config", "readConfig", "The configuration in force: from where, since when, and why a later one is not", &[], of::<ConfigStatus>),
    write("/admin/v1/config/reload", "POST", "reloadConfig", "Reads the configuration again and puts it in force, whole or not at all", None, 200, of::<ConfigStatus>),
    write("/admin/v1/route/explain", "POST", "explainRoute", "What would be done for a chat request, without doing it", Some(chat), 200, of::<Explanation>),
];

const fn read(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    query: &'static [Parameter],
    answer: Shape,
) -> Operation {
    Operation { path, method: "GET", id, about, query, body: None, status: 200, answer }
}

const fn write(
    path: &'static str,
    method: &'static str,
    id: &'static str,
    about: &'static str,
    body: Option<Shape>,
    status: u16,
    answer: Shape,
) -> Operation {
    Operation { path, method, id, about, query: &[], body, status, answer }
}
