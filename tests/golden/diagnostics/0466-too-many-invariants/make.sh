# SPDX-License-Identifier: MIT
for i in $(seq 1025); do
	echo "  - {name: i$i, memory: 64Mi}"
done >> gpc.yaml
