//! The document: routes and operations joined.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::operations::{OPERATIONS, Operation, Parameter};
use crate::VERSION;
use crate::door::Role;
use crate::problem::Details;
use crate::router::{Described, administration};

/// Schemas of what comes in and of what goes out: the same field may be required in one and not in the other.
struct Schemas {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

pub(super) fn document() -> Value {
    let settings =
        || SchemaSettings::draft2020_12().with(|made| made.definitions_path = "/components/schemas".into());
    let mut schemas = Schemas {
        bodies: settings().for_deserialize().into_generator(),
        answers: settings().for_serialize().into_generator(),
    };
    let problem = schemas.answers.subschema_for::<Details<'static>>();
    let paths = paths(&mut schemas);
    let mut components = schemas.bodies.take_definitions(true);
    components.append(&mut schemas.answers.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "LLM Gateway: administration",
            "version": VERSION,
            "description": "What the gateway's operators and the admins of projects can ask of it. Lists come in pages, \
                            errors as problem documents (RFC 9457).",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Problem": {
                "description": "What went wrong",
                "content": { "application/problem+json": { "schema": problem } },
            } },
            "securitySchemes": { "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "The gateway's own token, or an access key; `x-api-key` is read too",
            } },
        },
    })
}

fn paths(schemas: &mut Schemas) -> Value {
    let mut paths = Map::new();
    for route in administration() {
        // A test sees to it that there is one.
        let Some(operation) = OPERATIONS.iter().find(|operation| describes(operation, &route)) else {
            continue;
        };
        let path = paths.entry(route.path.replace('*', "{id}")).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = described(operation, route.role, schemas);
    }
    Value::Object(paths)
}

fn describes(operation: &Operation, route: &Described) -> bool {
    (operation.path, operation.method) == (route.path, route.method)
}

fn described(operation: &Operation, role: Role, schemas: &mut Schemas) -> Value {
    let mut told = json!({
        "operationId": operation.id,
        "summary": operation.about,
        "description": who(role),
        "x-role": role_name(role),
        "parameters": parameters(operation, schemas),
        "responses": responses(operation, role, schemas),
    });
    if let Some(body) = operation.body {
        told["requestBody"] = json!({ "required": true, "content": of_json(&body(&mut schemas.bodies)) });
    }
    told
}

fn who(role: Role) -> &'static str {
    match role {
        Role::Caller => "For everybody with a key.",
        Role::ProjectAdmin => {
            "For the gateway's own token, and for admins of a project within their project."
        }
        Role::Admin => "For the gateway's own token only.",
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Caller => "caller",
        Role::ProjectAdmin => "project_admin",
        Role::Admin => "admin",
    }
}

fn parameters(operation: &Operation, schemas: &mut Schemas) -> Vec<Value> {
    let mut parameters = Vec::new();
    if operation.path.contains('*') {
        let schema = json!({ "type": "string" });
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": schema }));
    }
    for Parameter { name, about, shape } in operation.query {
        let schema = shape(&mut schemas.bodies);
        parameters.push(json!({ "name": name, "in": "query", "description": about, "schema": schema }));
    }
    parameters
}

fn responses(operation: &Operation, role: Role, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let answer = (operation.answer)(&mut schemas.answers);
    let good = json!({ "description": "Done", "content": of_json(&answer) });
    responses.insert(operation.status.to_string(), good);
    for status in refusals(operation, role) {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(responses)
}

fn of_json(schema: &Schema) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// Statuses of the problems that an operation may answer with.
fn refusals(operation: &Operation, role: Role) -> Vec<u16> {
    let takes_body = operation.body.is_some();
    let all = [
        // What is wrong with a configuration is a refusal too.
        (400, takes_body || !operation.query.is_empty() || operation.id == "reloadConfig"),
        (401, true),
        (403, role != Role::Caller),
        // Another project's is not there either; an explanation may find no such model.
        (404, operation.path.contains('*') || operation.id == "explainRoute"),
        (413, takes_body),
        (415, takes_body),
        // Too many wrong keys.
        (429, true),
        (500, true),
        (503, true),
    ];
    all.into_iter().filter(|(_, may)| *may).map(|(status, _)| status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_administration_is_described_and_nothing_else() {
        let mut routes: Vec<_> = administration().map(|route| (route.path, route.method)).collect();
        let mut told: Vec<_> = OPERATIONS.iter().map(|told| (told.path, told.method)).collect();
        routes.sort();
        told.sort();
        assert_eq!(told, routes);
    }

    #[test]
    fn names_of_operations_are_their_own() {
        let mut ids: Vec<_> = OPERATIONS.iter().map(|told| told.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), OPERATIONS.len());
    }

    /// A change of the administration shows here, so that nobody makes one unseen.
    #[test]
    fn the_description_is_the_one_that_was_agreed_on() {
        let mut document = document();
        document["info"]["version"] = "of the program".into();
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    }
}
