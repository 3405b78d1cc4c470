/* SPDX-License-Identifier: MIT */
/*
 * classify_bench: what a lookup of the classifier costs in the kernel and in user space, how large the
 * tables are and how long it takes to make them, for each rule set. classify.sh runs it, and by
 * its other forms makes the rulesets of the comparison with nftables and sends the frames.
 *
 *   classify_bench measure [SET...]
 *   classify_bench nft-linear|nft-set SET DEVICE FILE          nft-set prints the number of rules held
 *   classify_bench yaml SET DEVICE FOLDER                      FOLDER/gpc.yaml and what it includes
 *   classify_bench live SET OBJECT NETNS DEVICE NETNS DEVICE MAC SECONDS
 *   classify_bench sets                                        their names
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "classify_live.h"
#include "classify_sets.h"
#include "tests/bpf/classify_rig.h"

#define REPEATS 15
#define MAX_BYTES (64u << 20)
#define HEADERS CLASSIFY_RIG_QUESTIONS
#define HOT 1024u

static const char method[] =
	"classify: medians of 15. kernel: one BPF_PROG_TEST_RUN goes through all headers, its duration as the kernel\n"
	"classify: returns it; a second program only takes and reads the headers: the median of the differences. Headers:\n"
	"classify: ClassBench's trace, or for other sets random packets inside of random rules; 65,536 of them, or (1k)\n"
	"classify: the first 1,024. user: the same words and headers by the same source in\n"
	"classify: user space, less a loop that reads the headers. compile: sets and boxes in memory to words. image: words.\n";

struct work {
	struct rule_set set;
	struct gpc_question *questions; /* HEADERS */
	struct rule_compiled compiled;
};

static struct gpc_question *make_questions(const struct rule_set *set)
{
	struct gpc_question *questions = calloc(HEADERS, sizeof(*questions));
	struct rule_questions source;

	if (!questions)
		abort();
	rule_questions_init(&source, set, 99);
	for (unsigned int i = 0; i < HEADERS; i++)
		rule_questions_next_header(&source, &questions[i]);
	return questions;
}

/* ---- compiling ---- */

static double compile_ms(const struct rule_set *set)
{
	double samples[REPEATS];

	for (int i = 0; i < REPEATS; i++) {
		struct gpc_arena arena = {0};
		struct gpc_space space = rule_library_space(&arena, set);
		struct gpc_box_list list = rule_library_list(&arena, set, NULL, 0);
		struct gpc_classify_refusal refusal;
		struct gpc_classified classified;
		double begin = bench_now_ms();

		gpc_classify_compile(&arena, &space, &list, 1, MAX_BYTES, &classified, &refusal);
		samples[i] = bench_now_ms() - begin;
		gpc_arena_release(&arena);
	}
	return bench_median(samples, REPEATS);
}

/* ---- user space ---- */

static uint64_t read_question(const struct gpc_question *q)
{
	return q->source[0] + q->source[1] + q->destination[0] + q->destination[1] + q->source_port +
	       q->destination_port + q->vlan + q->protocol + q->tcp_flags + q->dscp + q->fragment + q->family;
}

static double user_ns(const struct work *w)
{
	struct gpc_view view = {w->compiled.image, ((uint64_t)1 << w->compiled.log2) - 1};
	double samples[REPEATS];
	volatile uint64_t result;

	for (int i = 0; i < REPEATS; i++) {
		double begin = bench_now_ms(), empty;
		uint64_t sum = 0;

		for (unsigned int k = 0; k < HEADERS; k++)
			sum += read_question(&w->questions[k]);
		result = sum;
		empty = bench_now_ms() - begin;
		begin = bench_now_ms();
		for (unsigned int k = 0; k < HEADERS; k++)
			sum += gpc_classify(view, w->compiled.classified.classifiers, &w->questions[k],
					    gpc_address_classes(view, &w->questions[k]));
		result = sum;
		samples[i] = (bench_now_ms() - begin - empty) * 1e6 / HEADERS;
	}
	(void)result;
	return bench_median(samples, REPEATS);
}

/* ---- kernel ---- */

/* A lookup of the first `count` headers, the addresses included, less the harness. */
static double kernel_ns(struct classify_rig *rig, const struct work *w, uint32_t count)
{
	double net[REPEATS];

	classify_rig_run(rig, 0, w->questions, count, 1, NULL); /* warm */
	for (int i = 0; i < REPEATS; i++) {
		struct classify_times t = classify_rig_times(rig, 0, w->questions, count, 1);

		net[i] = t.classify - t.empty;
	}
	return bench_median(net, REPEATS);
}

