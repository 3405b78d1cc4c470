/* SPDX-License-Identifier: MIT */
/* What the boxes of a pair of lines come to, by SEMANTICS 4.3, 5 and 6.1. */
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "gpc/lookup/chain.h"

#define WORK_MAX (4ull * 1024 * 1024 * 1024)
#define VERDICT_WORDS (sizeof(struct gpc_atlas_verdict) / sizeof(uint32_t))

_Static_assert(VERDICT_WORDS == 7 && sizeof(enum gpc_action) == sizeof(uint32_t), "a verdict is a sequence of words");

bool gpc_atlas_passes(const struct gpc_atlas_verdict *verdict)
{
	return verdict->at_times || !gpc_atlas_denies(verdict);
}

bool gpc_atlas_denies(const struct gpc_atlas_verdict *verdict)
{
	return verdict->action == GPC_ACTION_DENY || verdict->action == GPC_ACTION_REJECT;
}

struct part {
	uint32_t log_rule, mark;
	uint64_t *bits;
};

struct taken {
	uint32_t verdict;
	uint64_t *bits;
};

/* One of a chart, used again: what it grows into stays. */
struct gpc_chart_evaluation {
	struct gpc_chart *chart;
	uint32_t words;			/* of 64 bits: a set */
	GPC_VEC(struct gpc_cell_entry) entries[GPC_CHART_TABLES];
	uint32_t listeners;
	uint64_t *mid_stream;
	GPC_VEC(struct taken) taken;
	GPC_VEC(struct part) next, now;
	GPC_VEC(uint32_t) words_found;
};

/* A set of the making, not cleared. */
static uint64_t *sheet(struct gpc_chart *chart)
{
	if (chart->sheets_used == chart->sheets.n)
		*GPC_PUSH(chart->arena, &chart->sheets) = GPC_NEW_ARRAY(chart->arena, uint64_t, chart->kinds->words / 2);
	return chart->sheets.items[chart->sheets_used++];
}

static uint64_t *blank(struct gpc_chart *chart)
{
	uint64_t *bits = sheet(chart);

	memset(bits, 0, chart->kinds->words * sizeof(uint32_t));
	return bits;
}

static uint64_t *copied(struct gpc_chart *chart, const uint64_t *from)
{
	uint64_t *bits = sheet(chart);

	memcpy(bits, from, chart->kinds->words * sizeof(uint32_t));
	return bits;
}

/* Moves from `from` to `to` what is in `set`. False: nothing is. */
static bool move(const struct gpc_chart_evaluation *e, uint64_t *from, const uint64_t *set, uint64_t *to)
{
	uint64_t any = 0;

	e->chart->work += e->words;
	for (uint32_t i = 0; i < e->words; i++) {
		to[i] = from[i] & set[i];
		from[i] &= ~set[i];
		any |= to[i];
	}
	return any;
}

/* The same with a set by number; the sheet asked for last is given back if nothing is in it. */
static bool take_part(const struct gpc_chart_evaluation *e, uint64_t *from, uint32_t set, uint64_t *last_sheet)
{
	if (move(e, from, gpc_kinds_set(e->chart->kinds, set), last_sheet))
		return true;
	e->chart->sheets_used--;
	return false;
}

static void add(const struct gpc_chart_evaluation *e, uint64_t *to, const uint64_t *bits)
{
	for (uint32_t i = 0; i < e->words; i++)
		to[i] |= bits[i];
}

static bool is_empty(const struct gpc_chart_evaluation *e, const uint64_t *bits)
{
	uint64_t any = 0;

	for (uint32_t i = 0; i < e->words; i++)
		any |= bits[i];
	return !any;
}

static void take(struct gpc_chart_evaluation *e, const struct gpc_atlas_verdict *verdict, const uint64_t *bits)
{
	uint32_t number = gpc_intern(&e->chart->verdicts, (const uint32_t *)(const void *)verdict, VERDICT_WORDS);

	for (size_t i = e->taken.n; i-- > 0;)
		if (e->taken.items[i].verdict == number) {
			add(e, e->taken.items[i].bits, bits);
			return;
		}
	*GPC_PUSH(e->chart->arena, &e->taken) = (struct taken){number, copied(e->chart, bits)};
}

