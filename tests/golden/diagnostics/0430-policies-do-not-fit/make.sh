# SPDX-License-Identifier: MIT
# Over a thousand rules between networks of their own.
awk 'BEGIN {
	print "apiVersion: gpc/v1\nkind: Plane\nrules:"
	for (i = 0; i < 1250; i++)
		printf "  - {name: r%d, from: 11.%d.%d.0/24, to: 10.%d.%d.0/24, action: allow}\n",
			i, i % 250, i / 5, i % 250, i / 5
	printf "policies:\n  - name: edge\n    interfaces: [wan0]\n    direction: ingress\n    rules:\n"
	for (i = 0; i < 1250; i++)
		printf "      - r%d\n", i
	print "      - wide\n      - web\n      - dns"
}' >rules.yaml
