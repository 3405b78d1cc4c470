#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Both ends of the forwarding modes' tests: real TCP, UDP, and datagrams with QUIC connection ids.

    modes_peer.py serve NAME ID READY_FILE PORT...    a backend: TCP and UDP on each PORT, QUIC on PORT + 100
    modes_peer.py client                              rows on stdin; for each "ok ROW" or "FAILED ROW: WHY"

ID is the backend's server id, hex. UDP is answered from the address that was asked. Rows:

    tcp HOST PORT UP DOWN       3 MB up, 3 MB down, both right; the path MTU that this side and the backend have
                                found then ("-": not asked)
    udp HOST PORT               3 MB up and down in datagrams of 1,200 bytes; what was lost is sent again
    large HOST PORT SIZE        a datagram of so many bytes, in fragments, there and back
    quic HOST PORT              600 KB up and 600 KB down over a "connection" whose client changes its port, and its
                                address if it has two, every 20 datagrams: all with one backend
    share HOST PORT N NAME...   N connections; they are answered by exactly these backends
    seen HOST PORT ADDRESS      what the backend takes for the client's address, in TCP and UDP
    mss HOST PORT UP DOWN       the MSS that both sides send with
    expired HOST PORT TTL       the backend answers with this TTL, and hears from the router that it was too small
    too-big HOST PORT SIZE MTU  the backend answers with so many bytes, and hears of the MTU that they exceed
    probe HOST PORT SIZE MTU    the client asks with so many bytes, and hears of the MTU that they exceed
    traced HOST PORT TTL FROM   the client asks with this TTL, and hears from FROM that it was too small
    refused HOST PORT           the client hears, from HOST, that nobody listens there (TCP, UDP)

Flows that are kept over many rows; PROTO is tcp, udp, or quic, whose port is another one in each row:

    fresh PROTO HOST PORT N NAME...      N new flows; they are answered by exactly these backends
    open KEY PROTO HOST PORT N NAME...   likewise, and they are kept
    live KEY                             each is answered by its backend
    dead KEY NAME                        likewise, but those of NAME are not answered
    moved KEY NAME                       likewise, but those of NAME have ended (TCP), or are answered by another
