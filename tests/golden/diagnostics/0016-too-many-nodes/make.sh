# SPDX-License-Identifier: MIT
awk 'BEGIN { print "apiVersion: gpc/v1\nkind: Plane\ninclude: ["; for (i = 0; i < 1000000; i++) print "a,"; print "]" }' >gpc.yaml
