# SPDX-License-Identifier: MIT
# libFuzzer targets: tests/fuzz/NAME_fuzz.c with the compiler's sources, by clang, with ASan and UBSan,
# into build/fuzz. The kept corpus is tests/fuzz/corpus/NAME, words for it tests/fuzz/NAME.dict.

FUZZ_BUILD := $(BUILD_ROOT)/fuzz
FUZZ_CFLAGS := -std=gnu17 -O1 -g1 -fno-omit-frame-pointer -fno-common $(WARNINGS) -fno-sanitize-recover=all
fuzz_object = $(patsubst %.c,$(FUZZ_BUILD)/obj/%.o,$(1))

$(FUZZ_BUILD)/obj/%.o: %.c GNUmakefile tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(call say,CLANG,$<)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined $(CPPFLAGS) \
		-include compiler/base/banned.h -MMD -MP -c -o $@ $<

$(FUZZERS): $(BUILD_ROOT)/tests/fuzz/%: $(FUZZ_BUILD)/obj/tests/fuzz/%.o $(call fuzz_object,$(COMPILER_C))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CLANG) -fsanitize=fuzzer$(comma)address$(comma)undefined -o $@ $^ $(COMPILER_LIBS)

# Rules as plain data, and first match by going through them.
$(BUILD_ROOT)/tests/fuzz/policy_fuzz: $(call fuzz_object,$(addprefix tests/oracle/,rule_set.c rule_library.c \
	rule_compile.c rule_sets.c rule_questions.c))

fuzzers: $(FUZZERS)

fuzz: fuzzers ## libFuzzer over the kept corpus, 40 s in all, or FUZZ_SECONDS for each target
	@tests/fuzz/run.sh $(or $(FUZZ_SECONDS),$(shell echo $$((40 / $(words $(FUZZERS)))))) $(FUZZERS)

fuzz-long: ## the same, 10 minutes for each target
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600

.PHONY: fuzzers fuzz fuzz-long

-include $(shell find $(FUZZ_BUILD)/obj -name '*.d' 2>/dev/null)
