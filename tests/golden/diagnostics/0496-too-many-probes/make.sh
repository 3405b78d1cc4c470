# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\nprobes:\n'
	awk 'BEGIN { for (i = 0; i < 65; i++) printf "- {name: p%d, tcp: {address: 10.0.0.1, port: 1}}\n", i }'
} >gpc.yaml
