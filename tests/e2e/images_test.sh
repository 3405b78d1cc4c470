#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bad images at apply: truncated at many lengths, one bit flipped in many places, newer, foreign
# endian, oversize, not a regular file. Each is refused (3), and the running plane is untouched.
. "$(dirname "$0")/rig.bash"
rig_up 2
plane dsr 46 1 2 >"$WORK/plane.yaml"
check "compile" gpc balancer compile -f "$WORK/plane.yaml" -o "$WORK/good.gpi"
check "apply the image" gpc balancer apply "$WORK/good.gpi"
before=$(running)

# bad WHAT MUTATION...: python statements that change the bytearray `b`.
mutate() {
	/usr/bin/python3 - "$WORK/good.gpi" "$WORK/bad.gpi" "$1" <<'PY'
import random, struct, sys
b = bytearray(open(sys.argv[1], "rb").read())
exec(sys.argv[3])
open(sys.argv[2], "wb").write(b)
PY
}
refused=0 taken=""
try() {
	local status=0
	gpc balancer apply "$WORK/bad.gpi" >"$WORK/out" 2>&1 || status=$?
	if [ "$status" -eq 3 ] && grep -q error "$WORK/out"; then refused=$((refused + 1)); else taken="$taken $1(exit $status)"; fi
}

size=$(stat -c %s "$WORK/good.gpi")
n=0
for length in 0 1 3 4 5 63 64 127 255 256 257 512 1000 4095 4096 4097 $((size / 2)) $((size - 4096)) $((size - 1)); do
	mutate "del b[$length:]"
	try "truncated-$length"
	n=$((n + 1))
done
check_equal "truncated images are refused" "$refused$taken" "$n"

refused=0 taken="" n=0
for seed in $(seq 1 60); do
	mutate "random.seed($seed); i = random.randrange(len(b)); b[i] ^= 1 << random.randrange(8)"
	try "flip-$seed"
	n=$((n + 1))
done
for offset in $(seq 0 4 255); do
	mutate "b[$offset] ^= 0x80"
	try "head-$offset"
	n=$((n + 1))
done
check_equal "images with one bit flipped are refused" "$refused$taken" "$n"

mutate 'struct.pack_into("<H", b, 4, 2)'
check_exit "an image for a newer gpc" 3 gpc balancer apply "$WORK/bad.gpi"
check_said "the message names the format that it needs" "image format 2"
mutate 'b[0:4] = b[0:4][::-1]'
check_exit "a foreign-endian image" 3 gpc balancer apply "$WORK/bad.gpi"
mutate 'b += bytes(65 * 1024 * 1024)'
check_exit "an oversize image" 3 gpc balancer apply "$WORK/bad.gpi"
mutate 'b += bytes(4096)'
check_exit "an image with bytes after its end" 3 gpc balancer apply "$WORK/bad.gpi"
: >"$WORK/empty.gpi"
check_exit "an empty file" 3 gpc balancer apply "$WORK/empty.gpi"
check_exit "a file that is not there" 3 gpc balancer apply "$WORK/missing.gpi"
mkdir "$WORK/folder.gpi"
check_exit "a folder" 3 gpc balancer apply "$WORK/folder.gpi"
mkfifo "$WORK/fifo.gpi"
check_exit "a FIFO, without waiting for it" 3 timeout 10 env GPC_STATE_DIR="$WORK/state/balancer" GPC_BPFFS="$BPFFS/balancer" \
	nsenter --net="/run/netns/$RIG-balancer" "$GPC" apply "$WORK/fifo.gpi"
ln -s good.gpi "$WORK/link.gpi"
check_exit "a symbolic link" 3 gpc balancer apply "$WORK/link.gpi"
printf 'apiVersion: gpc/v1\nkind: Plane\nnonsense: 1\n' >"$WORK/bad.yaml"
check_exit "an intent with an error" 3 gpc balancer apply "$WORK/bad.yaml"

check_equal "after all that the running plane is untouched" "$(running)" "$before"
check_equal "and the history has one generation" \
	"$(git -C "$WORK/state/balancer/history.git" log --format=%B | grep -c '^Gpc-Generation: ')" 1
check "traffic" all_answer "$VIP4" 100 backend1 backend2
check "the good image still applies" gpc balancer apply "$WORK/good.gpi"
rig_done
