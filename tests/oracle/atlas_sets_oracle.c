/* SPDX-License-Identifier: MIT */
/*
 * The atlas on rule sets of real shapes and sizes: sets of thousands of rules and random edits of them. Sampled
 * packets, and every witness, are asked of both sets one rule after the other (rule_set.h); what the atlas claims to
 * be treated differently must be so, and nothing else.
 *
 *   GPC_CHECK_LONG=1   sets of 10,000 rules, a million packets in all
 */
#include "analyze/atlas.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memfiles.h"
#include "diag/render.h"
#include "pipeline.h"
#include "rule_questions.h"
#include "tests/unit/unit.h"

#ifdef __SANITIZE_ADDRESS__
#define SAMPLES_SHORT 500u
#else
#define SAMPLES_SHORT 3000u
#endif
#define SAMPLES_LONG 35000u

static bool is_long;
static unsigned long asked, differing, pieces_seen, witnesses, wrong, pairs, entangled;

struct plane {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image;
	struct rule_set set;
	struct rule_linear linear;
};

static bool open_plane(struct plane *plane)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	rule_yaml_write(&plane->set, &(struct rule_yaml){0}, out);
	fclose(out);
	rule_linear_init(&plane->linear, &plane->set);
	gpc_diags_init(&plane->diags, &plane->arena, false);
	gpc_memfiles_init(&files, &plane->arena);
	gpc_memfiles_add(&files, path, text, size);
	provider = gpc_memfiles_provider(&files);
	ok = gpc_compile(&plane->diags, &provider, &options, &compiled) &&
	     gpc_image_open_written(&plane->diags, path, compiled.bytes, compiled.size, &plane->image);
	if (!ok)
		gpc_diags_render(&plane->diags, GPC_DIAG_TEXT, false, stdout);
	free(text);
	return ok;
}

static void close_plane(struct plane *plane)
{
	if (plane->image.bytes)
		gpc_image_release(&plane->image);
	rule_linear_release(&plane->linear);
	rule_set_release(&plane->set);
	gpc_arena_release(&plane->arena);
}

/* ---- edits ---- */

static struct rule_box *some_box(struct rule_set *set, struct random_source *r)
{
	return &set->boxes[random_below(r, set->box_count)];
}

static void swap_content(struct rule_box *a, struct rule_box *b)
{
	struct rule_box box = *a;
	uint32_t position = b->position;

	*a = *b;
	a->position = box.position;
	*b = box;
	b->position = position;
}

/* Few changes of each kind; of every eighth edit a rule in the middle goes, so that all behind it change action. */
static void edit(struct rule_set *set, struct random_source *r, uint32_t number)
{
	for (uint64_t n = 1 + random_below(r, 20); n; n--)
		some_box(set, r)->service = some_box(set, r)->service;
	for (uint64_t n = random_below(r, 5); n; n--)
		some_box(set, r)->source = some_box(set, r)->source;
	for (uint64_t n = random_below(r, 5); n; n--)
		some_box(set, r)->destination = some_box(set, r)->destination;
	for (uint64_t n = random_below(r, 10); n; n--)
		swap_content(some_box(set, r), some_box(set, r));
	if (number % 8 != 7)
		return;
	for (size_t i = set->box_count / 2; i + 1 < set->box_count; i++) {
		set->boxes[i] = set->boxes[i + 1];
		set->boxes[i].position--;
	}
	set->box_count--;
}

/* ---- what the rules say ---- */

struct said {
	uint32_t position;	/* UINT32_MAX: the default */
	bool passes;
};

static struct said ask_rules(struct plane *plane, const struct gpc_question *question)
{
	uint32_t position = rule_linear_first(&plane->linear, question);

	return (struct said){position, position != UINT32_MAX && position % 2 == 0};
}

static bool same(const struct plane *plane, const struct gpc_atlas_verdict *verdict, struct said said)
{
	uint32_t count;
	const struct gpc_rule *rules = gpc_image_section(&plane->image, GPC_SEC_RULE, &count);
	char name[16] = "default";

	if (said.position != UINT32_MAX)
		snprintf(name, sizeof(name), "r%u", said.position);
	return gpc_atlas_passes(verdict) == said.passes && verdict->rule < count &&
	       !strcmp(gpc_image_name(&plane->image, rules[verdict->rule].name), name);
}

/* ---- what the atlas says ---- */

struct claims {
	struct gpc_atlas *atlas;
	const struct gpc_atlas_atom *atoms[2];
	size_t atom_count[2];
	struct range {
		struct gpc_range range;
		uint32_t atom;
	} *ranges[2];			/* by side, ascending */
	size_t range_count[2];
	struct gpc_atlas_pieces pieces;
	uint32_t *first, *of;		/* by source atom: pieces */
	const struct gpc_atlas_box **boxes;	/* by piece */
	size_t *box_count;
};

static int by_first(const void *a, const void *b)
{
	return gpc_ip_compare(&((const struct range *)a)->range.first, &((const struct range *)b)->range.first);
}

