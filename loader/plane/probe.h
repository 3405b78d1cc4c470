/* SPDX-License-Identifier: MIT */
/*
 * probe.h: what the probes of gpc doctor share. A probe that is not OK has a fix: a command to run.
 */
#ifndef GPC_LOADER_PLANE_PROBE_H
#define GPC_LOADER_PLANE_PROBE_H

#include "plane.h"
#include "survey.h"

struct gpc_probes {
	struct gpc_probe *items;
	size_t count;
	bool exhausted;		/* out of memory: the list is not complete */
};

/* The new probe, to be given found and fix; never NULL. */
struct gpc_probe *gpc_probe_add(struct gpc_probes *probes, enum gpc_health health,
				const char *format, ...) __attribute__((format(printf, 3, 4)));
void gpc_probe_found(struct gpc_probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void gpc_probe_fix(struct gpc_probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* First number in a file of /proc or /sys; -1 if there is none. */
long gpc_probe_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The probes of an image's devices: foreign programs, native XDP, forwarding, MTU, next hops. */
int gpc_probe_devices(struct gpc_probes *probes, struct gpc_survey *survey,
		      const struct gpc_image *image, struct gpc_failure *failure);

#endif
