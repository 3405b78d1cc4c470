# SPDX-License-Identifier: MIT
i=0; while [ $i -le 4096 ]; do echo "  - {name: l$i, address: 192.0.2.1, protocol: TCP, port: $((i + 1)), backend: web}"; i=$((i + 1)); done >>gpc.yaml
