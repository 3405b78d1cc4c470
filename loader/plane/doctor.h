/* SPDX-License-Identifier: MIT */
/*
 * doctor.h: what the probes of gpc doctor share. A probe that is not OK has a fix: a command to run.
 */
#ifndef GPC_LOADER_PLANE_DOCTOR_H
#define GPC_LOADER_PLANE_DOCTOR_H

#include "plane.h"
#include "survey.h"

struct gpc_doctor_probes {
	struct gpc_doctor_probe *items;
	size_t count;
	bool exhausted;		/* out of memory: the list is not complete */
};

/* The new probe, to be given found and fix; never NULL. */
struct gpc_doctor_probe *gpc_doctor_add(struct gpc_doctor_probes *probes, enum gpc_health health,
				const char *format, ...) __attribute__((format(printf, 3, 4)));
void gpc_doctor_found(struct gpc_doctor_probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void gpc_doctor_fix(struct gpc_doctor_probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* First number in a file of /proc or /sys; -1 if there is none. */
long gpc_doctor_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The probes of an image's devices: foreign programs, native XDP, forwarding, MTU, next hops. */
int gpc_doctor_devices(struct gpc_doctor_probes *probes, struct gpc_survey *survey,
		      const struct gpc_image *image, struct gpc_failure *failure);

#endif
