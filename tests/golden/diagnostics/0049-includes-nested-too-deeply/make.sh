# SPDX-License-Identifier: MIT
for i in $(seq 0 20); do
	printf 'apiVersion: gpc/v1\nkind: Plane\ninclude: [%s.yaml]\n' "$((i + 1))" >"$i.yaml"
done
mv 0.yaml gpc.yaml
