/* SPDX-License-Identifier: MIT */
/*
 * atlas_sheet.h: the inside of an atlas: its places, its atoms, and a sheet for each place that is asked about, with
 * the charts of both images. Atoms of one line in each image are a joint line. For analyze/atlas*.c only.
 */
#ifndef GPC_ANALYZE_ATLAS_SHEET_H
#define GPC_ANALYZE_ATLAS_SHEET_H

#include "chart.h"
#include "line.h"

/* Atoms that are alike in all classes of addresses. */
struct gpc_atlas_joint {
	uint32_t line[2];		/* by image */
};

struct gpc_atlas_sheet {
	struct gpc_kinds kinds;
	struct gpc_effects effects;
	struct gpc_chart chart[2];	/* by image */
	struct gpc_steps joints[2];	/* by side: lines of both images */
	uint32_t *joint_of[2];		/* by side and atom */
	uint32_t *service;		/* sets of the options' services */
	uint32_t scope[2], common_scope;	/* sets: packets that count, by image and of a comparison */
	uint32_t *nodes[2];		/* a row of each image */
};

/* The addresses of one side. */
struct gpc_atlas_atoms {
	struct gpc_atlas_atom *items;
	size_t count;
	uint32_t *listeners[2];		/* by image and atom: class of listeners' prefixes; destinations only */
	uint32_t listener_classes[2];
	bool *listened[2];		/* by class: some listener's prefix holds it */
};

struct gpc_atlas {
	struct gpc_arena *arena;
	struct gpc_atlas_options options;
	unsigned int images;
	const char *fault;
	struct gpc_atlas_place *places;
	size_t place_count;
	struct gpc_atlas_atoms atoms[2];	/* by side */
	struct gpc_atlas_sheet **sheets;	/* by place, NULL: not asked about yet */
};

/* False: atlas->fault. */
bool gpc_atlas_find_atoms(struct gpc_atlas *atlas);
void gpc_atlas_find_places(struct gpc_atlas *atlas);

/* The sheet of a place, made when it is first asked for. NULL: atlas->fault. */
struct gpc_atlas_sheet *gpc_atlas_sheet_of(struct gpc_atlas *atlas, size_t place);

/* The rows of a joint source line, into sheet->nodes; *work: cells met are added. False: atlas->fault. */
bool gpc_atlas_rows(struct gpc_atlas *atlas, struct gpc_atlas_sheet *sheet, uint32_t joint, uint64_t *work);

#endif
