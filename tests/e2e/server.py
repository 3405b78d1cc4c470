#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A backend of the tests and the demo: an HTTP/1.1 server that answers its own name.

    server.py NAME PORT READY_FILE [RELEASE_FILE]

GET /          the name
GET /bytes/N   N bytes
GET /slow/N    N bytes at about 4 MB/s
GET /hold/N    N bytes; the second half only once RELEASE_FILE exists
READY_FILE is made when the port is open (v4 and v6). Every answer carries X-Backend: NAME.
"""
import asyncio
import os
import socket
import sys

PATTERN = bytes(range(256)) * 256  # 64 KiB


def body(offset, size):
    start = offset % 256
    return (PATTERN + PATTERN)[start:start + size]


async def send(writer, offset, end, pause):
    while offset < end:
        size = min(len(PATTERN), end - offset)
        writer.write(body(offset, size))
        await writer.drain()
        offset += size
        if pause:
            await asyncio.sleep(pause)


async def exists(path):
    while not os.path.exists(path):
        await asyncio.sleep(0.01)


async def answer(writer, path, name, release):
    kind, _, number = path.lstrip("/").partition("/")
    if kind not in ("bytes", "slow", "hold"):
        text = (name + "\n").encode()
        writer.write(b"HTTP/1.1 200 OK\r\nX-Backend: %s\r\nContent-Length: %d\r\n\r\n%s"
                     % (name.encode(), len(text), text))
        return
    size = int(number)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Backend: %s\r\nContent-Length: %d\r\n\r\n" % (name.encode(), size))
    half = size // 2 if kind == "hold" else 0
    await send(writer, 0, half, 0)
    if kind == "hold":
        await exists(release)
    await send(writer, half, size, 0.016 if kind == "slow" else 0)


async def serve(reader, writer, name, release):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await answer(writer, head.split(b" ", 2)[1].decode(), name, release)
            await writer.drain()
            if b"connection: close" in head.lower():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    name, port, ready = sys.argv[1:4]
    release = sys.argv[4] if len(sys.argv) > 4 else ""
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", int(port)))
    server = await asyncio.start_server(lambda r, w: serve(r, w, name, release), sock=listener, backlog=1024)
    with open(ready, "w"):
        pass
    async with server:
        await server.serve_forever()


asyncio.run(main())
