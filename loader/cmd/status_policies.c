/* SPDX-License-Identifier: MIT */
#include "status_policies.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/words.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/analyze/changes.h"
#include "../clock.h"
#include "describe.h"
#include "output.h"
#include "rulebook.h"

#define TOP 10u /* rules that would have denied most; -v lists all */
#define NANOSECONDS 1000000000ll

/* ---- values ---- */

static const struct gpc_rule *rule_at(const struct gpc_status *status, uint32_t index)
{
	return gpc_image_record(&status->plane.image, GPC_SEC_RULE, index);
}

/* Wall clock of the last hit, 0: never. */
static int64_t last_hit(const struct gpc_rule_counter *counter)
{
	if (!counter->last_hit)
		return 0;
	return (int64_t)time(NULL) -
	       ((int64_t)gpc_clock_coarse() - (int64_t)counter->last_hit) / NANOSECONDS;
}

static bool only_audits(const struct gpc_status *status, const struct gpc_policy *policy)
{
	return policy->mode == GPC_POLICY_AUDIT || status->plane.control & GPC_CTL_AUDIT;
}

struct sums {
	uint64_t packets, would_deny;
};

static struct sums sums_of(const struct gpc_status *status, const struct gpc_policy *policy)
{
	struct sums sums = {0};

	for (uint32_t i = 0; i <= policy->rules; i++) {
		struct gpc_rule_counter c = gpc_rule_counter_at(status, policy->first_rule + i);

		sums.packets += c.packets;
		sums.would_deny += c.would_deny;
	}
	return sums;
}

/* The chains that ask a policy. */
static bool asks(const struct gpc_chain *chain, uint32_t policy)
{
	for (int i = 0; i < chain->policies; i++)
		if (chain->policy[i] == policy)
			return true;
	return false;
}

/* Of a policy: the first chain that asks it; all agree in direction and state. */
static const struct gpc_chain *chain_of(const struct gpc_image *image, uint32_t policy)
{
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *chain = gpc_image_record(image, GPC_SEC_CHAIN, i);

		if (asks(chain, policy))
			return chain;
	}
	return NULL;
}

static const char *interface_of(const struct gpc_image *image, const struct gpc_chain *chain)
{
	const struct gpc_interface *interface =
		gpc_image_record(image, GPC_SEC_INTERFACE, chain->interface);

	return gpc_image_name(image, interface->name);
}

/* "wan0, lan*"; malloc'ed. */
static char *interfaces_of(const struct gpc_image *image, uint32_t policy)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *chain = gpc_image_record(image, GPC_SEC_CHAIN, i);

		if (asks(chain, policy))
			fprintf(out, "%s%s", ftell(out) > 0 ? ", " : "",
				interface_of(image, chain));
	}
	if (fclose(out))
		abort();
	return text;
}

static const char *direction_name(const struct gpc_chain *chain)
{
	return !chain ? "-" : gpc_direction_name(chain->direction);
}

static const char *existing_name(const struct gpc_chain *chain)
{
	if (!chain || !(chain->flags & GPC_CHAIN_STATEFUL))
		return "stateless";
	return chain->flags & GPC_CHAIN_KEEP ? "stateful, keep" : "stateful, recheck";
}

/* ---- expired rules ---- */

size_t gpc_expired_rules(const struct gpc_image *image, char **ret_texts, size_t max)
{
	uint64_t now = (uint64_t)time(NULL);
	char place[GPC_RULE_PLACE], when[32];
	size_t found = 0;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_RULE); i++) {
		const struct gpc_rule *rule = gpc_image_record(image, GPC_SEC_RULE, i);

		if (!rule->expires || rule->expires > now || ++found > max)
			continue;
		if (asprintf(
			    &ret_texts[found - 1],
			    "rule '%s/%s' (%s) expired at %s and decides all the same; take it out "
			    "and apply",
			    gpc_rule_owner(image, rule), gpc_image_name(image, rule->name),
			    gpc_rule_place(image, rule, place),
			    gpc_text_time((int64_t)rule->expires, when)) < 0)
			abort();
	}
	return found;
}

/* ---- text ---- */

static void titles(struct gpc_grid *grid, const char *const *names)
{
	for (size_t i = 0; grid->alignment[i]; i++)
		gpc_grid_add(grid, GPC_DIM, "%s", names[i]);
}

static void add_count(struct gpc_grid *grid, enum gpc_paint paint, uint64_t count)
{
	char text[32];

	gpc_grid_add(grid, count ? paint : GPC_DIM, "%s", gpc_text_count(count, text));
}