/* The verdict of these packets; what passes is split by who listens. */
static void emit(struct gpc_chart_evaluation *e, struct gpc_atlas_verdict verdict, uint64_t *bits)
{
	const struct gpc_sequence *listeners = &e->chart->listeners.items.items[e->listeners];

	if (!gpc_atlas_passes(&verdict))
		verdict.mark = 0;
	for (uint32_t i = 0; gpc_atlas_passes(&verdict) && i < listeners->count; i += 2) {
		uint64_t *part = sheet(e->chart);
		struct gpc_atlas_verdict with = verdict;

		with.listener = listeners->words[i];
		if (take_part(e, bits, listeners->words[i + 1], part))
			take(e, &with, part);
	}
	if (!is_empty(e, bits))
		take(e, &verdict, bits);
}

/* They go on to the next policy. */
static void pass_on(struct gpc_chart_evaluation *e, uint32_t log_rule, uint32_t mark, const uint64_t *bits)
{
	for (size_t i = 0; i < e->next.n; i++)
		if (e->next.items[i].log_rule == log_rule && e->next.items[i].mark == mark) {
			add(e, e->next.items[i].bits, bits);
			return;
		}
	*GPC_PUSH(e->chart->arena, &e->next) = (struct part){log_rule, mark, copied(e->chart, bits)};
}

/* A policy of the chain as it is asked. */
struct asked_policy {
	const struct gpc_policy *policy;
	uint32_t index;			/* of POLICY */
	bool audit;
	uint32_t decide, log, mark;	/* tables, GPC_NONE */
};

static struct asked_policy policy_at(const struct gpc_chart *chart, uint32_t place)
{
	struct asked_policy p = {.index = chart->chain->policy[place],
				 .decide = GPC_NONE,
				 .log = GPC_NONE,
				 .mark = GPC_NONE};

	p.policy = gpc_policy_at(chart->image->view, p.index);
	p.audit = p.policy->mode == GPC_POLICY_AUDIT && !chart->enforce_audit;
	for (uint32_t t = 0; t < chart->tables; t++) {
		const struct gpc_chart_table *table = &chart->table[t];

		if (table->role == GPC_CHART_PROTECT || table->policy != place)
			continue;
		*(table->role == GPC_CHART_DECIDE ? &p.decide :
		  table->role == GPC_CHART_LOG	  ? &p.log :
						    &p.mark) = t;
	}
	return p;
}

/* Does it deny what it lets through beyond its rate? */
static bool lets_exceed(const struct gpc_rule *rule)
{
	return rule->rate_entries && rule->exceed == GPC_ACTION_ALLOW &&
	       (rule->action == GPC_ACTION_DENY || rule->action == GPC_ACTION_REJECT);
}

/* What the deciding rule says of these packets. In mid-stream no rate is charged. */
static void decide(struct gpc_chart_evaluation *e, struct gpc_atlas_verdict verdict, uint64_t *bits)
{
	uint64_t *middle;

	if (!lets_exceed(gpc_rule_at(e->chart->image->view, verdict.rule))) {
		emit(e, verdict, bits);
		return;
	}
	middle = sheet(e->chart);
	if (move(e, bits, e->mid_stream, middle))
		emit(e, verdict, middle);
	verdict.at_times = true;
	if (!is_empty(e, bits))
		emit(e, verdict, bits);
}

/* The rule at `position` holds these packets, a log and a mark rule before it have acted. */
static void settle(struct gpc_chart_evaluation *e, const struct asked_policy *p, const struct part *part, uint32_t position,
		   uint32_t log_rule, uint32_t mark, uint64_t *bits)
{
	uint32_t rule = p->policy->first_rule + position;
	const struct gpc_rule *record = gpc_rule_at(e->chart->image->view, rule);

	if (part->log_rule != GPC_NONE)
		log_rule = part->log_rule;
	if (log_rule == GPC_NONE && record->log_sample && record->action != GPC_ACTION_PASS)
		log_rule = rule;
	if (part->mark)
		mark = part->mark;
	if (record->action == GPC_ACTION_ALLOW && !p->audit && record->mark)
		mark = record->mark;
	if (p->audit || record->action == GPC_ACTION_PASS)
		pass_on(e, log_rule, mark, bits);
	else
		decide(e, (struct gpc_atlas_verdict){record->action, rule, p->index, log_rule, mark, GPC_NONE, 0}, bits);
}

