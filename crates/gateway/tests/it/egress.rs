//! Real proxies (Debian's microsocks and tinyproxy) between the gateway and its providers, and names that lead astray.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine;
use fakeprov::FakeProv;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Builder, Gateway, block_on, eventually};

const LLM_BRIDGE: &str = include_str!("../fixtures/llm-bridge-config.yaml");
/// Where the file that LLM-Bridge ships has its proxy.
const BRIDGE_PROXY: u16 = 7890;

/// A proxy in a process of its own, ended with the value.
struct RealProxy {
    child: Child,
    port: u16,
    /// Its configuration.
    _dir: TempDir,
}

impl Drop for RealProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RealProxy {
    /// `None`, with words, where the program is not installed.
    fn start(program: &str, port: u16, arguments: impl FnOnce(&TempDir) -> Vec<String>) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new(program);
        command.args(arguments(&dir)).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            eprintln!("skipped: {program} is not installed");
            return None;
        };
        let proxy = Self { child, port, _dir: dir };
        eventually(&format!("{program} listens"), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(proxy)
    }

    fn microsocks(port: u16, login: &[&str]) -> Option<Self> {
        let port_text = port.to_string();
        let words = ["-i", "127.0.0.1", "-p", &port_text].into_iter().chain(login.iter().copied());
        let words = words.map(str::to_owned).collect();
        Self::start("microsocks", port, |_| words)
    }

    fn tinyproxy(login: Option<(&str, &str)>) -> Option<Self> {
        let port = free_port();
        let login =
            login.map(|(user, password)| format!("BasicAuth {user} {password}\n")).unwrap_or_default();
        let text =
            format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 20\n{login}");
        Self::start("tinyproxy", port, |dir| {
            let file = dir.path().join("tinyproxy.conf");
            std::fs::write(&file, text).unwrap();
            vec!["-d".to_owned(), "-c".to_owned(), file.display().to_string()]
        })
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A gateway whose only provider is reached through this proxy.
fn behind(provider: &FakeProv, proxy: &str) -> Gateway {
    Builder::new(format!(
        "providers:\n  oai:\n    base_url: {}\n    api_key: k\n    proxy: {proxy}\n    models: {{text: {{}}}}\n",
        provider.url()
    ))
    .start()
}

/// A whole and a streamed answer come through.
fn answers(gateway: &Gateway, model: &str) {
    let whole = gateway.chat(model);
    assert_eq!(whole.status, 200, "{}", whole.text());
    assert_eq!(whole.json()["choices"][0]["message"]["content"], fakeprov::TEXT);
    let streamed = gateway.chat_stream(model);
    assert_eq!(streamed.events().last(), Some(&Value::from("[DONE]")), "{}", streamed.text());
}

/// The proxy is named in the error, and its password nowhere.
fn is_refused(gateway: &Gateway, said: &str) {
    let refused = gateway.chat("oai/text");
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (502, "upstream_unreachable"),
        "{}",
        refused.text()
    );
    assert!(refused.text().contains(said), "{}", refused.text());
    let told = refused.text() + &gateway.stderr() + &gateway.stdout();
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn a_real_socks5_proxy_carries_calls_with_and_without_a_password() {
    let provider = block_on(FakeProv::start());
    let Some(open) = RealProxy::microsocks(free_port(), &[]) else { return };
    for scheme in ["socks5", "socks5h"] {
        answers(&behind(&provider, &format!("{scheme}://127.0.0.1:{}", open.port)), "oai/text");
    }
    let Some(locked) = RealProxy::microsocks(free_port(), &["-u", "us", "-P", "s3cret-canary"]) else {
        return;
    };
    let at = format!("127.0.0.1:{}", locked.port);
    answers(&behind(&provider, &format!("socks5h://us:s3cret-canary@{at}")), "oai/text");
    for login in ["", "us:wrong-canary@"] {
        is_refused(&behind(&provider, &format!("socks5h://{login}{at}")), &format!("proxy socks5h://{at}"));
    }
}

#[test]
fn a_real_http_proxy_carries_calls_with_and_without_a_password() {
    let provider = block_on(FakeProv::start());
    let Some(open) = RealProxy::tinyproxy(None) else { return };
    answers(&behind(&provider, &format!("http://127.0.0.1:{}", open.port)), "oai/text");
    let Some(locked) = RealProxy::tinyproxy(Some(("us", "s3cret-canary"))) else { return };
    let at = format!("127.0.0.1:{}", locked.port);
    answers(&behind(&provider, &format!("http://us:s3cret-canary@{at}")), "oai/text");
    let received = provider.received();
    assert_eq!(received.len(), 4);
    for request in &received {
        assert!(request.header("via").is_some_and(|via| via.contains("tinyproxy")), "{request:?}");
        assert!(request.header("proxy-authorization").is_none(), "{request:?}");
    }
    let received = provider.received().len();
    is_refused(&behind(&provider, &format!("http://{at}")), "wants a user name");
    // To a wrong password tinyproxy says 401, which for a tunnel is its own word, and else could be the provider's.
    let wrong = format!("http://us:wrong-canary@{at}");
    let told = behind(&provider, &wrong).chat("oai/text");
    assert!(told.status == 502 && !told.text().contains("canary"), "{}", told.text());
    let tunnel = format!(
        "providers:\n  oai: {{base_url: 'https://127.0.0.1:9/v1', api_key: k, proxy: '{wrong}', models: {{text: {{}}}}}}\n"
    );
    is_refused(&Builder::new(tunnel).start(), "refused its user name or password (HTTP 401)");
    assert_eq!(provider.received().len(), received, "nothing got past the proxy");
}

#[test]
fn without_its_proxy_a_provider_is_not_reached_at_all() {
    let provider = block_on(FakeProv::start());
    let at = format!("127.0.0.1:{}", free_port());
    is_refused(&behind(&provider, &format!("http://us:canary@{at}")), &format!("proxy http://{at}"));
    assert!(provider.received().is_empty());
}

/// All that the file needs, as its users have it: keys in `.env`.
fn llm_bridge(more: &str) -> Gateway {
    let dir = Arc::new(TempDir::new().unwrap());
    let env = format!("CLOSEAI_API_KEY=c\nGEMINI_API_KEY=g\nDEEPSEEK_API_KEY=d\n{more}");
    std::fs::write(dir.path().join(".env"), env).unwrap();
    Builder::new(LLM_BRIDGE).within(dir).start()
}

#[test]
fn every_section_of_the_file_that_llm_bridge_ships_is_available() {
    let gateway = llm_bridge("");
    let listed = gateway.get("/v1/models").json();
    let listed: Vec<&str> =
        listed["data"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str()).collect();
    for (section, models) in [("closeai", 7), ("gemini", 3), ("deepseek", 2)] {
        let of_section = listed.iter().filter(|id| id.starts_with(&format!("{section}/"))).count();
        assert_eq!(of_section, models, "{section} in {listed:?}");
    }
    let providers = gateway.get("/v1/providers").json();
    for id in ["closeai", "google", "deepseek"] {
        let rows = providers["providers"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["id"] == id && row["available"] == true), "{id} in {providers}");
    }
    assert!(!gateway.stderr().contains("proxy"), "{}", gateway.stderr());
}

