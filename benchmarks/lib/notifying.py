"""Send notifications over kept-alive connections for a while; print what each second and each answer took, as JSON.

python notifying.py HOST PORT PATH CONNECTIONS SECONDS
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
import time

_TOKEN = base64.b64encode(b"demo:demo-password").decode()
_TEXT = "%E3%81%8A%E7%9F%A5%E3%82%89%E3%81%9B" * 10


def _request(path: str, number: int) -> bytes:
    body = (
        f"mobilenumber=0901{number % 10_000_000:07d}&status=1&smsid=bench{number:012d}"
        f"&smstext={_TEXT}&clicks=0&type=sms&originalurl="
    )
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {_TOKEN}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _connection(host: str, port: int, path: str, numbers: itertools.count[int], until: float) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    times: list[float] = []
    while (began := time.perf_counter()) < until:
        writer.write(_request(path, next(numbers)))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def _load(host: str, port: int, path: str, connections: int, seconds: float) -> None:
    numbers = itertools.count(time.time_ns() // 1_000_000)
    began = time.perf_counter()
    until = began + seconds
    every = await asyncio.gather(*(_connection(host, port, path, numbers, until) for _ in range(connections)))
    took = time.perf_counter() - began
    times = sorted(time for each in every for time in each)
    found = {
        "answered": len(times),
        "per_second": len(times) / took,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "longest_ms": times[-1] * 1000,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _host, _port, _path, _connections, _seconds = sys.argv[1:]
    asyncio.run(_load(_host, int(_port), _path, int(_connections), float(_seconds)))
