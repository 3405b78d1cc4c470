# SPDX-License-Identifier: MIT
{ i=1; while [ $i -le 20972 ]; do echo "      - {name: e$i, address: 10.1.$((i / 250)).$((i % 250 + 1))}"; i=$((i + 1)); done
  echo 'listeners: [{name: http, address: 192.0.2.1, protocol: TCP, port: 80, backend: web}]'; } >>gpc.yaml
