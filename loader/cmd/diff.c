/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/image/dump.h"
#include "../history/text_diff.h"
#include "describe.h"
#include "output.h"
#include "target.h"

static const struct gpc_option options[] = {
	{0, "semantic", NULL, "what happens to packets (the default)"},
	{0, "text", NULL, "lines: of the sources, else of the decoded images"},
	{0, "format", "text|markdown", "markdown: for a pull request"},
	{0, "exit-code", NULL, "exit with 2 if there is a difference"},
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_PARENT,
	GPC_OPTION_TODAY,
	GPC_OPTION_ALLOW_EXPIRED,
	{'v', "verbose", NULL, "all of it, not only what fits on a screen"},
	GPC_OPTION_JSON,
};

struct comparison {
	const struct gpc_call *call;
	struct gpc_target targets[2];
	struct gpc_failure failure;
};

static void release(struct comparison *c)
{
	gpc_target_release(&c->targets[0]);
	gpc_target_release(&c->targets[1]);
}

static enum gpc_exit end(const struct comparison *c, bool different, struct json_object *result)
{
	bool tell = different && gpc_call_has(c->call, "exit-code");

	return gpc_finish(c->call, tell ? GPC_EXIT_DIFFERENT : GPC_EXIT_OK, result);
}

/* ---- packets ---- */

static void print_text(const struct gpc_diff_view *view)
{
	const char *summary = gpc_diff_summary(view);

	printf("%s%s -> %s%s: %s\n", gpc_paint(stdout, GPC_BOLD), view->names[0], view->names[1],
	       gpc_paint(stdout, GPC_PLAIN), summary);
	gpc_diff_text(view, stdout);
}

static enum gpc_exit compare_packets(struct comparison *c, bool markdown)
{
	struct json_object *result = gpc_json("result");
	struct gpc_diff_view view = {
		.call = c->call,
		.arena = &c->targets[1].input.arena,
		.images = {&c->targets[0].input.image, &c->targets[1].input.image},
		.names = {c->targets[0].name, c->targets[1].name},
		.all = gpc_call_has(c->call, "verbose"),
	};
	bool different;

	gpc_diff_images(view.arena, view.images[0], view.images[1], &view.diff);
	different = !view.diff.equivalent;
	if (gpc_call_has(c->call, "json"))
		gpc_diff_json(&view, result);
	else if (markdown)
		gpc_diff_markdown(&view, stdout);
	else
		print_text(&view);
	gpc_diff_release(&view.diff);
	return end(c, different, result);
}

/* ---- lines ---- */

struct sources {
	struct gpc_target_source *items;
	size_t count;
};

/* Sections of a decoded image that say what was written, not how it is laid out. */
static void decode(struct gpc_target *target, struct sources *ret)
{
	static const char *const sections[] = {"interface", "chain",	"policy",  "rule",
					       "listener",  "pool",	"backend", "endpoint",
					       "table",	    "vip"};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	gpc_describe_builtins(&target->input.image, out);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		fprintf(out, "\n[%s]\n", sections[i]);
		gpc_image_dump(&target->input.image, sections[i], false, out);
	}
	if (fclose(out))
		abort();
	ret->items = GPC_NEW(&target->input.arena, struct gpc_target_source);
	ret->items[0] = (struct gpc_target_source){
		"image", gpc_arena_strndup(&target->input.arena, text, size), size};
	ret->count = 1;
	free(text);
}

static int find_sources(struct comparison *c, struct sources ret[2])
{
	for (int i = 0; i < 2; i++)
		if (gpc_target_sources(&c->targets[i], &ret[i].items, &ret[i].count, &c->failure))
			return -1;
	if (ret[0].count && ret[1].count)
		return 0;
	gpc_say(c->call, GPC_DIM, "note",
		"the sources of one side are not known: the decoded images are compared");
	decode(&c->targets[0], &ret[0]);
	decode(&c->targets[1], &ret[1]);
	return 0;
}

static struct gpc_diff_text text_of(const struct gpc_target_source *source, const char *path)
{
	return source ? (struct gpc_diff_text){path, source->text, source->size}
		      : (struct gpc_diff_text){path, NULL, 0};
}

static int compare_source(struct comparison *c, const struct gpc_target_source *a,
			  const struct gpc_target_source *b, FILE *out)
{
	struct gpc_diff_text before = text_of(a, a ? a->path : b->path);
	struct gpc_diff_text after = text_of(b, b ? b->path : a->path);
	GPC_AUTO_FREE char *text = NULL;

	if (gpc_text_diff(&before, &after, &text, &c->failure))
		return -1;
	fputs(text, out);
	return 0;
}

