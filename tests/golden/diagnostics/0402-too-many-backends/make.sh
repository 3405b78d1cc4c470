# SPDX-License-Identifier: MIT
{ i=0; while [ $i -le 4096 ]; do echo "  - {name: b$i, endpoints: [{name: a, address: 10.0.0.1}]}"; i=$((i + 1)); done
  echo 'listeners: []'; } >>gpc.yaml
