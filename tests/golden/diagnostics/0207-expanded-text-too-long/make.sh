# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: edge}\nvalues: {a: '
	head -c 40000 /dev/zero | tr '\0' a
	printf '}\nbackends: [{name: web, endpoints: [{name: a, address: "${a}${a}"}]}]\n'
} >gpc.yaml