static void add_policy(struct gpc_grid *grid, const struct gpc_status *status, uint32_t index)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_policy *policy = gpc_image_record(image, GPC_SEC_POLICY, index);
	const struct gpc_chain *chain = chain_of(image, index);
	struct sums sums = sums_of(status, policy);
	GPC_AUTO_FREE char *interfaces = interfaces_of(image, index);
	bool audits = only_audits(status, policy);

	gpc_grid_add(grid, GPC_BOLD, "%s", gpc_image_name(image, policy->name));
	gpc_grid_add(grid, GPC_PLAIN, "%s", interfaces);
	gpc_grid_add(grid, GPC_PLAIN, "%s", direction_name(chain));
	gpc_grid_add(grid, audits ? GPC_YELLOW : GPC_GREEN, "%s", audits ? "AUDIT" : "enforce");
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_action_name(policy->fallback));
	gpc_grid_add(grid, GPC_PLAIN, "%s", existing_name(chain));
	gpc_grid_add(grid, GPC_PLAIN, "%u", policy->rules);
	add_count(grid, GPC_PLAIN, sums.packets);
	add_count(grid, GPC_YELLOW, sums.would_deny);
}

static void print_policies(const struct gpc_status *status)
{
	static const char *const names[] = {"policy", "interfaces", "direction",
					    "mode",   "default",    "state",
					    "rules",  "packets",    "would deny"};
	struct gpc_grid grid = {.alignment = "llllllrrr"};

	titles(&grid, names);
	for (uint32_t i = 0; i < gpc_image_count(&status->plane.image, GPC_SEC_POLICY); i++)
		add_policy(&grid, status, i);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

static void add_last(struct gpc_grid *grid, const struct gpc_rule_counter *counter)
{
	int64_t last = last_hit(counter);
	char text[32];

	if (last)
		gpc_grid_add(grid, GPC_PLAIN, "%s ago", gpc_text_ago(last, text));
	else
		gpc_grid_add(grid, GPC_DIM, "never");
}

static void add_name(struct gpc_grid *grid, const struct gpc_status *status,
		     const struct gpc_rule *rule)
{
	const struct gpc_image *image = &status->plane.image;

	gpc_grid_add(grid, GPC_PLAIN, "%s/%s", gpc_rule_owner(image, rule),
		     gpc_image_name(image, rule->name));
}

static void add_place(struct gpc_grid *grid, const struct gpc_status *status,
		      const struct gpc_rule *rule)
{
	char place[GPC_RULE_PLACE];

	gpc_grid_add(grid, GPC_DIM, "%s", gpc_rule_place(&status->plane.image, rule, place));
}

struct denial {
	uint32_t rule;
	uint64_t packets;
};

static int by_packets(const void *a, const void *b)
{
	const struct denial *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets > y->packets ? -1 : 1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

/* Rules and defaults that would have denied something, most first; malloc'ed. */
static struct denial *denials(const struct gpc_status *status, uint32_t *ret_count)
{
	uint32_t rules = gpc_image_count(&status->plane.image, GPC_SEC_RULE), count = 0;
	struct denial *list = calloc(rules + 1ul, sizeof(*list));

	if (!list)
		abort();
	for (uint32_t i = 0; i < rules; i++) {
		uint64_t packets = gpc_rule_counter_at(status, i).would_deny;

		if (packets)
			list[count++] = (struct denial){i, packets};
	}
	qsort(list, count, sizeof(*list), by_packets);
	*ret_count = count;
	return list;
}

static void print_denials(const struct gpc_call *call, const struct gpc_status *status)
{
	static const char *const names[] = {"would be denied by", "packets", "last hit", "place"};
	struct gpc_grid grid = {.alignment = "lrll"};
	uint32_t count, shown;
	GPC_AUTO_FREE struct denial *list = denials(status, &count);

	if (!count)
		return;
	shown = count > TOP && !gpc_call_has(call, "verbose") ? TOP : count;
	titles(&grid, names);
	for (uint32_t i = 0; i < shown; i++) {
		const struct gpc_rule *rule = rule_at(status, list[i].rule);
		struct gpc_rule_counter counter = gpc_rule_counter_at(status, list[i].rule);

		add_name(&grid, status, rule);
		add_count(&grid, GPC_YELLOW, list[i].packets);
		add_last(&grid, &counter);
		add_place(&grid, status, rule);
	}
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
	if (shown < count)
		printf("... and %u more (-v lists all)\n", count - shown);
}

static void add_rule(struct gpc_grid *grid, const struct gpc_status *status, uint32_t index)
{
	const struct gpc_rule *rule = rule_at(status, index);
	struct gpc_rule_counter counter = gpc_rule_counter_at(status, index);
	char text[32];

	add_name(grid, status, rule);
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_action_name(rule->action));
	add_count(grid, GPC_PLAIN, counter.packets);
	gpc_grid_add(grid, counter.bytes ? GPC_PLAIN : GPC_DIM, "%s",
		     gpc_text_bytes(counter.bytes, text));
	add_count(grid, GPC_YELLOW, counter.would_deny);
	add_count(grid, GPC_YELLOW, counter.exceeded);
	add_count(grid, GPC_YELLOW, counter.log_lost);
	add_last(grid, &counter);
	add_place(grid, status, rule);
}

static void print_rules(const struct gpc_status *status)
{
	static const char *const names[] = {"rule",	 "action",     "packets",
					    "bytes",	 "would deny", "beyond rate",
					    "logs lost", "last hit",   "place"};
	struct gpc_grid grid = {.alignment = "llrrrrrll"};

	titles(&grid, names);
	for (uint32_t i = 0; i < gpc_image_count(&status->plane.image, GPC_SEC_RULE); i++)
		add_rule(&grid, status, i);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

static bool any_kept(const struct gpc_status *status)
{
	for (int i = 0; i < GPC_LIMIT_COUNT; i++)
		if (status->plane.limits[i].kept || status->plane.limits[i].lost)
			return true;
	return false;
}

static void print_limits(const struct gpc_call *call, const struct gpc_status *status)
{
	static const char *const names[] = {"limited", "let", "kept back", "ring full"};
	struct gpc_grid grid = {.alignment = "lrrr"};

	if (!gpc_call_has(call, "verbose") && !any_kept(status))
		return;
	titles(&grid, names);
	for (int i = 0; i < GPC_LIMIT_COUNT; i++) {
		const struct gpc_limiter *limiter = &status->plane.limits[i];

		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_limit_name(i));
		add_count(&grid, GPC_PLAIN, limiter->let);
		add_count(&grid, GPC_YELLOW, limiter->kept);
		add_count(&grid, GPC_YELLOW, limiter->lost);
	}
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

void gpc_status_policies_text(const struct gpc_call *call, const struct gpc_status *status)
{
	if (gpc_has_policies(status->plane.image.plane)) {
		print_policies(status);
		print_denials(call, status);
		print_limits(call, status);
	}
	if (gpc_call_has(call, "verbose"))
		print_rules(status);
}

/* ---- JSON ---- */

static void print_policy_json(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_policy *policy = gpc_image_record(image, GPC_SEC_POLICY, index);
	const struct gpc_chain *chain = chain_of(image, index);
	GPC_AUTO_FREE char *interfaces = interfaces_of(image, index);
	struct json_object *object = gpc_json("policy");
	struct sums sums = sums_of(status, policy);

	gpc_json_text(object, "name", gpc_image_name(image, policy->name));
	gpc_json_text(object, "interfaces", interfaces);
	gpc_json_text(object, "direction", direction_name(chain));
	gpc_json_text(object, "mode", only_audits(status, policy) ? "audit" : "enforce");
	gpc_json_text(object, "written_mode",
		      policy->mode == GPC_POLICY_AUDIT ? "audit" : "enforce");
	gpc_json_text(object, "default", gpc_action_name(policy->fallback));
	gpc_json_bool(object, "stateful", chain && chain->flags & GPC_CHAIN_STATEFUL);
	gpc_json_text(object, "existing",
		      chain && chain->flags & GPC_CHAIN_KEEP ? "keep" : "recheck");
	gpc_json_number(object, "priority", policy->priority);
	gpc_json_number(object, "rules", policy->rules);
	gpc_json_number(object, "packets", (int64_t)sums.packets);
	gpc_json_number(object, "would_deny", (int64_t)sums.would_deny);
	gpc_json_print(object);
}

static void print_rule_json(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_rule *rule = rule_at(status, index);
	struct gpc_rule_counter counter = gpc_rule_counter_at(status, index);
	struct json_object *object = gpc_json("rule");
	char place[GPC_RULE_PLACE];

	gpc_json_text(object, "policy", gpc_rule_owner(image, rule));
	gpc_json_text(object, "name", gpc_image_name(image, rule->name));
	gpc_json_text(object, "action", gpc_action_name(rule->action));
	gpc_json_number(object, "packets", (int64_t)counter.packets);
	gpc_json_number(object, "bytes", (int64_t)counter.bytes);
	gpc_json_number(object, "would_deny", (int64_t)counter.would_deny);
	gpc_json_number(object, "exceeded", (int64_t)counter.exceeded);
	gpc_json_number(object, "log_lost", (int64_t)counter.log_lost);
	gpc_json_number(object, "last_hit", last_hit(&counter));
	gpc_json_number(object, "expires", (int64_t)rule->expires);
	gpc_json_bool(object, "expired", rule->expires && rule->expires <= (uint64_t)time(NULL));
	gpc_json_text(object, "place", *gpc_rule_place(image, rule, place) ? place : NULL);
	gpc_json_print(object);
}

void gpc_status_policies_json(const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_POLICY); i++)
		print_policy_json(status, i);
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_RULE); i++)
		print_rule_json(status, i);
	for (int i = 0; i < GPC_LIMIT_COUNT; i++) {
		const struct gpc_limiter *limiter = &status->plane.limits[i];
		struct json_object *object = gpc_json("limit");

		gpc_json_text(object, "name", gpc_limit_name(i));
		gpc_json_number(object, "let", (int64_t)limiter->let);
		gpc_json_number(object, "kept", (int64_t)limiter->kept);
		gpc_json_number(object, "lost", (int64_t)limiter->lost);
		gpc_json_print(object);
	}
}
