//! An upstream that speaks Responses itself: events pass as they are, and what goes back is what it can read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::{hear_response, open, turn, user};
use crate::support::Builder;

/// Answers each request with the same response: a thought that only it can look up, a sealed one, and a text. Yields the
/// bodies that came.
fn upstream() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (bodies, received) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Some(body) = read_body(socket.as_ref().unwrap()) else { return };
            socket.unwrap().write_all(answer().as_bytes()).unwrap();
            if bodies.send(body).is_err() {
                return;
            }
        }
    });
    (address, received)
}

fn read_body(socket: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

fn output() -> Value {
    json!([
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "sealed"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]},
    ])
}

fn answer() -> String {
    let response = |status: &str, output: Value| {
        json!({"id": "resp_up", "object": "response", "created_at": 1, "status": status, "model": "m",
            "output": output, "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}})
    };
    let mut events = [
        json!({"type": "response.created", "response": response("in_progress", json!([]))}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 2, "content_index": 0,
            "delta": "Hello."}),
        json!({"type": "response.completed", "response": response("completed", output())}),
    ];
    let mut body = String::new();
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
        body += &format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    }
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[test]
fn the_next_turn_goes_up_whole_with_the_answer_in_it_and_nothing_that_would_have_to_be_looked_up() {
    let (address, bodies) = upstream();
    let yaml = format!(
        "providers:\n  up:\n    wire: openai_responses\n    base_url: http://{address}/v1\n    api_key: k\n    models: {{m: {{}}}}\n"
    );
    let gateway = Builder::new(yaml).start();
    let mut socket = open(&gateway);
    let mut first = turn("up/m", None, json!([user("One.")]));
    first["instructions"] = "Be brief.".into();
    socket.say(&first);
    let events = hear_response(&mut socket);
    assert_eq!(events[1]["delta"], "Hello.", "{events:?}");
    assert_eq!(events[2]["response"]["output"], output(), "events are passed on as they came");
    assert_eq!(
        bodies.recv().unwrap(),
        json!({"model": "m", "input": [user("One.")], "store": false, "instructions": "Be brief.", "stream": true})
    );

    socket.say(&turn("up/m", Some("resp_up"), json!([user("Two.")])));
    hear_response(&mut socket);
    let body = bodies.recv().unwrap();
    let mut text = output()[2].clone();
    text.as_object_mut().unwrap().remove("id");
    assert_eq!(body["input"], json!([user("One."), output()[1], text, user("Two.")]));
    assert_eq!(body.get("previous_response_id"), None);
    let row = &gateway.ledger(2)[0];
    assert_eq!((row.input, row.output), (Some(3), Some(2)));
}
