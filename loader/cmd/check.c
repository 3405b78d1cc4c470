/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "input.h"
#include "output.h"
#include "prove.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,  GPC_OPTION_ENV,	    GPC_OPTION_PARENT, GPC_OPTION_STRICT,
	GPC_OPTION_TODAY, GPC_OPTION_ALLOW_EXPIRED, {'v', "verbose", NULL, "show every invariant"},
	GPC_OPTION_FORMAT, GPC_OPTION_JSON,
};

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	enum gpc_exit rc;
	struct json_object *result;
	struct gpc_proofs proofs = {0};

	rc = gpc_input_load(call, call->operand_count ? call->operands[0] : NULL, false, &input);
	if (*input.failure.message)
		return gpc_input_end(call, &input, rc);
	if (!rc)
		rc = gpc_prove_input(call, &input, input.has_parent ? &input.parent : NULL, &proofs);
	result = gpc_json("result");
	gpc_json_number(result, "errors", (int64_t)input.diags.errors);
	gpc_json_number(result, "warnings", (int64_t)input.diags.warnings);
	if (input.has_image)
		gpc_describe_json(&input.image, result);
	gpc_prove_json(&proofs, result);
	if (!rc && !gpc_call_has(call, "json") && !gpc_call_has(call, "format"))
		gpc_describe_line(&input.image, input.name, stdout);
	return gpc_finish(call, rc, result);
}

const struct gpc_command gpc_command_check = {
	.name = "check",
	.side = GPC_SIDE_AUTHOR,
	.summary = "compile and write nothing: are there mistakes?",
	.operands = "[FILE.yaml]",
	.operands_max = 1,
	.description = "Does all that compile does, up to the bytes of the image, and forgets them; what an\n"
		       "invariant forbids is an error of its own kind (4). Without a file: ./gpc.yaml and\n"
		       "./gpc.d/*.yaml. Diagnostics go to stderr as text, to stdout as json or github.",
	.objects = "diagnostic, invariant",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED),
	.run = run,
};
