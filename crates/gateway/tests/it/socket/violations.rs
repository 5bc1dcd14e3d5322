//! Row C11: clients that break the WebSocket protocol or its bounds.

use std::io::Write;

use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::support::{Bench, Socket, chat_message, resident};

/// A frame with its first byte and its payload, masked with zeros unless `bare`.
fn frame(first: u8, payload: &[u8], bare: bool) -> Vec<u8> {
    let mask = if bare { 0 } else { 0x80 };
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(mask | length as u8),
        length @ 126..65_536 => {
            frame.push(mask | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(mask | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    if !bare {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

const FINAL_TEXT: u8 = 0x81;

/// Sends bytes as they are; tells the code with which the gateway closes.
fn close_code(bench: &Bench, bytes: &[u8]) -> Option<u16> {
    let mut socket = Socket::open(bench.gateway.address).0;
    socket.get_mut().write_all(bytes).unwrap();
    Socket(WebSocket::from_raw_socket(socket.into_inner(), Role::Client, None)).hear_close()
}

#[test]
fn c11_each_violation_gets_its_code() {
    let bench = Bench::new();
    let huge = [&[FINAL_TEXT, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    for (what, bytes, code) in [
        ("an unmasked frame", frame(FINAL_TEXT, b"{}", true), 1002),
        ("a reserved bit", frame(FINAL_TEXT | 0x40, b"{}", false), 1002),
        ("a reserved data opcode", frame(0x83, b"{}", false), 1002),
        ("a reserved control opcode", frame(0x8b, b"", false), 1002),
        ("a long control frame", frame(0x89, &[b'x'; 126], false), 1002),
        ("a control frame in pieces", frame(0x09, b"x", false), 1002),
        ("a continuation of nothing", frame(0x80, b"x", false), 1002),
        ("a text that is not UTF-8", frame(FINAL_TEXT, b"{\"type\":\"\xff\"}", false), 1007),
        ("half a character", frame(FINAL_TEXT, b"\xe2\x82", false), 1007),
        ("binary", frame(0x82, b"{}", false), 1003),
        ("a huge announced frame", huge, 1009),
        ("a byte more than a message may have", frame(FINAL_TEXT, &vec![b' '; (1 << 20) + 1], false), 1009),
    ] {
        assert_eq!(close_code(&bench, &bytes), Some(code), "{what}");
    }
    let mut socket = Socket::open(bench.gateway.address);
    socket.say(&chat_message("oai/text"));
    assert!(socket.hear_answer().len() > 1, "others are served as ever");
}

#[test]
fn c11_256_mib_of_fragments_cost_one_message_of_memory() {
    let bench = Bench::new();
    let before = resident(bench.gateway.pid());
    let mut socket = Socket::open(bench.gateway.address).0;
    let piece = vec![b' '; 64 * 1024];
    socket.get_mut().write_all(&frame(0x01, &piece, false)).unwrap();
    let fragment = frame(0x00, &piece, false);
    // The gateway may hang up on the way.
    let _ = (0..4095).try_for_each(|_| socket.get_mut().write_all(&fragment));
    let code = Socket(WebSocket::from_raw_socket(socket.into_inner(), Role::Client, None)).hear_close();
    assert_eq!(code, Some(1009));
    let grown = resident(bench.gateway.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
}

#[test]
fn a_message_of_almost_1_mib_is_heard_also_in_fragments() {
    let bench = Bench::new();
    let mut message = chat_message("oai/text");
    message["payload"]["messages"][0]["content"] = "x".repeat((1 << 20) - 1000).into();
    let text = message.to_string();
    let mut socket = Socket::open(bench.gateway.address);
    socket.say_text(&text);
    assert!(socket.hear_answer().len() > 1);
    let (first, rest) = text.as_bytes().split_at(1000);
    socket.0.get_mut().write_all(&frame(0x01, first, false)).unwrap();
    socket.0.get_mut().write_all(&frame(0x80, rest, false)).unwrap();
    assert!(socket.hear_answer().len() > 1);
}
