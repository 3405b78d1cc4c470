#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random planes, compiled by gpc; random packets, overrides and observations, given to the programs (tools/choose)
and to choice_oracle.py. Then shares: a weight, a split and an override of a weight do what they say.

  choice_check.py [--kernel] GPC CHOOSE [PLANES [FIRST-SEED]]

With --kernel the programs run in the kernel, where no time passes.

A plane that differs is left in the folder that the last line names.
"""
import ipaddress
import os
import random
import subprocess
import sys
import tempfile

import yaml

sys.dont_write_bytecode = True      # no compiled Python in the tree

import choice_oracle
from choice_oracle import TCP, UDP, Nobody, Packet

STEPS = 60              # of a plane: an operation each, and some packets
SIZES = (11, 13, 31, 101, 251)


def run(arguments, given=None):
    done = subprocess.run(arguments, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(arguments[:2]), done.returncode, done.stderr[-2000:]))
    return done.stdout.splitlines()


# ---- planes ----

def random_backend(r, index, quic):
    endpoints = []
    for i in range(r.randint(1, 7)):
        four, six = "10.%d.0.%d" % (index, i + 1), "2001:db8:%x::%x" % (index + 1, i + 1)
        one = {"name": r.choice("abcxyz") + str(i), "address": r.choice((four, six, [four, six], [four, six]))}
        if i == 0:
            one["address"] = [four, six]        # so that no listener's table is empty by family
        if r.random() < 0.5:
            one["weight"] = r.choice((0, 1, 2, 3, 10, 1000, 65535))
        if r.random() < 0.25:
            one["state"] = r.choice(("ready", "drain", "maint"))
        if quic:
            one["quic-id"] = "%02x%04x" % (i, r.randrange(65536))
        endpoints.append(one)
    backend = {"name": "b%d" % index, "table-size": r.choice(SIZES), "endpoints": endpoints}
    if r.random() < 0.3:
        backend["min-healthy"] = "%d%%" % r.choice((10, 34, 50, 100))
    return backend


def random_listener(r, index, backends, quic):
    addresses = ["203.0.113.%d" % (index + 1), "2001:db8:ff::%x" % (index + 1)]
    if r.random() < 0.3:
        addresses = ["198.51.100.%d/30" % (4 * index), "2001:db8:fe:%x::/64" % index]
    elif r.random() < 0.3:      # around the addresses of others
        addresses = ["203.0.113.0/%d" % (24 + index), "2001:db8:ff::/%d" % (64 + index)]
    one = {"name": "l%d" % index, "address": r.choice((addresses, addresses[:1], addresses[1:])),
           "protocol": r.choice(("TCP", "UDP")), "port": r.choice((443, "400-500", "any")),
           "forward": r.choice(("ipip", "dsr", "gue"))}
    if one["protocol"] == "UDP" and r.random() < 0.3:
        one["stable"] = "true"
    kind = r.random()
    if quic and kind < 0.5:
        return dict(one, protocol="UDP", affinity="quic-cid", backend=quic)
    if kind < 0.2:
        one["affinity"] = "source-ip"
        one["affinity-timeout"] = r.choice(("30s", "5m", "10m"))
    elif kind < 0.7:
        one["hash"] = r.choice(("5-tuple", "source-ip", "source-ip-port", "destination-port"))
    if len(backends) > 1 and r.random() < 0.4:
        chosen = r.sample(backends, r.randint(2, len(backends)))
        one["split"] = [{"backend": name, "weight": r.choice((0, 1, 9, 90))} for name in chosen]
        one["split"][0]["weight"] = 10
    else:
        one["backend"] = r.choice(backends)
    return one


def random_plane(r, seed):
    quic = r.random() < 0.4
    backends = [random_backend(r, i, quic and i < 2) for i in range(r.randint(1, 5))]
    for i, backend in enumerate(backends[:-1]):
        last = min(2, len(backends)) if quic and i < 2 else len(backends)   # all with server ids, or none
        if i + 1 < last and r.random() < 0.4:
            backend["failover"] = backends[r.randrange(i + 1, last)]["name"]
    names = [b["name"] for b in backends]
    listeners = [random_listener(r, i, names, quic and names[0]) for i in range(r.randint(1, 6))]
    return {"apiVersion": "gpc/v1", "kind": "Plane", "metadata": {"name": "choice%d" % seed},
            "interfaces": [{"name": "wan0"}], "backends": backends, "listeners": listeners}


# ---- what happens to them ----

def random_operation(r, document, ends):
    """ends: for how long it may hold, 0: until the next one."""
    backend = r.choice(document["backends"])
    endpoint = r.choice(backend["endpoints"])
    name = backend["name"] + "/" + endpoint["name"]
    in_table = endpoint.get("state", "ready") == "ready" and endpoint.get("weight", 1)
    kind = r.choice(("ready", "down", "down", "down", "drain", "maint", "weight", "weight", "backend"))
    if kind == "weight" and in_table:
        return ("weight", name, r.choice((0, 1, 2, 5, 100, 65535)), r.choice(ends))
    if kind == "backend":
        return (r.choice(("drain", "maint")), backend["name"], r.choice(ends))
    if kind in ("drain", "maint"):
        return (kind, name, r.choice(ends))
    return (kind, name) if kind == "down" else ("ready",)


def operate(plane, state, operation):
    until = state.now + operation[-1] if operation[-1] and operation[0] not in ("ready", "down") else choice_oracle.FOREVER
    if operation[0] == "ready":
        state.states, state.weights, state.down = {}, {}, set()
    elif operation[0] == "down":
        state.down.add(operation[1])
    elif operation[0] == "weight":
        state.weights[operation[1]] = operation[2], until
    else:
        state.states[operation[1]] = operation[0], until
    plane.command(state)


def timed(state):
    """Overrides with an end to come: a backend has four steps for them."""
    return sum(state.now < until < choice_oracle.FOREVER
               for _, until in list(state.states.values()) + list(state.weights.values()))


def wait(r, state):
    """Not until close to an end: gpc's times are coarse."""
    began = state.now
    state.now += r.choice((5, 40, 100, 200, 700, 8000))
    while state.risky():
        state.now += 5
    return "wait %d" % (state.now - began)


