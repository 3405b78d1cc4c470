/* SPDX-License-Identifier: MIT */
#include "parent.h"

#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../file.h"
#include "../history/history.h"
#include "command.h"
#include "output.h"

enum gpc_exit gpc_image_unlink(struct gpc_diags *diags, const struct gpc_image *linked,
			       struct gpc_image *ret)
{
	GPC_AUTO_FREE char *bytes = malloc(linked->size);

	if (!bytes)
		abort();
	memcpy(bytes, linked->bytes, linked->size);
	memset(bytes + linked->head->link_offset, 0, linked->size - linked->head->link_offset);
	return gpc_image_open(diags, "running image", bytes, linked->size, false, ret)
		       ? GPC_EXIT_OK
		       : GPC_EXIT_INVALID;
}

static enum gpc_exit open_live(struct gpc_diags *diags, struct gpc_image *ret,
			       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};

	if (gpc_plane_read(gpc_bpffs(), &plane, failure))
		return failure->code;
	if (plane.has_image)
		return gpc_image_unlink(diags, &plane.image, ret);
	gpc_fail(failure, GPC_EXIT_FAILED, 0, "%s",
		 plane.present ? plane.problem : "no plane is running that could be the parent");
	return failure->code;
}

static enum gpc_exit open_generation(const char *text, struct gpc_image *ret,
				     struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_generation generation;
	unsigned long number;

	if (!gpc_number_parse(text, 1, UINT32_MAX, &number))
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no generation's number", text);
	else if (!gpc_history_open(gpc_state_dir(), false, &history, failure) &&
		 !gpc_history_find(history, (uint32_t)number, &generation, failure) &&
		 !gpc_history_image(history, &generation, ret, NULL, failure))
		return GPC_EXIT_OK;
	return failure->code;
}

enum gpc_exit gpc_parent_open(const char *name, struct gpc_diags *diags, struct gpc_image *ret,
			      struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *bytes = NULL;
	size_t size, prefix = strlen(GPC_PARENT_GENERATION);

	if (!strcmp(name, GPC_PARENT_LIVE))
		return open_live(diags, ret, failure);
	if (!strncmp(name, GPC_PARENT_GENERATION, prefix))
		return open_generation(name + prefix, ret, failure);
	if (gpc_file_load(name, GPC_MAX_IMAGE_BYTES, &bytes, &size, failure))
		return failure->code;
	return gpc_image_open(diags, name, bytes, size, false, ret) ? GPC_EXIT_OK
								    : GPC_EXIT_INVALID;
}
