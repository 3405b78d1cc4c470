# SPDX-License-Identifier: MIT
# Files that are generated from the tables of the compiler, kept in the tree: `make generate` writes
# them, `make check-generated` fails when they are not what the generators write today.

GENERATED := schemas/intent.v1.schema.json docs/reference.md docs/diagnostics.md docs/gpc.yaml.5 docs/gpc-image.5
generator_schemas/intent.v1.schema.json := schema
generator_docs/reference.md := reference
generator_docs/diagnostics.md := diagnostics
generator_docs/gpc.yaml.5 := manual docs/reference.md
generator_docs/gpc-image.5 := manual schemas/image.v1.md

GENERATORS := $(patsubst schemas/generate/%.c,$(BUILD)/generate/%,$(GENERATOR_C))

$(GENERATORS): $(BUILD)/generate/%: $(BUILD)/obj/schemas/generate/%.o $(COMPILER_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(COMPILER_LIBS)

generate: $(GENERATORS) ## write the files of the tree that are generated
	$(Q)$(foreach file,$(GENERATED),$(BUILD)/generate/$(generator_$(file)) >$(file).tmp && mv $(file).tmp $(file) &&) true

drift: check-generated ## generated files are what their generators write
check-generated: $(GENERATORS)
	@passed=0; failed=0; \
	$(foreach file,$(GENERATED),if $(BUILD)/generate/$(generator_$(file)) | diff -u $(file) -; \
		then passed=$$((passed + 1)); \
		else failed=$$((failed + 1)); echo "FAILED $(file): run make generate"; fi;) \
	echo "generated: $$passed passed, $$failed failed"; [ $$failed -eq 0 ]

golden: check-schema
check-schema: ## the JSON Schema takes the examples and refuses what the compiler refuses
	@/usr/bin/python3 tests/golden/schema.py

.PHONY: generate drift check-generated check-schema
