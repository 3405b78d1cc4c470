# SPDX-License-Identifier: MIT
# Programs that scripts of the tests use.

$(BUILD)/tests/tools/herd: $(call object,tests/bpf/frame.c)
