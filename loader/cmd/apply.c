/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../interrupt.h"
#include "activate.h"
#include "guard.h"
#include "input.h"
#include "output.h"
#include "plan_file.h"
#include "probing.h"
#include "prove.h"
#include "settle.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_PARENT,
	GPC_OPTION_STRICT,
	GPC_OPTION_TODAY,
	GPC_OPTION_ALLOW_EXPIRED,
	{0, "enforce", NULL, "let the policies decide, not only count (audit)"},
	GPC_OPTION_CONFIRM,
	GPC_OPTION_WAIT,
	GPC_OPTION_FORCE,
	GPC_OPTION_PROBE,
	GPC_OPTION_NO_PROBES,
	GPC_OPTION_ALLOW_EXEC,
	GPC_OPTION_RETRY,
	GPC_OPTION_FORMAT,
	{'v', "verbose", NULL, "show every change"},
	GPC_OPTION_JSON,
};

/* The texts that were compiled, for the history. Points into the input. */
static struct gpc_history_file *sources_of(const struct gpc_input *input, size_t *ret_count)
{
	size_t count = input->project.count ? input->diags.sources.n : 0;
	struct gpc_history_file *files = calloc(count + 1, sizeof(*files));

	if (!files)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct gpc_source *s = &input->diags.sources.items[i];

		files[i] = (struct gpc_history_file){s->path, s->text, s->size};
	}
	*ret_count = count;
	return files;
}

static char *inputs_of(const struct gpc_project *project)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (size_t i = 0; i < project->count; i++)
		fprintf(out, "%s\n", project->paths[i]);
	if (fclose(out))
		abort();
	return text;
}

struct planned {
	struct gpc_plan_head head; /* magic 0: no plan was given */
	const char *environment;
};

static enum gpc_exit activate(const struct gpc_call *call, struct gpc_input *input,
			      const struct planned *plan, const struct gpc_probes *probes)
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	size_t count;
	GPC_AUTO_FREE struct gpc_history_file *files = sources_of(input, &count);
	GPC_AUTO_FREE char *inputs = inputs_of(&input->project);
	struct gpc_history_entry entry = {
		.image = &input->image,
		.files = files,
		.file_count = count,
		.source = input->name,
		.inputs = inputs,
		.environment = plan->head.magic ? plan->environment : gpc_call_value(call, "env"),
		.parent = input->has_parent ? &input->parent : NULL,
	};
	struct gpc_failure failure;
	enum gpc_exit rc;

	if (gpc_session_open(call, &session, &failure) ||
	    (plan->head.magic && gpc_plan_check(call, &plan->head, &input->image, &failure)))
		return gpc_finish_failed(call, &failure);
	rc = gpc_prove_live(call, input);
	if (rc)
		return gpc_finish(call, rc, NULL);
	return gpc_activate(call, session.history, &entry, probes);
}

static enum gpc_exit load(const struct gpc_call *call, struct gpc_input *input,
			  struct planned *ret_plan)
{
	const char *operand = call->operand_count ? call->operands[0] : NULL;

	return operand && gpc_plan_is_file(operand)
		       ? gpc_plan_load(call, operand, input, &ret_plan->head, &ret_plan->environment)
		       : gpc_input_load(call, operand, true, input);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	GPC_CLEANUP(gpc_probes_release) struct gpc_probes probes = {0};
	struct planned plan = {0};
	struct gpc_failure failure;
	uint64_t ignored;
	enum gpc_exit rc;

	gpc_interrupts_hold();
	if (gpc_confirm_option(call, &ignored, &failure) ||
	    gpc_probing_given(call, &probes, &failure))
		return gpc_finish_failed(call, &failure);
	rc = load(call, &input, &plan);
	if (!rc && input.has_parent && !input.project.count) {
		rc = GPC_EXIT_USAGE;
		gpc_fail(&input.failure, rc, 0, "'%s' is a finished image: --parent has no meaning for it",
			 call->operands[0]);
	}
	if (rc)
		return gpc_input_end(call, &input, rc);
	if (gpc_probing_own(call, &input.image, &probes, &failure))
		return gpc_finish_failed(call, &failure);
	return gpc_activate_end(call, activate(call, &input, &plan, &probes));
}

const struct gpc_command gpc_command_apply = {
	.name = "apply",
	.side = GPC_SIDE_HOST,
	.summary = "make an intent or an image the running plane, and record it",
	.operands = "[FILE.yaml | IMAGE.gpi | PLAN.gpp]",
	.operands_max = 1,
	.description =
		"Compiles (or checks the image), stages it beside the running one, reads it back,\n"
		"switches with one store and records a new generation in the history. Whatever "
		"fails\n"
		"before the switch leaves everything as it was; when the generation cannot be "
		"recorded\n"
		"after it, the switch is undone (7). An image that is running already is not "
		"recorded\n"
		"again; devices that appeared meanwhile are bound. The flow tables keep\n"
		"their size while they run: another `flows` needs gpc detach first (4). Without a "
		"file:\n"
		"./gpc.yaml and ./gpc.d/*.yaml. A plan (gpc plan -o) is refused (6) when the world is\n"
		"not as it was when it was made.\n"
		"\n"
		"The first policies of a host only audit: what they would deny is counted and "
		"passes,\n"
		"until an apply with --enforce. Later applies leave that as it is; rollback and "
		"restore\n"
		"bring back what was recorded.\n"
		"\n"
		"The invariants of the image are proved over its tables, also when it comes as a file;\n"
		"`remap` compares with what runs unless --parent names another image. One that does\n"
		"not hold is named, and nothing is changed (4).\n"
		"\n"
		"With --confirm the programs themselves go back to what runs now when the time is over "
		"and\n"
		"nobody has said gpc confirm, whatever becomes of this host's processes; the next gpc "
		"command\n"
		"records it. Meanwhile nothing else can be applied (6). On a host where nothing runs, "
		"every\n"
		"packet passes then. What one store cannot take back is refused (4): other hooks, role "
		"or mode\n"
		"of a device, or an override on a backend that changes.\n"
		"\n"
		"Policies that decide are first asked about the SSH session that the command runs "
		"in and\n"
		"about root's other TCP sessions: those that would be cut, or not let in again, are "
		"named\n"
		"and nothing is changed (4), unless --force is given.\n"
		"\n"
		"Probes, the plane's own and those of --probe, are asked after the switch, one after "
		"the\n"
		"other. When one fails, or a signal comes, what ran before runs again (7), the "
		"generation\n"
		"is recorded as rolled back, and the same plane is refused from then on (4) unless "
		"--retry\n"
		"is given. Programs that the plane names run only with --allow-exec. A probe is\n"
		"  tcp ADDRESS:PORT             http URL [STATUS]\n"
		"  udp ADDRESS:PORT SEND [EXPECT]   exec PROGRAM [ARGUMENT]...\n"
		"with name=, timeout=, attempts=, interval=, netns=, interface= or host= before it.",
	.objects = "diagnostic, invariant, notice, probe, change, pending",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED,
		      GPC_EXIT_HOST, GPC_EXIT_CONFLICT, GPC_EXIT_ROLLED_BACK, GPC_EXIT_INTERRUPTED,
		      GPC_EXIT_TERMINATED),
	.run = run,
};
