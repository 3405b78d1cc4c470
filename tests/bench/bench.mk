# SPDX-License-Identifier: MIT
# Parts of the benchmarks that are more than one file.

$(BUILD)/tests/bench/compile_bench: $(call object,tests/bench/classify_sets.c)
