# SPDX-License-Identifier: MIT
# gpc with failpoints (loader/plane/failpoint.h), for tests that kill it between any two steps.

FAILPOINTS_GPC := $(BUILD)/failpoints/gpc

$(FAILPOINTS_GPC): $(BUILD)/obj/loader/main.o $(BUILD)/obj/tests/failpoint/armed.o $(LOADER_LIB) $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lm

failpoints: $(FAILPOINTS_GPC) ## build gpc with failpoints, for tests only

.PHONY: failpoints
