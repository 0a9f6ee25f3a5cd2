"""Bodies on the wire: cut anywhere, chunked, announced with Expect, with headers in any case."""

from __future__ import annotations

import base64
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pipeline.simulator.upload import CsvStream, MultipartFile, UploadUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.simulator import EmbeddedGateway
    from tests.simulator.conftest import Client

BOUNDARY = b"----b\r\n".strip()


def multipart(content: bytes, header: bytes = b'Content-Disposition: form-data; name="file"; filename="a"') -> bytes:
    return (
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="note"\r\n\r\nnot this\r\n'
        b"--" + BOUNDARY + b"\r\n" + header + b"\r\nContent-Type: text/csv\r\n\r\n" + content + b"\r\n"
        b"--" + BOUNDARY + b"--\r\n"
    )


def connect(gateway: EmbeddedGateway, *headers: str, user: str = "demo") -> socket.socket:
    token = base64.b64encode(f"{user}:{gateway.password}".encode()).decode()
    connection = socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port), timeout=5)
    head = [
        "POST /api3/?smstexttype=csv HTTP/1.1",
        "hOST: gateway",
        f"AUTHORIZATION: basic {token}",
        f"content-TYPE: multipart/form-data; boundary={BOUNDARY.decode()}",
        *headers,
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def feed(pieces: Iterable[bytes], encoding: str = "utf-8") -> list[list[str]]:
    rows: list[list[str]] = []
    parser = MultipartFile(
        f"multipart/form-data; boundary={BOUNDARY.decode()}", "file", CsvStream(encoding, 64, rows.append)
    )
    for piece in pieces:
        parser.feed(piece)
    parser.finish()
    return rows


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_body_may_be_cut_at_every_byte(client: Client, encoding: str, line_end: str) -> None:
    rows = [
        client.row(text='二行の\r\n「本文」, "引用"\n\n終', smsid="a1"),
        client.row(text='"', smsid="a2"),
        client.row(text="\r\n--b\r\n----", smsid="a3"),
    ]
    body = multipart(client.csv(*rows, line_end=line_end, encoding=encoding))
    assert feed([body], encoding) == rows
    for at in range(1, len(body)):
        assert feed([body[:at], body[at:]], encoding) == rows
    assert feed((body[at : at + 1] for at in range(len(body))), encoding) == rows


def test_a_quote_that_never_ends_is_given_up(client: Client) -> None:
    pieces = [multipart(client.csv(client.row()) + b'"')[:-20], *[b"a,\r\n" * 20_000] * 20]
    with pytest.raises(UploadUnusableError):
        feed(pieces)


def test_a_second_file_is_ignored(client: Client) -> None:
    once = multipart(client.csv(client.row()))
    assert len(feed([once.removesuffix(b"--\r\n") + b"\r\n" + once.split(b"\r\n", 1)[1]])) == 1


@pytest.mark.parametrize(
    "header",
    [b'content-disposition:form-data;name="file"', b"CONTENT-DISPOSITION: form-data; filename=x; name=file"],
)
def test_headers_of_the_part_may_be_written_in_any_way(client: Client, header: bytes) -> None:
    assert len(feed([multipart(client.csv(client.row()), header)])) == 1


def test_chunked_body(client: Client, gateway: EmbeddedGateway) -> None:
    body = multipart(client.csv(client.row(text="一行目\n二行目", smsid="a1"), client.row("09011113333")))
    connection = connect(gateway, "transfer-encoding: chunked", "connection: close")
    for at in range(0, len(body), 7):
        piece = body[at : at + 7]
        connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    connection.sendall(b"0\r\n\r\n")
    assert b"\r\n\r\n200\nCSV20261123000001\n2|0|2\n" in read_all(connection)
    assert gateway.messages[0].text == "一行目\n二行目"


def test_expect_100_continue(client: Client, gateway: EmbeddedGateway) -> None:
    body = multipart(client.csv(client.row()))
    connection = connect(gateway, "Expect: 100-continue", f"Content-Length: {len(body)}", "Connection: close")
    assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
    connection.sendall(body)
    assert b"\r\n\r\n200\n" in read_all(connection)


def test_expect_100_continue_is_not_given_to_a_stranger(gateway: EmbeddedGateway) -> None:
    headers = ["Expect: 100-continue", "Content-Length: 10", "Connection: close"]
    answer = read_all(connect(gateway, *headers, user="nobody"))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(b"\r\n\r\n401")


def test_a_client_that_leaves_in_the_middle_has_sent_nothing(client: Client, gateway: EmbeddedGateway) -> None:
    body = multipart(client.csv(*client.many(100)))
    connection = connect(gateway, f"Content-Length: {len(body)}")
    connection.sendall(body[:-1])
    connection.close()
    deadline = time.monotonic() + 5
    while not gateway.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.send(client.row()).text.splitlines()[1:] == ["CSV20261123000001", "1|0|1"]