/// Only its address is turned to a provider of ours; the proxy is where the file has it.
#[test]
fn the_section_that_requires_a_proxy_is_reached_through_the_one_of_the_shipped_file() {
    if TcpListener::bind(("127.0.0.1", BRIDGE_PROXY)).is_err() {
        eprintln!("skipped: port {BRIDGE_PROXY} is taken");
        return;
    }
    let provider = block_on(FakeProv::start());
    let gateway = llm_bridge(&format!("GEMINI_BASE_URL={}/chat/completions\n", provider.url()));
    let refused = gateway.chat("gemini/text");
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert!(refused.text().contains("proxy socks5://127.0.0.1:7890"), "{}", refused.text());
    assert!(provider.received().is_empty());
    let Some(_proxy) = RealProxy::microsocks(BRIDGE_PROXY, &[]) else { return };
    answers(&gateway, "gemini/text");
}

/// `127.1` is no address to us but a name, which a resolver takes for 127.0.0.1.
#[test]
fn a_name_that_leads_to_this_machine_is_reached_only_when_the_file_allows_it() {
    let provider = block_on(FakeProv::start());
    let port = provider.address().port();
    let gateway = |more: &str| {
        Builder::new(format!(
            "providers:\n  oai: {{base_url: 'http://127.1:{port}/v1', api_key: k, models: {{text: {{}}}}{more}}}\n"
        ))
        .start()
    };
    is_refused(&gateway(""), "127.1 leads to 127.0.0.1");
    is_refused(&gateway(", allow_private: false"), "127.1 leads to 127.0.0.1");
    assert!(provider.received().is_empty());
    answers(&gateway(", allow_private: true"), "oai/text");
}

/// A provider inside TLS, under a certificate of its own making for `localhost`; it answers every request alike.
struct TlsProvider {
    port: u16,
    /// The certificate.
    pem: String,
}

impl TlsProvider {
    fn start() -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = own.cert.der().clone();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&certificate);
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let config = config.clone();
                std::thread::spawn(move || answer_inside_tls(config, socket));
            }
        });
        Self { port, pem: format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n") }
    }

    /// A gateway before it, that trusts these authorities beside the system's.
    fn gateway(&self, authorities: &str, proxy: &str) -> Gateway {
        let dir = Arc::new(TempDir::new().unwrap());
        std::fs::write(dir.path().join("own.pem"), &self.pem).unwrap();
        let yaml = format!(
            "{authorities}\nproviders:\n  oai: {{base_url: 'https://localhost:{}/v1', api_key: k, proxy: '{proxy}', \
             models: {{text: {{}}}}}}\n",
            self.port
        );
        Builder::new(yaml).within(dir).start()
    }
}

fn answer_inside_tls(config: Arc<ServerConfig>, socket: TcpStream) {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"}") {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
            // A client that does not trust us leaves.
            _ => return,
        }
    }
    let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "text", "choices": [{
        "index": 0, "message": {"role": "assistant", "content": "inside TLS"}, "finish_reason": "stop"
    }]})
    .to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
}

#[test]
fn an_authority_of_the_file_is_trusted_directly_and_through_a_real_tunnel() {
    let provider = TlsProvider::start();
    is_refused(&provider.gateway("", "none"), "TLS: ");
    let content =
        |gateway: Gateway| gateway.chat("oai/text").json()["choices"][0]["message"]["content"].clone();
    assert_eq!(content(provider.gateway("ca_file: own.pem", "none")), "inside TLS");
    let Some(proxy) = RealProxy::tinyproxy(Some(("us", "s3cret"))) else { return };
    let through = format!("http://us:s3cret@127.0.0.1:{}", proxy.port);
    assert_eq!(content(provider.gateway("ca_file: own.pem", &through)), "inside TLS");
}
