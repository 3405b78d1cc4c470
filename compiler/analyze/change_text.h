/* SPDX-License-Identifier: MIT */
/* change_text.h: what changes.c and changes_policies.c share: a text that grows by notes, and records. */
#ifndef GPC_LOADER_HISTORY_CHANGE_TEXT_H
#define GPC_LOADER_HISTORY_CHANGE_TEXT_H

#include "changes.h"

struct gpc_change_text {
	char text[512];
	size_t used;
	bool alone;	/* of the change */
};

/* Adds "FORMAT", behind ", " if it is not the first; what does not fit is cut off. */
void gpc_change_note(struct gpc_change_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes `name` over. */
void gpc_changes_add(struct gpc_changes *changes, enum gpc_change_object object,
		     enum gpc_change_kind kind, char *name, const char *text);

const void *gpc_change_record(const struct gpc_image *image, enum gpc_section_id section,
			      uint32_t index);

#endif
