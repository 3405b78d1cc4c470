# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ntests:\n'
	awk 'BEGIN { for (i = 0; i < 65537; i++)
		printf "- {name: t%d, send: {in: w, from: 10.0.0.1, to: 10.0.0.2, dport: 1}, expect: {verdict: pass}}\n", i }'
} >gpc.yaml
