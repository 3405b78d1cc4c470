/* SPDX-License-Identifier: MIT */
/*
 * analysis_bench: what `gpc diff` and the invariants stand on, over images in memory: a plane of 500 segments with
 * 10,000 rules between pairs of them, both families; and one of ClassBench's shape. The difference to a plane with
 * one rule changed, a hundred changed, two rules swapped, one segment's prefixes changed, all rules reversed; a
 * hundred questions "does anything pass from this segment to that one". The atlas is made anew each time.
 *
 *   analysis_bench [RULES]
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "analyze/atlas.h"
#include "base/memfiles.h"
#include "bench.h"
#include "diag/render.h"
#include "pipeline.h"
#include "tests/oracle/rule_sets.h"

#define RULES 10000u
#define REPEATS 5
#define QUERIES 100u

struct plane {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image;
};

static bool open_plane(const struct rule_set *set, struct plane *ret)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "bench"};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	memset(ret, 0, sizeof(*ret));
	rule_yaml_write(set, &(struct rule_yaml){.stateful = true}, out);
	fclose(out);
	gpc_diags_init(&ret->diags, &ret->arena, false);
	gpc_memfiles_init(&files, &ret->arena);
	gpc_memfiles_add(&files, path, text, size);
	provider = gpc_memfiles_provider(&files);
	ok = gpc_compile(&ret->diags, &provider, &options, &compiled) &&
	     gpc_image_open_written(&ret->diags, path, compiled.bytes, compiled.size, &ret->image);
	if (!ok)
		gpc_diags_render(&ret->diags, GPC_DIAG_TEXT, false, stderr);
	free(text);
	return ok;
}

static void close_plane(struct plane *plane)
{
	gpc_image_release(&plane->image);
	gpc_arena_release(&plane->arena);
}

/* ---- edits ---- */

static void change_rules(struct rule_set *set, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct rule_box *box = &set->boxes[i * 7919ul % set->box_count];

		box->service = (box->service + 1) % (uint32_t)set->service_count;
	}
}

static void one_rule(struct rule_set *set)
{
	change_rules(set, 1);
}

static void a_hundred_rules(struct rule_set *set)
{
	change_rules(set, 100);
}

static void swap(struct rule_set *set, size_t a, size_t b)
{
	struct rule_box box = set->boxes[a];
	uint32_t position = set->boxes[b].position;

	set->boxes[a] = set->boxes[b];
	set->boxes[a].position = box.position;
	set->boxes[b] = box;
	set->boxes[b].position = position;
}

static void swapped(struct rule_set *set)
{
	swap(set, set->box_count / 3, set->box_count / 2);
}

static void reversed(struct rule_set *set)
{
	for (size_t i = 0; i < set->box_count / 2; i++)
		swap(set, i, set->box_count - 1 - i);
}

/* The first rule's source loses a prefix, or half of its only one. */
static void one_segment(struct rule_set *set)
{
	struct rule_addresses *s = &set->sets[set->boxes[0].source];
	struct rule_prefix *p = &set->prefixes[s->prefixes];

	if (s->prefix_count > 1)
		s->prefix_count--;
	else if (p->length < (p->v4 ? 32 : 128))
		p->length++;
}

static void nothing(struct rule_set *set)
{
	(void)set;
}

/* ---- measurements ---- */

static size_t pieces_found;

static bool compare(const struct plane *a, const struct plane *b)
{
	struct gpc_arena arena = {0};
	struct gpc_atlas_options options = {.images = {&a->image, &b->image}};
	struct gpc_atlas *atlas = gpc_atlas_new(&arena, &options);
	size_t count;
	const struct gpc_atlas_place *places = gpc_atlas_places(atlas, &count);
	bool ok = true;

	pieces_found = 0;
	for (size_t i = 0; i < count && ok; i++) {
		struct gpc_atlas_pieces pieces;

		if (places[i].alike != i)
			continue;
		ok = gpc_atlas_compare(atlas, i, &pieces) == GPC_ATLAS_DONE;
		pieces_found += pieces.count;
	}
	if (!ok)
		fprintf(stderr, "analysis: %s\n", gpc_atlas_fault(atlas));
	gpc_arena_release(&arena);
	return ok;
}

static size_t first_hits;

