# SPDX-License-Identifier: MIT
# Golden tests: input and the exact output. UPDATE=1 rewrites the expected output.

DIAGNOSTICS := $(BUILD)/tests/golden/diagnostics

$(DIAGNOSTICS): $(BUILD)/obj/tests/golden/diagnostics.o $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(COMPILER_LIBS)

golden: check-golden ## golden tests of diagnostics; UPDATE=1 rewrites what is expected

check-golden: $(DIAGNOSTICS)
	@UPDATE=$(UPDATE) tests/golden/diagnostics.sh $(DIAGNOSTICS)

.PHONY: golden check-golden
