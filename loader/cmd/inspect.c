/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "../../compiler/image/dump.h"
#include "../probe/probe.h"
#include "describe.h"
#include "input.h"
#include "output.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

static enum gpc_exit no_section(const struct gpc_call *call, const char *section)
{
	struct gpc_failure failure;
	const char *near;
	size_t count = 0;

	while (gpc_image_dump_sections[count])
		count++;
	near = gpc_did_you_mean(section, gpc_image_dump_sections, count);
	gpc_fail(&failure, GPC_EXIT_USAGE, 0, "an image has no section '%s'%s%s%s", section,
		 near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	gpc_fail_hint(&failure, "gpc inspect %s lists the sections", call->operands[0]);
	return gpc_finish_failed(call, &failure);
}

/* What an apply of it would ask: somebody may want to see the programs first. */
static void describe_probes(const struct gpc_call *call, const struct gpc_image *image)
{
	GPC_CLEANUP(gpc_probes_release) struct gpc_probes probes = {0};
	struct gpc_grid grid = {.alignment = "lrrll"};
	struct gpc_failure failure;

	if (gpc_probes_of_image(&probes, image, &failure))
		gpc_say_failure(call, &failure);
	if (!probes.count)
		return;
	putchar('\n');
	for (const char *const *title =
		     (const char *const[]){"probe", "attempts", "timeout", "netns", "asks", NULL};
	     *title; title++)
		gpc_grid_add(&grid, GPC_DIM, "%s", *title);
	for (size_t i = 0; i < probes.count; i++) {
		const struct gpc_probe *probe = &probes.items[i];
		GPC_AUTO_FREE char *asks = gpc_probe_text(probe);

		gpc_grid_add(&grid, GPC_PLAIN, "%s", probe->name);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", probe->attempts);
		gpc_grid_add(&grid, GPC_PLAIN, "%u ms", probe->timeout);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", probe->netns ? probe->netns : "-");
		gpc_grid_add(&grid, GPC_PLAIN, "%s", asks);
	}
	gpc_grid_print(&grid, stdout, 2);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	const char *section = call->operand_count > 1 ? call->operands[1] : NULL;
	enum gpc_exit rc;

	rc = gpc_input_image(call, call->operands[0], &input);
	if (rc)
		return gpc_input_end(call, &input, rc);
	if (!section && !gpc_call_has(call, "json")) {
		gpc_describe_line(&input.image, call->operands[0], stdout);
		gpc_describe_plane(&input.image, stdout);
		gpc_describe_sections(&input.image, stdout);
		describe_probes(call, &input.image);
	} else if (!gpc_image_dump(&input.image, section, gpc_call_has(call, "json"), stdout)) {
		return no_section(call, section);
	}
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_inspect = {
	.name = "inspect",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what an image holds, decoded",
	.operands = "IMAGE.gpi [SECTION]",
	.operands_min = 1,
	.operands_max = 2,
	.description =
		"Checks every byte of the image, then prints its header, scalars, sizes and probes, "
		"or the\n"
		"entries of one section with their places in the YAML: the sections of the image\n"
		"(vip, listener, endpoint, ...), maglev-slots, provenance, link.",
	.objects = "diagnostic, image, plane, section, or records of SECTION",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID),
	.run = run,
};
