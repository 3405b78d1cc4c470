# SPDX-License-Identifier: MIT
# What is printed from the command table: docs/commands.md, the man page and the completions of shells;
# and docs/metrics.md from the table of metrics.

GENERATED += docs/commands.md docs/gpc.1 docs/gpc.bash docs/gpc.zsh docs/gpc.fish docs/metrics.md
generator_docs/commands.md := commands
generator_docs/gpc.1 := manpage
generator_docs/gpc.bash := completion bash
generator_docs/gpc.zsh := completion zsh
generator_docs/gpc.fish := completion fish
generator_docs/metrics.md := metrics

COMMAND_GENERATOR_C := $(wildcard loader/cmd/generate/*.c)
COMMAND_GENERATORS := $(patsubst loader/cmd/generate/%.c,$(BUILD)/generate/%,$(COMMAND_GENERATOR_C))

$(COMMAND_GENERATORS): $(BUILD)/generate/%: $(BUILD)/obj/loader/cmd/generate/%.o $(LOADER_LIB) $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

generate check-generated: $(COMMAND_GENERATORS)

# ---- the templates of gpc init, as rows of C ------------------------------------------------------

TEMPLATE_FILES := $(sort $(wildcard examples/templates/*/*.yaml examples/templates/*/*/*.yaml))
TEMPLATE_ROWS := $(BUILD_ROOT)/templates/template_files.inc

$(TEMPLATE_ROWS): $(TEMPLATE_FILES) loader/cmd/templates.awk
	@mkdir -p $(@D)
	$(call say,ROWS,$@)awk -f loader/cmd/templates.awk $(TEMPLATE_FILES) >$@.tmp && mv $@.tmp $@

$(call object,loader/cmd/template_files.c): $(TEMPLATE_ROWS)
$(call object,loader/cmd/template_files.c): CPPFLAGS += -I$(BUILD_ROOT)/templates
