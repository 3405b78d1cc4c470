# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\nsegments:\n'
	for i in $(seq 1001); do
		echo 192.0.2.1 >$i.txt
		echo "- {name: s$i, from: {file: $i.txt, sha256: $(printf '192.0.2.1\n' | sha256sum | cut -d' ' -f1), max: 1}}"
	done
} >gpc.yaml
