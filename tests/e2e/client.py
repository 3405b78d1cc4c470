#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The client of the tests and the demo. Every request is real TCP and real HTTP.

    client.py share HOST PORT N [PARALLEL]   N requests, a new connection each; "NAME COUNT" lines,
                                             "failed COUNT" if some failed, which is exit 1
    client.py flows HOST PORT N              opens N connections and keeps them; for every line "ask"
                                             on stdin: "same N moved N broken N"; for "names": their
                                             backends; ends with stdin
    client.py download HOST PORT PATH        "first NAME" at the first bytes, then "complete BYTES
                                             NAME" if all came and are right, else "broken REASON"

A request that takes longer than CLIENT_TIMEOUT seconds (10) has failed.
"""
import asyncio
import collections
import os
import sys

TIMEOUT = float(os.environ.get("CLIENT_TIMEOUT", 10))


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    if not head[0].startswith("HTTP/1.1 200"):
        raise ValueError(head[0])
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return fields["x-backend"], int(fields["content-length"])


async def get(reader, writer, host, path, close):
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{'Connection: close' if close else 'Accept: */*'}\r\n\r\n".encode())
    name, size = await read_head(reader)
    text = (await reader.readexactly(size)).decode().strip().lower()
    if text != name:
        raise ValueError("the body is not the server's name")
    return name


async def one_request(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return await get(reader, writer, host, "/", True)
    finally:
        writer.close()


async def share(host, port, n, parallel=16):
    count = collections.Counter()
    left = iter(range(int(n)))

    async def worker():
        for _ in left:
            try:
                count[await asyncio.wait_for(one_request(host, port), TIMEOUT)] += 1
            except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                count["failed"] += 1
                print(f"request failed: {error!r}", file=sys.stderr)

    await asyncio.gather(*(worker() for _ in range(int(parallel))))
    for name in sorted(count):
        print(name, count[name])
    return 1 if count["failed"] else 0


async def flows(host, port, n):
    kept = []
    for _ in range(int(n)):
        streams = await asyncio.wait_for(asyncio.open_connection(host, port), TIMEOUT)
        kept.append((streams, await asyncio.wait_for(get(*streams, host, "/", False), TIMEOUT)))
    print("open", len(kept), flush=True)

    async def ask(streams, name):
        try:
            return "same" if await asyncio.wait_for(get(*streams, host, "/", False), TIMEOUT) == name else "moved"
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            return "broken"

    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "names":
            print(*(f"{k}={v}" for k, v in sorted(collections.Counter(name for _, name in kept).items())), flush=True)
            continue
        count = collections.Counter(await asyncio.gather(*(ask(s, name) for s, name in kept)))
        print(f"same {count['same']} moved {count['moved']} broken {count['broken']}", flush=True)
    return 0


async def download(host, port, path):
    got, name = 0, "?"
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        name, size = await read_head(reader)
        while got < size:
            chunk = await asyncio.wait_for(reader.read(65536), 60)
            if not chunk:
                raise ValueError(f"ended after {got} of {size} bytes")
            if got == 0:
                print("first", name, flush=True)
            if any(chunk[i] != (got + i) % 256 for i in range(0, len(chunk), 997)):
                raise ValueError(f"wrong bytes near {got}")
            got += len(chunk)
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
        print("broken", repr(error), flush=True)
        return 1
    print("complete", got, name, flush=True)
    return 0


COMMANDS = {"share": share, "flows": flows, "download": download}
sys.exit(asyncio.run(COMMANDS[sys.argv[1]](*sys.argv[2:])))
