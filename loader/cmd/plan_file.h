/* SPDX-License-Identifier: MIT */
/*
 * plan_file.h: `.gpp`: an image, and what it was looked at against. It is applied only while that is so.
 * All integers are little-endian.
 *
 *   0     struct gpc_plan_head   what it was made against; its digest is SHA-256 of the whole file,
 *                                taken as zero itself
 *   256   the image (.gpi), checked like any other
 *   then  JSON text: {"inputs":[...],"environment":...,"sources":{PATH:TEXT}}, for the history; empty
 *         for an image, or where --parent was given
 */
#ifndef GPC_LOADER_CMD_PLAN_FILE_H
#define GPC_LOADER_CMD_PLAN_FILE_H

#include "input.h"
#include "plan_basis.h"

#define GPC_PLAN_MAGIC 0x31505047u /* "GPP1" */
#define GPC_PLAN_VERSION 2u
#define GPC_PLAN_ENFORCE (1u << 0) /* --enforce was given */

struct gpc_plan_head {
	uint32_t magic;
	uint16_t version;
	uint16_t head_size;
	uint32_t size;	/* of the file */
	uint32_t flags; /* GPC_PLAN_* */
	uint32_t image_size;
	uint32_t pad0;
	uint8_t digest[32];
	struct gpc_plan_basis basis;
	uint8_t pad[40];
};
_Static_assert(sizeof(struct gpc_plan_head) == 256, "plan head");

/* Writes the file, whole or not at all. `environment`: of -e, or NULL. */
int gpc_plan_save(const char *path, const struct gpc_plan_basis *basis, bool enforce,
		  const struct gpc_input *input, const char *environment,
		  struct gpc_failure *failure);

/* By its name or its first bytes. */
bool gpc_plan_is_file(const char *path);
/*
 * The image goes into *ret_input as from a file, with the sources and inputs if it has them; what it was
 * made against into *ret. *ret_environment: in the arena of the input, or NULL.
 */
enum gpc_exit gpc_plan_open(const struct gpc_call *call, const char *path,
			    struct gpc_input *ret_input, struct gpc_plan_head *ret,
			    const char **ret_environment);
/* The same as a command's operand: USAGE where an option of the call says otherwise than the plan. */
enum gpc_exit gpc_plan_load(const struct gpc_call *call, const char *path,
			    struct gpc_input *ret_input, struct gpc_plan_head *ret,
			    const char **ret_environment);
/* CONFLICT unless what it was made against is so; the caller holds the lock. `image`: the plan's. */
int gpc_plan_check(const struct gpc_call *call, const struct gpc_plan_head *plan,
		   const struct gpc_image *image, struct gpc_failure *failure);

#endif
