#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The state folder in every bad shape: read-only, full, corrupted, foreign; a clock set back; no
# bpffs. Each is one clear message and the right exit code; the running plane is untouched.
. "$(dirname "$0")/rig.bash"
STATE=$WORK/state/balancer
rig_cleanup() { umount "$STATE" 2>/dev/null; }
rig_up 3

# refused WHAT EXIT COMMAND...: gpc refuses with EXIT and one error, and changes nothing.
refused() {
	local what=$1 status=$2 before
	shift 2
	before=$(running)
	check_exit "$what: exit $status" "$status" gpc balancer "$@"
	check_equal "$what: one error" "$(gpc balancer "$@" 2>&1 | grep -c 'error')" 1
	check_equal "$what: the running plane is untouched" "$(running)" "$before"
	check "$what: traffic goes on" all_answer "$VIP4" 50 backend1 backend2
}

plane dsr 46 1 2 >"$WORK/plane.yaml"
plane dsr 46 3 >"$WORK/other.yaml"
mkdir -m 700 "$STATE"
must mount -t tmpfs -o size=24m,mode=700 none "$STATE"
check "apply" gpc balancer apply "$WORK/plane.yaml"

must mount -o remount,ro "$STATE"
refused "read-only state folder" 1 apply "$WORK/other.yaml"
check "status works on a read-only state folder" gpc balancer status
check "off works on a read-only state folder" gpc balancer off
check "on works on a read-only state folder" gpc balancer on
check "restore needs only the lock" gpc balancer restore
check "detach needs only the lock" gpc balancer detach
check "restore brings the plane back" gpc balancer restore
check "traffic" all_answer "$VIP4" 50 backend1 backend2
must mount -o remount,rw "$STATE"

head -c 64M /dev/zero >"$STATE/filler" 2>/dev/null
refused "full state folder" 1 apply "$WORK/other.yaml"
rm "$STATE/filler"
check "with space again the apply works" gpc balancer apply "$WORK/other.yaml"
check "traffic" all_answer "$VIP4" 50 backend3
check "rollback" gpc balancer rollback

must gpc balancer apply "$WORK/other.yaml" --confirm 60s
head -c 64M /dev/zero >"$STATE/filler" 2>/dev/null
check_exit "full state folder: nothing is confirmed" 1 gpc balancer confirm
check_said "full state folder: it says so" "waits on, until"
check_said "full state folder: with the cause" "No space left on device"
check "full state folder: abort works" gpc balancer abort
check "traffic" all_answer "$VIP4" 10 backend1 backend2
rm "$STATE/filler"
must gpc balancer apply "$WORK/other.yaml" --confirm 60s
check "with space again it is confirmed" gpc balancer confirm
check "traffic" all_answer "$VIP4" 10 backend3
check "and taken back" gpc balancer rollback
check "the history is a sound git repository" git -C "$STATE/history.git" fsck --strict

must umount "$STATE"
check "a new state folder" gpc balancer apply "$WORK/plane.yaml"
cp -a "$STATE" "$WORK/sound"
restore_state() { rm -rf "$STATE"; cp -a "$WORK/sound" "$STATE"; }

head -c 100 /dev/urandom >"$STATE/history.git/HEAD"
refused "corrupted HEAD" 1 apply "$WORK/other.yaml"
restore_state
find "$STATE/history.git/objects" -type f -exec sh -c 'chmod u+w "$1"; : >"$1"' _ {} \;
refused "empty objects" 1 apply "$WORK/other.yaml"
restore_state
rm -rf "$STATE/history.git/objects"
refused "lost objects" 1 apply "$WORK/other.yaml"
restore_state
rm -rf "$STATE/history.git"
echo "not a repository" >"$STATE/history.git"
refused "a file in the repository's place" 1 apply "$WORK/other.yaml"
restore_state
chown -R 65534 "$STATE/history.git"
refused "a repository of somebody else" 1 apply "$WORK/other.yaml"
restore_state
chmod 777 "$STATE"
refused "a state folder that all may write" 1 apply "$WORK/other.yaml"
restore_state
printf '[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tfsmonitor = "touch %s/owned"\n[alias]\n\tlog = !touch %s/owned\n' "$WORK" "$WORK" >"$STATE/history.git/config"
gpc balancer apply "$WORK/other.yaml" >/dev/null 2>&1
check_exit "nothing in the repository's config is run" 1 test -e "$WORK/owned"
restore_state

