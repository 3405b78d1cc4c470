# SPDX-License-Identifier: MIT
i=0; while [ $i -le 65535 ]; do echo "      - {name: e$i, address: 10.0.0.1}"; i=$((i + 1)); done >>gpc.yaml