def random_payload(r, document):
    ids = [e["quic-id"] for b in document["backends"] for e in b["endpoints"] if "quic-id" in e]
    server = bytes.fromhex(r.choice(ids)) if ids and r.random() < 0.8 else bytes(r.randrange(256) for _ in range(3))
    head = bytes([r.randrange(256)])
    tail = bytes(r.randrange(256) for _ in range(r.choice((0, 4, 12))))
    if r.random() < 0.5:
        return bytes([r.randrange(128)]) + head + server + tail
    cid = head + server + tail
    return bytes([r.randrange(128, 256)]) + b"\0\0\0\1" + bytes([r.choice((len(cid), len(cid), 0, 21))]) + cid


def random_packet(r, document, known):
    if known and r.random() < 0.3:
        return r.choice(known)._replace(opens=r.random() < 0.5)
    listener = r.choice(document["listeners"])
    text = r.choice(listener["address"]) if isinstance(listener["address"], list) else listener["address"]
    network = ipaddress.ip_network(text)
    destination = network[r.randrange(min(network.num_addresses, 8))]
    source = ipaddress.ip_address("8.8.%d.%d" % (r.randrange(4), r.randrange(1, 250)) if network.version == 4
                                  else "2001:db8:c::%x" % r.randrange(1, 999))
    protocol = TCP if (listener["protocol"] == "TCP") == (r.random() < 0.95) else UDP
    return Packet(protocol, source, r.randrange(1024, 65536), destination,
                  r.choice((443, 443, 400, 500, 8080)), r.random() < 0.7,
                  random_payload(r, document) if protocol == UDP else b"")


def line_of(p):
    return "packet %d %s %d %s %d %s %s" % (p.protocol, p.source, p.source_port, p.destination, p.destination_port,
                                            "syn" if p.opens else "ack", p.payload.hex())


def answer_of(chosen):
    if chosen is None:
        return "-"
    return "nobody" if isinstance(chosen, Nobody) else "%s %s" % chosen


def script(r, document, passes):
    """Commands, and the oracle's answers to the packets among them. `passes`: time does."""
    plane, state = choice_oracle.Plane(document), choice_oracle.State()
    commands, answers, known = [], [], []
    for _ in range(STEPS):
        if r.random() < 0.1:
            state.flows, state.clients = {}, {}
            commands.append("forget")
        if r.random() < 0.4:
            ends = (0, 30, 90, 400) if passes and timed(state) < 3 else (0,)
            operation = random_operation(r, document, ends)
            operate(plane, state, operation)
            commands.append(" ".join(map(str, operation)))
        if passes and r.random() < 0.3:
            commands.append(wait(r, state))
        for _ in range(r.randint(1, 4)):
            packet = random_packet(r, document, known)
            known = known[-20:] + [packet]
            commands.append(line_of(packet))
            answers.append((len(commands) - 1, answer_of(plane.choose(state, packet))))
    return commands, answers


