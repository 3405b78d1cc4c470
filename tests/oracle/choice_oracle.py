# SPDX-License-Identifier: MIT
"""Who gets a packet: SEMANTICS 6.1 to 6.4 and 7, from the YAML itself. Slow, and knows nothing of gpc's code.

  plane = Plane(document); state = State(); plane.choose(state, packet)

A Packet that is sent again belongs to its flow; State holds flows, clients, overrides and observations, and the time
in seconds. What is left to numbers of the image format is named here: the split is draw 16, the last resort's hash
that of draw 0, ratios of weights are 65536ths. Panic and the last resort are those of the last command, whatever has
ended since (docs/design-notes.md). Ends are exact here: risky() says whether gpc, which rounds, may differ.
"""
import collections
import ipaddress

import slow

TCP, UDP = 6, 17
DRAWS, SPLIT_DRAW, ONE = 16, 16, 65536
SPARES = 16
SYN, ESTABLISHED, UDP_IDLE = 60, 7440, 180      # of the listeners here one side is seen
FOREVER = 1 << 60
Packet = collections.namedtuple("Packet", "protocol source source_port destination destination_port opens payload")
Nobody = collections.namedtuple("Nobody", "listener")


Flow = collections.namedtuple("Flow", "endpoint opening seen")         # opening: nothing but SYNs was seen of it
Client = collections.namedtuple("Client", "endpoint seen timeout")


class State:
    def __init__(self):
        self.now = 0
        self.flows, self.clients = {}, {}
        # by "backend" or "backend/endpoint": (what, when it ends)
        self.states, self.weights, self.down = {}, {}, set()
        self.panic, self.spares = {}, {}        # by backend, as of the last command

    def live(self, overrides, name):
        what, until = overrides.get(name, (None, 0))
        return what if self.now < until else None

    def times(self):
        """When anything ends."""
        for _, until in list(self.states.values()) + list(self.weights.values()):
            yield until
        for flow, known in self.flows.items():
            yield known.seen + idle_time(flow, known)
        for client in self.clients.values():
            yield client.seen + client.timeout

    def risky(self):
        """Within three units of time, which are 1.07 s, of an end."""
        return any(-4 < self.now - time < 4 for time in self.times())


def idle_time(flow, known):
    return UDP_IDLE if flow.protocol == UDP else SYN if known.opening else ESTABLISHED


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


class Endpoint:
    def __init__(self, owner, written):
        self.owner, self.name = owner, written["name"]
        addresses = written["address"] if isinstance(written["address"], list) else [written["address"]]
        self.families = {ipaddress.ip_address(a).version for a in addresses}
        self.weight = int(written.get("weight", 1))
        self.state = written.get("state", "ready")
        self.quic = bytes.fromhex(written["quic-id"]) if "quic-id" in written else None
        self.id = slow.stable_id("endpoint", owner, self.name)
        self.object = owner + "/" + self.name

    def usable(self, forward, family):
        if forward == "dsr":
            return True
        if forward == "nat":
            return family in self.families
        return 6 in self.families or family == 4


class Backend:
    def __init__(self, written):
        self.name = written["name"]
        self.endpoints = sorted((Endpoint(self.name, e) for e in written["endpoints"]), key=lambda e: e.name.encode())
        self.size = int(written["table-size"])
        self.failover = written.get("failover")
        self.min_healthy = float(written.get("min-healthy", "0%").rstrip("%"))
        self.tables = {}

    def table(self, forward, family):
        takers = [e for e in self.endpoints if e.state == "ready" and e.weight and e.usable(forward, family)]
        key = tuple(e.name for e in takers)
        if key not in self.tables:
            by_id = {e.id: e for e in takers}
            self.tables[key] = [by_id[i] for i in slow.maglev([(e.id, e.weight) for e in takers], self.size)]
        return self.tables[key]


