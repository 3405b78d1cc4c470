/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/memfiles.h"
#include "../../compiler/pipeline.h"
#include "diff.h"
#include "input.h"
#include "output.h"
#include "plan_file.h"
#include "plan_warning.h"
#include "prove.h"
#include "settle.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_PARENT,
	{'o', "output", "PLAN.gpp", "write the plan here, for gpc apply"},
	{0, "enforce", NULL, "let the policies decide, not only count (audit)"},
	{0, "detailed-exitcode", NULL, "exit with 2 if apply would change something"},
	GPC_OPTION_STRICT,
	GPC_OPTION_TODAY,
	GPC_OPTION_ALLOW_EXPIRED,
	GPC_OPTION_FORMAT,
	{'v', "verbose", NULL, "all of it, not only what fits on a screen"},
	GPC_OPTION_JSON,
};

struct planning {
	const struct gpc_call *call;
	struct gpc_input input;
	struct gpc_plan_head plan; /* magic 0: no plan was given */
	const char *environment;
	struct gpc_plane_status plane;
	struct gpc_plan_basis basis;
	struct gpc_image stand_in; /* for what runs, where that is not what packets see */
	bool stands_in;
	struct gpc_plan_host host;
	struct gpc_diff_view view;
	bool same_bytes; /* as what runs, whatever stands in for it */
	struct gpc_plan_warnings warnings;
	struct gpc_failure failure;
};

static void release(struct planning *p)
{
	gpc_diff_release(&p->view.diff);
	gpc_plan_host_release(&p->host);
	gpc_plane_status_release(&p->plane);
	if (p->stands_in)
		gpc_image_release(&p->stand_in);
	gpc_input_release(&p->input);
}

