# SPDX-License-Identifier: MIT
printf "apiVersion: gpc/v1\nkind: Plane\ninclude: [\n" >gpc.yaml
yes a,a,a,a,a,a,a,a, | head -n 500000 >>gpc.yaml
echo "]" >>gpc.yaml
