# SPDX-License-Identifier: MIT
# The independent oracles alone: the C programs of tests/oracle and the second image reader.

check-oracle: $(ORACLES) $(GPC) ## the independent oracles: Maglev, VIP lookup, flow hash, image reader
	@failed=0; \
	for program in $(ORACLES); do $$program || failed=1; done; \
	tests/oracle/image_check.py $(GPC) examples/*.yaml examples/*/gpc.yaml || failed=1; \
	exit $$failed

.PHONY: check-oracle
