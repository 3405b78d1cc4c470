#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Numbered datagrams around the deadline of an apply that nobody confirms.

    deadman.py send FILE SECONDS ADDRESS PORT...       every 2 ms one to each port, in turn from 8 sockets
    deadman.py receive FILE READY SECONDS PORT...      what comes to the ports
    deadman.py judge DEADLINE SENT_XDP OLD NEW SENT_TC GOT_TC

FILE: lines of "port number before after", of receivers "port number when"; ns of CLOCK_MONOTONIC, which is one for
all namespaces. A packet is decided after it was sent and before it came: so judged, a slow machine changes nothing.

judge: past DEADLINE (ns) + 100 ms OLD alone gets what goes to the listener, and of the two ports of the chain only the
first passes; before DEADLINE it is NEW and the second. Every packet to the listener comes to exactly one.
"""
import selectors
import socket
import sys
import time

ALLOWED_NS = 100_000_000
FIRST, SECOND = "7001", "7002"


def send(path, seconds, address, *ports):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
    end = time.monotonic() + float(seconds)
    number = 0
    with open(path, "w") as out:
        while time.monotonic() < end:
            for port in ports:
                before = time.monotonic_ns()
                try:
                    sockets[number % 8].sendto(str(number).encode(), (address, int(port)))
                except PermissionError:
                    pass  # the chain denied it
                out.write(f"{port} {number} {before} {time.monotonic_ns()}\n")
            number += 1
            time.sleep(0.002)


def receive(path, ready, seconds, *ports):
    selector = selectors.DefaultSelector()
    for port in ports:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind(("0.0.0.0", int(port)))
        selector.register(s, selectors.EVENT_READ, port)
    open(ready, "w").close()
    end = time.monotonic() + float(seconds)
    with open(path, "w") as out:
        while time.monotonic() < end:
            for key, _ in selector.select(0.1):
                number = key.fileobj.recv(64).decode()
                out.write(f"{key.data} {number} {time.monotonic_ns()}\n")


def read(path):
    with open(path) as lines:
        return {(f[0], int(f[1])): [int(x) for x in f[2:]] for f in map(str.split, lines)}


class Judge:
    def __init__(self, deadline):
        self.deadline, self.wrong = deadline, []

    def expect(self, holds, what, packet):
        if not holds:
            self.wrong.append(f"{what}: port {packet[0]}, number {packet[1]}")

    def listener(self, sent, old, new):
        early = late = 0
        for packet, (before, _) in sent.items():
            came = [got[packet][0] for got in (old, new) if packet in got]
            self.expect(len(came) == 1, f"came {len(came)} times", packet)
            if before > self.deadline + ALLOWED_NS:
                late += 1
                self.expect(packet in old, "not by the old plane", packet)
            elif came and came[0] < self.deadline:
                early += 1
                self.expect(packet in new, "not by the new plane", packet)
        first = min((sent[p][0] for p in old), default=0)
        print(f"listener: {early} by the new plane, {late} past the deadline; the old one decides again "
              f"{(first - self.deadline) / 1e6:+.1f} ms from the deadline")
        return early and late

    def chain(self, sent, got):
        early = late = 0
        for packet, (before, after) in sent.items():
            if before > self.deadline + ALLOWED_NS:
                late += 1
                self.expect((packet in got) == (packet[0] == FIRST), "not judged by the old plane", packet)
            elif after < self.deadline:
                early += 1
                self.expect((packet in got) == (packet[0] == SECOND), "not judged by the new plane", packet)
        first = min((sent[p][0] for p in got if p[0] == FIRST), default=0)
        print(f"chain: {early} by the new plane, {late} past the deadline; the old one decides again "
              f"{(first - self.deadline) / 1e6:+.1f} ms from the deadline")
        return early and late


def judge(deadline, sent_xdp, old, new, sent_tc, got_tc):
    judge = Judge(int(deadline))
    enough = judge.listener(read(sent_xdp), read(old), read(new))
    enough = judge.chain(read(sent_tc), read(got_tc)) and enough
    print(*judge.wrong[:20], f"{len(judge.wrong)} wrong", sep="\n")
    sys.exit(bool(judge.wrong) or not enough)


{"send": send, "receive": receive, "judge": judge}[sys.argv[1]](*sys.argv[2:])
