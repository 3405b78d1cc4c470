#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random planes, compiled by gpc, asked by `gpc explain --batch`, against policy_oracle.py.

  policy_check.py GPC [PLANES [PACKETS [FIRST-SEED]]]

A plane that differs is left in the folder that the last line names.
"""
import collections
import os
import subprocess
import sys
import tempfile

import yaml

sys.dont_write_bytecode = True      # no compiled Python in the tree

import policy_oracle
import policy_planes

EXAMPLES = """
apiVersion: gpc/v1
kind: Plane
interfaces: [{name: wan0}, {name: "lan*"}, {name: lan1}]
segments:
  - {name: internet, cidrs: [0.0.0.0/0, "::/0"], except: [office, app]}
  - {name: office, cidrs: [198.51.100.0/24, "2001:db8:10::/48"], labels: {role: admin}}
  - {name: edge, cidrs: [203.0.113.2/32, 10.0.1.1/32]}
  - {name: app, cidrs: [10.0.1.0/24], labels: {role: app, env: prod}}
  - {name: db, cidrs: [10.0.9.0/28], labels: {role: db, env: prod}}
listeners: [{name: web, address: [203.0.113.10, "2001:db8:ff::10"], protocol: TCP, port: 443, backend: b}]
rules:
  - {name: to-vips, to: {listeners: "*"}, action: allow}
  - {name: admin-ssh, from: office, to: app, ports: [tcp/22], action: allow, log: all}
  - {name: app-to-db, from: {labels: {role: app}}, to: {labels: {role: db}}, ports: [tcp/5432], action: allow}
  - {name: no-dns, ports: [udp/53], action: reject}
  - {name: log-all, action: log}
  - {name: tcp-80, ports: [tcp/80], priority: 2, action: deny}
  - {name: tcp-all, ports: [tcp], priority: 1, action: allow}
policies:
  - {name: edge-in, interfaces: [wan0], direction: ingress, rules: [log-all, to-vips, no-dns, admin-ssh]}
  - {name: watch, interfaces: ["lan*"], direction: ingress, mode: audit, rules: [admin-ssh, app-to-db]}
  - {name: ranked, interfaces: [lan1], direction: ingress, default: pass, rules: [tcp-80, tcp-all]}
protect: [{name: mgmt, from: office, to: edge, ports: [tcp/22]}]
"""
# device, direction, packet, answer: of SEMANTICS 4.3, 5 and 10, by hand
WORKED = (
    ("wan0", "ingress", "tcp 8.8.8.8:40000 -> 203.0.113.10:443", "allow edge-in to-vips"),
    ("wan0", "ingress", "tcp 8.8.8.8:40000 -> 203.0.113.10:80", "deny edge-in default"),
    ("wan0", "ingress", "tcp 198.51.100.9:40000 -> 203.0.113.2:22", "allow protect mgmt"),
    ("wan0", "egress", "tcp 203.0.113.2:22 -> 198.51.100.9:5000", "allow protect mgmt"),
    ("wan0", "egress", "tcp 203.0.113.2:80 -> 198.51.100.9:5000", "pass - -"),
    ("wan0", "ingress", "udp 8.8.8.8:1 -> 203.0.113.10:53", "reject edge-in no-dns"),
    ("wan0", "ingress", "tcp 8.8.8.8:1 -> 203.0.113.10:1 fragment later", "allow edge-in to-vips"),
    ("lan0", "ingress", "tcp 10.0.5.5:40000 -> 10.0.9.3:5432", "pass watch default would-deny"),
    ("lan0", "ingress", "tcp 10.0.1.5:40000 -> 10.0.9.3:5432", "pass - -"),
    ("lan0", "ingress", "tcp 10.0.1.5:1 -> 10.0.9.3:1 fragment later", "pass watch default would-deny"),
    ("lan1", "ingress", "tcp 10.0.1.5:40000 -> 10.0.9.3:80", "allow ranked tcp-all"),
    ("lan1", "ingress", "udp 10.0.1.5:40000 -> 10.0.9.3:80", "pass - -"),
)


def worked_examples():
    plane = policy_oracle.Plane([yaml.load(EXAMPLES, Loader=yaml.BaseLoader)])
    failed = 0
    for device, direction, line, wanted in WORKED:
        got = " ".join(plane.decide(plane.interface_of(device), direction, policy_oracle.parse_packet(line)))
        if got != wanted:
            print("FAILED  %s %s: %s: the oracle says '%s', by hand '%s'" % (device, direction, line, got, wanted))
            failed += 1
    return failed


def run(arguments, given=None):
    done = subprocess.run(arguments, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(arguments[:2]), done.returncode, done.stderr[-2000:]))
    return done.stdout.splitlines()


def compare(gpc, folder, seed, packets, tally):
    """Number of packets answered differently."""
    plane = policy_planes.random_plane(seed)
    oracle = policy_oracle.Plane([plane])
    source, image = os.path.join(folder, "%d.yaml" % seed), os.path.join(folder, "%d.gpi" % seed)
    with open(source, "w", encoding="utf-8") as out:
        out.write(policy_planes.plane_text(plane))
    run([gpc, "compile", "-f", source, "-o", image])
    wrong = 0
    for n, device in enumerate(policy_planes.DEVICES):
        for flag, direction in (("--in", "ingress"), ("--out", "egress")):
            asked = policy_planes.random_packets(seed * 10 + n, plane, packets)
            lines = run([gpc, "explain", "--batch", "-", flag, device, "--image", image],
                        "".join(p.text() + "\n" for p in asked))
            interface = oracle.interface_of(device)
            wanted = ["\t".join(oracle.decide(interface, direction, p)) for p in asked]
            tally.update(w.split("\t")[0] for w in wanted)
            if len(lines) != len(wanted):
                raise RuntimeError("plane %d: %d answers to %d packets" % (seed, len(lines), len(wanted)))
            for packet, want, got in zip(asked, wanted, lines):
                if want != got:
                    wrong += 1
                    if wrong <= 3:
                        print("FAILED  plane %d, %s %s: %s: want '%s', got '%s'"
                              % (seed, flag, device, packet.text(), want, got))
    if not wrong:
        os.remove(source)
        os.remove(image)
    return wrong


def main(arguments):
    gpc = arguments[0]
    long = bool(os.environ.get("GPC_CHECK_LONG"))
    planes, packets, first = (list(map(int, arguments[1:])) + [0, 0, 0])[:3]
    planes, packets = planes or (2000 if long else 60), packets or 300
    failed = worked_examples()
    passed = len(WORKED) - failed
    tally, folder = collections.Counter(), tempfile.mkdtemp(prefix="gpc-policy-check-")
    for seed in range(first, first + planes):
        try:
            wrong = compare(gpc, folder, seed, packets, tally)
        except RuntimeError as problem:
            print("FAILED  plane %d: %s" % (seed, problem))
            wrong = 1
        passed, failed = passed + (wrong == 0), failed + (wrong != 0)
    print("%d packets: %s" % (sum(tally.values()), ", ".join("%s %d" % item for item in sorted(tally.items()))))
    if os.listdir(folder):
        print("planes that differ: " + folder)
    else:
        os.rmdir(folder)
    print("oracle/policy_check: %d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
