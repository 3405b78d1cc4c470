#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Both ends of real transfers through a `nat` listener.

    nat_peer.py serve PORT READY_FILE       TCP: takes 3 MB, gives 3 MB. UDP: gives back each datagram.
    nat_peer.py tcp|udp HOST PORT           3 MB up and 3 MB down; exit 1 if any of it is wrong or late
    nat_peer.py names HOST PORT             the address that the server sees
"""
import asyncio
import hashlib
import socket
import sys

SIZE = 3 * 1000 * 1000
DATAGRAM = 1200
WINDOW = 16
BODY = hashlib.shake_128(b"nat").digest(SIZE)


async def one(reader, writer):
    kind = await reader.readexactly(1)
    if kind == b"n":
        writer.write(writer.get_extra_info("peername")[0].encode() + b"\n")
    elif await reader.readexactly(SIZE) == BODY:
        writer.write(BODY)
    await writer.drain()
    writer.close()


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def serve(port, ready):
    loop = asyncio.get_running_loop()
    await asyncio.start_server(one, None, port, limit=2 * SIZE)
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((host, port))
        s.setblocking(False)
        await loop.create_datagram_endpoint(Echo, sock=s)
    open(ready, "w").close()
    await asyncio.Event().wait()


async def tcp(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"t" + BODY)
    assert await reader.readexactly(SIZE) == BODY
    assert not await reader.read(1)


async def names(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"n")
    print((await reader.readline()).decode().strip())


def udp(host, port):
    """Datagrams in small windows; what was lost is sent again."""
    family = socket.getaddrinfo(host, port)[0][0]
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((host, port))
        s.settimeout(0.5)
        left = {i: BODY[i:i + DATAGRAM] for i in range(0, SIZE, DATAGRAM)}
        tries = 0
        while left and tries < 8:
            window = list(left)[:WINDOW]
            for i in window:
                s.send(i.to_bytes(4, "big") + left[i])
            try:
                for _ in window:
                    data = s.recv(2048)
                    i = int.from_bytes(data[:4], "big")
                    assert BODY[i:i + DATAGRAM] == data[4:]
                    left.pop(i, None)
            except socket.timeout:
                tries += 1
        assert not left


def main():
    what, where, port = sys.argv[1:4]
    if what == "serve":
        asyncio.run(serve(int(where), port))
    elif what == "udp":
        udp(where, int(port))
    else:
        asyncio.run(asyncio.wait_for({"tcp": tcp, "names": names}[what](where, int(port)), 15))


main()
