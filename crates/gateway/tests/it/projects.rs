//! Projects: body before header, and a key that is bound to one does not leave it.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, block_on, both_wires, chat_body};

/// A gateway with the keys of a caller and of an admin, both bound to the project blue.
fn bench() -> (FakeProv, Gateway, String, String) {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(format!("responses: {{store: true}}\n{}", both_wires(&provider))).start();
    let key = |role: &str| {
        let body = json!({"name": role, "role": role, "project": "blue"});
        gateway.post("/admin/v1/keys", &body).json()["key"].as_str().unwrap().to_owned()
    };
    let (caller, admin) = (key("caller"), key("project_admin"));
    (provider, gateway, caller, admin)
}

#[test]
fn the_body_names_the_project_before_the_header_does() {
    let (_provider, gateway, ..) = bench();
    let mut body = chat_body("oai/text", false);
    assert_eq!(gateway.ask(TOKEN, "POST", "/v1/chat/completions", Some("red"), &body).status, 200);
    body["project"] = json!("green");
    assert_eq!(gateway.ask(TOKEN, "POST", "/v1/chat/completions", Some("red"), &body).status, 200);
    let generate = json!({"prompt": "x", "model": "oai/text", "project": "green"});
    assert_eq!(gateway.ask(TOKEN, "POST", "/v1/generate", Some("red"), &generate).status, 200);
    let projects: Vec<_> = gateway.ledger(3).iter().rev().map(|row| row.project.to_string()).collect();
    assert_eq!(projects, ["red", "green", "green"]);
}

#[test]
fn a_bound_key_acts_for_its_project_and_is_refused_any_other() {
    let (_provider, gateway, caller, _) = bench();
    let body = chat_body("oai/text", false);
    let ask =
        |project, body: &Value| gateway.ask(&caller, "POST", "/v1/chat/completions", project, body).status;
    assert_eq!(ask(None, &body), 200);
    assert_eq!(ask(Some("blue"), &body), 200);
    assert_eq!(ask(Some("red"), &body), 403);
    assert_eq!(ask(Some("_global"), &body), 403);
    let mut named = body;
    named["project"] = json!("red");
    assert_eq!(ask(Some("blue"), &named), 403, "the body comes first here too");
    for path in ["/v1/models?project=red", "/v1/providers?project=red"] {
        assert_eq!(gateway.ask(&caller, "GET", path, None, &Value::Null).status, 403, "{path}");
    }
    let rows = gateway.ledger(5);
    assert!(rows.iter().filter(|row| row.status == 200).all(|row| row.project == "blue"));
}

/// Methods, path before the id, path after it: of every route that takes one.
const WITH_ID: [(&str, &str, &str); 10] = [
    ("DELETE", "/v1/credentials/", ""),
    ("DELETE", "/v1/files/", ""),
    ("GET", "/admin/v1/keys/", ""),
    ("PATCH", "/admin/v1/keys/", ""),
    ("DELETE", "/admin/v1/keys/", ""),
    ("POST", "/admin/v1/keys/", "/rotate"),
    ("GET", "/v1/responses/", ""),
    ("DELETE", "/v1/responses/", ""),
    ("GET", "/v1/responses/", "/input_items"),
    ("POST", "/v1/responses/", "/cancel"),
];

#[test]
fn no_route_with_an_id_of_a_project_is_left_out() {
    // Models and groups are no project's, and breakers have none.
    let of_all = ["/models/", "/v1beta/", "/v1/groups/", "circuit-breaker"];
    let of_projects = |path: &str| path.contains('*') && !of_all.iter().any(|part| path.contains(part));
    for (path, method, _) in gateway::router::routes().filter(|(path, ..)| of_projects(path)) {
        let is_it =
            |(of, before, after): &(&str, &str, &str)| *of == method && path == format!("{before}*{after}");
        assert!(method == "HEAD" || WITH_ID.iter().any(is_it), "{method} {path}");
    }
}

