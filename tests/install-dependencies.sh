#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building, testing and the demo need. Says what it does; does
# nothing when all is there; needs root only when something is missing.
set -eu

packages="clang llvm gcc make pkg-config git bpftool libbpf-dev libyaml-dev libgit2-dev libcunit1-dev \
libelf-dev zlib1g-dev libssl-dev libjson-c-dev libmnl-dev libpcap-dev libclang-rt-14-dev clang-format universal-ctags \
iproute2 ethtool nftables iputils-ping procps util-linux python3 python3-jsonschema python3-yaml zsh fish mandoc"

# `kernels`: what make check-kernels needs beside it.
[ "${1:-}" != kernels ] || packages="$packages qemu-system-x86 busybox-static cpio kmod"

missing=""
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "missing Debian packages:$missing"
if [ "$(id -u)" -ne 0 ]; then
	echo "error: installing them needs root; run: sudo $0" >&2
	exit 1
fi
echo "installing them with apt-get"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "error: apt-get could not install:$missing" >&2
	exit 1
fi
echo "installed"
