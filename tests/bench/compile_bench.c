/* SPDX-License-Identifier: MIT */
/*
 * compile_bench: from YAML text in memory to image bytes: 100 listeners, 100 backends of 100 endpoints.
 * Everything is in it: parsing, checks, 100 Maglev tables of 16,381 slots, both digests.
 *
 * Then the same with 100,000 rules as a whole run of `gpc compile` on files, with its peak of memory, and
 * beside it `nft -f` of the rules alone.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memfiles.h"
#include "bench.h"
#include "classify_sets.h"
#include "diag/render.h"
#include "pipeline.h"

#define BACKENDS 100
#define ENDPOINTS 100
#define REPEATS 21

static void write_objects(FILE *out)
{
	fputs("backends:\n", out);
	for (int b = 0; b < BACKENDS; b++) {
		fprintf(out, "  - name: pool-%d\n    endpoints:\n", b);
		for (int e = 0; e < ENDPOINTS; e++)
			fprintf(out,
				"      - {name: server-%d-%d, address: 10.%d.%d.%d, weight: %d}\n",
				b, e, b, e / 250, e % 250 + 1, 1 + (b + e) % 3);
	}
	fputs("listeners:\n", out);
	for (int b = 0; b < BACKENDS; b++)
		fprintf(out,
			"  - {name: service-%d, address: 192.0.2.%d, protocol: TCP, port: 443, backend: pool-%d}\n",
			b, b + 1, b);
}

static char *write_yaml(size_t *ret_size, bool whole)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		return NULL;
	if (whole)
		fputs("apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: bench}\ninterfaces: [{name: wan0}]\n", out);
	write_objects(out);
	return fclose(out) ? NULL : text;
}

static bool compile(const char *text, size_t size, double *ret_ms, size_t *ret_bytes)
{
	static const char *const paths[] = {"gpc.yaml"};
	struct gpc_compile_options options = {.inputs = {paths, 1, NULL}, .tool_version = "bench"};
	struct gpc_arena arena = {0}, files_arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	struct gpc_diags diags;
	double start;
	bool ok;

	gpc_memfiles_init(&files, &files_arena);
	gpc_memfiles_add(&files, paths[0], text, size);
	provider = gpc_memfiles_provider(&files);
	start = bench_now_ms();
	gpc_diags_init(&diags, &arena, true);
	ok = gpc_compile(&diags, &provider, &options, &compiled);
	if (!ok)
		gpc_diags_render(&diags, GPC_DIAG_TEXT, false, stderr);
	else
		*ret_bytes = compiled.size;
	gpc_arena_release(&arena);
	*ret_ms = bench_now_ms() - start;
	gpc_arena_release(&files_arena);
	return ok;
}

/* ---- as programs ---- */

#define RULES 100000u
#define RUNS 5

struct cost {
	double ms, rss; /* bytes */
};

/* Standard output goes nowhere; `alone`: in a network namespace of its own. False: it failed. */
static bool run(const char *const argv[], bool alone, struct cost *ret)
{
	double begin = bench_now_ms();
	struct rusage usage;
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (null < 0 || dup2(null, 1) < 0 || (alone && unshare(CLONE_NEWNET)))
			_exit(127);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return false;
	*ret = (struct cost){bench_now_ms() - begin, (double)usage.ru_maxrss * 1024};
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Medians of RUNS under two names. */
static bool measure_runs(const char *const argv[], bool alone, const char *ms_name, const char *rss_name)
{
	double ms[RUNS], rss[RUNS];

	for (int i = 0; i < RUNS; i++) {
		struct cost cost;

		if (!run(argv, alone, &cost)) {
			fprintf(stderr, "compile: %s %s failed\n", argv[0], argv[1]);
			return false;
		}
		ms[i] = cost.ms;
		rss[i] = cost.rss;
	}
	printf("%s %.0f\n", ms_name, bench_median(ms, RUNS));
	printf("%s %.0f\n", rss_name, bench_median(rss, RUNS));
	return true;
}

static bool measure_in(const char *folder, const struct rule_set *set)
{
	char input[300], image[300], nft[300];
	const char *program = getenv("GPC");
	const char *compile_argv[] = {program ? program : "build/gpc", "compile", "-f", input, "-o", image, NULL};
	const char *nft_argv[] = {"nft", "-f", nft, NULL};
	size_t size;
	char *objects = write_yaml(&size, false);
	struct rule_yaml how = {.extra = objects, .stateful = true};
	FILE *out;
	bool ok;

	snprintf(input, sizeof(input), "%s/gpc.yaml", folder);
	snprintf(image, sizeof(image), "%s/plane.gpi", folder);
	snprintf(nft, sizeof(nft), "%s/rules.nft", folder);
	out = fopen(nft, "we");
	ok = objects && out && classify_write_plane(set, &how, folder);
	if (out) {
		classify_nft_linear(set, NULL, out);
		ok = fclose(out) == 0 && ok;
	}
	free(objects);
	ok = ok && measure_runs(compile_argv, false, "compile.rules_100000.ms", "compile.rules_100000.rss.bytes");
	return ok && measure_runs(nft_argv, true, "compile.nft_rules_100000.ms", "compile.nft_rules_100000.rss.bytes");
}

static void remove_folder(const char *folder)
{
	const char *argv[] = {"rm", "-r", folder, NULL};
	struct cost cost;

	run(argv, false, &cost);
}

static bool measure_rules(void)
{
	char folder[] = "/tmp/gpc-compile-bench-XXXXXX";
	struct rule_set set;
	bool ok;

	if (!mkdtemp(folder))
		return false;
	rule_sets_shaped(&set, "rules", RULE_ACL, RULE_ONLY_V4, RULES, 1);
	rule_set_drop_source_ports(&set);
	ok = measure_in(folder, &set);
	fprintf(stderr,
		"compile: rules_100000: 100 listeners, 10,000 endpoints, 100,000 rules in %u files, a whole run of gpc\n"
		"  compile, median of %d; rss: the process's peak; nft: `nft -f` of the rules alone, one by one\n",
		RULES / 25000 + 1, RUNS);
	rule_set_release(&set);
	remove_folder(folder);
	return ok;
}

int main(void)
{
	static double samples[REPEATS];
	size_t size, bytes;
	char *text = write_yaml(&size, true);

	if (!text)
		return 1;
	for (int i = 0; i < REPEATS; i++)
		if (!compile(text, size, &samples[i], &bytes))
			return 1;
	printf("compile.%dx%d.ms %.1f\n", BACKENDS, BACKENDS * ENDPOINTS,
	       bench_median(samples, REPEATS));
	fprintf(stderr,
		"compile: %zu bytes of YAML in memory to %zu bytes of image, one thread, memory given back, median\n"
		"  of %d, best %.1f, worst %.1f ms\n",
		size, bytes, REPEATS, samples[0], samples[REPEATS - 1]);
	free(text);
	fflush(stdout);
	return !measure_rules();
}