class Plane:
    def __init__(self, document):
        self.seed = slow.default_seed(document["metadata"]["name"])
        self.backends = {b["name"]: Backend(b) for b in document["backends"]}
        self.listeners = document["listeners"]

    # ---- 6.1 ----

    def listener(self, packet):
        found = []
        for one in self.listeners:
            if {"TCP": TCP, "UDP": UDP}[one["protocol"]] != packet.protocol:
                continue
            port = str(one["port"])
            first, last = (0, 65535) if port == "any" else (int(port.split("-")[0]), int(port.split("-")[-1]))
            if not first <= packet.destination_port <= last:
                continue
            for text in one["address"] if isinstance(one["address"], list) else [one["address"]]:
                network = ipaddress.ip_network(text)
                if network.version == packet.destination.version and packet.destination in network:
                    width = last - first if port != "any" else 65536
                    found.append((-network.prefixlen, width, one["name"], one))
        return min(found)[3] if found else None

    # ---- 7 ----

    def admin(self, state, endpoint):
        return (state.live(state.states, endpoint.object) or state.live(state.states, endpoint.owner) or endpoint.state)

    def weight(self, state, endpoint):
        override = state.live(state.weights, endpoint.object)
        return endpoint.weight if override is None else override

    def counted(self, state, endpoint):
        return self.admin(state, endpoint) == "ready" and self.weight(state, endpoint) > 0

    def command(self, state):
        """What a command works out, and no packet does."""
        for backend in self.backends.values():
            counted = [e for e in backend.endpoints if self.counted(state, e)]
            up = [e for e in counted if e.object not in state.down]
            state.panic[backend.name] = bool(counted) and (
                100.0 * len(up) / len(counted) < backend.min_healthy or (not up and not backend.failover))
        for backend in self.backends.values():
            now, later = state.now, FOREVER - 1
            for state.now in (now, later):
                state.spares[backend.name] = [e for e in backend.endpoints if self.new(state, e)]
                if state.spares[backend.name]:
                    break
            state.now = now

    def available(self, state, endpoint):
        return endpoint.object not in state.down or state.panic[endpoint.owner]

    def new(self, state, endpoint):
        return self.counted(state, endpoint) and self.available(state, endpoint)

    def keep(self, state, endpoint, packet, listener, opening=True):
        """opening: nothing but SYNs was seen of the flow, so that one more may pick anew (5.4)."""
        stays = packet.protocol == TCP and not (packet.opens and opening) or listener.get("stable") == "true"
        return self.admin(state, endpoint) in ("ready", "drain") and (stays or self.available(state, endpoint))

    # ---- 6.3 ----

    def hash(self, listener, packet, draw):
        kind = listener.get("hash", "source-ip" if listener.get("affinity") == "source-ip" else "5-tuple")
        zero = ipaddress.ip_address("::")
        source = packet.source if kind != "destination-port" else zero
        whole = kind == "5-tuple"
        return slow.flow_hash(self.seed, source, packet.destination if whole else zero,
                              packet.protocol if whole else 0,
                              packet.source_port if kind in ("5-tuple", "source-ip-port") else 0,
                              packet.destination_port if kind in ("5-tuple", "destination-port") else 0, draw)

    def ratio(self, state, endpoint):
        return min(self.weight(state, endpoint) * ONE // endpoint.weight or 1, 0xFFFFFFFF)

    def here(self, state, listener, packet, backend):
        """Somebody of the backend."""
        forward, family = listener.get("forward", "ipip"), packet.destination.version
        table = backend.table(forward, family)
        greatest = max((self.ratio(state, e) for e in backend.endpoints
                        if e.weight and self.counted(state, e)), default=ONE)
        for draw in range(DRAWS):
            value = self.hash(listener, packet, draw)
            if not table:
                break
            endpoint = table[slow.slot_of(value, len(table))]
            if self.new(state, endpoint) and (value >> 48) * greatest < self.ratio(state, endpoint) << 16:
                return endpoint
        rest = state.spares[backend.name]
        if not rest:
            return None
        at = self.hash(listener, packet, 0) % len(rest)
        return next((e for e in (rest[at:] + rest[:at])[:SPARES] if e.usable(forward, family) and self.new(state, e)), None)

    def chain(self, name):
        while name:
            yield self.backends[name]
            name = self.backends[name].failover

    def first_backend(self, listener, packet):
        if "split" not in listener:
            return listener["backend"]
        parts = sorted(((p["backend"], int(p["weight"])) for p in listener["split"]), key=lambda p: p[0].encode())
        at = slow.slot_of(self.hash(listener, packet, SPLIT_DRAW), sum(weight for _, weight in parts))
        for name, weight in parts:
            if at < weight:
                return name
            at -= weight
        raise AssertionError

    def by_hash(self, state, listener, packet):
        for backend in self.chain(self.first_backend(listener, packet)):
            endpoint = self.here(state, listener, packet, backend)
            if endpoint:
                return endpoint
        return None

    def by_quic(self, state, listener, packet):
        """draft-ietf-quic-load-balancers, plaintext: the server id behind the connection id's first byte."""
        if listener.get("affinity") != "quic-cid" or len(packet.payload) < 7:
            return None
        length = next(len(e.quic) for e in self.backends[listener["backend"]].endpoints)
        data = packet.payload
        if data[0] & 0x80:
            if data[5] <= length or data[5] > 20:
                return None
            data = data[5:]
        if data[1] >> 5 == 7 or len(data) < 2 + length:
            return None
        for backend in self.chain(listener["backend"]):
            for e in backend.endpoints:
                if e.quic == data[2:2 + length] and self.keep(state, e, packet, listener):
                    return e if e.usable(listener.get("forward", "ipip"), packet.destination.version) else None
        return None

    def choose(self, state, packet):
        """The listener's name and the endpoint's object; None if it is nobody's."""
        listener = self.listener(packet)
        if listener is None:
            return None
        if not state.panic:
            self.command(state)
        flow, client = packet._replace(opens=None, payload=None), (listener["name"], packet.source)
        endpoint = self.by_quic(state, listener, packet)
        known, friend = self.known(state, flow), self.friend(state, client)
        opening = not known or known.opening
        if not endpoint and known and self.keep(state, known.endpoint, packet, listener, opening):
            endpoint = known.endpoint
            friend = friend or Client(endpoint, None, None)
        elif not endpoint and friend and self.keep(state, friend.endpoint, packet, listener):
            endpoint = friend.endpoint
        else:
            endpoint = endpoint or self.by_hash(state, listener, packet)
            friend = Client(endpoint, None, None)
        if not endpoint:
            return Nobody(listener["name"])
        state.flows[flow] = Flow(endpoint, opening and packet.opens, state.now)
        if listener.get("affinity") == "source-ip":
            state.clients[client] = Client(friend.endpoint, state.now, seconds(listener.get("affinity-timeout", "10m")))
        return listener["name"], endpoint.object

    @staticmethod
    def known(state, flow):
        known = state.flows.get(flow)
        return known if known and state.now - known.seen <= idle_time(flow, known) else None

    @staticmethod
    def friend(state, client):
        friend = state.clients.get(client)
        return friend if friend and state.now - friend.seen <= friend.timeout else None
