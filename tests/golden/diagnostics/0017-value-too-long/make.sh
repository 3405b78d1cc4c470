# SPDX-License-Identifier: MIT
{ printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: '; head -c 65537 /dev/zero | tr '\0' a; echo '}'; } >gpc.yaml
