# SPDX-License-Identifier: MIT
# docs/commands.md is printed from the command table; the unit test holds it against the table, and
# writes it with UPDATE=1.

generate: generate-commands
generate-commands: $(BUILD)/tests/unit/loader/cmd/commands_test
	$(Q)UPDATE=1 $< >/dev/null

.PHONY: generate-commands