# Images of the store that were changed are noticed: by their name, which is their digest.
check "apply the other plane" gpc balancer apply "$WORK/other.yaml"
for f in "$STATE"/images/sha256/*.gpi; do chmod u+w "$f"; printf 'x' | dd of="$f" bs=1 seek=600 conv=notrunc status=none; done
before=$(running)
gpc balancer rollback >"$WORK/out" 2>&1
status=$?
if [ "$status" -eq 0 ]; then
	check "a changed image in the store is rebuilt from the sources" all_answer "$VIP4" 50 backend1 backend2
else
	check_equal "a changed image in the store is refused, the plane untouched" "$(running)" "$before"
fi
rm -rf "$STATE"
cp -a "$WORK/sound" "$STATE"

# A clock that was set back: generations are numbered, not timed.
cat >"$WORK/clock.c" <<'C'
#include <sys/time.h>
#include <time.h>
time_t time(time_t *t) { if (t) *t = 1000000000; return 1000000000; }
int gettimeofday(struct timeval *tv, void *tz) { (void)tz; *tv = (struct timeval){1000000000, 0}; return 0; }
C
must gcc -shared -fPIC -o "$WORK/clock.so" "$WORK/clock.c"
plane dsr 46 2 3 >"$WORK/other.yaml"
check "apply with the clock set back to 2001" env LD_PRELOAD="$WORK/clock.so" bash -c '
	GPC_STATE_DIR=$1 GPC_BPFFS=$2 exec nsenter --net="$3" "$4" apply "$5"' _ \
	"$STATE" "$BPFFS/balancer" "/run/netns/$RIG-balancer" "$GPC" "$WORK/other.yaml"
check "traffic" all_answer "$VIP4" 50 backend2 backend3
check "rollback afterwards" gpc balancer rollback
check "it goes to the generation before" all_answer "$VIP4" 50 backend1 backend2

# No bpffs at the place that GPC_BPFFS names: below another file system, or hidden by a fresh /sys.
hidden() { # ARGS...: gpc as `ip netns exec` runs it, which mounts a new /sys
	GPC_STATE_DIR=$STATE GPC_BPFFS=$BPFFS/balancer ip netns exec "$RIG-balancer" "$GPC" "$@"
}
other_folder() { GPC_STATE_DIR=$STATE GPC_BPFFS=$BPFFS/other in_ns balancer "$GPC" "$@"; }
must gpc balancer apply "$WORK/plane.yaml"
before=$(running)
for command in "apply $WORK/other.yaml" status off detach; do
	check_exit "a running plane whose bpffs is hidden: $command" 5 hidden $command
	check_said "the message names the command that mends it" "mount -t bpf"
done
check_exit "apply with the wrong GPC_BPFFS" 5 other_folder apply "$WORK/other.yaml"
check_said "the program is not called somebody else's" "another gpc plane"
check_equal "the running plane is untouched" "$(running)" "$before"
check "traffic goes on" all_answer "$VIP4" 50 backend1 backend2
must gpc balancer detach
check_exit "a first apply where no bpffs is to be seen" 5 hidden apply "$WORK/plane.yaml"
check_equal "no program is attached" "$(ip -n "$RIG-balancer" link show wan0 | grep -c prog/xdp)" 0
mkdir "$WORK/plain"
check_exit "GPC_BPFFS on another file system" 5 env GPC_STATE_DIR="$STATE" GPC_BPFFS="$WORK/plain/gpc" \
	nsenter --net="/run/netns/$RIG-balancer" "$GPC" apply "$WORK/plane.yaml"
check_said "the message says bpffs" bpf
check "doctor runs" gpc balancer doctor

# A kernel without BTF: all of it works, and doctor says what it found.
without_btf() { # ARGS...
	GPC_STATE_DIR=$STATE GPC_BPFFS=$BPFFS/balancer unshare -m bash -c '
		mount -t tmpfs none /sys/kernel/btf && exec nsenter --net="$0" "$@"' \
		"/run/netns/$RIG-balancer" "$GPC" "$@"
}
check "without BTF: doctor" without_btf doctor
check_said "it says so" "the kernel has none"
check "without BTF: apply" without_btf apply "$WORK/plane.yaml"
check "without BTF: status" without_btf status
check "without BTF: verify" without_btf verify --exit-code
check "traffic" all_answer "$VIP4" 50 backend1 backend2
rig_done
