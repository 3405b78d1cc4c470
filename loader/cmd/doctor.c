/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/diag/format.h"
#include "input.h"
#include "output.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE, GPC_OPTION_ENV, GPC_OPTION_STRICT, GPC_OPTION_FORMAT, GPC_OPTION_JSON,
};

static const char *const words[] = {
	[GPC_HEALTH_OK] = "ok", [GPC_HEALTH_WARN] = "warning", [GPC_HEALTH_FAIL] = "fail"};
static const enum gpc_paint paints[] = {
	[GPC_HEALTH_OK] = GPC_GREEN, [GPC_HEALTH_WARN] = GPC_YELLOW, [GPC_HEALTH_FAIL] = GPC_RED};

static void print_probe(const struct gpc_doctor_probe *probe)
{
	printf("%s%-8s%s %-24s ", gpc_paint(stdout, paints[probe->health]), words[probe->health],
	       gpc_paint(stdout, GPC_PLAIN), probe->name);
	gpc_put_safe(stdout, probe->found);
	putchar('\n');
	if (!*probe->fix)
		return;
	printf("         %-24s fix: ", "");
	gpc_put_safe(stdout, probe->fix);
	putchar('\n');
}

static void print_probe_json(const struct gpc_doctor_probe *probe)
{
	struct json_object *object = gpc_json("probe");

	gpc_json_text(object, "name", probe->name);
	gpc_json_text(object, "health", words[probe->health]);
	gpc_json_text(object, "found", probe->found);
	gpc_json_text(object, "fix", *probe->fix ? probe->fix : NULL);
	gpc_json_print(object);
}

static enum gpc_exit examine(const struct gpc_call *call, const struct gpc_image *image)
{
	bool json = gpc_call_has(call, "json");
	GPC_AUTO_FREE struct gpc_doctor_probe *probes = NULL;
	unsigned int found[3] = {0};
	struct json_object *result;
	struct gpc_failure failure;
	char warnings[32], failures[32];
	size_t count;

	if (gpc_doctor(gpc_bpffs(), image, &probes, &count, &failure))
		return gpc_finish_failed(call, &failure);
	for (size_t i = 0; i < count; i++) {
		found[probes[i].health]++;
		(json ? print_probe_json : print_probe)(&probes[i]);
	}
	if (!json)
		printf("%u ok, %s, %s\n", found[GPC_HEALTH_OK],
		       gpc_text_number(found[GPC_HEALTH_WARN], "warning", warnings),
		       gpc_text_number(found[GPC_HEALTH_FAIL], "failure", failures));
	result = gpc_json("result");
	for (int i = GPC_HEALTH_OK; i <= GPC_HEALTH_FAIL; i++)
		gpc_json_number(result, words[i], found[i]);
	return gpc_finish(call, found[GPC_HEALTH_FAIL] ? GPC_EXIT_HOST : GPC_EXIT_OK, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	enum gpc_exit rc;

	/* Without a file the host alone is examined: no default input here. */
	if (!call->operand_count && !gpc_call_has(call, "file"))
		return examine(call, NULL);
	rc = gpc_input_load(call, call->operand_count ? call->operands[0] : NULL, true, &input);
	return rc ? gpc_input_end(call, &input, rc) : examine(call, &input.image);
}

const struct gpc_command gpc_command_doctor = {
	.name = "doctor",
	.side = GPC_SIDE_HOST,
	.summary = "can this host run it? probes, each with its fix",
	.operands = "[FILE.yaml | IMAGE.gpi]",
	.operands_max = 1,
	.description =
		"Tries what gpc needs (kernel, BTF, bpffs, capabilities) and, given an intent or "
		"an\n"
		"image, what its interfaces need (native XDP, MTU, rp_filter). Changes nothing.",
	.objects = "diagnostic, probe",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
