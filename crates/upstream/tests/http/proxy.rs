//! Egress proxies: a real one where it is installed (Debian's microsocks), fakes for what goes wrong.

use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use upstream::{Call, Destination, Endpoint, Proxy};
use wire::Fault;

use crate::server::{LONG, OK, Server, call, read_request, upstreams};

fn via(url: &str, proxy: &str) -> Call {
    let endpoint = Endpoint::parse(url).unwrap().via(Proxy::parse(proxy).unwrap());
    Call { to: Destination::Http(endpoint), ..call(url) }
}

async fn ask(call: Call) -> Result<String, Fault> {
    let reply = tokio::time::timeout(LONG, upstreams().send(call)).await.unwrap()?;
    Ok(String::from_utf8(reply.body.collect(1 << 20).await?.to_vec()).unwrap())
}

async fn refusal(call: Call) -> String {
    match ask(call).await.unwrap_err() {
        Fault::Unreachable { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// A proxy in a process of its own, ended with the value.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Real {
    /// `None`, with words, where the program is not installed.
    async fn microsocks(login: &[&str]) -> Option<(Self, u16)> {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]).args(login);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(child) = started else {
            eprintln!("skipped: microsocks is not installed");
            return None;
        };
        let real = Real(child);
        let listens = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, listens).await.unwrap();
        Some((real, port))
    }
}

#[tokio::test]
async fn a_real_socks5_proxy_carries_calls_with_names_looked_up_on_either_side() {
    let server = Server::answering(OK).await;
    let Some((_proxy, port)) = Real::microsocks(&[]).await else { return };
    for scheme in ["socks5", "socks5h"] {
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{}/v1", server.address.port());
            assert_eq!(ask(via(&url, &format!("{scheme}://127.0.0.1:{port}"))).await.unwrap(), "{}");
        }
    }
    assert_eq!(server.accepted(), 4);
}

#[tokio::test]
async fn a_real_socks5_proxy_with_a_password_wants_it_and_takes_it() {
    let server = Server::answering(OK).await;
    let Some((_proxy, port)) = Real::microsocks(&["-u", "us", "-P", "s3cret"]).await else { return };
    let url = format!("http://{}/v1", server.address);
    assert_eq!(ask(via(&url, &format!("socks5h://us:s3cret@127.0.0.1:{port}"))).await.unwrap(), "{}");
    for login in ["", "us:wrong-canary@"] {
        let why = refusal(via(&url, &format!("socks5h://{login}127.0.0.1:{port}"))).await;
        assert!(why.contains("proxy socks5h://127.0.0.1") && !why.contains("canary"), "{why}");
    }
}

#[tokio::test]
async fn plain_http_goes_to_an_http_proxy_in_absolute_form_with_the_password() {
    let proxy = Server::start(|mut socket, _| async move {
        let request = String::from_utf8(read_request(&mut socket).await.unwrap()).unwrap();
        let expected = "POST http://provider.invalid/v1 HTTP/1.1\r\nhost: provider.invalid\r\nproxy-authorization: Basic dTpw\r\n";
        assert!(request.starts_with(expected), "{request}");
        socket.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    let proxied = via("http://provider.invalid/v1", &format!("http://u:p@{}", proxy.address));
    assert_eq!(ask(proxied).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_named_for_plain_and_for_tls_providers() {
    let proxy = Server::start(|mut socket, _| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://provider.invalid/v1");
        let why = refusal(via(&url, &format!("http://{}", proxy.address))).await;
        assert!(why.contains("wants a user name") && why.contains("407"), "{why}");
        let why = refusal(via(&url, &format!("http://u:canary@{}", proxy.address))).await;
        assert!(why.contains("refused its user name") && !why.contains("canary"), "{why}");
    }
}

/// Behind SOCKS5 there is nobody but the provider who could have said it.
#[tokio::test]
async fn a_407_of_the_provider_itself_is_its_answer_and_no_word_of_the_proxy() {
    let provider = Server::answering("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").await;
    let direct = call(&format!("http://{}/v1", provider.address));
    assert_eq!(upstreams().send(direct).await.unwrap().status, 407);
    let Some((_proxy, port)) = Real::microsocks(&[]).await else { return };
    let proxied = via(&format!("http://{}/v1", provider.address), &format!("socks5h://127.0.0.1:{port}"));
    assert_eq!(upstreams().send(proxied).await.unwrap().status, 407);
}

#[tokio::test]
async fn what_is_no_proxy_and_what_is_not_there_is_said_with_its_address() {
    let other = Server::start(|mut socket, _| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    })
    .await;
    for scheme in ["http", "socks5h"] {
        let why = refusal(via("https://provider.invalid/v1", &format!("{scheme}://{}", other.address))).await;
        assert!(why.contains(&format!("proxy {scheme}://{}", other.address)), "{why}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let why = refusal(via("https://provider.invalid/v1", &format!("socks5h://{gone}"))).await;
    assert!(why.contains("proxy") && why.contains("connection refused"), "{why}");
}