static void list_ranges(struct gpc_arena *arena, struct claims *c, int side)
{
	size_t n = 0;

	c->atoms[side] = gpc_atlas_atoms(c->atlas, (enum gpc_atlas_side)side, &c->atom_count[side]);
	for (size_t i = 0; i < c->atom_count[side]; i++)
		n += c->atoms[side][i].set.count;
	c->ranges[side] = GPC_NEW_ARRAY(arena, struct range, n);
	for (size_t i = 0; i < c->atom_count[side]; i++)
		for (size_t k = 0; k < c->atoms[side][i].set.count; k++)
			c->ranges[side][c->range_count[side]++] =
				(struct range){c->atoms[side][i].set.ranges[k], (uint32_t)i};
	qsort(c->ranges[side], n, sizeof(struct range), by_first);
}

static uint32_t atom_of(const struct claims *c, int side, const __u64 address[2])
{
	size_t low = 0, high = c->range_count[side];
	struct gpc_ip ip;

	memcpy(ip.bytes, address, sizeof(ip.bytes));
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (gpc_ip_compare(&c->ranges[side][middle].range.first, &ip) <= 0)
			low = middle;
		else
			high = middle;
	}
	return c->ranges[side][low].atom;
}

static void index_pieces(struct gpc_arena *arena, struct claims *c)
{
	size_t total = 0;

	c->first = GPC_NEW_ARRAY(arena, uint32_t, c->atom_count[0] + 2);
	for (size_t i = 0; i < c->pieces.count; i++)
		for (size_t k = 0; k < c->pieces.items[i].source_count; k++, total++)
			c->first[c->pieces.items[i].sources[k] + 2]++;
	for (size_t i = 2; i < c->atom_count[0] + 2; i++)
		c->first[i] += c->first[i - 1];
	c->of = GPC_NEW_ARRAY(arena, uint32_t, total);
	for (size_t i = 0; i < c->pieces.count; i++)
		for (size_t k = 0; k < c->pieces.items[i].source_count; k++)
			c->of[c->first[c->pieces.items[i].sources[k] + 1]++] = (uint32_t)i;
	c->boxes = GPC_NEW_ARRAY(arena, const struct gpc_atlas_box *, c->pieces.count);
	c->box_count = GPC_NEW_ARRAY(arena, size_t, c->pieces.count);
}

static bool box_holds(const struct gpc_atlas_box *box, const struct gpc_question *p)
{
	return p->protocol >= box->item.protocol_first && p->protocol <= box->item.protocol_last &&
	       p->source_port >= box->item.source.first && p->source_port <= box->item.source.last &&
	       p->destination_port >= box->item.destination.first &&
	       p->destination_port <= box->item.destination.last && box->tcp_flags >> p->tcp_flags & 1 &&
	       box->fragments >> p->fragment & 1 && box->dscp >> p->dscp & 1 &&
	       (!box->vlans || box->vlans[p->vlan / 64] >> p->vlan % 64 & 1);
}

static bool piece_holds(struct claims *c, uint32_t piece, uint32_t destination, const struct gpc_question *question)
{
	const struct gpc_atlas_piece *p = &c->pieces.items[piece];
	size_t low = 0, high = p->destination_count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (p->destinations[middle] <= destination)
			low = middle;
		else
			high = middle;
	}
	if (p->destinations[low] != destination)
		return false;
	if (!c->boxes[piece])
		c->boxes[piece] = gpc_atlas_boxes(c->atlas, p->place, p->region, &c->box_count[piece]);
	for (size_t i = 0; i < c->box_count[piece]; i++)
		if (box_holds(&c->boxes[piece][i], question))
			return true;
	return false;
}

/* The piece that holds the packet; NULL: none. More than one is wrong. */
static const struct gpc_atlas_piece *claimed(struct claims *c, const struct gpc_question *question)
{
	uint32_t source = atom_of(c, 0, question->source), destination = atom_of(c, 1, question->destination);
	const struct gpc_atlas_piece *found = NULL;

	for (uint32_t i = c->first[source]; i < c->first[source + 1]; i++) {
		if (!piece_holds(c, c->of[i], destination, question))
			continue;
		wrong += found != NULL;
		found = &c->pieces.items[c->of[i]];
	}
	return found;
}

/* ---- one against the other ---- */

static void check_packet(struct plane planes[2], struct claims *c, const struct gpc_question *question)
{
	struct said before = ask_rules(&planes[0], question), after = ask_rules(&planes[1], question);
	const struct gpc_atlas_piece *piece = claimed(c, question);
	bool ok = (before.passes != after.passes) == (piece != NULL);

	if (ok && piece)
		ok = same(&planes[0], &piece->verdict[0], before) && same(&planes[1], &piece->verdict[1], after);
	asked++;
	differing += piece != NULL;
	if (!ok && !wrong++) {
		printf("atlas: %s: rules %d and %d, %s: ", planes[0].set.name, (int)before.position, (int)after.position,
		       piece ? "claimed" : "not claimed");
		rule_question_say(question, stdout);
		printf("\n");
	}
}