static void settle_marks(struct gpc_chart_evaluation *e, const struct asked_policy *p, const struct part *part,
			 uint32_t position, uint32_t log_rule, uint64_t *bits)
{
	for (size_t i = 0; p->mark != GPC_NONE && !p->audit && i < e->entries[p->mark].n; i++) {
		const struct gpc_cell_entry *entry = &e->entries[p->mark].items[i];
		uint64_t *marked;

		if (entry->position >= position)
			break;
		marked = sheet(e->chart);
		if (take_part(e, bits, entry->set, marked))
			settle(e, p, part, position, log_rule,
			       gpc_rule_at(e->chart->image->view, p->policy->first_rule + entry->position)->mark,
			       marked);
	}
	if (!is_empty(e, bits))
		settle(e, p, part, position, log_rule, 0, bits);
}

/* The rule at `position` holds these packets. */
static void settle_logs(struct gpc_chart_evaluation *e, const struct asked_policy *p, const struct part *part,
			uint32_t position, uint64_t *bits)
{
	for (size_t i = 0; p->log != GPC_NONE && i < e->entries[p->log].n; i++) {
		const struct gpc_cell_entry *entry = &e->entries[p->log].items[i];
		uint64_t *logged;

		if (entry->position >= position)
			break;
		logged = sheet(e->chart);
		if (take_part(e, bits, entry->set, logged))
			settle_marks(e, p, part, position, p->policy->first_rule + entry->position, logged);
	}
	if (!is_empty(e, bits))
		settle_marks(e, p, part, position, GPC_NONE, bits);
}

static void ask_policy(struct gpc_chart_evaluation *e, const struct asked_policy *p, struct part *part)
{
	struct gpc_chart *chart = e->chart;
	uint64_t *rest = blank(chart);

	for (size_t i = 0; p->decide != GPC_NONE && i < e->entries[p->decide].n; i++) {
		const struct gpc_cell_entry *entry = &e->entries[p->decide].items[i];
		uint64_t *held = sheet(chart), *middle;

		if (!take_part(e, part->bits, entry->set, held))
			continue;
		if (!p->audit && gpc_rule_at(chart->image->view, p->policy->first_rule + entry->position)->action ==
					 GPC_ACTION_ALLOW) {
			middle = sheet(chart);
			if (move(e, held, e->mid_stream, middle))
				add(e, rest, middle);
		}
		settle_logs(e, p, part, entry->position, held);
	}
	add(e, rest, part->bits);
	settle_logs(e, p, part, p->policy->rules, rest);
}

static void ask_protect(struct gpc_chart_evaluation *e, uint32_t t, uint64_t *bits)
{
	for (size_t i = 0; i < e->entries[t].n; i++) {
		const struct gpc_cell_entry *entry = &e->entries[t].items[i];
		uint64_t *held = sheet(e->chart);

		if (take_part(e, bits, entry->set, held))
			emit(e,
			     (struct gpc_atlas_verdict){GPC_ACTION_ALLOW, e->chart->chain->protect_base + entry->position,
							GPC_NONE, GPC_NONE, 0, GPC_NONE, 0},
			     held);
	}
}

/* What no policy has decided passes. */
static void ask_chain(struct gpc_chart_evaluation *e, uint64_t *bits)
{
	const struct gpc_chain *chain = e->chart->chain;

	if (chain && e->chart->tables && e->chart->table[0].role == GPC_CHART_PROTECT)
		ask_protect(e, 0, bits);
	if (!is_empty(e, bits))
		pass_on(e, GPC_NONE, 0, bits);
	for (uint32_t i = 0; chain && i < chain->policies; i++) {
		struct asked_policy p = policy_at(e->chart, i);

		e->now.n = 0;
		for (size_t k = 0; k < e->next.n; k++)
			*GPC_PUSH(e->chart->arena, &e->now) = e->next.items[k];
		e->next.n = 0;
		for (size_t k = 0; k < e->now.n; k++)
			ask_policy(e, &p, &e->now.items[k]);
	}
	for (size_t k = 0; k < e->next.n; k++)
		emit(e,
		     (struct gpc_atlas_verdict){GPC_ACTION_PASS, GPC_NONE, GPC_NONE, e->next.items[k].log_rule,
						e->next.items[k].mark, GPC_NONE, 0},
		     e->next.items[k].bits);
}

