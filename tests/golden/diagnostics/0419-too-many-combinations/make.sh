# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\ninterfaces: [{name: wan0}]\n'
	printf 'backends: [{name: web, endpoints: [{name: a, address: 10.9.0.1}]}]\nlisteners:\n'
	awk 'BEGIN { for (i = 0; i < 4096; i++) printf "  - {name: l%d, address: 192.0.%d.%d, protocol: TCP, port: %d, backend: web}\n", i, i / 256, i % 256, i + 1 }'
	printf 'rules:\n'
	seq -f '  - {name: r%.0f, to: {listeners: "*"}, action: deny}' 1025
} >gpc.yaml
