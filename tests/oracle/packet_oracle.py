#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the XDP programs must do with a frame, by a slow parser written from SEMANTICS 4.1, 4.5, 6.1-6.3.

  packet_oracle.py FACTS.json                JSON lines in {"frame": HEX, "role": "edge"}, JSON lines out
  packet_oracle.py FACTS.json --frames N [SEED]
        N generated frames (packet_frames.py) as lines of text: ROLE VERDICT[+tail][+label] REASON FRAME-IN
        FRAME-OUT

A verdict is {"verdict", "reason", "frame", "listener", "endpoint", "tail"}: verdict is one of pass,
drop, tx (back out of the device it came by) and redirect (out of another one); frame are the bytes that
leave or go on; "tail": true if bytes behind the end of the IP packet do not matter; "label": true if the
outer IPv6 flow label does not (v4 in v6: there is none to copy, and SEMANTICS names no value).

Facts, what a host and a plane have in common (addresses and MACs as text):
  {"seed": 32 hex digits, "malformed": "drop|pass", "non_ip": "drop|pass",
   "mac": of the device that the frames arrive at, "mac_out": of the other one,
   "listeners": [{"name", "addresses": [...], "protocol": 6|17, "port", "forward": "ipip|dsr",
       "table_size", "endpoints": [{"name", "id", "weight", "state",
           "address4", "address6", "source4", "source6",   outer source for encapsulation
           "mac4", "mac6", "here4", "here6"}]}]}           next hop (null: unknown); here: by the same device
