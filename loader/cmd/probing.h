/* SPDX-License-Identifier: MIT */
/*
 * probing.h: the probes of a switch: those of the image, unless --no-probes, then those of --probe, one
 * after the other; the first that fails ends it. Programs that came with the image run only with
 * --allow-exec: who may say what a plane decides may not yet run what it likes as root.
 */
#ifndef GPC_LOADER_CMD_PROBING_H
#define GPC_LOADER_CMD_PROBING_H

#include "../history/history.h"
#include "../probe/probe.h"
#include "command.h"

#define GPC_OPTION_PROBE                                                                           \
	{                                                                                          \
		0, "probe", "PROBE...",                                                            \
			"ask this after the switch, too (its form: see above)"                     \
	}
#define GPC_OPTION_NO_PROBES                                                                       \
	{                                                                                          \
		0, "no-probes", NULL, "ask none of the plane's own probes"                         \
	}
#define GPC_OPTION_ALLOW_EXEC                                                                      \
	{                                                                                          \
		0, "allow-exec", NULL, "run the programs that the plane's own probes name"         \
	}
#define GPC_OPTION_RETRY                                                                           \
	{                                                                                          \
		0, "retry", NULL, "apply it although its probes have failed before (quarantine)"   \
	}

/* Those of --probe. USAGE when one is none. */
int gpc_probing_given(const struct gpc_call *call, struct gpc_probes *probes,
		      struct gpc_failure *failure);
/*
 * Puts those of the image in front of them. INVALID when they cannot be read, REFUSED when there is a
 * program without --allow-exec.
 */
int gpc_probing_own(const struct gpc_call *call, const struct gpc_image *image,
		    struct gpc_probes *probes, struct gpc_failure *failure);

/*
 * Asks and says. 0: all have passed. Else *failure is ROLLED_BACK and names the probe and the cause, and
 * `result` is what the history is to say: "rolled-back(probe web: cause)" or "rolled-back(interrupted)".
 */
int gpc_probing_run(const struct gpc_call *call, const struct gpc_probes *probes,
		    char result[GPC_RESULT_TEXT], struct gpc_failure *failure);

/* REFUSED when the probes of this decision have failed since it last stood, and the call has no --retry. */
int gpc_quarantine_check(const struct gpc_call *call, struct gpc_history *history,
			 const struct gpc_image *image, struct gpc_failure *failure);

#endif
