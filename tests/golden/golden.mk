# SPDX-License-Identifier: MIT
# Golden tests: input and the exact output. UPDATE=1 rewrites the expected output.

DIAGNOSTICS := $(BUILD)/tests/golden/diagnostics

$(DIAGNOSTICS): $(BUILD)/obj/tests/golden/diagnostics.o $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(COMPILER_LIBS)

golden: check-golden ## golden tests of diagnostics, tables, layout, templates and completions; UPDATE=1 rewrites what is expected

check-golden: $(DIAGNOSTICS) $(GPC)
	@failed=0; \
	UPDATE=$(UPDATE) tests/golden/diagnostics.sh $(DIAGNOSTICS) || failed=1; \
	UPDATE=$(UPDATE) tests/golden/tables.sh $(DIAGNOSTICS) || failed=1; \
	UPDATE=$(UPDATE) tests/golden/layout.sh $(GPC) || failed=1; \
	tests/golden/init.sh $(GPC) || failed=1; \
	tests/golden/completion.sh $(GPC) || failed=1; \
	tests/golden/manual.sh || failed=1; \
	exit $$failed

.PHONY: golden check-golden