A listener with "elsewhere": true does not exist on the edge device that the frames arrive at.
"""
import ipaddress
import json
import struct
import sys

import slow

TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
L4_HEADERS = {TCP: 20, UDP: 8, ICMP: 8, ICMP6: 8, SCTP: 12}
HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH, NO_NEXT, DESTINATION = 0, 43, 44, 50, 51, 59, 60
MAX_EXTENSIONS = 6


class Malformed(Exception):
    """args: kind, and the destination if it could be read."""


class Packet:
    """What the walk needs of an IP packet: `ip` are its bytes without what stands behind its end."""

    def __init__(self):
        self.version = 0
        self.ip = b""
        self.source = self.destination = None
        self.protocol = None
        self.payload = 0            # offset of what follows IP and extension headers
        self.fragment = self.later = False  # not whole; not its beginning
        self.ports = None


# ---- parsing -------------------------------------------------------------------------------------

def ethernet(frame):
    """(offset of the payload, EtherType, number of tags read), tags at most two."""
    offset, tags = 12, 0
    while True:
        if len(frame) < offset + 2:
            raise Malformed("malformed-short", None)
        kind = struct.unpack_from(">H", frame, offset)[0]
        if kind not in (0x8100, 0x88A8) or tags == 2:
            return offset + 2, kind, tags
        offset += 4
        tags += 1


def parse_l4(p, whole_header_kind):
    """Ports of TCP and UDP; whole_header_kind is the fault if the header is cut."""
    rest = len(p.ip) - p.payload
    if rest < L4_HEADERS.get(p.protocol, 0):
        raise Malformed(whole_header_kind, p.destination)
    if p.protocol == TCP:
        length = (p.ip[p.payload + 12] >> 4) * 4
        if length < 20:
            raise Malformed("malformed-tcp", p.destination)
        if rest < length:
            raise Malformed(whole_header_kind, p.destination)
    if p.protocol in (TCP, UDP):
        p.ports = struct.unpack_from(">HH", p.ip, p.payload)


def parse_fragment(p, offset, more):
    """True if the packet is whole (go on with its L4 header)."""
    p.fragment, p.later = offset != 0 or more, offset != 0
    if offset == 1 and p.protocol == TCP:
        raise Malformed("malformed-fragment", p.destination)
    return offset == 0


def parse_v4(data):
    p = Packet()
    p.version = 4
    if len(data) < 20:
        raise Malformed("malformed-short", None)
    p.source, p.destination = (ipaddress.IPv4Address(data[at:at + 4]) for at in (12, 16))
    if data[0] >> 4 != 4:
        raise Malformed("malformed-version", p.destination)
    header = (data[0] & 15) * 4
    if header < 20:
        raise Malformed("malformed-ihl", p.destination)
    total, _, flags = struct.unpack_from(">HHH", data, 2)
    if len(data) < header or total < header or len(data) < total:
        raise Malformed("malformed-short", p.destination)
    p.ip, p.payload, p.protocol = data[:total], header, data[9]
    if parse_fragment(p, flags & 0x1FFF, bool(flags & 0x2000)):
        parse_l4(p, "malformed-fragment" if p.fragment else "malformed-short")
    return p


def parse_v6(data):
    p = Packet()
    p.version = 6
    if len(data) < 40:
        raise Malformed("malformed-short", None)
    p.source, p.destination = (ipaddress.IPv6Address(data[at:at + 16]) for at in (8, 24))
    if data[0] >> 4 != 6 or p.source.ipv4_mapped or p.destination.ipv4_mapped:
        raise Malformed("malformed-version", p.destination)
    total = 40 + struct.unpack_from(">H", data, 4)[0]
    if len(data) < total:
        raise Malformed("malformed-short", p.destination)
    p.ip, p.payload, p.protocol = data[:total], 40, data[6]
    if parse_extensions(p):
        parse_l4(p, "malformed-fragment" if p.fragment else "malformed-short")
    return p


def parse_extensions(p):
    """True if an L4 header can follow (false: a later fragment)."""
    seen = 0
    while p.protocol in (HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION):
        kind = p.protocol
        if seen == MAX_EXTENSIONS or (kind == HOP_BY_HOP and seen != 0):
            raise Malformed("malformed-extension", p.destination)
        cut = "malformed-fragment" if p.fragment else "malformed-short"
        if len(p.ip) < p.payload + 8:
            raise Malformed(cut, p.destination)
        header = p.ip[p.payload:p.payload + 8]
        length = 8 if kind == FRAGMENT else (header[1] + 2) * 4 if kind == AH else (header[1] + 1) * 8
        if kind == ROUTING and header[2] == 0:
            raise Malformed("malformed-extension", p.destination)
        if len(p.ip) < p.payload + length:
            raise Malformed(cut, p.destination)
        p.protocol = header[0]
        p.payload += length
        seen += 1
        if kind == FRAGMENT:
            field = struct.unpack_from(">H", header, 2)[0]
            if not parse_fragment(p, field >> 3, bool(field & 1)):
                return False
    return True


# ---- the plane -----------------------------------------------------------------------------------

class Plane:
    def __init__(self, facts):
        self.facts = facts
        self.seed = bytes.fromhex(facts["seed"])
        self.tables = {}
        for listener in facts["listeners"]:
            listener["addresses"] = [ipaddress.ip_address(a) for a in listener["addresses"]]

    def is_address(self, destination):
        return any(destination in listener["addresses"] for listener in self.facts["listeners"]
                   if not listener.get("elsewhere"))

    def listeners(self, p):
        """All whose address, protocol and port the packet has, on whatever interface."""
        return [listener for listener in self.facts["listeners"] if p.ports is not None
                and p.destination in listener["addresses"] and p.protocol == listener["protocol"]
                and p.ports[1] == listener["port"]]

    def listener(self, p):
        return next((listener for listener in self.listeners(p) if not listener.get("elsewhere")), None)

    def sole_listener(self, p):
        """Of a later fragment (nobody has seen the first): the only one with its address and protocol."""
        found = [listener for listener in self.facts["listeners"] if not listener.get("elsewhere")
                 and p.destination in listener["addresses"] and p.protocol == listener["protocol"]]
        return found[0] if len(found) == 1 else None

    def endpoint(self, listener, p):
        usable = [e for e in listener["endpoints"] if e["state"] == "ready" and e["weight"] > 0
                  and (listener["forward"] == "dsr" or p.version == 4 or e.get("address6"))]
        key = listener["name"], p.version
        if key not in self.tables:
            self.tables[key] = slow.maglev([(int(e["id"]), e["weight"]) for e in usable], listener["table_size"])
        if not usable:
            return None
        drawn = slow.flow_hash(self.seed, p.source, p.destination, p.protocol, *(p.ports or (0, 0)))
        owner = self.tables[key][slow.slot_of(drawn, listener["table_size"])]
        return next(e for e in usable if int(e["id"]) == owner)


# ---- forwarding ----------------------------------------------------------------------------------

def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def outer_v4(p, source, destination):
    dont_fragment = struct.unpack_from(">H", p.ip, 6)[0] & 0x4000
    identification = 0 if dont_fragment else struct.unpack_from(">H", p.ip, 4)[0]
    header = struct.pack(">BBHHHBBH4s4s", 0x45, p.ip[1], 20 + len(p.ip), identification, dont_fragment, 64, 4, 0,
                         source.packed, destination.packed)
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:]


def outer_v6(p, source, destination):
    if p.version == 6:
        first, protocol = struct.unpack_from(">I", p.ip)[0], 41
    else:
        first, protocol = 6 << 28 | p.ip[1] << 20, 4
    return struct.pack(">IHBB16s16s", first, len(p.ip), protocol, 64, source.packed, destination.packed)


def send(plane, frame, payload, ip, ethertype, hop_mac, here):
    """A frame that goes out where it came in keeps its tags."""
    if hop_mac is None:
        return {"verdict": "drop", "reason": "no-next-hop"}
    tags = frame[12:payload - 2] if here else b""
    own = plane.facts["mac" if here else "mac_out"]
    header = mac_bytes(hop_mac) + mac_bytes(own) + tags + struct.pack(">H", ethertype)
    return {"verdict": "tx" if here else "redirect", "reason": "forwarded", "frame": header + ip}


def forward(plane, frame, payload, p, listener):
    e = plane.endpoint(listener, p)
    if e is None:
        return {"verdict": "drop", "reason": "no-endpoint"}
    v4 = p.version == 4 and e.get("address4") or not e.get("address6")
    family = "4" if v4 else "6"
    hop = e["mac" + family], e.get("here" + family)
    if listener["forward"] == "dsr":
        answer = send(plane, frame, payload, frame[payload:], 0x0800 if p.version == 4 else 0x86DD, *hop)
    else:
        ends = (ipaddress.ip_address(e[key + family]) for key in ("source", "address"))
        outer = (outer_v4 if v4 else outer_v6)(p, *ends)
        answer = send(plane, frame, payload, outer + p.ip, 0x0800 if v4 else 0x86DD, *hop)
        answer["label"] = p.version == 4 and not v4 and answer["verdict"] != "drop"
    answer["endpoint"] = e["name"]
    return answer


# ---- the walk ------------------------------------------------------------------------------------

def judge_malformed(plane, frame, role, fault):
    kind, destination = fault.args
    to_listener = role == "edge" and destination is not None and plane.is_address(destination)
    drop = to_listener and plane.facts["malformed"] == "drop"
    return {"verdict": "drop" if drop else "pass", "reason": kind, "frame": frame}


def quotes_packet(p):
    """An ICMP error, which has no ports of its own."""
    if p.fragment or p.protocol != (1 if p.version == 4 else ICMP6):
        return False
    return p.ip[p.payload] in ((3, 11, 12) if p.version == 4 else (1, 2, 3, 4))


def carried(p):
    """(what the packet carries, the forward that sends so, gue port), or None."""
    body = p.ip[p.payload:]
    if p.protocol in (4, 41):
        return body, 4 if p.protocol == 4 else 6, "ipip", None
    if p.protocol != UDP or len(body) < 9:
        return None
    _, port, length = struct.unpack_from(">HHH", body)
    version = body[8] >> 4
    if length > len(body) or version not in (4, 6):
        return None
    return body[8:length], version, "gue", port


def congested(p, inner):
    """RFC 6040: CE outside marks an inner packet whose ends know ECN."""
    ip = bytearray(inner.ip)
    outer_tos, inner_tos = (struct.unpack_from(">I", x.ip)[0] >> (16 if x.version == 4 else 20) & 3 for x in (p, inner))
    if outer_tos != 3 or inner_tos in (0, 3):
        return bytes(ip)
    if inner.version == 6:
        ip[1] |= 0x30
        return bytes(ip)
    # one word of the header grows: its checksum shrinks by as much, right or wrong as it was
    total = (~struct.unpack_from(">H", ip, 10)[0] & 0xFFFF) + 3 - inner_tos
    ip[1] |= 3
    struct.pack_into(">H", ip, 10, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    return bytes(ip)


def unwrap(plane, frame, payload, p):
    """SEMANTICS 3, role decap: the frame without its outer header, or None."""
    content = None if p.fragment else carried(p)
    if content is None:
        return None
    body, version, forward, port = content
    try:
        inner = (parse_v4 if version == 4 else parse_v6)(body)
    except Malformed:
        return None
    if inner.later or quotes_packet(inner):     # no ports: the address alone says that a balancer may have sent it
        mine = [listener for listener in plane.facts["listeners"] if inner.destination in listener["addresses"]]
    else:
        mine = plane.listeners(inner)
    mine = any(listener["forward"] == forward and (forward != "gue" or listener["gue_port"] == port) for listener in mine)
    if not mine:
        return None
    ethertype = struct.pack(">H", 0x0800 if inner.version == 4 else 0x86DD)
    return {"verdict": "pass", "reason": "decapsulated", "tail": True,
            "frame": frame[:payload - 2] + ethertype + congested(p, inner)}


def builtin(p):
    """SEMANTICS 4.1, step 5: neighbour discovery, router advertisements, multicast listener discovery."""
    if p.version != 6 or p.protocol != ICMP6 or p.fragment:
        return False
    kind, hops = p.ip[p.payload], p.ip[7]
    if kind in (135, 136, 133):
        return hops == 255
    if kind == 134:
        return hops == 255 and p.source.is_link_local
    return kind in (130, 131, 132, 143) and (p.source.is_link_local or p.source.is_unspecified)


def is_echo(p):
    return not p.fragment and p.payload < len(p.ip) and \
        (p.version, p.protocol, p.ip[p.payload]) in ((4, 1, 8), (6, ICMP6, 128))


def reply_to(frame, payload, p):
    """`ping: reply`: without options and extension headers; what comes from or goes to a group is not answered."""
    group = p.source.is_multicast or p.source.is_unspecified or (frame[0] | frame[6]) & 1
    if p.version == 4:
        group = group or p.source.packed[0] in (0, 127) or p.source.packed[0] >= 224
    if group:
        return {"verdict": "drop", "reason": "ping"}
    body = bytearray(p.ip[p.payload:])
    was = struct.unpack_from(">H", body)[0]
    body[0] = 0 if p.version == 4 else 129
    total = (~struct.unpack_from(">H", body, 2)[0] & 0xFFFF) + (~was & 0xFFFF) + struct.unpack_from(">H", body)[0]
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into(">H", body, 2, ~total & 0xFFFF)
    if p.version == 4:
        ident, fragment = struct.unpack_from(">HH", p.ip, 4)
        head = struct.pack(">BBHHHBBH4s4s", 0x45, p.ip[1] & 0xFC, 20 + len(body), ident, fragment & 0x4000, 64, 1, 0,
                           p.destination.packed, p.source.packed)
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    else:
        tos = struct.unpack_from(">I", p.ip)[0] >> 20 & 0xFC
        head = struct.pack(">IHBB16s16s", 6 << 28 | tos << 20, len(body), ICMP6, 64, p.destination.packed, p.source.packed)
    return {"verdict": "tx", "reason": "ping", "tail": True,
            "frame": frame[6:12] + frame[:6] + frame[12:payload] + head + bytes(body)}


def judge(plane, frame, role="edge"):
    untouched = {"verdict": "pass", "frame": frame}
    try:
        payload, kind, _ = ethernet(frame)
        if kind == 0x0806:
            return {**untouched, "reason": "arp"}
        if kind not in (0x0800, 0x86DD):
            return {**untouched, "reason": "non-ip",
                    "verdict": "drop" if plane.facts["non_ip"] == "drop" else "pass"}
        p = (parse_v4 if kind == 0x0800 else parse_v6)(frame[payload:])
    except Malformed as fault:
        return judge_malformed(plane, frame, role, fault)
    unwrapped = unwrap(plane, frame, payload, p) if role == "decap" else None
    if unwrapped:
        return unwrapped
    if builtin(p):
        return {**untouched, "reason": "builtin"}
    if role == "decap":
        return {**untouched, "reason": "fragment" if p.fragment else "no-listener"}
    if is_echo(p) and plane.is_address(p.destination):
        return reply_to(frame, payload, p)
    listener = plane.sole_listener(p) if p.later else plane.listener(p)
    if listener is None and p.fragment:
        return {**untouched, "reason": "fragment" if plane.is_address(p.destination) else "no-listener"}
    if listener is None:
        return {**untouched, "reason": "no-listener"}
    return {"listener": listener["name"], **forward(plane, frame, payload, p, listener)}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        plane = Plane(json.load(f))
    if sys.argv[2:3] == ["--frames"]:
        import packet_frames
        for role, frame in packet_frames.frames(plane.facts, int(sys.argv[3]), *map(int, sys.argv[4:])):
            answer = judge(plane, frame, role)
            marks = "".join("+" + mark for mark in ("tail", "label") if answer.get(mark))
            print(role, answer["verdict"] + marks, answer["reason"], frame.hex(), answer.get("frame", frame).hex())
        return
    for line in sys.stdin:
        question = json.loads(line)
        answer = judge(plane, bytes.fromhex(question["frame"]), question.get("role", "edge"))
        answer["frame"] = answer["frame"].hex() if "frame" in answer else None
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
