# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: edge}\ninterfaces: [{name: wan0}]\nbackends:\n'
	for i in $(seq 65); do
		echo "  - {name: b$i, endpoints: [{name: a, address: 10.0.0.$i}]}"
	done
	printf 'listeners:\n  - name: http\n    address: 192.0.2.1\n    protocol: TCP\n    port: 80\n    split:\n'
	for i in $(seq 65); do
		echo "      - {backend: b$i, weight: 1}"
	done
} >gpc.yaml
