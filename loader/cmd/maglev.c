/* SPDX-License-Identifier: MIT */
#include "maglev.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "output.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_PARENT,
	{0, "backend", "BACKEND", "only this backend; whatif needs it"},
	{0, "remove", "ENDPOINT...", "whatif: this endpoint goes"},
	{0, "add", "NAME[:WEIGHT]...", "whatif: a new endpoint comes, of weight 1 if none is given"},
	{0, "weight", "ENDPOINT=N...", "whatif: this endpoint has another weight; 0 takes it out"},
	{'v', "verbose", NULL, "all endpoints, not only the first 20"},
	GPC_OPTION_STRICT,
	GPC_OPTION_FORMAT,
	GPC_OPTION_JSON,
};

double gpc_maglev_ideal(const struct gpc_pool_view *pool, size_t i)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < pool->count; k++)
		sum += pool->endpoints[k].weight;
	return (double)pool->size * pool->endpoints[i].weight / (double)sum;
}

struct named {
	const char *name;
	uint32_t index;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

uint32_t *gpc_maglev_by_name(const struct gpc_maglev_asked *asked, const struct gpc_pool_view *pool)
{
	struct gpc_arena *arena = &asked->input->arena;
	struct named *list = GPC_NEW_ARRAY(arena, struct named, pool->count);
	uint32_t *order = GPC_NEW_ARRAY(arena, uint32_t, pool->count);

	for (size_t i = 0; i < pool->count; i++)
		list[i] = (struct named){pool->names[i], (uint32_t)i};
	if (pool->count)
		qsort(list, pool->count, sizeof(*list), by_name);
	for (size_t i = 0; i < pool->count; i++)
		order[i] = list[i].index;
	return order;
}

static bool changes_anything(const struct gpc_call *call)
{
	return gpc_call_has(call, "remove") || gpc_call_has(call, "add") ||
	       gpc_call_has(call, "weight");
}

/* *ret_whatif: else show. */
static int check_usage(const struct gpc_call *call, bool *ret_whatif, struct gpc_failure *failure)
{
	bool whatif = !strcmp(call->operands[0], "whatif");

	if (!whatif && strcmp(call->operands[0], "show")) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is neither 'show' nor 'whatif'",
			 call->operands[0]);
		return gpc_fail_hint(failure, "the word goes first: gpc maglev show FILE");
	}
	if (!whatif && changes_anything(call))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				"--remove, --add and --weight are for gpc maglev whatif");
	if (whatif && !gpc_call_has(call, "backend"))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "of which backend? give --backend BACKEND");
	if (whatif && !changes_anything(call))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				"what if what? give --remove, --add or --weight");
	*ret_whatif = whatif;
	return 0;
}

static int no_backend(const struct gpc_input *input, const char *name, struct gpc_failure *failure)
{
	uint32_t count;
	const struct gpc_backend *backends =
		gpc_image_section(&input->image, GPC_SEC_BACKEND, &count);
	GPC_AUTO_FREE const char **names = calloc(count + 1u, sizeof(*names));
	const char *near;

	if (!names)
		abort();
	for (uint32_t i = 0; i < count; i++)
		names[i] = gpc_image_name(&input->image, backends[i].name);
	near = gpc_did_you_mean(name, names, count);
	for (uint32_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return gpc_fail(failure, GPC_EXIT_INVALID, 0,
					"backend '%s' has no table: no listener uses it, or none of "
					"its endpoints takes new flows",
					name);
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "the plane has no backend '%s'%s%s%s", name,
		 near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return -1;
}

static int speak(const struct gpc_call *call, struct gpc_input *input, bool whatif,
		 struct gpc_failure *failure)
{
	const char *wanted = gpc_call_value(call, "backend");
	uint32_t count = gpc_image_count(&input->image, GPC_SEC_TABLE), spoken = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct gpc_table *table = gpc_image_record(&input->image, GPC_SEC_TABLE, i);
		const struct gpc_backend *backend =
			gpc_image_record(&input->image, GPC_SEC_BACKEND, table->backend);
		struct gpc_maglev_asked asked = {
			.call = call,
			.input = input,
			.backend = gpc_image_name(&input->image, backend->name),
			.table = i,
		};

		if (wanted && strcmp(wanted, asked.backend))
			continue;
		if (spoken++ && !gpc_call_has(call, "json"))
			putchar('\n');
		asked.pool = gpc_pool_view(&input->arena, &input->image, i);
		if (!whatif)
			gpc_maglev_show(&asked);
		else if (gpc_maglev_whatif(&asked, failure))
			return -1;
	}
	return wanted && !spoken ? no_backend(input, wanted, failure) : 0;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	enum gpc_exit rc;
	bool whatif = false;

	if (check_usage(call, &whatif, &input.failure))
		return gpc_finish_failed(call, &input.failure);
	rc = gpc_input_load(call, call->operand_count > 1 ? call->operands[1] : NULL, true, &input);
	if (rc)
		return gpc_input_end(call, &input, rc);
	if (speak(call, &input, whatif, &input.failure))
		return gpc_finish_failed(call, &input.failure);
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_maglev = {
	.name = "maglev",
	.side = GPC_SIDE_AUTHOR,
	.summary = "slots of the endpoints, and what would move if they were others",
	.operands = "show|whatif [FILE.yaml | IMAGE.gpi]",
	.operands_min = 1,
	.operands_max = 2,
	.description =
		"show: for each table of the backends what every endpoint has of it, its exact share by\n"
		"weight, how far the furthest are off, and with --parent how many slots have another\n"
		"endpoint than there.\n"
		"\n"
		"whatif: how many slots would have another endpoint if endpoints went, came or had other\n"
		"weights: with a table made anew, with one made from the present one (`rebalance: "
		"minimal`),\n"
		"and the fewest that must. A slot is a share of the flows that the table decides: new\n"
		"ones, and those without a flow entry. Without a file: ./gpc.yaml and ./gpc.d/*.yaml.",
	.objects = "diagnostic, table, endpoint",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
