//! The list of models in the form of each API, by path and by header.

use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, request};

/// Providers that are never called.
fn gateway() -> Gateway {
    Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .env("OPENAI_API_KEY", "key-of-openai")
        .env("ANTHROPIC_API_KEY", "key-of-anthropic")
        .env("OPENROUTER_API_KEY", "key-of-openrouter")
        .start()
}

fn get(gateway: &Gateway, path: &str, header: (&str, &str)) -> Reply {
    let token = format!("Bearer {TOKEN}");
    request(gateway.address, "GET", path, &[("authorization", &token), header], b"")
}

const PLAIN: (&str, &str) = ("accept", "application/json");
const ANTHROPIC: (&str, &str) = ("anthropic-version", "2023-06-01");
const GEMINI: (&str, &str) = ("x-goog-api-key", TOKEN);

fn ids(rows: &Value, key: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_forms_list_the_same_models() {
    let gateway = gateway();
    let openai = ids(&get(&gateway, "/v1/models", PLAIN).json()["data"], "id");
    assert!(openai.len() > 5 && openai.contains(&"openai/gpt-4o".to_owned()), "{openai:?}");
    let anthropic = get(&gateway, "/v1/models", ANTHROPIC).json();
    assert_eq!(ids(&anthropic["data"], "id"), openai);
    assert_eq!(anthropic["data"][0]["type"], "model");
    assert_eq!(anthropic["has_more"], false);
    let gemini = get(&gateway, "/v1/models", GEMINI).json();
    let named: Vec<String> = openai.iter().map(|id| format!("models/{id}")).collect();
    assert_eq!(ids(&gemini["models"], "name"), named);
    assert_eq!(gemini["models"][0]["supportedGenerationMethods"][0], "generateContent");
    assert_eq!(gemini["nextPageToken"], Value::Null);
}

#[test]
fn the_path_says_the_form_where_headers_do_not() {
    let gateway = gateway();
    for (path, list) in [
        ("/v1beta/models", "models"),
        ("/gemini/v1beta/models", "models"),
        ("/gemini/models", "models"),
        ("/openai/v1/models", "data"),
        ("/openai/models", "data"),
        ("/anthropic/v1/models", "data"),
    ] {
        assert!(get(&gateway, path, PLAIN).json()[list].is_array(), "{path}");
    }
    assert!(get(&gateway, "/anthropic/v1/models", PLAIN).json()["has_more"].is_boolean());
}

#[test]
fn one_model_is_found_in_every_form() {
    let gateway = gateway();
    for id in ["gpt-4o", "openai%2Fgpt-4o", "openai/gpt-4o"] {
        let plain = id.replace("%2F", "/");
        let anthropic = get(&gateway, &format!("/v1/models/{id}"), ANTHROPIC).json();
        assert_eq!((&anthropic["id"], &anthropic["type"]), (&json!(plain), &json!("model")));
        for path in [format!("/v1beta/models/{id}"), format!("/gemini/models/{id}")] {
            let gemini = get(&gateway, &path, PLAIN).json();
            assert_eq!(gemini["name"], format!("models/{plain}"), "{path}");
        }
    }
    let embeds = get(&gateway, "/v1beta/models/text-embedding-3-small", PLAIN).json();
    assert_eq!(embeds["supportedGenerationMethods"], json!(["embedContent", "batchEmbedContents"]));
    let unknown = get(&gateway, "/v1beta/models/nope", PLAIN);
    assert_eq!((unknown.status, &unknown.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let unknown = get(&gateway, "/v1/models/nope", ANTHROPIC);
    assert_eq!((unknown.status, &unknown.json()["error"]["type"]), (404, &json!("not_found_error")));
}

#[test]
fn anthropics_pages_follow_and_precede_an_id() {
    let gateway = gateway();
    let all = ids(&get(&gateway, "/v1/models", PLAIN).json()["data"], "id");
    let page = |query: &str| {
        let page = get(&gateway, &format!("/v1/models?{query}"), ANTHROPIC).json();
        assert_eq!(page["first_id"], page["data"][0]["id"], "{page}");
        assert_eq!(
            page["last_id"],
            page["data"].as_array().unwrap().last().map_or(Value::Null, |row| row["id"].clone())
        );
        (ids(&page["data"], "id"), page["has_more"].as_bool().unwrap())
    };
    assert_eq!(page("limit=2"), (all[..2].to_vec(), true));
    assert_eq!(page(&format!("limit=2&after_id={}", all[1])), (all[2..4].to_vec(), true));
    assert_eq!(page(&format!("limit=2&before_id={}", all[3])), (all[1..3].to_vec(), true));
    assert_eq!(page(&format!("limit=2&before_id={}", all[1])), (all[..1].to_vec(), false));
    assert_eq!(page(&format!("after_id={}", all[all.len() - 1])), (Vec::new(), false));
    for query in ["limit=0", "limit=1001", "limit=x", "after_id=nope", "after_id=gpt-4o&before_id=gpt-4o"] {
        let refused = get(&gateway, &format!("/v1/models?{query}"), ANTHROPIC);
        assert_eq!((refused.status, &refused.json()["type"]), (400, &json!("error")), "{query}");
    }
}

#[test]
fn geminis_pages_lead_through_the_whole_list() {
    let gateway = gateway();
    let all = ids(&get(&gateway, "/v1beta/models", PLAIN).json()["models"], "name");
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&gateway, &format!("/v1beta/models?pageSize=3{token}"), PLAIN).json();
        let names = ids(&page["models"], "name");
        assert!(names.len() <= 3 && !names.is_empty(), "{page}");
        seen.extend(names);
        let Some(next) = page["nextPageToken"].as_str() else { break };
        token = format!("&pageToken={}", next.replace('/', "%2F"));
    }
    assert_eq!(seen, all);
    assert_eq!(get(&gateway, "/v1beta/models?pageToken=nope", PLAIN).status, 400);
}

#[test]
fn a_key_in_the_query_opens_geminis_paths_and_no_others() {
    let gateway = gateway();
    let status = |path: &str| request(gateway.address, "GET", path, &[], b"").status;
    assert_eq!(status(&format!("/v1beta/models?key={TOKEN}")), 200);
    assert_eq!(status(&format!("/gemini/models?key={TOKEN}")), 200);
    assert_eq!(status("/v1beta/models?key=wrong"), 401);
    assert_eq!(status(&format!("/v1/models?key={TOKEN}")), 401);
    assert_eq!(status(&format!("/v1/credentials?key={TOKEN}")), 401);
    let logged = gateway.stderr() + &gateway.stdout();
    assert!(!logged.contains(TOKEN), "{logged}");
}

/// Claude Code asks this of any base URL before it says anything.
#[test]
fn the_front_page_answers_to_head_below_every_prefix() {
    let gateway = gateway();
    for path in ["/", "/anthropic", "/anthropic/", "/openai", "/gemini"] {
        let reply = request(gateway.address, "HEAD", path, &[], b"");
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{path}");
    }
}
