# SPDX-License-Identifier: MIT
"""Who gets a packet: SEMANTICS 6.1 to 6.4 and 7, from the YAML itself. Slow, and knows nothing of gpc's code.

  plane = Plane(document); state = State(); plane.choose(state, packet)

A Packet that is sent again belongs to its flow; State holds flows, clients, overrides and observations. No time
passes. What is left to numbers of the image format is named here: the split is draw 16, the last resort's hash
that of draw 0, ratios of weights are 65536ths.
"""
import collections
import ipaddress

import slow

TCP, UDP = 6, 17
DRAWS, SPLIT_DRAW, ONE = 16, 16, 65536
Packet = collections.namedtuple("Packet", "protocol source source_port destination destination_port opens payload")
Nobody = collections.namedtuple("Nobody", "listener")


class State:
    def __init__(self):
        self.flows, self.clients = {}, {}
        self.states, self.weights, self.down = {}, {}, set()    # by "backend" or "backend/endpoint"


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
        return state.states.get(endpoint.object, state.states.get(endpoint.owner, endpoint.state))

    def weight(self, state, endpoint):
        return state.weights.get(endpoint.object, endpoint.weight)

    def counted(self, state, endpoint):
        return self.admin(state, endpoint) == "ready" and self.weight(state, endpoint) > 0

    def panic(self, state, backend):
        counted = [e for e in backend.endpoints if self.counted(state, e)]
        up = [e for e in counted if e.object not in state.down]
        if not counted:
            return False
        return 100.0 * len(up) / len(counted) < backend.min_healthy or (not up and not backend.failover)

    def available(self, state, endpoint):
        return endpoint.object not in state.down or self.panic(state, self.backends[endpoint.owner])

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
        rest = [e for e in backend.endpoints if self.new(state, e)]
        if not rest:
            return None
        at = self.hash(listener, packet, 0) % len(rest)
        return next((e for e in rest[at:] + rest[:at] if e.usable(forward, family)), None)

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
        flow, client = packet._replace(opens=None, payload=None), (listener["name"], packet.source)
        endpoint = self.by_quic(state, listener, packet)
        known, opening = state.flows.get(flow, (None, True))
        for one, fresh in ((known, opening), (state.clients.get(client), True)):
            if not endpoint and one and self.keep(state, one, packet, listener, fresh):
                endpoint = one
        opening = opening and packet.opens
        endpoint = endpoint or self.by_hash(state, listener, packet)
        if not endpoint:
            return Nobody(listener["name"])
        state.flows[flow] = endpoint, opening
        if listener.get("affinity") == "source-ip":
            state.clients[client] = endpoint
        return listener["name"], endpoint.object