"""
import asyncio
import hashlib
import itertools
import os
import select
import socket
import struct
import sys
import time

SIZE = 3_000_000
BODY = hashlib.shake_128(b"modes").digest(SIZE)
DIGEST = hashlib.sha256(BODY).hexdigest()
CHUNK = 1200
WINDOW = 20
IP_PMTUDISC_DONT = 0
IP_PMTUDISC_PROBE = 3  # DF, whatever path MTU is known
IPV6_MTU_DISCOVER, IPV6_RECVERR, IP_RECVERR, IP_MTU_DISCOVER, IP_PKTINFO = 23, 25, 11, 10, 8
LONG = 0xc0


def is_v6(host):
    return ":" in host


def tcp_info(s):
    """(MSS it sends with, path MTU)"""
    info = struct.unpack_from("15I", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 8)
    return info[2], info[13]


def udp_socket(v6):
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.setblocking(False)
    return s


def send_cut(s, send):
    """Sends something that may be cut into fragments."""
    level, option = ((socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if s.family == socket.AF_INET6 else
                     (socket.IPPROTO_IP, IP_MTU_DISCOVER))
    s.setsockopt(level, option, IP_PMTUDISC_DONT)
    try:
        send()
    finally:
        s.setsockopt(level, option, IP_PMTUDISC_PROBE)


def read_error(s):
    """(to whom, "expired" or "too-big", the MTU, who says so) of the next ICMP error; None: there is none."""
    try:
        _, ancillary, _, to = s.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
            _, origin, icmp, code, _, info, _ = struct.unpack_from("=IBBBBII", data)
            if origin == 2:
                what = {(3, 4): "too-big", (11, 0): "expired"}.get((icmp, code), f"icmp-{icmp}/{code}")
                return to, what, info, socket.inet_ntop(socket.AF_INET, data[20:24])
            what = {2: "too-big", 3: "expired"}.get(icmp, f"icmp6-{icmp}/{code}")
            return to, what, info, socket.inet_ntop(socket.AF_INET6, data[24:40])
    return to, "nothing", 0, ""


# ---- a backend -----------------------------------------------------------------------------------

class Backend:
    def __init__(self, name, server_id):
        self.name = name
        self.server_id = bytes.fromhex(server_id)
        self.asked = {}    # address of who waits for an ICMP error to come back: how to answer it
        self.uploads = {}  # by connection id

    async def tcp(self, reader, writer):
        s = writer.get_extra_info("socket")
        try:
            while line := (await reader.readline()).decode():
                what, *rest = line.split()
                if what == "up":
                    digest = hashlib.sha256(await reader.readexactly(SIZE)).hexdigest()
                    writer.write(f"{digest} {self.name}\n".encode())
                elif what == "down":
                    writer.write(BODY)
                    await writer.drain()
                    assert await reader.readline() == b"got\n"
                    writer.write(f"{tcp_info(s)[1]} {self.name}\n".encode())
                elif what == "mss":
                    writer.write(f"{tcp_info(s)[0]}\n".encode())
                else:
                    peer = writer.get_extra_info("peername")[0].removeprefix("::ffff:")
                    writer.write(f"{self.name} {peer}\n".encode())
                await writer.drain()
        except (OSError, AssertionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def send(self, s, data, to, came_to, hops=None):
        """Answers from the address that was asked."""
        if s.family == socket.AF_INET6:
            ancillary = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, came_to + bytes(4))]
            if hops:
                ancillary.append((socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack("i", hops)))
        else:
            ancillary = [(socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + came_to + bytes(4))]
            if hops:
                ancillary.append((socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", hops)))
        try:
            s.sendmsg([data], ancillary, 0, to)
        except OSError as error:
            print("cannot answer", to, error, flush=True)

    def errors(self, s):
        while error := read_error(s):
            to, what, mtu, who = error
            if to[:2] in self.asked:
                self.send(s, f"{self.name} {what} {mtu} {who}".encode(), to, self.asked.pop(to[:2]))

    def receive(self, s, answer):
        self.errors(s)
        while True:
            try:
                data, ancillary, _, client = s.recvmsg(65535, 256)
            except BlockingIOError:
                return
            except OSError:  # an error that errors() has seen or will
                continue
            head = ancillary[0][2]
            answer(s, data, client, head[:16] if s.family == socket.AF_INET6 else head[8:12])

    def udp(self, s, data, client, came_to):
        if data[:1] == b"n":
            self.send(s, f"{self.name} {client[0]}".encode(), client, came_to)
        elif data[:1] == b"t":
            self.asked[client[:2]] = came_to
            self.send(s, b"lost on its way", client, came_to, data[1])
        elif data[:1] == b"b":
            self.asked[client[:2]] = came_to
            self.send(s, bytes(int.from_bytes(data[1:3], "big")), client, came_to)
        else:
            send_cut(s, lambda: self.send(s, data, client, came_to))

    def quic(self, s, data, client, came_to):
        """Long header: a connection opens, its id is made. Short: "u" N DATA is kept, "d" N asked for."""
        if data[0] & 0x80:
            cid = bytes([os.urandom(1)[0] & 0x3f]) + self.server_id + os.urandom(7 - len(self.server_id))
            theirs = data[6:6 + data[5]]
            self.uploads[cid] = {}
            self.send(s, bytes([LONG]) + data[1:5] + bytes([len(theirs)]) + theirs + bytes([len(cid)]) + cid +
                      self.name.encode(), client, came_to)
            return
        cid, what, number, rest = data[1:9], data[9:10], data[10:14], data[14:]
        name = self.name.encode()
        if cid not in self.uploads:
            self.send(s, b"?" + number + name, client, came_to)
        elif what == b"u":
            self.uploads[cid][number] = rest
            self.send(s, b"u" + number + name, client, came_to)
        elif what == b"d":
            at = int.from_bytes(number, "big") * CHUNK
            self.send(s, b"d" + number + BODY[at:at + CHUNK], client, came_to)
        else:
            whole = b"".join(v for _, v in sorted(self.uploads[cid].items()))
            self.send(s, b"s" + number + hashlib.sha256(whole).digest(), client, came_to)

    async def serve(self, ready, ports):
        loop = asyncio.get_running_loop()
        for port in map(int, ports):
            s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
            await asyncio.start_server(self.tcp, sock=s, limit=2 * SIZE)
            for at, answer in ((port, self.udp), (port + 100, self.quic)):
                for v6 in (False, True):
                    u = udp_socket(v6)
                    u.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                    if v6:
                        u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                    else:
                        u.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                    u.bind(("::" if v6 else "0.0.0.0", at))
                    loop.add_reader(u, self.receive, u, answer)
        open(ready, "w").close()
        await asyncio.Event().wait()


# ---- rows of the client --------------------------------------------------------------------------

def want(what, got, wanted):
    if str(got) != str(wanted):
        raise ValueError(f"{what} is {got}, expected {wanted}")


class Stream:
    """A TCP connection with lines and bodies."""

    def __init__(self, host, port):
        self.s = socket.create_connection((host, int(port)), 10)
        self.file = self.s.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.s.close()

    def ask(self, line):
        self.s.sendall(line.encode() + b"\n")
        return self.file.readline().decode().split()


def tcp(host, port, up, down):
    # Both are opened first: the MSS of a connection says what path MTU another one has found.
    with Stream(host, port) as first, Stream(host, port) as second:
        first.s.sendall(b"up\n" + BODY)
        digest, _ = first.file.readline().decode().split()
        want("what arrived", digest, DIGEST)
        second.s.sendall(b"down\n")
        want("what came", hashlib.sha256(second.file.read(SIZE)).hexdigest(), DIGEST)
        mtu, name = second.ask("got")
        if up != "-":
            want("the client's path MTU", tcp_info(first.s)[1], up)
            want(f"the path MTU of {name}", mtu, down)


PORTS = itertools.count(10000)  # a port that a UDP flow had before would lead to that one's backend


def udp_client(host, port):
    s = udp_socket(is_v6(host))
    s.bind(("", next(PORTS)))
    s.connect((host, int(port)))
    return s


def next_datagram(s, seconds):
    """The next one, None if none comes in time, whatever ICMP says meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            break
        try:
            return s.recv(65535)
        except OSError:
            read_error(s)
    return None


