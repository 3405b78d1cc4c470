# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\nrules:\n'
	seq -f '  - {name: r%.0f, action: deny}' 100001
} >gpc.yaml
