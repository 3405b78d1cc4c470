# SPDX-License-Identifier: MIT
# The targets that run tests, the demo and the measurements. The tiers stand in tests/check.sh; the
# part of the tree that is tested owns its own target (golden, drift, fuzz) in a *.mk of its own folder.

TIERS ?=

check: dependencies ## build and run every tier of tests; TIERS="unit lint" for some of them
	@tests/check.sh $(TIERS)

check-long: dependencies ## the same with 1,000 applies and 10 minutes of fuzzing per target
	@tests/check.sh --long $(TIERS)

demo: dependencies ## a client, a balancer and three backends in network namespaces; needs root
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all tools
	@tests/demo.sh

lint: ## layers, sizes, headers, SPDX, shell, control word
	@tests/check.sh lint

BENCH_NAMES := maglev compile classify analysis packet swap live

bench: ## all measurements: `name value` on stdout, method on stderr
	@for name in $(BENCH_NAMES); do $(MAKE) --no-print-directory -s bench-$$name || exit 1; done

# One benchmark each: a program tests/bench/NAME_bench.c, or a script tests/bench/NAME.sh around it.
$(addprefix bench-,$(BENCH_NAMES)): bench-%: $(GPC) $(BUILD)/tests/bench/%_bench tools
	@if [ -x tests/bench/$*.sh ]; then tests/bench/$*.sh; else $(BUILD)/tests/bench/$*_bench; fi

bench-programs: $(BENCHES)

# ---- for tests/check.sh --------------------------------------------------------------------------

unit-programs: $(UNIT_COMPILER) $(UNIT_LOADER)
print-unit:
	@echo $(UNIT_COMPILER) $(UNIT_LOADER)
print-oracle:
	@echo $(ORACLES)
print-bpf:
	@echo $(BPFTESTS)
# For tests/lint/headers.sh: what headers include that is generated, and how C and how BPF is compiled.
generated-headers: $(BPF_TEST_SKELETONS)
print-c-flags:
	@echo $(CC) $(ALL_CFLAGS)
print-bpf-flags:
	@echo $(CLANG) $(BPF_CFLAGS) -DGPC_IMAGE_LOG2=22

# ---- programs that run beside gpc in the tests ----------------------------------------------------

RIG_BPF := $(patsubst tests/%.bpf.c,$(BUILD_ROOT)/tests/%.bpf.o,$(wildcard tests/e2e/*.bpf.c tests/bench/live.bpf.c))

$(RIG_BPF): $(BUILD_ROOT)/tests/%.bpf.o: tests/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

tools: $(TOOLS) $(RIG_BPF)

.PHONY: generated-headers check check-long demo lint bench $(addprefix bench-,$(BENCH_NAMES)) bench-programs tools unit-programs print-unit print-oracle \
	print-bpf print-c-flags print-bpf-flags
