# SPDX-License-Identifier: MIT
# 142 x 142 pairs of addresses, each with a rule of its own, and one rule behind them for all.
awk 'BEGIN {
	n = 142
	print "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: grid}\ndefaults: {on-fail: pass}"
	print "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\nsegments:"
	for (i = 1; i <= n; i++) { from = from sep "10.0.0." 2 * i % 256 + int(2 * i / 256); sep = ", " }
	sep = ""
	for (i = 1; i <= n; i++) { to = to sep "10.0.9." 2 * i % 256 + int(2 * i / 256); sep = ", " }
	print "  - {name: from, cidrs: [" from "]}\n  - {name: to, cidrs: [" to "]}\nrules:"
	split(from, f, ", "); split(to, t, ", ")
	for (i = 1; i <= n; i++) for (j = 1; j <= n; j++)
		print "  - {name: r" i "-" j ", from: " f[i] ", to: " t[j] ", action: deny}"
	print "  - {name: rest, from: from, to: to, action: allow}\npolicies:"
	print "  - name: edge\n    interfaces: [wan0]\n    direction: ingress\n    rules:"
	for (i = 1; i <= n; i++) for (j = 1; j <= n; j++) print "      - r" i "-" j
	print "      - rest"
}' >gpc.yaml
