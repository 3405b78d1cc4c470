/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include "../../compiler/base/words.h"
#include "../../compiler/model/id.h"
#include "output.h"

static void put_titles(struct gpc_grid *grid, const char *const *titles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		gpc_grid_add(grid, GPC_DIM, "%s", titles[i]);
}

static void put_pickup(struct gpc_grid *grid, uint32_t seconds)
{
	if (seconds && seconds != GPC_NONE)
		gpc_grid_add(grid, GPC_PLAIN, "%us", seconds);
	else
		gpc_grid_add(grid, GPC_PLAIN, "%s", seconds ? "always" : "never");
}

void gpc_describe_builtins(const struct gpc_image *image, FILE *out)
{
	struct gpc_grid grid = {.alignment = "lllllll"};

	_Static_assert(GPC_BUILTIN_COUNT == 5, "a column for each built-in");
	gpc_grid_add(&grid, GPC_DIM, "built-in");
	put_titles(&grid, gpc_builtin_names, GPC_BUILTIN_COUNT);
	gpc_grid_add(&grid, GPC_DIM, "pickup");
	gpc_grid_add(&grid, GPC_PLAIN, "action");
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_builtin_action_name(image->plane->builtin[i]));
	put_pickup(&grid, image->plane->pickup);
	gpc_grid_print(&grid, out, 2);
	fputc('\n', out);
}

/* ---- chains ---- */

static void put_chain(const struct gpc_image *image, uint32_t index, struct gpc_grid *grid)
{
	const struct gpc_chain *chain = gpc_image_record(image, GPC_SEC_CHAIN, index);
	const struct gpc_interface *interface =
		gpc_image_record(image, GPC_SEC_INTERFACE, chain->interface);
	char names[GPC_MAX_CHAIN_POLICIES * (GPC_MAX_NAME_BYTES + 2)] = "-";
	size_t used = 0;

	for (uint32_t i = 0; i < chain->policies; i++) {
		const struct gpc_policy *policy =
			gpc_image_record(image, GPC_SEC_POLICY, chain->policy[i]);

		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 gpc_image_name(image, policy->name));
	}
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_image_name(image, interface->name));
	gpc_grid_add(grid, GPC_PLAIN, "%s",
		     gpc_direction_name(chain->direction));
	gpc_grid_add(grid, GPC_PLAIN, "%s", names);
	gpc_grid_add(grid, GPC_PLAIN, "%s", chain->protect == GPC_NONE ? "no" : "yes");
	gpc_grid_add(grid, GPC_PLAIN, "%s", chain->flags & GPC_CHAIN_STATEFUL ? "yes" : "no");
	gpc_grid_add(grid, GPC_PLAIN, "%s",
		     !(chain->flags & GPC_CHAIN_STATEFUL) ? "-" :
		     chain->flags & GPC_CHAIN_KEEP	  ? "keep" :
							    "recheck");
	gpc_grid_add(grid, GPC_PLAIN, "%016llx", (unsigned long long)chain->stamp);
}

static void print_chains(const struct gpc_image *image, FILE *out)
{
	static const char *const titles[] = {"chain on", "direction", "policies", "protect",
					     "stateful", "existing",  "stamp"};
	struct gpc_grid grid = {.alignment = "lllllll"};
	uint32_t count = gpc_image_count(image, GPC_SEC_CHAIN);

	if (!count)
		return;
	put_titles(&grid, titles, sizeof(titles) / sizeof(titles[0]));
	for (uint32_t i = 0; i < count; i++)
		put_chain(image, i, &grid);
	fputc('\n', out);
	gpc_grid_print(&grid, out, 2);
}

/* ---- policies and their classifiers ---- */

/* One row: what is asked, of whom, and what it costs. */
struct question {
	const char *policy, *part, *mode, *fallback;
	uint32_t rules, classifier;
};

static void put_question(const struct gpc_image *image, const struct question *question,
			 struct gpc_grid *grid)
{
	const struct gpc_classifier *classifier;
	char bytes[32];

