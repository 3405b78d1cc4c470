# SPDX-License-Identifier: MIT
# Golden tests: input and the exact output. UPDATE=1 rewrites the expected output.

DIAGNOSTICS := $(BUILD)/tests/golden/diagnostics

$(DIAGNOSTICS): $(BUILD)/obj/tests/golden/diagnostics.o $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(COMPILER_LIBS)

golden: check-golden ## golden tests of diagnostics and tables; UPDATE=1 rewrites what is expected

check-golden: $(DIAGNOSTICS)
	@failed=0; \
	UPDATE=$(UPDATE) tests/golden/diagnostics.sh $(DIAGNOSTICS) || failed=1; \
	UPDATE=$(UPDATE) tests/golden/tables.sh $(DIAGNOSTICS) || failed=1; \
	exit $$failed

.PHONY: golden check-golden
