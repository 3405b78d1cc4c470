/* SPDX-License-Identifier: MIT */
/*
 * survey.h: the plane as it is found: instances, links, and the devices of this namespace. Every
 * command begins with one.
 */
#ifndef GPC_LOADER_PLANE_SURVEY_H
#define GPC_LOADER_PLANE_SURVEY_H

#include "binding.h"
#include "stage.h"

struct gpc_survey {
	bool present;			/* a complete instance is there */
	bool folder, used;		/* the folder is there; and something in it */
	struct gpc_netlink netlink;
	struct gpc_devices devices;
	struct gpc_links links;
	/*
	 * The current one first: the newest that a link runs, else the newest. Others are left over
	 * from a growth that was interrupted or is not retired yet.
	 */
	struct gpc_instance *instances;
	size_t count;
};

int gpc_survey_open(const char *bpffs, struct gpc_survey *ret, struct gpc_failure *failure);
void gpc_survey_close(struct gpc_survey *survey);

/* Makes the links those that the image wants, with the programs of `target`: attaches, then prunes. */
int gpc_survey_bind(struct gpc_survey *survey, const char *bpffs, const struct gpc_instance *target,
		    const struct gpc_image *image, const struct gpc_notice_sink *notices,
		    struct gpc_failure *failure);

/* The highest number of an instance, 0 if there is none. */
uint32_t gpc_survey_last_number(const struct gpc_survey *survey);

#endif