def check_plane(gpc, choose, folder, seed, kernel):
    r = random.Random(seed)
    document = random_plane(r, seed)
    path, image = os.path.join(folder, "gpc.yaml"), os.path.join(folder, "plane.gpi")
    with open(path, "w", encoding="ascii") as out:
        yaml.safe_dump(document, out)
    try:
        run([gpc, "compile", path, "-o", image])
    except RuntimeError as refused:
        error = [line for line in str(refused).splitlines() if "error[" in line]
        return (None if error and "error[E05" not in error[0] else False,   # its own image is no good
                "seed %d: %s" % (seed, error[0] if error else refused))
    commands, answers = script(r, document, not kernel)
    got = run([choose, *kernel, image], "\n".join(commands) + "\n")
    for (at, wanted), said in zip(answers, got):
        if said != wanted:
            with open(os.path.join(folder, "commands"), "w", encoding="ascii") as out:
                out.write("\n".join(commands[:at + 1]) + "\n")
            return False, "seed %d: %s: the oracle says '%s', gpc '%s'" % (seed, commands[at], wanted, said)
    return len(got) == len(answers), "seed %d: %d answers of %d" % (seed, len(got), len(answers))


# ---- shares ----

SHARES = """
apiVersion: gpc/v1
kind: Plane
metadata: {name: shares}
interfaces: [{name: wan0}]
backends:
  - {name: a, table-size: 1021, endpoints: [{name: x, address: 10.0.0.1}, {name: y, address: 10.0.0.2, weight: 3}]}
  - {name: canary, endpoints: [{name: z, address: 10.0.1.1}]}
listeners:
  - {name: l, address: 203.0.113.1, protocol: UDP, port: 53,
     split: [{backend: a, weight: 90}, {backend: canary, weight: 10}]}
"""


def share(choose, image, commands, count):
    """Percent of so many flows by endpoint."""
    packets = ["packet 17 8.%d.%d.8 %d 203.0.113.1 53 syn" % (i >> 16, i >> 8 & 255, 1024 + (i & 255))
               for i in range(count)]
    tally = {}
    for line in run([choose, image], "\n".join(commands + packets) + "\n"):
        tally[line.split()[1]] = tally.get(line.split()[1], 0) + 100.0 / count
    return tally


def check_shares(gpc, choose, folder):
    path, image = os.path.join(folder, "shares.yaml"), os.path.join(folder, "shares.gpi")
    with open(path, "w", encoding="ascii") as out:
        out.write(SHARES)
    run([gpc, "compile", path, "-o", image])
    failed = 0
    for commands, wanted in (([], {"canary/z": 10, "a/x": 22.5, "a/y": 67.5}),
                             (["weight a/y 1"], {"canary/z": 10, "a/x": 45, "a/y": 45}),
                             (["drain a/x"], {"canary/z": 10, "a/y": 90})):
        got = share(choose, image, commands, 60000)
        off = max(abs(got.get(name, 0) - percent) for name, percent in wanted.items())
        print("shares %s: %s" % (commands, ", ".join("%s %.2f %%" % item for item in sorted(got.items()))))
        if off > 0.7 or set(got) != set(wanted):
            print("FAILED  shares after %s: %s, wanted %s" % (commands, got, wanted))
            failed += 1
    return failed


def main():
    kernel = [word for word in sys.argv[1:] if word == "--kernel"]
    words = [word for word in sys.argv[1:] if word != "--kernel"]
    gpc, choose = words[:2]
    planes, first = (int(a) for a in (words[2:] + ["60", "1"][len(words) - 2:])[:2])
    folder = tempfile.mkdtemp()
    passed = failed = refused = 0
    for seed in range(first, first + planes):
        good, text = check_plane(gpc, choose, folder, seed, kernel)
        if good:
            passed += 1
        elif good is None:
            refused += 1
            print("refused " + text.splitlines()[0])
        else:
            failed += 1
            print("FAILED  " + text)
            break
    if refused * 5 > planes:
        failed += 1
        print("FAILED  %d of %d planes do not compile" % (refused, planes))
    if not failed and not kernel:
        failed += check_shares(gpc, choose, folder)
        passed += 3 - failed
    if failed:
        print("left in " + folder)
    else:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    print("%s/choice: %d passed, %d failed" % ("bpf" if kernel else "oracle", passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
