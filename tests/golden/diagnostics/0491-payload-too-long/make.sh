# SPDX-License-Identifier: MIT
{
	printf 'apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\nprobes:\n- name: long\n  udp:\n    address: 192.0.2.1\n    port: 53\n'
	printf '    send: %s\n' "$(head -c 1400 /dev/zero | tr '\0' x)"
	printf '    expect: "0x%s"\n' "$(head -c 2802 /dev/zero | tr '\0' 0)"
} >gpc.yaml
