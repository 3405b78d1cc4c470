#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Which endpoint each packet of a long session must reach while planes are swapped under it.

  flow_session.py FOLDER STEPS [SEED]

Writes the planes FOLDER/0.yaml .. 7.yaml (as JSON), says "planes N", then one line per step:
  plane K                  from here on plane K is the active one
  frame HEX ID             the frame goes to the endpoint with this stable id; 0: it is dropped
and keeps its own flow table by SEMANTICS 5.4 (one-sided listeners), 6.3 and 7. All within seconds, so
that nothing times out. What the text leaves open is not asked: SYN again while the endpoint is not
`new`, and what a closing flow is once its endpoint is gone."""
import ipaddress
import json
import os
import random
import struct
import sys

import slow
from packet_frames import checksum

TCP, UDP = 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
PLANE_NAME = "session"
SIZES = (251, 509, 1021)


# ---- planes --------------------------------------------------------------------------------------

def endpoint(name, number, weight=1, state="ready"):
    return {"name": name, "address": ["10.0.0.%d" % number, "2001:db8:1::%x" % number], "weight": weight,
            "state": state}


def plane(one, two, web="one", alt="ipip"):
    return {"apiVersion": "gpc/v1", "kind": "Plane", "metadata": {"name": PLANE_NAME},
            "interfaces": [{"name": "wan0"}],
            "backends": [{"name": "one", "endpoints": one}, {"name": "two", "endpoints": two}],
            "listeners": [
                {"name": "web", "address": ["203.0.113.1", "2001:db8:ff::1"], "protocol": "TCP", "port": 443,
                 "backend": web},
                {"name": "dns", "address": ["203.0.113.1", "2001:db8:ff::1"], "protocol": "UDP", "port": 53,
                 "forward": "dsr", "backend": "one"},
                {"name": "alt", "address": ["203.0.113.2"], "protocol": "TCP", "port": 80, "forward": alt,
                 "backend": "two"}]}


def planes():
    two = [endpoint("x", 21), endpoint("y", 22, 2)]

    def one(**changes):
        rest = {"a": (1,), "b": (2,), "c": (3, 3), "d": (4,)}
        rest.update(changes)
        return [endpoint(name, *rest[name]) for name in rest if rest[name]]

    moved = list(reversed(one(a=(9, 5), d=(8, 2))))     # other addresses and weights, another order
    return [
        plane(one(), two),
        plane(one(b=(2, 1, "drain")), two),
        plane(one(b=(2, 1, "maint")), two),
        plane(one(b=None, e=(5,)), two),
        plane(moved, two),
        plane(one(), two, web="two"),
        plane([dict(e, state="drain") for e in one()], two),
        plane(one(b=(2, 0), c=(3, 0)), [endpoint("y", 22)], alt="dsr"),
    ]


class Plane:
    """What a plane says about endpoints: who keeps flows, and who owns each slot."""

    def __init__(self, document):
        self.listeners = document["listeners"]
        self.keeps, self.news, self.tables = set(), set(), {}
        for backend in document["backends"]:
            ids = {e["name"]: slow.stable_id("endpoint", backend["name"], e["name"]) for e in backend["endpoints"]}
            pool = [(ids[e["name"]], e["weight"]) for e in backend["endpoints"]
                    if e["state"] == "ready" and e["weight"]]
            size = next(s for s in SIZES if s >= 100 * len(ids))
            self.tables[backend["name"]] = slow.maglev(pool, size)
            self.news |= {i for i, _ in pool}
            self.keeps |= {ids[e["name"]] for e in backend["endpoints"] if e["state"] != "maint"}

    def pick(self, flow):
        """Endpoint of a new flow, 0 if nobody takes it."""
        backend = next(x["backend"] for x in self.listeners if x["name"] == flow.listener)
        table = self.tables[backend]
        drawn = slow.flow_hash(slow.default_seed(PLANE_NAME), flow.source, flow.destination, flow.protocol,
                               flow.source_port, flow.port)
        return table[slow.slot_of(drawn, len(table))] if table else 0


# ---- flows ---------------------------------------------------------------------------------------

class Flow:
    serial = 0

    def __init__(self, r):
        Flow.serial += 1
        self.listener, self.protocol, self.port, addresses = r.choice((
            ("web", TCP, 443, ("203.0.113.1", "2001:db8:ff::1")), ("dns", UDP, 53, ("203.0.113.1", "2001:db8:ff::1")),
            ("alt", TCP, 80, ("203.0.113.2",))))
        self.destination = ipaddress.ip_address(r.choice(addresses))
        self.source = ipaddress.ip_address("198.51.100.7" if self.destination.version == 4 else "2001:db8:c::7")
        self.source_port = 1024 + Flow.serial % 60000
        self.state, self.endpoint = None, 0     # None: no entry
        self.open = False                       # what happens next is not written down: end of this flow

    def frame(self, flags):
        if self.protocol == UDP:
            l4 = struct.pack(">HHHH", self.source_port, self.port, 12, 0) + b"data"
        else:
            l4 = struct.pack(">HHIIBBHHH", self.source_port, self.port, 1, 1, 0x50, flags, 1000, 0, 0)
        if self.destination.version == 6:
            ip = struct.pack(">IHBB16s16s", 6 << 28, len(l4), self.protocol, 64, self.source.packed,
                             self.destination.packed) + l4
            kind = 0x86DD
        else:
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 0, 0x4000, 64, self.protocol, 0,
                             self.source.packed, self.destination.packed)
            ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + l4
            kind = 0x0800
        return bytes(12) + struct.pack(">H", kind) + ip

    def choose_flags(self, r, active):
        opening = r.choice((SYN, SYN, SYN | 0xC0))
        if self.state is None:
            return r.choice((opening, opening, opening, ACK, ACK | 8, SYN | ACK))
        if self.state == "syn" and self.endpoint not in active.news:
            return r.choice((ACK, ACK | 8))
        return r.choice((ACK,) * 8 + (ACK | 8,) * 4 + (opening, opening, FIN | ACK, RST, RST | ACK, SYN | ACK))

    def packet(self, flags, active):
        """The endpoint that the packet must reach; the entry is as after it."""
        opening = self.protocol == TCP and flags & (SYN | ACK | FIN | RST) == SYN
        if self.state is None or (opening and self.state in ("closing", "closed")):
            self.endpoint = active.pick(self)
            self.state = "udp" if self.protocol == UDP else "syn" if opening else "established"
            self.open = not self.endpoint
            return self.endpoint
        if self.endpoint not in active.keeps:
            self.open = self.state in ("closing", "closed")
            self.endpoint = active.pick(self)
            self.open |= not self.endpoint
        if self.protocol == TCP and not opening:
            self.state = ("closed" if flags & RST or self.state == "closed" else
                          "closing" if flags & FIN or self.state == "closing" else "established")
        return self.endpoint


def main():
    folder, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    documents = planes()
    for number, document in enumerate(documents):
        with open(os.path.join(folder, "%d.yaml" % number), "w", encoding="utf-8") as f:
            json.dump(document, f)
    print("planes", len(documents), flush=True)
    known = [Plane(document) for document in documents]
    r, active = random.Random(seed), known[0]
    flows = [Flow(r) for _ in range(60)]
    for _ in range(steps):
        if r.randrange(100) < 3:
            number = r.randrange(len(known))
            active = known[number]
            print("plane", number)
            continue
        at = r.randrange(len(flows))
        if flows[at].open or r.randrange(200) == 0:
            flows[at] = Flow(r)
        flags = flows[at].choose_flags(r, active)
        print("frame", flows[at].frame(flags).hex(), flows[at].packet(flags, active))


if __name__ == "__main__":
    main()