	gpc_grid_add(grid, GPC_PLAIN, "%s", question->policy);
	gpc_grid_add(grid, GPC_PLAIN, "%s", question->part);
	gpc_grid_add(grid, GPC_PLAIN, "%s", question->mode);
	gpc_grid_add(grid, GPC_PLAIN, "%s", question->fallback);
	gpc_grid_add(grid, GPC_PLAIN, "%u", question->rules);
	if (question->classifier == GPC_NONE) {
		for (int i = 0; i < 6; i++)
			gpc_grid_add(grid, GPC_PLAIN, "%s", i < 5 ? "0" : "-");
		return;
	}
	classifier = gpc_image_record(image, GPC_SEC_CLASSIFIER, question->classifier);
	gpc_grid_add(grid, GPC_PLAIN, "%u", classifier->boxes);
	gpc_grid_add(grid, GPC_PLAIN, "%u", classifier->specs);
	gpc_grid_add(grid, GPC_PLAIN, "%u", classifier->l4_classes);
	gpc_grid_add(grid, GPC_PLAIN, "%u", classifier->groups);
	gpc_grid_add(grid, GPC_PLAIN, "%u", classifier->loads);
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_text_bytes(classifier->bytes, bytes));
}

/* Rules of a policy whose action is one of the part's; `decide` has all but log and mark rules. */
static uint32_t count_rules(const struct gpc_image *image, const struct gpc_policy *policy,
			    uint8_t action)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < policy->rules; i++) {
		const struct gpc_rule *rule =
			gpc_image_record(image, GPC_SEC_RULE, policy->first_rule + i);
		uint8_t part = rule->action < GPC_ACTION_LOG ? GPC_ACTION_ALLOW : rule->action;

		count += part == action;
	}
	return count;
}

static void put_policy(const struct gpc_image *image, const struct gpc_policy *policy,
		       struct gpc_grid *grid)
{
	struct question question = {
		.policy = gpc_image_name(image, policy->name),
		.part = "decide",
		.mode = policy->mode == GPC_POLICY_AUDIT ? "audit" : "enforce",
		.fallback = gpc_action_name(policy->fallback),
		.rules = count_rules(image, policy, GPC_ACTION_ALLOW),
		.classifier = policy->decide,
	};

	put_question(image, &question, grid);
	question.mode = question.fallback = "";
	if (policy->log != GPC_NONE) {
		question.part = "log";
		question.rules = count_rules(image, policy, GPC_ACTION_LOG);
		question.classifier = policy->log;
		put_question(image, &question, grid);
	}
	if (policy->mark != GPC_NONE) {
		question.part = "mark";
		question.rules = count_rules(image, policy, GPC_ACTION_MARK);
		question.classifier = policy->mark;
		put_question(image, &question, grid);
	}
}

/* The classifiers of `protect` stand behind those of the policies. */
static void put_protects(const struct gpc_image *image, struct gpc_grid *grid)
{
	uint32_t policies = 0;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_POLICY); i++) {
		const struct gpc_policy *policy = gpc_image_record(image, GPC_SEC_POLICY, i);

		policies += (policy->decide != GPC_NONE) + (policy->log != GPC_NONE) +
			    (policy->mark != GPC_NONE);
	}
	for (uint32_t i = policies; i < gpc_image_count(image, GPC_SEC_CLASSIFIER); i++)
		put_question(image,
			     &(struct question){.policy = "protect",
						.part = "",
						.mode = "",
						.fallback = "",
						.rules = image->plane->protects,
						.classifier = i},
			     grid);
}

void gpc_describe_policies(const struct gpc_image *image, FILE *out)
{
	static const char *const titles[] = {"policy", "asked to", "mode",	 "default",
					     "rules",  "boxes",	   "services",	 "L4 classes",
					     "groups", "loads",	   "classifier"};
	struct gpc_grid grid = {.alignment = "llllrrrrrrr"};
	const struct gpc_tries *tries = &image->plane->tries;
	char bytes[32];

	print_chains(image, out);
	if (!gpc_image_count(image, GPC_SEC_POLICY) && !gpc_image_count(image, GPC_SEC_CLASSIFIER))
		return;
	put_titles(&grid, titles, sizeof(titles) / sizeof(titles[0]));
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_POLICY); i++)
		put_policy(image, gpc_image_record(image, GPC_SEC_POLICY, i), &grid);
	put_protects(image, &grid);
	fputc('\n', out);
	gpc_grid_print(&grid, out, 2);
	fprintf(out, "\n  %u classes of sources, %u of destinations; tables of all policies %s\n",
		tries->classes[0], tries->classes[1],
		gpc_text_bytes(image->plane->section[GPC_SEC_WORDS].size, bytes));
}