static bool ask(const struct plane *plane, const struct rule_set *set)
{
	struct gpc_arena arena = {0};
	struct gpc_space space = rule_library_space(&arena, set);
	struct gpc_atlas_options options = {.images = {&plane->image},
					    .sets = space.sets,
					    .set_count = space.set_count};
	struct gpc_atlas *atlas = gpc_atlas_new(&arena, &options);
	bool ok = true;

	first_hits = 0;
	for (uint32_t i = 0; i < QUERIES && ok; i++) {
		uint32_t from = 1 + i * 13 % ((uint32_t)space.set_count - 1);
		uint32_t to = 1 + i * 29 % ((uint32_t)space.set_count - 1);
		struct gpc_atlas_query query = {
			.service = GPC_NONE,
			.sources = gpc_atlas_atoms_in(&arena, atlas, GPC_ATLAS_SOURCE, &from, 1),
			.destinations = gpc_atlas_atoms_in(&arena, atlas, GPC_ATLAS_DESTINATION, &to, 1),
		};
		struct gpc_atlas_piece piece;
		enum gpc_atlas_result result = gpc_atlas_first(atlas, &query, &piece);

		first_hits += result == GPC_ATLAS_DONE;
		ok = result != GPC_ATLAS_ENTANGLED;
	}
	if (!ok)
		fprintf(stderr, "analysis: %s\n", gpc_atlas_fault(atlas));
	gpc_arena_release(&arena);
	return ok;
}

static double peak_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static bool measure_edit(const char *set_name, const struct plane *a, struct rule_set *set, const char *name,
			 void (*edit)(struct rule_set *set))
{
	double ms[REPEATS];
	struct plane b;
	bool ok;

	edit(set);
	ok = open_plane(set, &b);
	for (int i = 0; i < REPEATS && ok; i++) {
		double begin = bench_now_ms();

		ok = compare(a, &b);
		ms[i] = bench_now_ms() - begin;
	}
	if (ok) {
		printf("analysis.%s.diff_%s.ms %.1f\n", set_name, name, bench_median(ms, REPEATS));
		fprintf(stderr, "analysis: %s, %s: %zu pieces; best %.1f, worst %.1f ms; peak so far %.0f MB\n", set_name,
			name, pieces_found, ms[0], ms[REPEATS - 1], peak_mb());
	}
	close_plane(&b);
	return ok;
}

static bool measure_queries(const char *set_name, const struct plane *plane, const struct rule_set *set)
{
	double ms[REPEATS];

	for (int i = 0; i < REPEATS; i++) {
		double begin = bench_now_ms();

		if (!ask(plane, set))
			return false;
		ms[i] = bench_now_ms() - begin;
	}
	printf("analysis.%s.queries_%u.ms %.1f\n", set_name, QUERIES, bench_median(ms, REPEATS));
	fprintf(stderr, "analysis: %s, %u queries, %zu with a witness; best %.1f, worst %.1f ms\n", set_name, QUERIES,
		first_hits, ms[0], ms[REPEATS - 1]);
	return true;
}

static const struct {
	const char *name;
	void (*edit)(struct rule_set *set);
} edits[] = {
	{"nothing", nothing},	  {"one_rule", one_rule},	{"100_rules", a_hundred_rules},
	{"two_swapped", swapped}, {"one_segment", one_segment}, {"all_reversed", reversed},
};

typedef void make(struct rule_set *ret, uint32_t rules);

static void make_segments(struct rule_set *ret, uint32_t rules)
{
	rule_sets_segments(ret, "segments", RULE_BOTH, rules, 1);
}

static void make_shaped(struct rule_set *ret, uint32_t rules)
{
	rule_sets_shaped(ret, "shaped", RULE_GEN, RULE_ONLY_V4, rules, 1);
	rule_set_drop_source_ports(ret);
}

static bool measure(const char *name, make *make_set, uint32_t rules)
{
	struct rule_set set;
	struct plane a;
	bool ok;

	make_set(&set, rules);
	ok = open_plane(&set, &a) && measure_queries(name, &a, &set);
	rule_set_release(&set);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]) && ok; i++) {
		make_set(&set, rules);
		ok = measure_edit(name, &a, &set, edits[i].name, edits[i].edit);
		rule_set_release(&set);
	}
	close_plane(&a);
	return ok;
}

int main(int argc, char **argv)
{
	uint32_t rules = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : RULES;
	char name[32];

	if (!rules)
		return 2;
	fprintf(stderr, "analysis: medians of %d, %ld CPUs, one thread\n", REPEATS, sysconf(_SC_NPROCESSORS_ONLN));
	snprintf(name, sizeof(name), "segments_%u", rules);
	if (!measure(name, make_segments, rules))
		return 1;
	snprintf(name, sizeof(name), "shaped_%u", rules);
	return !measure(name, make_shaped, rules);
}
