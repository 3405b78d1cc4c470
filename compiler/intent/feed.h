/* SPDX-License-Identifier: MIT */
/*
 * feed.h: the feeds of a plane's segments: files of prefixes, one a line. A feed is a source like
 * any document, so that messages show its lines and the history keeps it; it does not count against
 * what documents may have together.
 */
#ifndef GPC_INTENT_FEED_H
#define GPC_INTENT_FEED_H

#include "files.h"
#include "intent.h"

/* Reads and checks what the segments' `from` name, and fills in their prefixes. */
void gpc_feeds_read(struct gpc_files *files, struct gpc_intent *intent);

#endif
