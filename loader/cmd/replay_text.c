/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "output.h"
#include "replay.h"
#include "rulebook.h"
#include "status.h"

static void add_sum(struct gpc_grid *grid, const struct gpc_sum *sum)
{
	char bytes[32];

	gpc_grid_add(grid, GPC_PLAIN, "%llu", (unsigned long long)sum->packets);
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_text_bytes(sum->bytes, bytes));
}

static void add_head(struct gpc_grid *grid, const char *const *names)
{
	for (; *names; names++)
		gpc_grid_add(grid, GPC_DIM, "%s", *names);
}

static void say_more(size_t all, size_t shown)
{
	if (all > shown)
		printf("  ... and %zu more (--top %zu shows all)\n", all - shown, all);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ---- what was there ---- */

static void say_loss(uint64_t count, const char *what)
{
	char text[32];

	if (count)
		printf("  %s %s\n", gpc_text_number(count, "packet", text), what);
}

static void show_head(const struct gpc_replayed *r)
{
	const struct gpc_replay *replay = r->replay;
	const struct gpc_sum *all = &replay->tallies[0].all;
	char number[32], bytes[32], begin[32], end[32];

	printf("%s%s%s: %s, %s", gpc_paint(stdout, GPC_BOLD), r->source,
	       gpc_paint(stdout, GPC_PLAIN), gpc_text_number(all->packets, "packet", number),
	       gpc_text_bytes(all->bytes, bytes));
	if (replay->timed)
		printf(", %s to %s", gpc_text_time(replay->begin / 1000000000, begin),
		       gpc_text_time(replay->end / 1000000000, end));
	putchar('\n');
	say_loss(r->losses->cut, "captured cut short, filled up with zeros");
	say_loss(r->losses->headless, "left out: captured without their headers");
	say_loss(r->losses->oversize, "left out: longer than any frame");
	say_loss(replay->undirected.packets, "left out: of a direction for which no device is given");
	say_loss(replay->backwards, "with a time stamp before the one in front");
}

/* ---- totals, a column of both figures for each image ---- */

static void show_names(const struct gpc_replayed *r, struct gpc_grid *grid, const char *first)
{
	gpc_grid_add(grid, GPC_DIM, "%s", first);
	for (size_t i = 0; i < r->replay->count; i++) {
		gpc_grid_add(grid, GPC_DIM, "%s", r->replay->count == 1 ? "packets" : r->names[i]);
		gpc_grid_add(grid, GPC_DIM, "bytes");
	}
}

static enum gpc_paint verdict_paint(enum gpc_verdict verdict)
{
	return verdict == GPC_VERDICT_DROP || verdict == GPC_VERDICT_REJECT ? GPC_RED : GPC_GREEN;
}

static void show_totals(const struct gpc_replayed *r)
{
	const struct gpc_tally *t = r->replay->tallies;
	size_t count = r->replay->count;
	struct gpc_grid grid = {.alignment = count == 1 ? "lrr" : "lrrrr"};

	show_names(r, &grid, "verdict");
	for (enum gpc_verdict v = GPC_VERDICT_PASS; v < GPC_VERDICTS; v++) {
		if (!t[0].verdicts[v].packets && !t[1].verdicts[v].packets)
			continue;
		gpc_grid_add(&grid, verdict_paint(v), "%s", gpc_verdict_name(v));
		for (size_t i = 0; i < count; i++)
			add_sum(&grid, &t[i].verdicts[v]);
	}
	if (t[0].would.packets || t[1].would.packets) {
		gpc_grid_add(&grid, GPC_YELLOW, "would deny (audit)");
		for (size_t i = 0; i < count; i++)
			add_sum(&grid, &t[i].would);
	}
	gpc_grid_print(&grid, stdout, 2);
}

static void show_reasons(const struct gpc_replayed *r)
{
	const struct gpc_tally *t = r->replay->tallies;
	size_t count = r->replay->count;
	struct gpc_grid grid = {.alignment = count == 1 ? "lrr" : "lrrrr"};

	show_names(r, &grid, "reason");
	for (int reason = 0; reason <= GPC_REASON_COUNT; reason++) {
		if (!t[0].reasons[reason].packets && !t[1].reasons[reason].packets)
			continue;
		gpc_grid_add(&grid, GPC_PLAIN, "%s",
			     reason == GPC_REASON_COUNT ? "(no program there)"
							: gpc_reason_name((enum gpc_reason)reason));
		for (size_t i = 0; i < count; i++)
			add_sum(&grid, &t[i].reasons[reason]);
	}
	gpc_grid_print(&grid, stdout, 2);
}

/* ---- lists of one image ---- */

/* Of all three sums of a rule, for the order. */
static size_t *rank_rules(const struct gpc_tally *tally, size_t count, size_t *ret_count)
{
	GPC_AUTO_FREE struct gpc_sum *sums = calloc(count, sizeof(*sums));

	if (!sums)
		abort();
	for (size_t i = 0; i < count; i++)
		sums[i] = (struct gpc_sum){
			tally->rules[i].asked.packets + tally->rules[i].known.packets +
				tally->rules[i].would.packets,
			tally->rules[i].asked.bytes + tally->rules[i].known.bytes};
	return gpc_sums_rank(sums, sizeof(*sums), count, ret_count);
}

static void show_rules(const struct gpc_replayed *r, size_t side)
{
	const struct gpc_image *image = r->replay->images[side];
	const struct gpc_tally *tally = &r->replay->tallies[side];
	uint32_t rules = gpc_image_count(image, GPC_SEC_RULE);
	struct gpc_grid grid = {.alignment = "lrrrrl"};
	char place[GPC_RULE_PLACE], bytes[32];
	size_t count;
	GPC_AUTO_FREE size_t *order = rank_rules(tally, rules + 1ul, &count);

	add_head(&grid, (const char *const[]){"rule", "asked", "of known flows", "bytes",
					      "would deny", "", NULL});
	for (size_t k = 0; k < least(count, r->top); k++) {
		uint32_t index = order[k] == rules ? GPC_NONE : (uint32_t)order[k];
		const struct gpc_rule_sum *sum = &tally->rules[order[k]];
		GPC_AUTO_FREE char *name = gpc_rule_text(image, index);

		gpc_grid_add(&grid, GPC_PLAIN, "%s", index == GPC_NONE ? "(nobody decides)" : name);
		gpc_grid_add(&grid, GPC_PLAIN, "%llu", (unsigned long long)sum->asked.packets);
		gpc_grid_add(&grid, GPC_PLAIN, "%llu", (unsigned long long)sum->known.packets);
		gpc_grid_add(&grid, GPC_PLAIN, "%s",
			     gpc_text_bytes(sum->asked.bytes + sum->known.bytes, bytes));
		gpc_grid_add(&grid, sum->would.packets ? GPC_YELLOW : GPC_PLAIN, "%llu",
			     (unsigned long long)sum->would.packets);
		gpc_grid_add(&grid, GPC_DIM, "%s",
			     index == GPC_NONE
				     ? ""
				     : gpc_rule_place(image, gpc_image_record(image, GPC_SEC_RULE, index),
						      place));
	}
	gpc_grid_print(&grid, stdout, 2);
	say_more(count, r->top);
}

static const char *object_name(const struct gpc_image *image, enum gpc_section_id id, size_t index)
{
	const void *record = gpc_image_record(image, id, (uint32_t)index);

	return gpc_image_name(image, id == GPC_SEC_LISTENER
					     ? ((const struct gpc_listener *)record)->name
					     : ((const struct gpc_endpoint *)record)->name);
}

static void show_objects(const struct gpc_replayed *r, size_t side, enum gpc_section_id id,
			 const struct gpc_sum *sums, const char *word)
{
	const struct gpc_image *image = r->replay->images[side];
	struct gpc_grid grid = {.alignment = "lrr"};
	size_t count;
	GPC_AUTO_FREE size_t *order =
		gpc_sums_rank(sums, sizeof(*sums), gpc_image_count(image, id), &count);

	if (!count)
		return;
	add_head(&grid, (const char *const[]){word, "packets", "bytes", NULL});
	for (size_t k = 0; k < least(count, r->top); k++) {
		gpc_grid_add(&grid, GPC_PLAIN, "%s", object_name(image, id, order[k]));
		add_sum(&grid, &sums[order[k]]);
	}
	gpc_grid_print(&grid, stdout, 2);
	say_more(count, r->top);
}

static void show_image(const struct gpc_replayed *r, size_t side)
{
	const struct gpc_tally *tally = &r->replay->tallies[side];

	if (r->replay->count == 2)
		printf("\n%s%s%s\n", gpc_paint(stdout, GPC_BOLD), r->names[side],
		       gpc_paint(stdout, GPC_PLAIN));
	show_rules(r, side);
	show_objects(r, side, GPC_SEC_LISTENER, tally->listeners, "listener");
	show_objects(r, side, GPC_SEC_ENDPOINT, tally->endpoints, "endpoint");
}

/* ---- differences ---- */

static void show_witness(const struct gpc_replayed *r, const struct gpc_witness *witness,
			 bool with_fates)
{
	char text[GPC_PACKET_TEXT];
	const char *word = *r->source && !r->replay->timed ? "line" : "packet";

	printf("      %s %llu", word, (unsigned long long)witness->number);
	if (witness->ip)
		printf(": %s", gpc_packet_format(&witness->packet, text));
	putchar('\n');
	for (size_t i = 0; with_fates && i < 2; i++) {
		GPC_AUTO_FREE char *fate = gpc_fate_text(r->replay->images[i], &witness->fate[i]);

		printf("      %s: %s\n", r->names[i], fate);
	}
}

static void show_changes(const struct gpc_replayed *r)
{
	const struct gpc_differences *d = &r->replay->differences;
	GPC_AUTO_FREE size_t *order = gpc_differences_changes(d);
	char number[32], bytes[32];

	for (size_t k = 0; k < least(d->change_count, r->top); k++) {
		const struct gpc_change *change = &d->changes[order[k]];
		const struct gpc_fate *fate = change->witness.fate;
		GPC_AUTO_FREE char *was = gpc_fate_text(r->replay->images[0], &fate[0]);
		GPC_AUTO_FREE char *is = gpc_fate_text(r->replay->images[1], &fate[1]);

		printf("  %s, %s: %s -> %s\n",
		       gpc_text_number(change->sum.packets, "packet", number),
		       gpc_text_bytes(change->sum.bytes, bytes), was, is);
		show_witness(r, &change->witness, false);
	}
	say_more(d->change_count, r->top);
	if (d->other_changes.packets)
		printf("  %s more, for which the list has no room\n",
		       gpc_text_number(d->other_changes.packets, "packet", number));
}

static void show_flows(const struct gpc_replayed *r)
{
	const struct gpc_differences *d = &r->replay->differences;
	GPC_AUTO_FREE size_t *order = gpc_differences_flows(d);
	char number[32], bytes[32];

	puts("by flow");
	for (size_t k = 0; k < least(d->flow_differs, r->top); k++) {
		const struct gpc_tally_flow *flow = &d->flows[order[k]];

		printf("  %s, %s\n", gpc_text_number(flow->differs.packets, "packet", number),
		       gpc_text_bytes(flow->differs.bytes, bytes));
		show_witness(r, &flow->witness, true);
	}
	say_more(d->flow_differs, r->top);
	if (d->other_flows.packets)
		printf("  %s beside: no IP, or of flows past the first %u\n",
		       gpc_text_number(d->other_flows.packets, "packet", number), GPC_TALLY_FLOWS);
}

static void show_differences(const struct gpc_replayed *r)
{
	const struct gpc_differences *d = &r->replay->differences;
	char number[32], bytes[32];

	putchar('\n');
	if (!d->all.packets)
		puts("no packet is treated differently");
	else
		printf("%s%s%s, %s, treated differently\n", gpc_paint(stdout, GPC_BOLD),
		       gpc_text_number(d->all.packets, "packet", number),
		       gpc_paint(stdout, GPC_PLAIN), gpc_text_bytes(d->all.bytes, bytes));
	if (d->same_by_other_rule.packets)
		printf("%s treated alike, but by another rule\n",
		       gpc_text_number(d->same_by_other_rule.packets, "packet", number));
	if (!d->all.packets)
		return;
	puts("by rule");
	show_changes(r);
	show_flows(r);
}

void gpc_replay_text(const struct gpc_replayed *replayed)
{
	show_head(replayed);
	show_totals(replayed);
	show_reasons(replayed);
	if (replayed->replay->count == 1)
		show_image(replayed, 0);
	else
		show_differences(replayed);
}
