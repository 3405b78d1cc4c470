# SPDX-License-Identifier: MIT
# The programs of bpf/ as part of gpc: headers of the shim come first, and what BPF code may do that C
# of this project does not (type punning, unaligned loads, functions without prototypes) is allowed.

$(call object,loader/sim/walk.c): CPPFLAGS := -Iloader/sim/shim -Ibpf $(CPPFLAGS) $(if $(SAN),-fno-sanitize=alignment)
$(call object,loader/sim/walk.c): WARNINGS += -Wno-missing-prototypes -Wno-unknown-pragmas -Wno-sign-compare -Wno-unused-function \
	-Wno-shadow
$(call object,loader/sim/walk.c): CFLAGS += -fno-strict-aliasing

# So it is with the test of their flow tables.
TABLE_TESTS := $(call object,tests/unit/loader/sim/flow_table_test.c tests/unit/loader/sim/busy_test.c)
$(TABLE_TESTS): CPPFLAGS := -Iloader/sim/shim -Ibpf $(CPPFLAGS) $(if $(SAN),-fno-sanitize=alignment)
$(TABLE_TESTS): WARNINGS += -Wno-missing-prototypes -Wno-unknown-pragmas -Wno-sign-compare \
	-Wno-unused-function -Wno-shadow
$(TABLE_TESTS): CFLAGS += -fno-strict-aliasing
