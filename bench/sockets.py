#!/usr/bin/env python3
"""Measures what idle WebSockets cost: resident memory each, and how long `GET /health` takes beside them.

Opens `/v1/ws` many times, once without and once after a ping on each, and prints a Markdown table. See README.md.
"""

import argparse
import http.client
import pathlib
import resource
import socket
import tempfile
import time
import types

import targets

HERE = pathlib.Path(__file__).resolve().parent
HANDSHAKE = (
    "GET /v1/ws HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# A text frame, masked with zeros.
PING = b'\x81\x8f\0\0\0\0{"type":"ping"}'
PONG = b'\x81\x0f{"type":"pong"}'


def opened(port):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(HANDSHAKE.format(port=port).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(4096)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise SystemExit(f"no socket: {head!r}")
    return connection


def ping(connection):
    connection.sendall(PING)
    answer = connection.recv(len(PONG), socket.MSG_WAITALL)
    if answer != PONG:
        raise SystemExit(f"no pong: {answer!r}")


def health_ms(port):
    """The slowest of a hundred."""
    slowest = 0
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        begin = time.perf_counter()
        connection.request("GET", "/health")
        connection.getresponse().read()
        slowest = max(slowest, time.perf_counter() - begin)
        connection.close()
    return slowest * 1000


def measure(options, count):
    """KiB a silent socket, KiB one that has been used, and the slowest health check in milliseconds."""
    nobody = types.SimpleNamespace(port=9)
    with tempfile.TemporaryDirectory() as directory:
        with targets.gateway(nobody, pathlib.Path(directory), options) as gateway:
            while True:
                try:
                    ping(opened(gateway.port))
                    break
                except ConnectionRefusedError:
                    time.sleep(0.01)
            before = gateway.process.rss_kib()
            sockets = [opened(gateway.port) for _ in range(count)]
            silent = gateway.process.rss_kib()
            for connection in sockets:
                ping(connection)
            used = gateway.process.rss_kib()
            slowest = health_ms(gateway.port)
            for connection in sockets:
                connection.close()
            return (silent - before) / count, (used - before) / count, slowest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--gateway", type=pathlib.Path, default=HERE.parent / "target/release/llm-gateway")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print("| idle sockets | KiB each, silent | KiB each, used | slowest health check, ms |")
    print("| ---: | ---: | ---: | ---: |")
    for count in options.counts:
        silent, used, slowest = measure(options, count)
        print(f"| {count:,} | {silent:.1f} | {used:.1f} | {slowest:.1f} |", flush=True)


if __name__ == "__main__":
    main()
