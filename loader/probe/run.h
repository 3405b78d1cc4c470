/* SPDX-License-Identifier: MIT */
/*
 * run.h: asks what a probe asks, attempt by attempt, until one passes or all have failed. Sockets never
 * block and nothing outlives its timeout; a program is killed with its process group. Ends early when a
 * signal was noted (interrupt.h).
 */
#ifndef GPC_LOADER_PROBE_RUN_H
#define GPC_LOADER_PROBE_RUN_H

#include "probe.h"

#define GPC_PROBE_OUTPUT 4096u	/* bytes of what a program prints that are kept, the last ones */

struct gpc_probe_outcome {
	bool passed;
	bool interrupted;	/* neither passed nor failed */
	uint32_t attempts;	/* made */
	double ms;		/* all of it */
	char cause[256];	/* of the last attempt, when it failed */
	char output[GPC_PROBE_OUTPUT + 1];	/* of the last attempt's program */
	size_t output_size;
	bool output_cut;	/* there was more before it */
};

void gpc_probe_run(const struct gpc_probe *probe, struct gpc_probe_outcome *ret);

#endif
