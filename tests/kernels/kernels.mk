# SPDX-License-Identifier: MIT
check-kernels: kernel-dependencies all test-programs failpoints others $(RIG_BPF) ## bpf and e2e tests on Debian's 6.1 and 6.12 in qemu guests: long
	@tests/kernels/kernels.sh

kernel-dependencies:
	@tests/install-dependencies.sh kernels

.PHONY: check-kernels kernel-dependencies
