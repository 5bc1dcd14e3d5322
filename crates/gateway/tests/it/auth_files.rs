//! Auth files of command-line programs: stored, listed, replaced, deleted, refused.

use serde_json::json;

use crate::support::{Builder, Gateway, TOKEN, request};

fn gateway() -> Gateway {
    Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start()
}

#[test]
fn a_file_is_stored_listed_without_its_content_replaced_and_deleted() {
    let gateway = gateway();
    let body = json!({"provider": "opencode", "fileName": "auth.json", "content": "{\"token\": \"canary-file-77\"}"});
    let stored = gateway.post("/v1/files", &body);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let id = stored.json()["id"].as_i64().unwrap();
    let expected = json!({"id": id, "provider": "opencode", "fileName": "auth.json", "project": "_global"});
    assert_eq!(stored.json(), expected);
    let listed = gateway.get("/v1/files");
    assert!(!listed.text().contains("canary"), "{}", listed.text());
    let row = listed.json()["files"][0].clone();
    assert_eq!((&row["id"], &row["fileName"], row.get("intact")), (&json!(id), &json!("auth.json"), None));
    assert_eq!(row["createdAt"].as_str().unwrap().len(), "2026-01-01 00:00:00".len());
    assert!(row["updatedAt"].is_string());
    let again = json!({"provider": "opencode-cli", "fileName": "auth.json", "content": "{}"});
    assert_eq!(gateway.post("/v1/files", &again).json(), expected, "both spellings are one program");
    assert_eq!(gateway.delete(&format!("/v1/files/{id}")).json(), json!({"ok": true}));
    let missing = gateway.delete(&format!("/v1/files/{id}"));
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("NOT_FOUND")));
    assert_eq!(gateway.delete("/v1/files/seven").status, 400);
}

/// Who refreshed a token writes it back with the version that was read: what another uploaded meanwhile stays.
#[test]
fn a_file_is_replaced_in_the_named_version_only() {
    let gateway = gateway();
    let put = |content: &str, version: Option<&str>| {
        let body = json!({"provider": "codex", "fileName": "auth.json", "content": content});
        let bearer = format!("Bearer {TOKEN}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(version.map(|version| ("if-match", version)));
        request(gateway.address, "POST", "/v1/files", &headers, body.to_string().as_bytes())
    };
    let first = put("1", None).header("etag").unwrap().to_owned();
    let second = put("2", Some(&first));
    assert_eq!(second.status, 201, "{}", second.text());
    let late = put("3", Some(&first));
    assert_eq!((late.status, &late.json()["code"]), (412, &json!("stale")), "{}", late.text());
    let listed = gateway.get("/v1/files").json()["files"][0]["version"].as_str().unwrap().to_owned();
    assert_eq!(second.header("etag"), Some(format!("\"{listed}\"").as_str()));
    for odd in ["*", "7.1", "\"seven\"", "W/\"7.1\""] {
        let reply = put("4", Some(odd));
        assert_eq!((reply.status, &reply.json()["field"]), (400, &json!("If-Match")), "{odd}");
    }
    assert_eq!(put("5", Some(&format!("\"{listed}\""))).status, 201);
}

#[test]
fn bad_files_are_refused_by_field() {
    let gateway = gateway();
    let good = json!({"provider": "claude", "fileName": ".credentials.json", "content": "{}"});
    assert_eq!(gateway.post("/v1/files", &good).status, 201);
    for (field, value) in [
        ("provider", json!(null)),
        ("provider", json!("nobody")),
        ("fileName", json!(null)),
        ("fileName", json!("../.ssh/authorized_keys")),
        ("fileName", json!("/etc/passwd")),
        ("fileName", json!("..")),
        ("fileName", json!(7)),
        ("content", json!("")),
        ("content", json!({"a": 1})),
        ("project", json!("a\nb")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let reply = gateway.post("/v1/files", &body);
        let error = reply.json();
        assert_eq!(reply.status, 400, "{field} {value}: {error}");
        assert_eq!((&error["code"], &error["field"]), (&json!("VALIDATION_ERROR"), &json!(field)), "{error}");
    }
}

#[test]
fn a_file_of_a_mebibyte_is_taken_and_one_more_byte_is_not() {
    let gateway = gateway();
    let file = |size| json!({"provider": "claude", "fileName": "big", "content": "x".repeat(size)});
    assert_eq!(gateway.post("/v1/files", &file(1 << 20)).status, 201);
    assert_eq!(gateway.post("/v1/files", &file((1 << 20) + 1)).status, 413);
}

#[test]
fn an_upload_for_the_files_api_of_openai_is_told_that_this_is_another() {
    let gateway = gateway();
    let authorization = format!("Bearer {TOKEN}");
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "multipart/form-data; boundary=x")];
    let reply = request(gateway.address, "POST", "/v1/files", &headers, b"--x--");
    assert_eq!(reply.status, 415);
    assert!(reply.text().contains("not OpenAI's Files API"), "{}", reply.text());
}

#[test]
fn a_project_sees_its_own_files_and_the_global_ones() {
    let gateway = gateway();
    for project in ["_global", "blue", "red"] {
        let body = json!({"provider": "codex", "fileName": "auth.json", "content": "{}", "project": project});
        assert_eq!(gateway.post("/v1/files", &body).status, 201);
    }
    let listed = gateway.get("/v1/files?project=blue").json();
    let projects: Vec<_> =
        listed["files"].as_array().unwrap().iter().map(|row| row["project"].clone()).collect();
    assert_eq!(projects, [json!("_global"), json!("blue")]);
}