def exchange(requests, send, take):
    """Sends all of {number: request} in windows, again what is not answered: take(number, answer) in order."""
    left, tries = dict(requests), 0
    while left:
        window = list(left)[:WINDOW]
        s = send([left[n] for n in window])
        for _ in window:
            data = next_datagram(s, 1)
            if data is None:
                tries += 1
                if tries == 8:
                    raise ValueError(f"{len(left)} of {len(requests)} datagrams are not answered")
                break
            number = int.from_bytes(data[1:5], "big")
            if number in left:
                take(number, data)
                del left[number]


def udp(host, port):
    with udp_client(host, port) as s:
        def send(window):
            for data in window:
                s.send(data)
            return s

        def take(number, data):
            if data[5:] != BODY[number * CHUNK:(number + 1) * CHUNK]:
                raise ValueError(f"datagram {number} is not what was sent")

        numbers = range((SIZE + CHUNK - 1) // CHUNK)
        exchange({n: b"e" + n.to_bytes(4, "big") + BODY[n * CHUNK:(n + 1) * CHUNK] for n in numbers}, send, take)


def large(host, port, size):
    with udp_client(host, port) as s:
        data = b"e" + BODY[1:int(size)]
        for _ in range(3):
            send_cut(s, lambda: s.send(data))
            if (answer := next_datagram(s, 1)) is not None:
                break
        want("what came back", answer == data, True)


def own_addresses(host):
    """Addresses of this side, to be used in turn."""
    with udp_client(host, 1) as s:
        first = s.getsockname()[0]
    return [first] + [a for a in os.environ.get("MODES_MORE", "").split() if is_v6(a) == is_v6(host)]


def quic(host, port):
    sources, opened, names = own_addresses(host), [], set()

    def move():
        s = udp_socket(is_v6(host))
        s.bind((sources[len(opened) % len(sources)], next(PORTS)))
        s.connect((host, int(port)))
        opened.append(s)
        return s

    # All ones in the upper bits of the id's first byte: it is nobody's.
    initial = INITIAL + os.urandom(7) + bytes(1)
    for _ in range(8):
        s = move()
        s.send(initial)
        if (answer := next_datagram(s, 1)) is not None:
            break
    else:
        raise ValueError("the first datagram is not answered")
    at = 6 + answer[5]
    cid, first = answer[at + 1:at + 1 + answer[at]], answer[at + 1 + answer[at]:].decode()
    head, count = b"\x40" + cid, 500

    def send(window):
        s = move()
        for data in window:
            s.send(data)
        return s

    def kept(_, data):
        names.add(data[5:].decode())
        if data[:1] != b"u":
            raise ValueError(f"a connection of {first} came to {data[5:].decode()}")

    def came(number, data):
        if data[5:] != BODY[number * CHUNK:(number + 1) * CHUNK]:
            raise ValueError(f"datagram {number} is not what was asked for")

    def summed(_, data):
        want("what arrived", data[5:].hex(), hashlib.sha256(BODY[:count * CHUNK]).hexdigest())

    numbers = {n: n.to_bytes(4, "big") for n in range(count)}
    exchange({n: head + b"u" + b + BODY[n * CHUNK:(n + 1) * CHUNK] for n, b in numbers.items()}, send, kept)
    exchange({n: head + b"d" + b for n, b in numbers.items()}, send, came)
    exchange({0: head + b"s" + bytes(4)}, send, summed)
    want("who took it", " ".join(names), first)
    for s in opened:
        s.close()


def share(host, port, n, *names):
    got = set()
    for _ in range(int(n)):
        with Stream(host, port) as stream:
            got.add(stream.ask("name")[0])
    want("who answered", " ".join(sorted(got)), " ".join(sorted(names)))


def seen(host, port, address):
    with Stream(host, port) as stream:
        want("by TCP the client", stream.ask("name")[1], address)
    with udp_client(host, port) as s:
        s.send(b"n")
        want("by UDP the client", (next_datagram(s, 5) or b"? ?").decode().split()[1], address)


def mss(host, port, up, down):
    with Stream(host, port) as stream:
        theirs, = stream.ask("mss")
        want("the client's MSS", tcp_info(stream.s)[0], up)
        want("the backend's MSS", theirs, down)


# ---- kept flows ----------------------------------------------------------------------------------

class Flow:
    """One of TCP, UDP or QUIC: ask() sends a question, heard() gives who answered, None while nobody has."""

    def __init__(self, protocol, host, port):
        self.protocol, self.host, self.port, self.cid, self.number = protocol, host, int(port), None, 0
        if protocol == "tcp":
            self.s = socket.create_connection((host, self.port), 10)
            self.s.setblocking(False)
        else:
            self.s = udp_client(host, port)

    def close(self):
        self.s.close()

    def ask(self):
        if self.protocol == "tcp":
            self.s.send(b"name\n")
        elif self.protocol == "udp":
            self.s.send(b"n")
        elif self.cid is None:
            self.s.send(INITIAL + os.urandom(7) + bytes(1))
        else:
            self.s.close()
            self.s = udp_client(self.host, self.port)
            self.number += 1
            self.s.send(b"\x40" + self.cid + b"u" + self.number.to_bytes(4, "big"))

    def heard(self):
        try:
            data = self.s.recv(2048)
        except BlockingIOError:
            return None
        except OSError:
            return "ended"
        if self.protocol != "quic":
            return data.decode().split()[0] if data else "ended"
        if data[0] & 0x80:
            at = 6 + data[5]
            self.cid = data[at + 1:at + 1 + data[at]]
            return data[at + 1 + data[at]:].decode()
        return data[5:].decode() if data[:1] == b"u" else "stranger"


def ask_all(flows, silent=()):
    """Who answers each; those of `silent` are not waited for. A question may get lost, so some are asked again."""
    got = {}
    for again in range(4):
        for flow in flows:
            if flow not in got:
                try:
                    flow.ask()
                except OSError:
                    got[flow] = "ended"
        end = time.monotonic() + 1 + again
        while (left := end - time.monotonic()) > 0 and set(flows) - set(got) - set(silent):
            ready, _, _ = select.select([f.s for f in flows if f not in got], [], [], left)
            for flow in [f for f in flows if f not in got and f.s in ready]:
                if (who := flow.heard()) is not None:
                    got[flow] = who
        if not set(flows) - set(got) - set(silent):
            break
    return got


KEPT = {}  # by key: {flow: its backend}
INITIAL = bytes([LONG]) + b"\0\0\0\1" + bytes([8]) + b"\xff"


def open_flows(key, protocol, host, port, n, *names):
    flows = [Flow(protocol, host, port) for _ in range(int(n))]
    KEPT[key] = ask_all(flows)
    if len(KEPT[key]) != len(flows):
        raise ValueError(f"{len(flows) - len(KEPT[key])} flows are not answered")
    want("who answered", " ".join(sorted(set(KEPT[key].values()))), " ".join(sorted(names)))


def fresh(protocol, host, port, n, *names):
    open_flows("fresh", protocol, host, port, n, *names)
    for flow in KEPT.pop("fresh"):
        flow.close()


def compare(key, name, allowed):
    """All flows of a key as before, but those of backend `name`: what they get is judged by `allowed`."""
    flows = KEPT[key]
    lost = [f for f in flows if flows[f] == name]
    got = ask_all(list(flows), lost if allowed(None) else ())
    bad = [f"{flows[f]}: {got.get(f)}" for f in flows if f not in lost and got.get(f) != flows[f]]
    bad += [f"{flows[f]}: {got.get(f)}" for f in lost if not allowed(got.get(f))]
    if bad:
        raise ValueError(f"{len(bad)} of {len(flows)} flows, such as {bad[0]}")
    return lost


def live(key):
    compare(key, None, lambda who: True)


def dead(key, name):
    if not compare(key, name, lambda who: who is None):
        raise ValueError(f"there was no flow of {name}")


def moved(key, name):
    """They are not kept any longer."""
    lost = compare(key, name, lambda who: who not in (None, name))
    if not lost:
        raise ValueError(f"there was no flow of {name}")
    for flow in lost:
        flow.close()
        del KEPT[key][flow]


# ---- what routers say ----------------------------------------------------------------------------

def of_backend(host, port, request):
    """What the backend has to say about an answer that did not arrive."""
    with udp_client(host, port) as s:
        s.send(request)
        data = next_datagram(s, 5)
        if data is None:
            raise ValueError("the backend has not heard of it")
        return data.decode("latin-1").split()


def expired(host, port, hops):
    want("what the backend hears", of_backend(host, port, b"t" + bytes([int(hops)]))[1], "expired")


def too_big(host, port, size, mtu):
    got = of_backend(host, port, b"b" + int(size).to_bytes(2, "big"))
    want("what the backend hears", " ".join(got[1:3]), f"too-big {mtu}")


def own_error(s):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if error := read_error(s):
            return error
        select.select([s], [], [s], 0.05)
    raise ValueError("nobody has objected")


def probe(host, port, size, mtu):
    with udp_client(host, port) as s:
        s.send(b"n" + bytes(int(size) - 1))
        _, what, got, _ = own_error(s)
        want("what the client hears", f"{what} {got}", f"too-big {mtu}")


def traced(host, port, hops, who):
    with udp_client(host, port) as s:
        if is_v6(host):
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(hops))
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(hops))
        s.send(b"n")
        _, what, _, by = own_error(s)
        want("what the client hears", f"{what} {by}", f"expired {who}")


def refused(host, port):
    try:
        with Stream(host, port):
            pass
        raise ValueError("TCP has been taken")
    except ConnectionRefusedError:
        pass
    with udp_client(host, port) as s:
        s.send(b"n")
        _, what, _, by = own_error(s)
        want("what the client hears", f"{what} {by}", f"{'icmp6-1/4' if is_v6(host) else 'icmp-3/3'} {host}")


ROWS = {"tcp": tcp, "udp": udp, "large": large, "quic": quic, "share": share, "seen": seen, "mss": mss, "expired": expired,
        "too-big": too_big, "probe": probe, "traced": traced, "refused": refused, "fresh": fresh, "open": open_flows, "live": live,
        "dead": dead, "moved": moved}


def client():
    socket.setdefaulttimeout(10)
    for row in map(str.split, sys.stdin):
        try:
            ROWS[row[0]](*row[1:])
            print("ok", *row, flush=True)
        except (OSError, ValueError) as error:
            print("FAILED", " ".join(row) + f": {error}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(Backend(*sys.argv[2:4]).serve(sys.argv[4], sys.argv[5:]))
    else:
        client()
