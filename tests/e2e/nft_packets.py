#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The same real packets through gpc and through nftables, compared one by one.

  nft_packets.py plane SEED MODE PLANE.yaml RULES.nft      writes both, MODE: stateful or stateless
  nft_packets.py send SEED MODE PLANE.yaml FLOWS RIG RIG   RIG: OUTER-NETNS,DEVICE,INNER-NETNS,DEVICE,MAC,MAC

`send` puts FLOWS flows through both rigs (the first runs gpc, the second nft; the MACs are those of the
firewall's devices towards outer and inner) and prints "PACKETS DIFFERENT" and what differed. A packet
arrives, is refused with an answer, or is gone; a flow goes on by what became of its last packet. What
opens a flow must also fare as policy_oracle.py says.
"""
import collections
import ctypes
import ipaddress
import os
import random
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))

import nft_export
import nft_frames as frames
import policy_oracle
import policy_planes
from nft_frames import ACK, FIN, RST, SYN

BATCH = 64
REFUSALS = 700     # a second; both limit their answers, gpc to 1000 (SEMANTICS 5.2)
FENCE = (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2"), 9)
FLAG_NAMES = {"syn": SYN, "ack": ACK, "fin": FIN, "rst": RST}


# ---- planes --------------------------------------------------------------------------------------

def nft_plane(seed, mode):
    """A random plane of what both can say: one interface, no listeners, tags or fragments."""
    r = random.Random(seed)
    plane = policy_planes.random_plane(seed)
    stateful = "true" if mode == "stateful" else "false"
    for section in ("listeners", "backends", "protect"):
        plane.pop(section, None)
    plane["defaults"]["flow-inserts"] = "1000000/s"
    plane["interfaces"] = [{"name": "wan0", "mode": "native", "hooks": ["xdp", "tc-ingress", "tc-egress"]}]
    for rule in plane["rules"]:
        rule.pop("rate", None)
        if isinstance(rule.get("to"), dict) and "listeners" in rule["to"]:
            del rule["to"]
        for key in ("vlan", "fragments"):
            rule.get("match", {}).pop(key, None)
        if not rule.get("match", True):
            del rule["match"]
    names = [rule["name"] for rule in plane["rules"] if "priority" not in rule]
    count = r.randint(1, 3)
    plane["policies"] = [
        {"name": "p%d" % n, "interfaces": ["wan0"], "direction": "ingress", "stateful": stateful,
         "default": "pass" if n + 1 < count else r.choice(("deny", "deny", "deny", "allow", "reject")),
         "priority": str(100 + n), "rules": r.sample(names, r.randint(len(names) // 2, len(names)))}
        for n in range(count)]
    if count > 1 and r.random() < 0.5:
        plane["policies"][0].update(mode="audit", default="deny")
    plane["rules"].append({"name": "fence", "from": str(FENCE[0]), "to": str(FENCE[1]), "ports": ["udp/9"],
                           "action": "allow"})
    plane["policies"].append({"name": "fence", "interfaces": ["wan0"], "direction": "ingress", "stateful": stateful,
                              "default": "pass", "priority": "0", "rules": ["fence"]})
    if r.random() < 0.5:
        plane["protect"] = [{"name": "keep", "from": policy_planes.prefix(r), "ports": ["tcp/22"]}]
    return plane


# ---- flows: generators that give (direction, packet without its number) and are told the outcome -----

class Flow:
    def __init__(self, r, aimed, number, stateful):
        self.r, self.stateful = r, stateful
        self.outer, self.inner = aimed.source, aimed.destination
        self.aimed, self.dscp = aimed, r.choice((0, 0, 0, 46))
        self.port = aimed.dport or 53
        self.outer_port = 1024 + number % 60000
        self.seq = {"in": r.getrandbits(31), "out": r.getrandbits(31)}

    def ends(self, direction):
        return (self.outer, self.inner) if direction == "in" else (self.inner, self.outer)

    def tcp(self, direction, flags):
        source, destination = self.ends(direction)
        ports = (self.outer_port, self.port)
        sport, dport = ports if direction == "in" else ports[::-1]
        seq, ack = self.seq[direction], self.seq["out" if direction == "in" else "in"]
        self.seq[direction] += 8 + bool(flags & SYN) + bool(flags & FIN)
        return direction, lambda n: frames.tcp(source, destination, sport, dport, flags, seq,
                                               ack if flags & ACK else 0, n, self.dscp)

    def udp(self, direction):
        source, destination = self.ends(direction)
        ports = (self.outer_port, self.port)
        sport, dport = ports if direction == "in" else ports[::-1]
        return direction, lambda n: frames.udp(source, destination, sport, dport, n, self.dscp)

    def icmp(self, direction, kind, code, rest, quoted=b""):
        source, destination = self.ends(direction)
        return direction, lambda n: frames.icmp(source, destination, kind, code, rest, n, quoted, self.dscp)

    def echo(self, direction, reply):
        kinds = (8, 0) if self.outer.version == 4 else (128, 129)
        return self.icmp(direction, kinds[reply], 0, self.outer_port << 16 | 1)

    def unreachable(self, direction, quoted):
        """An error about a packet that came from where the error goes to."""
        kind, code = (3, 1) if self.outer.version == 4 else (1, 0)
        size = 28 if self.outer.version == 4 else 48
        return self.icmp(direction, kind, code, 0, quoted[:size])


def tcp_talk(flow, opener):
    """SYN, and if it arrived the rest of a connection; if not, now and then what a rude client sends."""
    answerer = "out" if opener == "in" else "in"
    outcome = yield flow.tcp(opener, SYN)
    if outcome != "arrived":
        if flow.r.random() < 0.5:
            yield flow.tcp(opener, ACK)
        return
    yield flow.tcp(answerer, SYN | ACK)
    yield flow.tcp(opener, ACK)
    for _ in range(flow.r.randint(0, 2)):
        yield flow.tcp(flow.r.choice((opener, answerer)), ACK)
    if flow.r.random() < 0.5:
        yield flow.tcp(opener, FIN | ACK)
        yield flow.tcp(answerer, FIN | ACK)


def tcp_stray(flow):
    """The middle of a connection that nobody saw the beginning of."""
    for _ in range(flow.r.randint(1, 3)):
        yield flow.tcp("in", flow.r.choice((ACK, SYN | ACK, FIN | ACK, RST, RST | ACK)))
    yield flow.tcp("out", ACK)
    yield flow.tcp("in", ACK)


def udp_talk(flow, opener):
    answerer = "out" if opener == "in" else "in"
    for direction in (opener, answerer, opener, answerer)[:flow.r.randint(1, 4)]:
        yield flow.udp(direction)


def echo_talk(flow, opener):
    yield flow.echo(opener, False)
    yield flow.echo("out" if opener == "in" else "in", True)
    yield flow.echo(opener, False)


def icmp_stray(flow):
    kind, code = flow.aimed.icmp
    yield flow.icmp("in", kind, code, flow.outer_port << 16)


def icmp_about(flow):
    """An error about what went out, after it and without it."""
    _, make = flow.udp("out")
    quoted = make(0)
    if flow.r.random() < 0.6:
        yield flow.udp("out")
    yield flow.unreachable("in", quoted)


def bare(flow):
    source, destination = flow.ends("in")
    yield "in", lambda n: frames.other(source, destination, flow.aimed.protocol, n, flow.dscp)


def single(flow):
    """One packet of a stateless plane, with whatever flags."""
    p = flow.aimed
    if p.protocol == 6:
        flags = sum(FLAG_NAMES[f] for f in p.flags)
        yield flow.tcp("in", flags)
    elif p.protocol == 17:
        yield flow.udp("in")
    elif p.protocol in (1, 58):
        yield flow.icmp("in", p.icmp[0], p.icmp[1], flow.outer_port << 16)
    else:
        yield from bare(flow)


def talk(flow):
    protocol, opener = flow.aimed.protocol, flow.r.choice(("in", "in", "out"))
    if not flow.stateful:
        return single(flow)
    if protocol == 6:
        return tcp_stray(flow) if flow.r.random() < 0.3 else tcp_talk(flow, opener)
    if protocol == 17:
        return udp_talk(flow, opener)
    if protocol in (1, 58):
        return flow.r.choice((lambda: echo_talk(flow, opener), lambda: icmp_stray(flow), lambda: icmp_about(flow)))()
    return bare(flow)


def routable(address):
    if address.version == 4:
        first = int(address) >> 24
        return 1 <= first <= 223 and first != 127
    return int(address) >> 125 == 1 or int(address) >> 121 == 0x7E


def flow_list(seed, plane, count, stateful):
    r, aims, flows = random.Random(seed), policy_planes.Aims(plane), []
    while len(flows) < count:
        p = policy_planes.random_packet(r, aims)
        p.vlan, p.fragment = None, "none"
        usual = (6, 17, 1 if p.source.version == 4 else 58)
        if p.protocol not in usual and (stateful or p.protocol == 132):
            continue
        if p.source == p.destination or not (routable(p.source) and routable(p.destination)):
            continue
        if p.protocol in usual[:2] and 0 in (p.dport, p.sport):
            continue                    # conntrack calls port 0 invalid
        if p.icmp and p.source.version == 4 and p.icmp[0] > 18:
            continue                    # the kernel answers no ICMP of a type that it does not know
        if p.icmp and (p.icmp[0] in range(130, 138) or stateful and p.icmp[0] in (5, 2, 4)):
            continue                    # built in; and redirects and the like, whose insides conntrack judges
        flows.append(talk(Flow(r, p, len(flows), stateful)))
    return flows


# ---- sending -------------------------------------------------------------------------------------

def packet_socket(netns, device):
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/run/netns/" + netns, "rb") as there:
        if libc.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)   # SO_RCVBUFFORCE
    s.bind((device, 3))
    s.setblocking(False)
    return s


class Rig:
    def __init__(self, text):
        outer, outer_device, inner, inner_device, *macs = text.split(",")
        self.sockets = {"in": packet_socket(outer, outer_device), "out": packet_socket(inner, inner_device)}
        self.heads = {}
        for direction, mac in zip(("in", "out"), macs):
            own = self.sockets[direction].getsockname()[4]
            self.heads[direction] = bytes.fromhex(mac.replace(":", "")) + own
        self.fence = 0xF0000000

    def send(self, direction, packet):
        kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
        self.sockets[direction].send(self.heads[direction] + struct.pack(">H", kind) + packet)

    def received(self, direction):
        """IP packets that came out at the end where `direction` leads to."""
        s = self.sockets["out" if direction == "in" else "in"]
        while True:
            try:
                frame, where = s.recvfrom(2048)
            except BlockingIOError:
                return
            kind = struct.unpack_from(">H", frame, 12)[0]
            if where[2] != 4 and kind in (0x0800, 0x86DD):  # not what we sent
                packet = frame[14:]
                yield packet[:struct.unpack_from(">H", packet, 2)[0]] if kind == 0x0800 else packet

    def wait_for_fence(self, direction, seen):
        """All that was sent before it, in the same direction, has come out or never will."""
        self.fence += 1
        ends = FENCE[:2] if direction == "in" else FENCE[1::-1]
        self.send(direction, frames.udp(*ends, 9, 9, self.fence))
        for _ in range(200):
            for way in ("in", "out"):
                for packet in self.received(way):
                    seen.append(packet)
            if any(frames.tag_of(p) == self.fence for p in seen):
                return
            select.select(list(self.sockets.values()), [], [], 0.1)
        raise RuntimeError("the fence did not come out in direction " + direction)

    @staticmethod
    def is_whole(packet, batch):
        """One of the batch, not an answer that quotes one."""
        number = frames.tag_of(packet)
        return number in batch and frames.split(packet)[:3] == frames.split(batch[number][1])[:3]

    def outcomes(self, batch):
        """batch: {number: (direction, packet)}; {number: arrived, refused or gone}."""
        for direction, packet in batch.values():
            self.send(direction, packet)
        seen = []
        self.wait_for_fence("in", seen)
        self.wait_for_fence("out", seen)
        arrived = {frames.tag_of(p) for p in seen if self.is_whole(p, batch)}
        refused = {frames.rejected_key(p) for p in seen if not self.is_whole(p, batch)}
        time.sleep(len(refused) / REFUSALS)
        return {n: "arrived" if n in arrived else "refused" if frames.flow_key(p) in refused else "gone"
                for n, (_, p) in batch.items()}


def say(oracle, direction, packet, got):
    source, destination, protocol, rest = frames.split(packet)
    verdict = " ".join(oracle)
    return "%s: protocol %d, %s -> %s, %s: gpc %s, nft %s; a first packet would be: %s" % (
        direction, protocol, ipaddress.ip_address(bytes(source)), ipaddress.ip_address(bytes(destination)),
        rest[:16].hex(), *got, verdict)


def as_first_packet(plane, packet):
    source, destination, protocol, rest = frames.split(packet)
    p = policy_oracle.Packet(protocol, ipaddress.ip_address(bytes(source)), ipaddress.ip_address(bytes(destination)))
    if protocol in (6, 17):
        p.sport, p.dport = struct.unpack_from(">HH", rest)
    if protocol == 6:
        p.flags = frozenset(name for name, bit in FLAG_NAMES.items() if rest[13] & bit)
    if protocol in (1, 58):
        p.icmp = (rest[0], rest[1])
    p.dscp = packet[1] >> 2 if packet[0] >> 4 == 4 else (struct.unpack_from(">H", packet)[0] >> 6) & 63
    return plane.decide("wan0", "ingress", p)


def contradicts(plane, stateful, packet, got):
    """Does the oracle in Python say otherwise of this first packet of a flow? (Mid-stream it has no word.)"""
    protocol, rest = frames.split(packet)[2:]
    if stateful and protocol == 6 and rest[13] & (SYN | ACK | FIN | RST) != SYN:
        return False
    verdict = as_first_packet(plane, packet)[0]
    if verdict == "reject":
        return got == "arrived"
    return got != ("gone" if verdict == "deny" else "arrived")


def run_round(rigs, plane, going, outcomes, tally):
    """One packet of each flow that goes on; the flows that are left, and what became of their packets."""
    left, number = {}, tally["packets"]
    items = list(going.items())
    for start in range(0, len(items), BATCH):
        batch, owners = {}, {}
        for n, flow in items[start:start + BATCH]:
            try:
                direction, make = flow.send(outcomes.get(n))
            except StopIteration:
                continue
            batch[number], owners[number] = (direction, make(number)), n
            number += 1
        got = [rig.outcomes(batch) for rig in rigs] if batch else [{}, {}]
        for k, (direction, packet) in batch.items():
            pair = got[0][k], got[1][k]
            tally[pair[1]] += 1
            first = direction == "in" and owners[k] not in outcomes
            tally["judged"] += first
            if pair[0] == pair[1] and not (first and contradicts(plane, tally["stateful"], packet, pair[0])):
                left[owners[k]], outcomes[owners[k]] = going[owners[k]], pair[0]
                continue
            tally["different"] += 1
            if tally["different"] <= 10:
                print(say(as_first_packet(plane, packet), direction, packet, pair))
    tally["packets"] = number
    return left


def send(seed, mode, path, count, rig_texts):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})     # packets keep their order
    plane = policy_oracle.load_plane([path])
    rigs = [Rig(text) for text in rig_texts]
    going = dict(enumerate(flow_list(seed, nft_plane(seed, mode), count, mode == "stateful")))
    tally, outcomes = collections.Counter(stateful=mode == "stateful"), {}
    while going:
        going = run_round(rigs, plane, going, outcomes, tally)
    print("%d packets: %d arrived, %d refused, %d gone; of %d the oracle was asked too" %
          (tally["packets"], tally["arrived"], tally["refused"], tally["gone"], tally["judged"]))
    print("%d %d" % (tally["packets"], tally["different"]))


def main(arguments):
    if len(arguments) == 5 and arguments[0] == "plane":
        plane = nft_plane(int(arguments[1]), arguments[2])
        with open(arguments[3], "w", encoding="utf-8") as out:
            out.write(policy_planes.plane_text(plane))
        with open(arguments[4], "w", encoding="utf-8") as out:
            out.write(nft_export.ruleset(policy_oracle.Plane([plane]), "wan0"))
    elif len(arguments) == 7 and arguments[0] == "send":
        send(int(arguments[1]), arguments[2], arguments[3], int(arguments[4]), arguments[5:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
