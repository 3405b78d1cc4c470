# SPDX-License-Identifier: MIT
# Two gpcs that are not this one, for tests of upgrade: `newer-programs` has other programs and the same
# image layout, `newer-layout` another layout as well. Both are made of the same sources with a constant
# changed in a copy of the shared headers.

OTHER := $(BUILD_ROOT)/other
OTHER_HEADERS := $(patsubst bpf/include/%,$(OTHER)/include/%,$(wildcard bpf/include/gpc/*.h bpf/include/gpc/lookup/*.h))

$(OTHER)/include/%: bpf/include/% tests/upgrade/upgrade.mk
	@mkdir -p $(@D)
	$(Q)sed -e 's/^\(#define GPC_TRIE4_STEPS\s*\)5u/\16u/' \
		-e 's/^\(#define GPC_ABI_HASH\s*\).*/\10x0badcafeu/' $< >$@

$(OTHER)/gpc: $(OTHER_HEADERS) FORCE
	$(Q)CPPFLAGS=-I$(OTHER)/include $(MAKE) --no-print-directory BUILD_ROOT=$(OTHER) VERSION=9.9.9 CFLAGS=-O2 \
		CLANG='$(CLANG) -I$(OTHER)/include' all

$(OTHER)/prog.o: loader/plane/prog.c $(OTHER)/gpc
	$(call say,CC,$@)$(CC) -I$(OTHER)/bpf $(ALL_CFLAGS) -c -o $@ $<

$(OTHER)/newer-programs: $(BUILD)/obj/loader/main.o $(OTHER)/prog.o $(LOADER_LIB) $(COMPILER_LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lm

$(OTHER)/newer-layout: $(OTHER)/gpc
	$(Q)ln -f $< $@

others: $(OTHER)/newer-programs $(OTHER)/newer-layout ## build the gpcs that tests upgrade to

.PHONY: others FORCE
