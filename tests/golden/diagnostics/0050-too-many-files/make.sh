# SPDX-License-Identifier: MIT
mkdir parts
for i in $(seq 1 1001); do : >"parts/$i.yaml"; done
