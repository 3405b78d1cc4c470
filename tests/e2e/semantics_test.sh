#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The worked examples that packets can show, as `tests`: in user space and in the kernel, with the same
# result down to what each packet showed.
. "$(dirname "$0")/rig.bash"
cd "$RIG_ROOT/tests/semantics" || exit 1

both() { # WHAT ARGS...
	local what=$1
	shift
	check "$what, in user space" "$GPC" test "$@"
	check "$what, in the kernel" "$GPC" test --kernel "$@"
	"$GPC" test --json "$@" >"$WORK/user"
	"$GPC" test --json --kernel "$@" >"$WORK/kernel"
	check "$what: both saw the same" diff "$WORK/user" "$WORK/kernel"
}

both "the plane as it is" gpc.yaml audit.yaml
both "segmentation enforced" -e enforce gpc.yaml enforced.yaml
both "a policy for what leaves" -e egress gpc.yaml egress.yaml
both "nat, and what the stack and endpoints send" nat.yaml
both "small planes" small.yaml
both "chains with state and without" stateless.yaml
both "more flows than audit may enter" limits.yaml
# The way of a translated reply is the host's: the one that the kernel tests on has none.
check "more flows than nat may enter, in user space" "$GPC" test nat_limits.yaml
rig_done
