# SPDX-License-Identifier: MIT
# The independent oracles alone: the C programs of tests/oracle and the second image reader.

# Rules as plain data and what they mean by going through them: linked into whoever asks them.
RULE_SETS := $(addprefix tests/oracle/,rule_set.c rule_library.c rule_compile.c rule_yaml.c rule_sets.c rule_sets_odd.c \
	rule_classbench.c rule_questions.c rule_suite.c)
RULE_PROGRAMS := $(addprefix $(BUILD)/tests/,oracle/boxes_oracle oracle/classify_oracle oracle/atlas_sets_oracle \
	bpf/classify_oracle_test bench/compile_bench bench/classify_bench bench/analysis_bench)

$(RULE_PROGRAMS): $(call object,$(RULE_SETS))

$(BUILD)/tests/oracle/atlas_oracle: $(call object,tests/oracle/small_plane.c)

check-oracle: $(ORACLES) $(GPC) $(BUILD)/tests/tools/choose ## the independent oracles: Maglev, VIPs, flow hash, images, policies
	@failed=0; \
	for program in $(ORACLES); do $$program || failed=1; done; \
	tests/oracle/image_check.py $(GPC) examples/*.yaml examples/*/gpc.yaml \
		tests/golden/tables/policies.yaml tests/fuzz/image/invariants.yaml || failed=1; \
	tests/oracle/policy_check.py $(GPC) || failed=1; \
	tests/oracle/choice_check.py $(GPC) $(BUILD)/tests/tools/choose || failed=1; \
	exit $$failed

.PHONY: check-oracle
