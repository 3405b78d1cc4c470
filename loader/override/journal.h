/* SPDX-License-Identifier: MIT */
/*
 * journal.h: the overrides of a host, live and ended, in one file of the state folder. It is replaced as a
 * whole (written beside, synced, renamed), so a reader finds the old or the new text whenever gpc dies.
 *
 *   $GPC_STATE_DIR/overrides.jsonl    a head {type, version, count, sha256 of the rest}, then one JSON
 *                                     object a line, oldest first; times are UTC
 *
 * It is what an operator said; what packets see are words in maps, made from it (words.h). A command that
 * is killed between both leaves a journal that is ahead, and the next one that takes the lock catches up.
 */
#ifndef GPC_LOADER_OVERRIDE_JOURNAL_H
#define GPC_LOADER_OVERRIDE_JOURNAL_H

#include "../fail.h"
#include "override.h"

#define GPC_JOURNAL_LIVE	4096u	/* overrides at once */
#define GPC_JOURNAL_ENDED	500u	/* that are remembered */

/* A missing one is empty. FAILED, with a hint, when it cannot be read or is not as gpc wrote it. */
int gpc_journal_load(const char *state_dir, struct gpc_overrides *ret, struct gpc_failure *failure);
/* Needs the lock. Forgets the oldest ended ones. */
int gpc_journal_save(const char *state_dir, const struct gpc_overrides *overrides,
		     struct gpc_failure *failure);

/* "2026-05-01T12:00:00.250Z" and back; false for anything else. */
#define GPC_JOURNAL_TIME 40
char *gpc_journal_time(int64_t utc_ms, char out[GPC_JOURNAL_TIME]);
bool gpc_journal_time_parse(const char *text, int64_t *ret_utc_ms);

#endif
