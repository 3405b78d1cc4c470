# SPDX-License-Identifier: MIT
# Parts of the benchmarks that are more than one file, and the BPF programs beside gpc's own.

PACKET_BENCH := $(call object,tests/bench/packet_rig.c tests/bench/packet_vips.c)

$(BUILD)/tests/bench/packet_bench: $(PACKET_BENCH) $(call object,tests/bpf/frame.c tests/bpf/kernel.c tests/bpf/vip_rig.c)
$(PACKET_BENCH): | $(SKELETONS) $(BUILD_ROOT)/bpf/packet_wrapper.skel.h

$(BUILD_ROOT)/bpf/packet_wrapper.bpf.o: tests/bench/packet_wrapper.bpf.c tests/bench/packet_wrapper.h GNUmakefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c -o $@.tmp $< && $(LLVM_STRIP) -g $@.tmp && mv $@.tmp $@

$(BUILD)/tests/bench/compile_bench: $(call object,tests/bench/classify_sets.c)
$(BUILD)/tests/bench/classify_bench: $(call object,tests/bench/classify_sets.c tests/bench/classify_live.c tests/bpf/classify_rig.c tests/bpf/kernel.c)
$(call object,tests/bench/classify_bench.c): | $(CLASSIFY_SKELETONS)

CLASSIFY_LIVE_BPF := $(BUILD_ROOT)/tests/bench/classify_live.bpf.o

$(CLASSIFY_LIVE_BPF): tests/bench/classify_live.bpf.c tests/bench/classify_live_frame.h
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

bench-classify: $(CLASSIFY_LIVE_BPF)
