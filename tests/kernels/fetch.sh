#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh FOLDER VERSION SUITE: Debian's cloud kernel of that version, unpacked into FOLDER/tree. Asks the
# Debian mirror that this machine uses, with package lists of its own: nothing is installed.
set -euo pipefail
folder=$1 version=$2 suite=$3
[ ! -e "$folder/complete" ] || exit 0

# Either file may be missing, which grep calls a failure.
mirror=$(grep -shroE -m 1 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d || true)
mirror=$(head -n 1 <<<"$mirror" | tr -d ' ')
[ -n "$mirror" ] || { echo "fetch.sh: apt names no Debian mirror" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/tree"
chmod 755 "$folder"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$folder/apt/sources.list"
folder=$(realpath "$folder")
options=(-o "Dir::Etc::SourceList=$folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache"
	-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${options[@]}" -qq update
name=$(apt-cache "${options[@]}" search --names-only "^linux-image-${version//./\\.}\.[0-9].*-cloud-amd64\$" |
	awk '{print $1}' | sort -V | tail -n 1)
[ -n "$name" ] || { echo "fetch.sh: $suite has no cloud kernel $version" >&2; exit 1; }
(cd "$folder" && apt-get "${options[@]}" -qq download "$name")
dpkg-deb -x "$folder/$name"_*.deb "$folder/tree"
rm -rf "$folder/apt" "$folder/$name"_*.deb
echo "$name" >"$folder/complete"