static int by_position(const void *a, const void *b)
{
	uint32_t x = ((const struct gpc_cell_entry *)a)->position, y = ((const struct gpc_cell_entry *)b)->position;

	return x < y ? -1 : x > y;
}

static void gather_content(struct gpc_chart_evaluation *e, uint32_t table, uint32_t number)
{
	struct gpc_chart *chart = e->chart;
	const struct gpc_cell_content *content =
		gpc_cell_table_content(&chart->table[table].cells, chart->kinds, number);

	for (size_t i = 0; i < content->count; i++)
		*GPC_PUSH(chart->arena, &e->entries[table]) = content->entries[i];
}

/* The boxes of all cells that the node is made of, by table. */
static void gather(struct gpc_chart_evaluation *e, uint32_t node)
{
	struct gpc_chart *chart = e->chart;

	while (node) {
		struct gpc_step step = chart->nodes.items.items[node - 1];
		struct gpc_step content = chart->contents.items.items[step.by];

		if (content.from == GPC_CHART_LISTENERS)
			e->listeners = content.by;
		else
			gather_content(e, content.from, content.by);
		node = step.from;
	}
	for (uint32_t t = 0; t < chart->tables; t++)
		if (e->entries[t].n > 1)
			qsort(e->entries[t].items, e->entries[t].n, sizeof(struct gpc_cell_entry), by_position);
}

/* TCP in mid-stream that no listener takes, where the chain leaves it to defaults. */
static void find_mid_stream(struct gpc_chart_evaluation *e)
{
	struct gpc_chart *chart = e->chart;
	const struct gpc_sequence *listeners = &chart->listeners.items.items[e->listeners];
	bool left = chart->chain && chart->chain->flags & GPC_CHAIN_STATEFUL &&
		    !(chart->chain->flags & GPC_CHAIN_MID_STREAM_ALLOW);
	uint64_t *taken = sheet(chart);

	e->mid_stream = left ? copied(chart, gpc_kinds_set(chart->kinds, chart->kinds->mid_stream)) : blank(chart);
	for (uint32_t i = 0; i < listeners->count; i += 2)
		move(e, e->mid_stream, gpc_kinds_set(chart->kinds, listeners->words[i + 1]), taken);
}

static int by_verdict(const void *a, const void *b)
{
	uint32_t x = ((const struct taken *)a)->verdict, y = ((const struct taken *)b)->verdict;

	return x < y ? -1 : x > y;
}

/* The chart's, empty. */
static struct gpc_chart_evaluation *begin(struct gpc_chart *chart)
{
	struct gpc_chart_evaluation *e = chart->evaluation;

	if (!e)
		chart->evaluation = e = GPC_NEW(chart->arena, struct gpc_chart_evaluation);
	e->chart = chart;
	e->words = chart->kinds->words / 2;
	for (uint32_t t = 0; t < chart->tables; t++)
		e->entries[t].n = 0;
	e->listeners = 0;
	e->taken.n = e->next.n = e->words_found.n = 0;
	chart->sheets_used = 0;
	return e;
}

/* What was taken, as a sequence: verdict or effect, set. */
static const uint32_t *sequence_of(struct gpc_chart_evaluation *e)
{
	struct gpc_chart *chart = e->chart;

	qsort(e->taken.items, e->taken.n, sizeof(*e->taken.items), by_verdict);
	for (size_t i = 0; i < e->taken.n; i++) {
		*GPC_PUSH(chart->arena, &e->words_found) = e->taken.items[i].verdict;
		*GPC_PUSH(chart->arena, &e->words_found) = gpc_kinds_number(chart->kinds, e->taken.items[i].bits);
	}
	return e->words_found.items;
}

/* Verdicts of all kinds, in e->taken. */
static struct gpc_chart_evaluation *evaluate(struct gpc_chart *chart, uint32_t node)
{
	struct gpc_chart_evaluation *e = begin(chart);

	gather(e, node);
	find_mid_stream(e);
	ask_chain(e, copied(chart, gpc_kinds_set(chart->kinds, chart->kinds->all)));
	if (chart->work + chart->kinds->work > WORK_MAX)
		chart->fault = "rules that meet in too many combinations";
	return e;
}

