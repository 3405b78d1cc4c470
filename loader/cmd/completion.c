/* SPDX-License-Identifier: MIT */
#include "completion.h"

#include <string.h>

#include "output.h"

/* ---- what a value is ---- */

static void add_words(struct gpc_hint *hint, const char *words, size_t size)
{
	size_t used = strlen(hint->words);

	if (size >= sizeof(hint->words) - used)
		return;
	memcpy(hint->words + used, words, size);
	hint->words[used + size] = '\0';
}

static void learn(struct gpc_hint *hint, const char *word, size_t size)
{
	static const struct {
		const char *word, *words;
		size_t flag; /* of struct gpc_hint, where `words` is NULL */
	} rows[] = {
		{"FILE", NULL, offsetof(struct gpc_hint, files)},
		{"IMAGE", NULL, offsetof(struct gpc_hint, files)},
		{"A", NULL, offsetof(struct gpc_hint, files)},
		{"PLAN", NULL, offsetof(struct gpc_hint, files)},
		{"DIR", NULL, offsetof(struct gpc_hint, folders)},
		{"FOLDER", NULL, offsetof(struct gpc_hint, folders)},
		{"IF", NULL, offsetof(struct gpc_hint, interfaces)},
		{"ENV", NULL, offsetof(struct gpc_hint, overlays)},
		{"TEMPLATE", NULL, offsetof(struct gpc_hint, templates)},
		{"FORMAT", "text json github", 0},
		{"FORM", "table csv mermaid html", 0},
		{"TYPE", "flow deny would-deny log revoked", 0},
		{"SHELL", "bash zsh fish", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].word) != size || memcmp(rows[i].word, word, size) != 0)
			continue;
		if (rows[i].words)
			add_words(hint, rows[i].words, strlen(rows[i].words));
		else
			*(bool *)((char *)hint + rows[i].flag) = true;
	}
}

#define LOWER "abcdefghijklmnopqrstuvwxyz-"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* `text|markdown` are the words themselves. */
static size_t learn_alternatives(struct gpc_hint *hint, const char *argument)
{
	size_t size = strspn(argument, LOWER "|");

	if (!memchr(argument, '|', size))
		return 0;
	add_words(hint, argument, size);
	for (char *bar = strchr(hint->words, '|'); bar; bar = strchr(bar, '|'))
		*bar = ' ';
	return size;
}

struct gpc_hint gpc_hint_of(const char *argument)
{
	struct gpc_hint hint = {0};

	argument += learn_alternatives(&hint, argument);
	while (*argument) {
		size_t size = strspn(argument, UPPER);

		if (size)
			learn(&hint, argument, size);
		argument += size;
		argument += strcspn(argument, UPPER);
	}
	return hint;
}

bool gpc_hint_is_empty(const struct gpc_hint *hint)
{
	return !hint->files && !hint->folders && !hint->interfaces && !hint->overlays &&
	       !hint->templates && !*hint->words;
}

/* ---- the command ---- */

bool gpc_completion_print(const char *shell, FILE *out)
{
	if (!strcmp(shell, "bash"))
		gpc_completion_bash(out);
	else if (!strcmp(shell, "zsh"))
		gpc_completion_zsh(out);
	else if (!strcmp(shell, "fish"))
		gpc_completion_fish(out);
	else
		return false;
	return true;
}

static const struct gpc_option options[] = {GPC_OPTION_JSON};

static int say(const struct gpc_call *call, struct gpc_failure *failure)
{
	struct json_object *object;
	char *text = NULL;
	size_t size;
	FILE *out;
	bool known;

	if (!gpc_call_has(call, "json"))
		return gpc_completion_print(call->operands[0], stdout);
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	known = gpc_completion_print(call->operands[0], out);
	if (fclose(out))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "out of memory");
	if (known) {
		object = gpc_json("completion");
		gpc_json_text(object, "shell", call->operands[0]);
		gpc_json_text(object, "text", text);
		gpc_json_print(object);
	}
	free(text);
	return known;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	struct gpc_failure failure = {0};
	int said = say(call, &failure);

	if (said > 0)
		return gpc_finish(call, GPC_EXIT_OK, NULL);
	if (!said) {
		gpc_fail(&failure, GPC_EXIT_USAGE, 0,
			 "there is no completion for '%s'; there are bash, zsh and fish",
			 call->operands[0]);
		gpc_fail_hint(&failure, "gpc completion --help");
	}
	return gpc_finish_failed(call, &failure);
}

const struct gpc_command gpc_command_completion = {
	.name = "completion",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what bash, zsh or fish needs to complete commands, options and files",
	.operands = "SHELL",
	.operands_min = 1,
	.operands_max = 1,
	.description = "For this shell only:\n"
		       "  bash: source <(gpc completion bash)\n"
		       "  zsh:  source <(gpc completion zsh)\n"
		       "  fish: gpc completion fish | source\n"
		       "`make install` puts all three where the shells look for them.",
	.objects = "completion",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED),
	.run = run,
};
