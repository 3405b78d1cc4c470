# SPDX-License-Identifier: MIT
head -c 10000001 /dev/zero | tr '\0' '#' >large.yaml