/* Both are sorted by path; two lone files are compared whatever they are called. */
static int compare_sources(struct comparison *c, const struct sources sources[2], FILE *out)
{
	const struct gpc_target_source *a = sources[0].items, *b = sources[1].items;
	size_t na = sources[0].count, nb = sources[1].count, i = 0, k = 0;

	if (na == 1 && nb == 1)
		return compare_source(c, a, b, out);
	while (i < na || k < nb) {
		int order = i == na ? 1 : k == nb ? -1 : strcmp(a[i].path, b[k].path);

		if (compare_source(c, order <= 0 ? &a[i] : NULL, order >= 0 ? &b[k] : NULL, out))
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

static enum gpc_exit compare_lines(struct comparison *c)
{
	struct sources sources[2] = {0};
	GPC_AUTO_FREE char *text = NULL;
	struct json_object *result;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		abort();
	rc = find_sources(c, sources) || compare_sources(c, sources, out);
	if (fclose(out))
		abort();
	if (rc)
		return gpc_finish_failed(c->call, &c->failure);
	if (!gpc_call_has(c->call, "json"))
		fwrite(text, 1, size, stdout);
	result = gpc_json("result");
	gpc_json_text(result, "before", c->targets[0].name);
	gpc_json_text(result, "after", c->targets[1].name);
	gpc_json_text(result, "text", text);
	return end(c, size > 0, result);
}

/* ---- the command ---- */

static int read_format(struct comparison *c, bool *ret_markdown)
{
	const char *format = gpc_call_value(c->call, "format");

	*ret_markdown = format && !strcmp(format, "markdown");
	if (format && !*ret_markdown && strcmp(format, "text"))
		return gpc_fail(&c->failure, GPC_EXIT_USAGE, 0,
				"'%s' is no format; there are text and markdown, and --json", format);
	if (gpc_call_has(c->call, "text") && gpc_call_has(c->call, "semantic"))
		return gpc_fail(&c->failure, GPC_EXIT_USAGE, 0, "--text or --semantic, not both");
	if (gpc_call_has(c->call, "text") && *ret_markdown)
		return gpc_fail(&c->failure, GPC_EXIT_USAGE, 0,
				"--text and --format markdown do not go together");
	return 0;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release) struct comparison c = {.call = call};
	const char *a = call->operands[0];
	const char *b = call->operand_count > 1 ? call->operands[1] : NULL;
	bool markdown;
	enum gpc_exit rc;

	if (read_format(&c, &markdown))
		return gpc_finish_failed(call, &c.failure);
	rc = gpc_target_open(call, a, b, &c.targets[0]);
	if (rc)
		return gpc_target_end(call, &c.targets[0], rc);
	rc = gpc_target_open(call, b, a, &c.targets[1]);
	if (rc)
		return gpc_target_end(call, &c.targets[1], rc);
	return gpc_call_has(call, "text") ? compare_lines(&c) : compare_packets(&c, markdown);
}

const struct gpc_command gpc_command_diff = {
	.name = "diff",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what happens to packets when B takes the place of A",
	.operands = "A [B]",
	.operands_min = 1,
	.operands_max = 2,
	.description =
		"A and B are each a file or folder of an intent, an image, a generation (12, @12, @~1:\n"
		"the one before the newest), `live`, or a git revision of the repository that the\n"
		"intent lies in (main, v1.2, HEAD~1, main:net/edge.yaml). Without B: the files of -f,\n"
		"else ./gpc.yaml and ./gpc.d. What could be two of them is refused; file:, git: and @\n"
		"say which one is meant.\n"
		"\n"
		"What is newly allowed, denied, logged or taken by another listener is proved over the\n"
		"tables of both images, for both families, and said in as few lines as segments and\n"
		"prefixes allow, each with a packet that shows it and the rules that decide it there.\n"
		"Where a chain is stateful, it is about packets of no known flow: those that open one,\n"
		"and what opens none (later fragments, ICMP that is no echo request), which is marked;\n"
		"TCP in mid-stream is told where nothing else is different. Then: listeners, slots of\n"
		"backends that move, and settings. That another rule decides is no difference, another\n"
		"invariant is one.",
	.objects = "diagnostic, space, change, pool, warning",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_DIFFERENT, GPC_EXIT_INVALID,
		      GPC_EXIT_HOST),
	.run = run,
};