static bool is_full(struct gpc_chart *chart)
{
	if (chart->functions.full || chart->verdicts.full || chart->kinds->sets.full || chart->effects->functions.full)
		chart->fault = "more sets of packets than memory is given for";
	return chart->fault;
}

static uint32_t function_at(struct gpc_chart *chart, uint32_t node)
{
	struct gpc_chart_evaluation *e = evaluate(chart, node);
	const uint32_t *words = sequence_of(e);

	return gpc_intern(&chart->functions, words, e->words_found.n);
}

uint32_t gpc_chart_function(struct gpc_chart *chart, uint32_t node)
{
	uint32_t *known;

	if (chart->fault && chart->functions.items.n)
		return 0;
	while (chart->function_of.n <= node)
		*GPC_PUSH(chart->arena, &chart->function_of) = 0;
	known = &chart->function_of.items[node];
	if (!*known)
		*known = 1 + function_at(chart, node);
	is_full(chart);
	return *known - 1;
}

/* ---- effects ---- */

static uint32_t passage_of(const struct gpc_atlas_verdict *verdict)
{
	if (verdict->at_times)
		return GPC_ACTION_ALLOW << 8 | verdict->action;
	return gpc_atlas_passes(verdict) ? GPC_ACTION_ALLOW : verdict->action;
}

/* What the rate of the deciding rule makes of its packets. */
static void add_rate(const struct gpc_rule *rule, uint32_t words[8])
{
	if (!rule->rate_entries)
		return;
	words[0] = (uint32_t)rule->rate_cost;
	words[1] = (uint32_t)(rule->rate_cost >> 32);
	words[2] = (uint32_t)rule->rate_burst;
	words[3] = (uint32_t)(rule->rate_burst >> 32);
	words[4] = rule->rate_entries;
	words[5] = rule->flags & (GPC_RULE_RATE | GPC_RULE_RATE_SOURCE | GPC_RULE_RATE_BYTES);
	words[6] = rule->exceed;
}

uint32_t gpc_effect_of(struct gpc_effects *effects, const struct gpc_image *image,
		       const struct gpc_atlas_verdict *verdict)
{
	uint32_t words[14] = {0}, aspects = effects->aspects;

	if (aspects & GPC_ATLAS_PASSAGE)
		words[0] = passage_of(verdict);
	if (aspects & GPC_ATLAS_LOGGED)
		words[1] = verdict->log_rule != GPC_NONE;
	if (aspects & GPC_ATLAS_MARK)
		words[2] = verdict->mark;
	if (aspects & GPC_ATLAS_LISTENER && verdict->listener != GPC_NONE) {
		uint32_t count;
		const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

		words[3] = (uint32_t)listeners[verdict->listener].id;
		words[4] = (uint32_t)(listeners[verdict->listener].id >> 32);
	}
	if (aspects & GPC_ATLAS_RATE && verdict->rule != GPC_NONE)
		add_rate(gpc_rule_at(image->view, verdict->rule), words + 5);
	return gpc_intern(&effects->single, words, sizeof(words) / sizeof(words[0]));
}

/* Verdicts become effects; equal ones are joined. */
static uint32_t effect_at(struct gpc_chart *chart, uint32_t node)
{
	struct gpc_chart_evaluation *e = evaluate(chart, node);
	const uint32_t *words;
	size_t kept = 0;

	for (size_t i = 0; i < e->taken.n; i++) {
		struct taken taken = e->taken.items[i];
		size_t k = 0;

		taken.verdict = gpc_effect_of(chart->effects, chart->image, gpc_chart_verdict(chart, taken.verdict));
		while (k < kept && e->taken.items[k].verdict != taken.verdict)
			k++;
		if (k < kept)
			add(e, e->taken.items[k].bits, taken.bits);
		else
			e->taken.items[kept++] = taken;
	}
	e->taken.n = kept;
	words = sequence_of(e);
	return gpc_intern(&chart->effects->functions, words, e->words_found.n);
}

uint32_t gpc_chart_effect(struct gpc_chart *chart, uint32_t node)
{
	uint32_t *known;

	if (chart->fault && chart->effects->functions.items.n)
		return 0;
	while (chart->effect_of.n <= node)
		*GPC_PUSH(chart->arena, &chart->effect_of) = 0;
	known = &chart->effect_of.items[node];
	if (!*known)
		*known = 1 + effect_at(chart, node);
	is_full(chart);
	return *known - 1;
}
