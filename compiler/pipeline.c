/* SPDX-License-Identifier: MIT */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/rules.h"
#include "check/check.h"
#include "image/layout.h"
#include "image/write.h"
#include "lower/tables.h"
#include "model/model.h"

struct compilation {
	struct gpc_diags *diags;
	const struct gpc_provider *provider;
	const struct gpc_compile_options *options;
	struct gpc_intent intent;
	struct gpc_model model;
	struct gpc_tables tables;
	struct gpc_image_bytes image;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In path order, so that numbers of sources do not depend on the order on the command line. */
static bool load(struct compilation *c)
{
	struct gpc_inputs inputs = c->options->inputs;
	const char **sorted = GPC_NEW_ARRAY(c->diags->arena, const char *, inputs.count);

	for (size_t i = 0; i < inputs.count; i++)
		sorted[i] = inputs.paths[i];
	if (inputs.count)
		qsort(sorted, inputs.count, sizeof(*sorted), by_text);
	inputs.paths = sorted;
	return gpc_intent_load(c->diags, c->provider, &inputs, &c->intent);
}

static bool build_model(struct compilation *c)
{
	return gpc_model_build(c->diags, &c->intent, &c->model);
}

static void dump_model(const struct compilation *c, FILE *out)
{
	gpc_model_dump(&c->model, out);
}

static bool check(struct compilation *c)
{
	bool in_date = gpc_check_expiry(c->diags, &c->model, c->options->today,
					c->options->allow_expired);

	return gpc_check(c->diags, &c->model) && in_date;
}

static bool lower(struct compilation *c)
{
	return gpc_lower(c->diags, &c->model, c->options->parent, &c->tables);
}

static void dump_tables(const struct compilation *c, FILE *out)
{
	gpc_tables_dump(&c->tables, out);
}

static bool write_image(struct compilation *c)
{
	struct gpc_provenance provenance = {
		.tool_version = c->options->tool_version ? c->options->tool_version : "",
		.commit = c->options->commit,
	};

	return gpc_image_write(c->diags, &c->model, &c->tables, &provenance, &c->image);
}

/* The image as a program would see it: in a buffer of its size class, so that lookups may mask. */
static bool analyze(struct compilation *c)
{
	uint64_t size = 1ull << gpc_size_class(c->image.size);
	struct gpc_view view = {.base = (const char *)c->image.bytes, .mask = size - 1};

	if (c->model.policy_count)
		gpc_analyze_rules(c->diags, &c->model, view);
	return !c->diags->errors;
}

/* Rows with a dump are those of gpc_pass_names. */
static const struct pass {
	const char *name;
	bool (*run)(struct compilation *c);
	void (*dump)(const struct compilation *c, FILE *out);
} passes[] = {
	{"load", load, NULL},	       {"model", build_model, dump_model}, {"check", check, NULL},
	{"lower", lower, dump_tables}, {"image", write_image, NULL},
	{"analyze", analyze, NULL},
};

const char *const gpc_pass_names[] = {"model", "lower", NULL};

bool gpc_compile(struct gpc_diags *diags, const struct gpc_provider *provider,
		 const struct gpc_compile_options *options, struct gpc_compiled *ret)
{
	struct compilation *c = GPC_NEW(diags->arena, struct compilation);

	c->diags = diags;
	c->provider = provider;
	c->options = options;
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		const struct pass *pass = &passes[i];

		if (!pass->run(c))
			return false;
		if (options->dump_after && pass->dump && !strcmp(options->dump_after, pass->name))
			pass->dump(c, options->dump_to);
	}
	*ret = (struct gpc_compiled){
		.bytes = c->image.bytes,
		.size = c->image.size,
		.decision_size = c->image.decision_size,
		.model = &c->model,
	};
	memcpy(ret->decision_digest, c->image.decision_digest, sizeof(ret->decision_digest));
	return true;
}