/* ---- all of it for one set ---- */

static void say_facts(const struct work *w)
{
	const struct gpc_classifier *c = w->compiled.classified.classifiers;

	fprintf(stderr, "classify: %s: %u rules, groups %u, classes %u + %u, specs %u, L4 classes %u, worst loads %u%s\n",
		w->set.name, rule_set_rules(&w->set), c->groups, w->compiled.classified.tries.classes[0],
		w->compiled.classified.tries.classes[1], c->specs, c->l4_classes, c->loads,
		c->flags & GPC_CLASSIFIER_RANGES ? ", ranges" : "");
}

static void measure_kernel(const struct work *w)
{
	struct classify_image image;
	struct classify_rig rig;

	classify_image_make(&w->compiled.classified, 1, &image);
	classify_rig_start(&rig, &image);
	printf("classify.%s.kernel_64k.ns %.0f\n", w->set.name, kernel_ns(&rig, w, HEADERS));
	printf("classify.%s.kernel_1k.ns %.0f\n", w->set.name, kernel_ns(&rig, w, HOT));
	classify_rig_stop(&rig);
	classify_image_free(&image);
}

static bool measure(const char *name)
{
	struct work w;
	bool ok;

	if (!classify_set(&w.set, name))
		return true;
	rule_compile(&w.compiled, &w.set, MAX_BYTES);
	ok = w.compiled.status == GPC_CLASSIFY_OK;
	if (ok) {
		w.questions = make_questions(&w.set);
		say_facts(&w);
		measure_kernel(&w);
		printf("classify.%s.user_64k.ns %.0f\n", name, user_ns(&w));
		printf("classify.%s.image.bytes %zu\n", name, w.compiled.classified.word_count * sizeof(uint32_t));
		printf("classify.%s.compile.ms %.2f\n", name, compile_ms(&w.set));
		fflush(stdout);
		free(w.questions);
	} else {
		fprintf(stderr, "classify: %s was refused\n", name);
	}
	rule_compiled_release(&w.compiled);
	rule_set_release(&w.set);
	return ok;
}

static int measure_all(int argc, char **argv)
{
	bool ok = true;

	fputs(method, stderr);
	for (int i = 2; i < argc; i++)
		ok = measure(argv[i]) && ok;
	for (size_t i = 0; argc == 2 && classify_set_names[i]; i++)
		ok = measure(classify_set_names[i]) && ok;
	return !ok;
}

/* ---- for classify.sh ---- */

static int write_rules(const char *kind, const char *name, const char *device, const char *path)
{
	struct rule_set set;
	FILE *out = NULL;
	bool ok;

	if (!classify_set(&set, name))
		return 1;
	rule_set_drop_source_ports(&set);
	if (strcmp(kind, "yaml") == 0) {
		ok = classify_write_plane(&set, &(struct rule_yaml){.interface = device, .allow_all = true}, path);
	} else {
		out = fopen(path, "we");
		ok = out != NULL;
		if (ok && strcmp(kind, "nft-set") == 0)
			printf("%zu\n", classify_nft_set(&set, device, out));
		else if (ok)
			classify_nft_linear(&set, device, out);
		ok = ok && fclose(out) == 0;
	}
	rule_set_release(&set);
	return !ok;
}

static int live(char **argv)
{
	struct gpc_question *questions;
	struct rule_set set;
	bool ok;

	if (!classify_set(&set, argv[2]))
		return 1;
	questions = make_questions(&set);
	ok = classify_live(argv[3], (struct live_place){argv[4], argv[5]}, (struct live_place){argv[6], argv[7]}, argv[8],
			   questions, HEADERS, strtod(argv[9], NULL));
	free(questions);
	rule_set_release(&set);
	return !ok;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "measure") == 0)
		return measure_all(argc, argv);
	if (strcmp(what, "live") == 0 && argc == 10)
		return live(argv);
	if ((strcmp(what, "yaml") == 0 || strncmp(what, "nft-", 4) == 0) && argc == 5)
		return write_rules(what, argv[2], argv[3], argv[4]);
	if (strcmp(what, "sets") == 0) {
		for (size_t i = 0; classify_set_names[i]; i++)
			puts(classify_set_names[i]);
		return 0;
	}
	fputs("usage: see tests/bench/classify_bench.c; `make bench-classify` runs it\n", stderr);
	return 64;
}