/// Every route that takes an id, with an id of another project and with one that does not exist: the same answer.
#[test]
fn what_belongs_to_another_project_is_not_there() {
    let (_provider, gateway, _, admin) = bench();
    let id = |path: &str, body: Value| {
        let stored = gateway.post(path, &body);
        assert_eq!(stored.status, 201, "{}", stored.text());
        stored.json()["id"].to_string().trim_matches('"').to_owned()
    };
    for project in ["red", "_global"] {
        let credential =
            id("/v1/credentials", json!({"provider": "oai", "apiKey": "sk-x", "project": project}));
        let file = id(
            "/v1/files",
            json!({"provider": "codex", "fileName": "f", "content": "x", "project": project}),
        );
        let key = id("/admin/v1/keys", json!({"name": "other", "project": project}));
        let body = json!({"model": "oai/text", "input": "Hi", "project": project});
        let response = gateway.post("/v1/responses", &body).json()["id"].as_str().unwrap().to_owned();
        for (method, path, after) in WITH_ID {
            let (id, missing) = match path {
                "/v1/responses/" => (&response, "resp_none"),
                "/v1/credentials/" => (&credential, "99"),
                "/v1/files/" => (&file, "99"),
                _ => (&key, "zzzzzzzz"),
            };
            let body = match method {
                "DELETE" | "GET" => Value::Null,
                "POST" => json!({}),
                _ => json!({"name": "mine"}),
            };
            let answer = |id: &str| gateway.ask(&admin, method, &format!("{path}{id}{after}"), None, &body);
            let (theirs, nobodys) = (answer(id), answer(missing));
            assert_eq!((theirs.status, nobodys.status), (404, 404), "{method} {path} of {project}");
            let without = |reply: &crate::support::Reply, id: &str| {
                let mut json = reply.json();
                json.as_object_mut().unwrap().remove("instance");
                json.to_string().replace(id, "ID")
            };
            assert_eq!(without(&theirs, id), without(&nobodys, missing));
        }
    }
    for (path, list) in
        [("/v1/credentials", "credentials"), ("/v1/files", "files"), ("/admin/v1/keys", "data")]
    {
        let seen = gateway.ask(&admin, "GET", path, None, &Value::Null).json();
        let all = seen[list].as_array().unwrap().iter().all(|row| row["project"] == "blue");
        assert!(all, "{path}: {seen}");
        let other = gateway.ask(&admin, "GET", &format!("{path}?project=red"), None, &Value::Null);
        assert_eq!(other.status, 403, "{path}");
    }
}

#[test]
fn the_admin_of_a_project_manages_it_and_nothing_else() {
    let (_provider, gateway, _, admin) = bench();
    let post = |path: &str, body: Value| gateway.ask(&admin, "POST", path, None, &body);
    let stored = post("/v1/credentials", json!({"provider": "oai", "apiKey": "sk-x"}));
    assert_eq!((stored.status, &stored.json()["project"]), (201, &json!("blue")));
    let id = stored.json()["id"].to_string();
    let stored = post("/v1/files", json!({"provider": "codex", "fileName": "f", "content": "x"}));
    assert_eq!((stored.status, &stored.json()["project"]), (201, &json!("blue")));
    assert_eq!(
        post("/v1/credentials", json!({"provider": "oai", "apiKey": "sk-x", "project": "red"})).status,
        403
    );
    assert_eq!(
        post(
            "/v1/files",
            json!({"provider": "codex", "fileName": "f", "content": "x", "project": "_global"})
        )
        .status,
        403
    );
    assert_eq!(
        gateway.ask(&admin, "DELETE", &format!("/v1/credentials/{id}"), None, &Value::Null).status,
        200
    );
    for path in ["/admin/v1/audit", "/metrics"] {
        assert_eq!(gateway.ask(&admin, "GET", path, None, &Value::Null).status, 403, "{path}");
    }
}
