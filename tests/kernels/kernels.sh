#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make check-kernels [KERNELS="6.1 6.12"] [TESTS="bpf/... e2e/..."]: the bpf tier and part of the e2e tier on
# Debian's older kernels, each in a qemu guest without acceleration: minutes per kernel. Exit 1 if a test fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
declare -A suites=([6.1]=bookworm [6.12]=bookworm-backports)
kernels=${KERNELS:-6.1 6.12}
# Left out: millions of questions, which ask the same program of user space and kernel.
left_out=" bpf/classify_oracle_test bpf/oracle_test bpf/flip_test "
scripts=${E2E:-modes drain devices reject audit recheck upgrade restore two_applies}

chosen=()
for program in $(make --no-print-directory -s print-bpf); do
	name=bpf/${program##*/}
	if [[ $left_out == *" $name "* ]]; then echo "skip $name: too long without acceleration"; else chosen+=("$name"); fi
done
for script in $scripts; do chosen+=("e2e/${script}_test"); done
[ -z "${TESTS:-}" ] || read -ra chosen <<<"$TESTS"

failed=0
for kernel in $kernels; do
	folder=build/kernels/$kernel
	tests/kernels/fetch.sh "$folder" "$kernel" "${suites[$kernel]:?no suite is known for kernel $kernel}"
	/usr/bin/python3 tests/kernels/initramfs.py "$folder" "$folder/guest.cpio"
	echo "---- $(cat "$folder/complete")"
	# Without cx16: QEMU 7.2 now and then spoils the flags after a cmpxchg16b, on which the kernel's allocator relies.
	timeout -k 10 "${GPC_KERNEL_LIMIT:-9000}" qemu-system-x86_64 -accel tcg,thread=single -cpu max,-cx16 -smp 2 \
		-m 3072 -nodefaults -display none -no-reboot -serial stdio \
		-kernel "$folder"/tree/boot/vmlinuz-* -initrd "$folder/guest.cpio" \
		-append "console=ttyS0 quiet panic=-1 gpc.limit=${GPC_TEST_LIMIT:-1800} gpc.tests=$(IFS=,; echo "${chosen[*]}")" </dev/null 2>&1 |
		sed -u 's/\r$//' | tee "$folder/log" | grep --line-buffered -aE "^(RESULT|  [|=])|panic|Oops" || true
	rm -f "$folder/guest.cpio"
	passed=$(grep -acE "^RESULT [^ ]+ 0 " "$folder/log" || true)
	echo "$kernel: $passed of ${#chosen[@]} passed"
	grep -qa GUEST-END "$folder/log" && [ "$passed" -eq ${#chosen[@]} ] || failed=1
done
exit $failed