static void check_claims(struct plane planes[2], struct claims *c, uint64_t seed)
{
	uint32_t samples = is_long ? SAMPLES_LONG : SAMPLES_SHORT;
	struct rule_questions questions[2];

	for (int i = 0; i < 2; i++)
		rule_questions_init(&questions[i], &planes[i].set, seed + (uint64_t)i);
	for (uint32_t i = 0; i < samples; i++) {
		struct gpc_question question;

		rule_questions_next(&questions[i % 2], &question);
		check_packet(planes, c, &question);
	}
	for (size_t i = 0; i < c->pieces.count; i++) {
		check_packet(planes, c, &c->pieces.items[i].witness);
		witnesses++;
		wrong += claimed(c, &c->pieces.items[i].witness) != &c->pieces.items[i];
	}
}

static void check_pair(struct plane planes[2], uint64_t seed)
{
	struct gpc_arena arena = {0};
	struct gpc_atlas_options options = {.images = {&planes[0].image, &planes[1].image}};
	struct claims c = {.atlas = gpc_atlas_new(&arena, &options)};
	enum gpc_atlas_result result = gpc_atlas_compare(c.atlas, 0, &c.pieces);

	pairs++;
	entangled += result != GPC_ATLAS_DONE;
	if (result == GPC_ATLAS_DONE) {
		list_ranges(&arena, &c, 0);
		list_ranges(&arena, &c, 1);
		index_pieces(&arena, &c);
		check_claims(planes, &c, seed);
		pieces_seen += c.pieces.count;
	} else {
		printf("atlas: %s: %s\n", planes[0].set.name, gpc_atlas_fault(c.atlas));
	}
	gpc_arena_release(&arena);
}

typedef bool make_set(struct rule_set *ret, uint32_t number);

static void check_set(make_set *make, uint32_t number, uint32_t edits)
{
	for (uint32_t i = 0; i < edits; i++) {
		static struct plane planes[2];
		struct random_source random = {number * 1000ull + i};
		bool ok;

		memset(planes, 0, sizeof(planes));
		if (!make(&planes[0].set, number) || !make(&planes[1].set, number))
			return;
		edit(&planes[1].set, &random, i + number);
		ok = open_plane(&planes[0]) && open_plane(&planes[1]);
		CU_ASSERT(ok);
		if (ok)
			check_pair(planes, random_u64(&random));
		close_plane(&planes[0]);
		close_plane(&planes[1]);
	}
}

static bool make_shaped(struct rule_set *ret, uint32_t number)
{
	static const char *const names[] = {"acl", "fw", "ipc", "gen"};

	rule_sets_shaped(ret, names[number % 4], (enum rule_shape)(number % 4), (enum rule_families)(number % 3),
			 is_long ? 10000 : 600, number);
	rule_set_drop_source_ports(ret);
	return true;
}

static bool make_segments(struct rule_set *ret, uint32_t number)
{
	rule_sets_segments(ret, "segments", RULE_BOTH, is_long ? 10000 : 1000, number);
	return true;
}

/* The language has neither ranges of protocols nor several boxes for one rule; an empty set has nothing to edit. */
static bool in_language(const char *odd)
{
	static const char *const left_out[] = {"ports", "matches", "twins", "nothing"};

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (!strcmp(odd, left_out[i]))
			return false;
	return true;
}

static bool make_odd(struct rule_set *ret, uint32_t number)
{
	rule_sets_odd(ret, rule_sets_odd_names[number], number);
	rule_set_drop_source_ports(ret);
	return true;
}

static bool make_classbench(struct rule_set *ret, uint32_t number)
{
	static const char *const names[] = {"acl1", "fw1", "ipc1"};
	char name[32];

	snprintf(name, sizeof(name), "%s_%u", names[number], is_long ? 10000u : 1000u);
	if (!rule_sets_classbench(ret, name)) {
		printf("atlas: no ClassBench set %s in %s: going on without\n", name, rule_sets_classbench_folder());
		return false;
	}
	rule_set_drop_source_ports(ret);
	return true;
}

static void edits_of_sets(void)
{
	const char *text = getenv("GPC_CHECK_LONG");

	is_long = text && *text;
	for (uint32_t i = 0; i < 4; i++)
		check_set(make_shaped, i, is_long ? 2 : 1);
	check_set(make_segments, 0, is_long ? 2 : 1);
	for (uint32_t i = 0; rule_sets_odd_names[i]; i++)
		if (in_language(rule_sets_odd_names[i]))
			check_set(make_odd, i, is_long ? 2 : 1);
	for (uint32_t i = 0; i < 3; i++)
		check_set(make_classbench, i, is_long ? 2 : 1);
	printf("atlas: %lu pairs, of %lu it says that they are too entangled\n", pairs, entangled);
	CU_ASSERT(entangled <= pairs / 8); /* ClassBench's fw1_10000 */
	printf("atlas: %lu packets and %lu witnesses asked, %lu treated differently, %lu pieces, %lu wrong\n", asked,
	       witnesses, differing, pieces_seen, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(pieces_seen && differing > witnesses);
}

GPC_UNIT_MAIN("oracle/atlas_sets", {"edits of sets", edits_of_sets})
