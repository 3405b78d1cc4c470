# SPDX-License-Identifier: MIT
# Parts of the benchmarks that are more than one file.

$(BUILD)/tests/bench/compile_bench: $(call object,tests/bench/classify_sets.c)
$(BUILD)/tests/bench/classify_bench: $(call object,tests/bench/classify_sets.c tests/bench/classify_live.c tests/bpf/classify_rig.c tests/bpf/kernel.c)
$(call object,tests/bench/classify_bench.c): | $(CLASSIFY_SKELETONS)

CLASSIFY_LIVE_BPF := $(BUILD_ROOT)/tests/bench/classify_live.bpf.o

$(CLASSIFY_LIVE_BPF): tests/bench/classify_live.bpf.c tests/bench/classify_live_frame.h
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

bench-classify: $(CLASSIFY_LIVE_BPF)
