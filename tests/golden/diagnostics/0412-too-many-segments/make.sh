# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\nsegments:\n'
	seq -f '  - {name: s%.0f, cidrs: [10.0.0.1]}' 65537
	printf 'rules:\n  - {name: r, to: [s1], action: deny}\n'
} >gpc.yaml
