# SPDX-License-Identifier: MIT
# Tests of the data plane: helpers linked into each, and the BPF programs beside gpc's own.

BPF_TEST_HELPERS := $(call object,tests/bpf/frame.c tests/bpf/kernel.c tests/bpf/plane.c tests/bpf/rig.c tests/bpf/classify_rig.c tests/bpf/stack.c)
BPF_TEST_SKELETONS := $(BUILD_ROOT)/bpf/meta.skel.h \
	$(BUILD_ROOT)/bpf/stages.skel.h $(BUILD_ROOT)/bpf/vip_lookup.skel.h

$(BPFTESTS): $(BPF_TEST_HELPERS)
$(addprefix $(BUILD)/tests/bpf/,policy_test state_test flip_test packet_cases_test cookie_test short_way_test): $(call object,tests/bpf/policy_rig.c)
$(addprefix $(BUILD)/tests/,bpf/vip_test): $(call object,tests/bpf/vip_rig.c)
$(call object,tests/bpf/vip_rig.c): | $(BPF_TEST_SKELETONS)
$(BPF_TEST_HELPERS) $(call object,tests/bpf/policy_rig.c): | $(SKELETONS)
$(call object,tests/bpf/hop_test.c tests/bpf/reject_test.c tests/bpf/quoted_test.c tests/bpf/rate_test.c \
	tests/bpf/event_test.c): | $(BPF_TEST_SKELETONS)

$(BUILD_ROOT)/bpf/meta.bpf.o $(BUILD_ROOT)/bpf/stages.bpf.o $(BUILD_ROOT)/bpf/vip_lookup.bpf.o: $(BUILD_ROOT)/bpf/%.bpf.o: tests/bpf/%.bpf.c \
		tests/bpf/stages.h tests/bpf/vip_job.h $(wildcard bpf/*.bpf.h bpf/include/gpc/*.h bpf/include/gpc/lookup/*.h) GNUmakefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -I. -DGPC_IMAGE_LOG2=22 -c -o $@.tmp $< && $(LLVM_STRIP) -g $@.tmp && \
		mv $@.tmp $@

CLASSIFY_SKELETONS := $(foreach n,$(SIZE_CLASSES),$(BUILD_ROOT)/bpf/classify_$(n).skel.h)
$(call object,tests/bpf/classify_rig.c): | $(CLASSIFY_SKELETONS)

$(BUILD_ROOT)/bpf/classify_%.bpf.o: tests/bpf/classify.bpf.c tests/bpf/classify_job.h \
		$(wildcard bpf/include/gpc/*.h bpf/include/gpc/lookup/*.h) GNUmakefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -I. -DGPC_IMAGE_LOG2=$* -c -o $@.tmp $< && \
		$(LLVM_STRIP) -g $@.tmp && mv $@.tmp $@

$(BUILD_ROOT)/bpf/%.skel.h: $(BUILD_ROOT)/bpf/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $* > $@.tmp && mv $@.tmp $@

check-bpf: $(BPFTESTS) ## packets through the programs by BPF_PROG_TEST_RUN; needs root
	@failed=0; for t in $(BPFTESTS); do $$t || failed=1; done; exit $$failed

.PHONY: check-bpf
.PRECIOUS: $(BUILD_ROOT)/bpf/%.bpf.o $(BUILD_ROOT)/bpf/classify_%.bpf.o
