# SPDX-License-Identifier: MIT
awk 'BEGIN { for (i = 0; i < 100000; i++) print "10." int(i / 32768) "." int(i / 128) % 256 "." i % 128 * 2 }' >feed
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\ninterfaces: [{name: wan0}]\nsegments:\n'
	printf '  - {name: feed, from: {file: feed, max: 100000, sha256: %s}}\n' "$(sha256sum feed | cut -d" " -f1)"
	printf 'rules:\n'
	awk 'BEGIN { for (i = 1; i < 100; i++) printf "  - {name: r%d, from: [feed, 192.0.2.%d], action: deny}\n", i, i }'
} >gpc.yaml
