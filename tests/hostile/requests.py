"""What nobody should ask of the HTTP API: made by code, the same each time."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import quote

from tests.hostile.conversations import ODD_TEXTS, chance_of, mutated, noise

HOST = b"Host: localhost\r\n"
SOUND = b"GET /api/studies/1.2.3 HTTP/1.1\r\n" + HOST + b"\r\n"
PATHS = ("/api/studies/{}", "/api/worklist?status={}", "/api/worklist?limit={}", "/api/deliveries?status={}", "/{}")
HANGS_AFTER_S = 30


def ask(port: int, request: bytes) -> str:
    """Send it, say no more, and return the answer from its status on; empty if there is none."""
    answer = b""
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=HANGS_AFTER_S) as connection:
        with suppress(OSError):  # it was ended meanwhile
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65_536):
            answer += piece
    return answer.decode("latin-1").partition(" ")[2]


def of_odd_paths() -> Iterator[bytes]:
    for text in ODD_TEXTS.values():
        for path in PATHS:
            yield b"GET " + path.format(quote(text, safe="")).encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n"
            yield b"GET " + path.format(text).encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n"


def of_odd_heads() -> Iterator[bytes]:
    yield from (b"", b"\0", b"\r\n" * 1000, noise(3000), b"\x16\x03\x01\x02\x00\x01", b"GET", b"GET / HTTP/9.9\r\n\r\n")
    yield b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 10_000_000
    yield b"GET / HTTP/1.1\r\n" + HOST + b"X: x\r\n" * 100_000 + b"\r\n"
    yield b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    yield b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n"
    yield b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"
    yield b"GET /api/worklist HTTP/1.1\r\nHost: [::1\r\n\r\n"
    yield b"GET /api/worklist HTTP/1.1\r\nHost: localhost:99999999\r\n\r\n"
    yield b"GET /api/worklist HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \xff\xfe\r\n\r\n"
    yield b"GET /api/worklist HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    for method in (b"PUT", b"DELETE", b"TRACE", b"CONNECT", b"OPTIONS", b"POST", b"X" * 5000):
        yield method + b" /api/worklist HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"


def of_odd_bodies() -> Iterator[bytes]:
    post = b"POST /api/worklist HTTP/1.1\r\n" + HOST
    yield post + b"Content-Length: 99999999999\r\n\r\n" + bytes(100_000)
    yield post + b"Content-Length: -1\r\n\r\n"
    yield post + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello"
    yield post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + bytes(1000)
    yield post + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000
    yield post + b"Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    yield post + b"Content-Length: 3\r\n\r\nab"
    yield SOUND * 500


def mutations() -> Iterator[bytes]:
    chance = chance_of(4)
    for _ in range(100):
        yield mutated(SOUND, chance)


REQUESTS: Mapping[str, Callable[[], Iterable[bytes]]] = {
    "of odd paths": of_odd_paths,
    "of odd heads": of_odd_heads,
    "of odd bodies": of_odd_bodies,
    "mutated": mutations,
}
