//! Names that lead into private networks. SAFETY section 3.

use tokio::io::AsyncWriteExt;
use upstream::{Call, Destination, Endpoint, Proxy, Reach};
use wire::Fault;

use crate::server::{OK, Server, call, read_request, upstreams};
use crate::tls::ask;

/// No address to us, so it is looked up like a name; to the resolver a way to write 127.0.0.1.
const DISGUISED: &str = "127.1";

fn to(endpoint: std::sync::Arc<Endpoint>) -> Call {
    Call { to: Destination::Http(endpoint), ..call("http://acme.invalid") }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_before_anything_is_sent() {
    let server = Server::answering(OK).await;
    let endpoint = Endpoint::parse(&format!("http://{DISGUISED}:{}/v1", server.address.port())).unwrap();
    let Err(Fault::Unreachable { why, .. }) = ask(&upstreams(), to(endpoint.clone())).await else {
        panic!("refused")
    };
    assert!(why.contains("127.1 leads to 127.0.0.1") && why.contains("allow_private"), "{why}");
    assert_eq!(server.accepted(), 0);
    assert_eq!(ask(&upstreams(), to(endpoint.reaching(Reach::Private))).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_kept_connection_of_who_may_reach_it_does_not_serve_who_may_not() {
    let server = Server::answering(OK).await;
    let upstreams = upstreams();
    let endpoint = Endpoint::parse(&format!("http://{DISGUISED}:{}/v1", server.address.port())).unwrap();
    ask(&upstreams, to(endpoint.reaching(Reach::Private))).await.unwrap();
    assert!(ask(&upstreams, to(endpoint)).await.is_err());
}

#[tokio::test]
async fn a_name_looked_up_here_for_a_proxy_is_judged_too() {
    let proxy = Server::answering(OK).await;
    let through = Proxy::parse(&format!("socks5://{}", proxy.address)).unwrap();
    let endpoint = Endpoint::parse(&format!("http://{DISGUISED}/v1")).unwrap().via(through);
    let text = ask(&upstreams(), to(endpoint)).await.unwrap_err().to_string();
    assert!(text.contains("leads to 127.0.0.1"), "{text}");
}

#[tokio::test]
async fn an_address_and_localhost_are_taken_at_their_word() {
    let server = Server::answering(OK).await;
    for host in ["127.0.0.1", "localhost"] {
        let endpoint = Endpoint::parse(&format!("http://{host}:{}/v1", server.address.port())).unwrap();
        assert_eq!(ask(&upstreams(), to(endpoint)).await.unwrap(), "{}");
    }
}

#[tokio::test]
async fn what_is_only_read_is_asked_with_get_and_without_a_body() {
    let server = Server::start(|mut socket, _| async move {
        let request = read_request(&mut socket).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.len());
        socket.write_all(&[answer.as_bytes(), &request].concat()).await.unwrap();
        assert!(read_request(&mut socket).await.is_none(), "nothing follows");
    })
    .await;
    let base = Endpoint::parse(&format!("http://{}/v1/chat/completions", server.address)).unwrap();
    let echoed = ask(&upstreams(), to(base.at("/v1/models").to_read())).await.unwrap();
    let expected =
        format!("GET /v1/models HTTP/1.1\r\nhost: {}\r\naccept-encoding: identity\r\n\r\n", server.address);
    assert_eq!(echoed, expected);
}