/* A host on which nothing runs lets everything through: the image of a plane without anything. */
static int make_nothing(struct planning *p)
{
	static const char text[] = "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: nothing}\n";
	const char *path = "nothing.yaml";
	struct gpc_compile_options compile = {.inputs = {&path, 1, NULL}, .tool_version = ""};
	struct gpc_compiled compiled;
	struct gpc_memfiles files;
	struct gpc_diags diags;
	struct gpc_provider provider;

	gpc_diags_init(&diags, &p->input.arena, false);
	gpc_memfiles_init(&files, &p->input.arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	p->stands_in = gpc_compile(&diags, &provider, &compile, &compiled) &&
		       gpc_image_open_written(&diags, path, compiled.bytes, compiled.size,
					      &p->stand_in);
	return p->stands_in ? 0
			    : gpc_fail(&p->failure, GPC_EXIT_FAILED, 0,
				       "cannot compare with an empty plane");
}

static bool ends_audit(const struct planning *p)
{
	return p->basis.running && p->basis.stance[0] == GPC_STANCE_AUDIT &&
	       p->basis.stance[1] == GPC_STANCE_ENFORCE;
}

/* What runs, with the control word's audit written into its policies; so it is another decision. */
static int make_audited(struct planning *p)
{
	const struct gpc_image *live = &p->plane.image;
	struct gpc_image *image = &p->stand_in;
	const struct gpc_policy *found;
	struct gpc_policy *policies;
	struct gpc_image_head *head;
	struct gpc_diags diags;
	uint32_t count;

	gpc_diags_init(&diags, &p->input.arena, false);
	p->stands_in = gpc_image_open(&diags, "live", live->bytes, live->size, true, image);
	if (!p->stands_in)
		return gpc_fail(&p->failure, GPC_EXIT_FAILED, 0, "cannot compare with what runs");
	head = (void *)image->bytes;
	head->decision_digest[0] ^= 1;
	found = gpc_image_section(image, GPC_SEC_POLICY, &count);
	policies = (void *)(image->bytes + ((const char *)found - image->bytes));
	for (uint32_t i = 0; i < count; i++)
		policies[i].mode = GPC_POLICY_AUDIT;
	return 0;
}

static int look(struct planning *p)
{
	gpc_settle_in_passing(p->call);
	if (gpc_plane_read(gpc_bpffs(), &p->plane, &p->failure))
		return -1;
	if (p->plane.present && !p->plane.has_image)
		return gpc_fail(&p->failure, GPC_EXIT_FAILED, 0, "%s", p->plane.problem);
	if (gpc_call_has(p->call, "output") && gpc_settle_refuse(&p->plane.confirm, &p->failure))
		return -1;
	if (gpc_plan_basis_read(p->call, &p->plane, &p->input.image, &p->basis, &p->failure))
		return -1;
	if ((!p->basis.running && make_nothing(p)) || (ends_audit(p) && make_audited(p)))
		return -1;
	return gpc_plan_look(&p->plane, &p->basis, &p->input.image, &p->host, &p->failure);
}

static void compare(struct planning *p)
{
	struct gpc_diff_view *view = &p->view;

	*view = (struct gpc_diff_view){
		.call = p->call,
		.arena = &p->input.arena,
		.images = {p->stands_in ? &p->stand_in : &p->plane.image, &p->input.image},
		.names = {p->basis.running
				  ? gpc_arena_printf(&p->input.arena, "live (generation %u)",
						     p->host.generation)
				  : "nothing runs",
			  p->input.name},
		.all = gpc_call_has(p->call, "verbose"),
	};
	gpc_diff_images(view->arena, view->images[0], view->images[1], &view->diff);
	if (ends_audit(p)) { /* nobody has written that the policies audited */
		gpc_changes_release(&view->diff.changes);
		gpc_changes_compare(&p->plane.image, &p->input.image, &view->diff.changes);
	}
	p->same_bytes = p->basis.running && !memcmp(p->basis.decision, p->input.image.head->decision_digest,
						    sizeof(p->basis.decision));
}

static bool changes_something(const struct planning *p)
{
	return !p->same_bytes || p->host.stance[0] != p->host.stance[1];
}

/* The comparison takes policies as deciding; whether they do is the host's. */
static void say_stance(const struct planning *p)
{
	const char *text = NULL;

	if (p->host.stance[1] == GPC_STANCE_AUDIT && p->view.diff.space_count)
		text = "policies only audit here: what is newly denied is counted and passes, until "
		       "--enforce";
	else if (ends_audit(p))
		text = "policies turn from audit to enforce: all that they deny passes now, and will "
		       "not; gpc status shows what that was";
	if (text)
		printf("%s%s%s\n", gpc_paint(stdout, GPC_YELLOW), text,
		       gpc_paint(stdout, GPC_PLAIN));
}

static int warn(struct planning *p)
{
	struct gpc_failure moved;

	if (gpc_plan_warn(p->call, &p->plane, &p->input.image, changes_something(p),
			  &p->input.arena, &p->warnings, &p->failure))
		return -1;
	if (p->plan.magic && gpc_plan_basis_compare(&p->plan.basis, &p->basis, &moved))
		gpc_plan_warn_of_refusal(&p->warnings, &p->input.arena, &moved);
	return 0;
}

static enum gpc_exit report(struct planning *p, enum gpc_exit proved)
{
	struct json_object *result = gpc_json("result");
	const char *path = gpc_call_value(p->call, "output");
	enum gpc_exit code = proved;

	if (gpc_call_has(p->call, "json")) {
		gpc_diff_json(&p->view, result);
		gpc_plan_host_json(&p->host);
		gpc_plan_warnings_json(&p->warnings);
	} else {
		printf("%s%s -> %s%s: %s\n", gpc_paint(stdout, GPC_BOLD), p->view.names[0],
		       p->view.names[1], gpc_paint(stdout, GPC_PLAIN), gpc_diff_summary(&p->view));
		say_stance(p);
		gpc_diff_text(&p->view, stdout);
		gpc_plan_host_text(&p->host, stdout);
		gpc_plan_warnings_text(&p->warnings, stdout);
	}
	gpc_json_bool(result, "same_bytes", p->same_bytes);
	gpc_json_bool(result, "changes", changes_something(p));
	if (path && !proved) {
		if (gpc_plan_save(path, &p->basis, gpc_call_has(p->call, "enforce"), &p->input,
				  p->environment, &p->failure)) {
			json_object_put(result);
			return gpc_finish_failed(p->call, &p->failure);
		}
		gpc_json_text(result, "output", path);
		if (!gpc_call_has(p->call, "json"))
			gpc_say(p->call, GPC_DIM, "written",
				"gpc apply %s %s, as long as the world is as it is now", path,
				p->warnings.refused ? "would be refused" : "does this");
	}
	if (!code && changes_something(p) && gpc_call_has(p->call, "detailed-exitcode"))
		code = GPC_EXIT_DIFFERENT;
	return gpc_finish(p->call, code, result);
}

static enum gpc_exit load(struct planning *p)
{
	const char *operand = p->call->operand_count ? p->call->operands[0] : NULL;

	if (operand && gpc_plan_is_file(operand))
		return gpc_plan_load(p->call, operand, &p->input, &p->plan, &p->environment);
	p->environment = gpc_call_value(p->call, "env");
	return gpc_input_load(p->call, operand, true, &p->input);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release) struct planning p = {.call = call};
	enum gpc_exit rc;

	rc = load(&p);
	if (rc)
		return gpc_input_end(call, &p.input, rc);
	if (look(&p))
		return gpc_finish_failed(call, &p.failure);
	rc = gpc_prove_live(call, &p.input);
	compare(&p);
	if (warn(&p))
		return gpc_finish_failed(call, &p.failure);
	return report(&p, rc);
}

const struct gpc_command gpc_command_plan = {
	.name = "plan",
	.side = GPC_SIDE_HOST,
	.summary = "what gpc apply would change on this host; changes nothing",
	.operands = "[FILE.yaml | IMAGE.gpi | PLAN.gpp]",
	.operands_max = 1,
	.description =
		"What is different for packets when this takes the place of what runs here (gpc diff\n"
		"has the words), greatest share of packets first; live flows whose endpoint goes, those\n"
		"that are asked again, and revoked then; whether this SSH session and root's others stay;\n"
		"memory, and the loads that wait for each other, with an estimate of the time they take.\n"
		"The invariants are proved as by apply: one that does not hold is 4. Where nothing runs,\n"
		"the comparison is with a host that lets everything through.\n"
		"\n"
		"What apply would refuse (devices, quarantine, programs that probes run, an apply that\n"
		"waits for its confirmation) is a warning here.\n"
		"\n"
		"With -o the image and what it was compared with go into a file. gpc apply takes it, and\n"
		"refuses (6) on another host, and when the world is not as it was: another generation,\n"
		"any change of the plane's control word, another last generation in the history, another\n"
		"override. None is written (6) while an apply waits for its confirmation. Of a plan gpc\n"
		"plan says what it would change now, and whether it would be refused.\n"
		"With --detailed-exitcode 2 says that apply would change something, also where no packet\n"
		"is treated differently.",
	.objects = "diagnostic, invariant, space, change, pool, warning, host",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_DIFFERENT, GPC_EXIT_INVALID,
		      GPC_EXIT_REFUSED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run,
};
