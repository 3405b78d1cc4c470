/* SPDX-License-Identifier: MIT */
/*
 * completion.h: what a shell needs to complete gpc's commands, options and values, written from the
 * command table. What a value is stands in the table as the word for it: FILE, IF, ENV.
 */
#ifndef GPC_LOADER_CMD_COMPLETION_H
#define GPC_LOADER_CMD_COMPLETION_H

#include "command.h"

struct gpc_hint {
	bool files, folders, interfaces, overlays, templates;
	char words[96]; /* parted by spaces; empty: none */
};

/* By the words of an option's argument or a command's operands. */
struct gpc_hint gpc_hint_of(const char *argument);
bool gpc_hint_is_empty(const struct gpc_hint *hint);

void gpc_completion_bash(FILE *out);
void gpc_completion_zsh(FILE *out);
void gpc_completion_fish(FILE *out);

/* Of the shell called so; false if there is none. */
bool gpc_completion_print(const char *shell, FILE *out);

#endif
