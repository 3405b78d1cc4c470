/* SPDX-License-Identifier: MIT */
/*
 * rig.h: a network namespace of the test's own with veth pairs, a folder on bpffs, and images
 * compiled from text. The namespace ends with the process; the folder is removed at exit.
 */
#ifndef GPC_TESTS_PLANE_RIG_H
#define GPC_TESTS_PLANE_RIG_H

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../../compiler/base/memfiles.h"
#include "../../../../compiler/image/image_file.h"
#include "../../../../compiler/pipeline.h"
#include "../../../../loader/plane/plane.h"
#include "../../unit.h"

static char rig_bpffs[64];
static char rig_notices[8192];
static struct gpc_failure rig_failure;
static enum gpc_stance rig_stance;
static uint64_t rig_confirm_ms;
static const struct gpc_overrides *rig_overrides;

static inline void rig_say(void *context, bool warning, const char *text)
{
	size_t used = strlen(rig_notices);

	(void)context;
	snprintf(rig_notices + used, sizeof(rig_notices) - used, "%s: %s\n",
		 warning ? "warning" : "notice", text);
}
static const struct gpc_notice_sink rig_sink = {rig_say, NULL};

/* Runs a command; the test cannot go on without it. */
__attribute__((format(printf, 1, 2))) static inline void rig_run(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command)) {
		fprintf(stderr, "command failed: %s\n", command);
		exit(1);
	}
}

static inline void rig_clean(void)
{
	struct gpc_failure failure;

	if (rig_bpffs[0] && gpc_plane_detach(rig_bpffs, NULL, &failure))
		fprintf(stderr, "clean: %s\n", failure.message);
}

/* NAME with 10.99.N.1/24, its peer p-NAME; both up. */
static inline void rig_veth(const char *name, int n)
{
	int host;

	rig_run("ip link add %s type veth peer name p-%s && ip link set %s up && ip link set p-%s "
		"up && "
		"ip addr add 10.99.%d.1/24 dev %s",
		name, name, name, name, n, name);
	for (host = 11; host <= 14; host++)
		rig_run("ip neigh add 10.99.%d.%d lladdr 02:00:00:00:%02x:%02x dev %s nud "
			"permanent",
			n, host, n, host, name);
}

/*
 * Ends the program, with a printed reason, where the suite cannot run; else a namespace with wan0
 * (10.99.1.1/24), lan0 (10.99.2.1/24) and known neighbours .11 to .14 on both.
 */
static inline void rig_up(const char *suite)
{
	if (geteuid()) {
		printf("skip: %s: needs root for a network namespace and bpf()\n", suite);
		exit(0);
	}
	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		exit(1);
	}
	snprintf(rig_bpffs, sizeof(rig_bpffs), "/sys/fs/bpf/gpc-plane-%ld", (long)getpid());
	atexit(rig_clean);
	rig_run("ip link set lo up");
	rig_veth("wan0", 1);
	rig_veth("lan0", 2);
}

/* Compiles `text`; ends the program when it does not compile. */
static inline struct gpc_image rig_image(const char *text)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	struct gpc_image image = {0};
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {
		.inputs = {.paths = &path, .count = 1},
		.tool_version = "test",
	};

	gpc_diags_init(&diags, &arena, false);
	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	if (!gpc_compile(&diags, &provider, &options, &compiled) ||
	    !gpc_image_open(&diags, path, compiled.bytes, compiled.size, false, &image)) {
		fprintf(stderr, "does not compile: %s\n", diags.records.items[0].message);
		exit(1);
	}
	gpc_arena_release(&arena);
	return image;
}

/* GPC_UNIT_MAIN with a set-up that may end the program. */
#define GPC_UNIT_MAIN_AFTER(suite_name, prepare, ...)                                              \
	__attribute__((constructor)) static void rig_prepare(void)                                 \
	{                                                                                          \
		prepare();                                                                         \
	}                                                                                          \
	GPC_UNIT_MAIN(suite_name, __VA_ARGS__)

#define RIG_HEAD "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: t}\n"
#define RIG_PLANE(interfaces, endpoints)                                                           \
	RIG_HEAD "defaults: {flows: 4096}\n"                                                       \
		 "interfaces: [" interfaces "]\n"                                                  \
		 "backends: [{name: web, endpoints: [" endpoints "]}]\n"                           \
		 "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "         \
		 "forward: dsr, backend: web}]\n"

#define RIG_W1 "{name: w1, address: 10.99.1.11}"
#define RIG_W2 "{name: w2, address: 10.99.1.12}"
#define RIG_W3 "{name: w3, address: 10.99.1.13}"
#define RIG_ALL_HOOKS "{name: wan0, mode: any, hooks: [xdp, tc-ingress, tc-egress]}"

/* Does a command's output hold `text`? */
static inline bool rig_says(const char *command, const char *text)
{
	char output[4096];
	FILE *pipe = popen(command, "r");
	size_t size = pipe ? fread(output, 1, sizeof(output) - 1, pipe) : 0;

	output[size] = '\0';
	if (pipe)
		pclose(pipe);
	return strstr(output, text);
}

static inline struct gpc_plane_status rig_read(void)
{
	struct gpc_plane_status status = {0};

	CU_ASSERT_EQUAL(gpc_plane_read(rig_bpffs, &status, &rig_failure), 0);
	return status;
}

/* Number of differences that verify finds, -1 if it fails. */
static inline long rig_verify(const struct gpc_image *image)
{
	struct gpc_verify_report report;
	long total;

	if (gpc_plane_verify(rig_bpffs, image, &report, &rig_failure))
		return -1;
	total = (long)report.total;
	for (size_t i = 0; i < report.count && i < 3; i++)
		snprintf(rig_notices, sizeof(rig_notices), "%s", report.findings[i].what);
	gpc_verify_report_release(&report);
	return total;
}

static inline bool rig_runs(const struct gpc_image *image)
{
	struct gpc_plane_status status = rig_read();
	bool same = status.has_image &&
		    !memcmp(status.image.head->decision_digest, image->head->decision_digest, 32);

	gpc_plane_status_release(&status);
	return same;
}

/* Applies; what it said is in rig_notices, why it failed in rig_failure. */
static inline int rig_apply(const struct gpc_image *image, uint32_t generation,
			    struct gpc_apply_outcome *ret)
{
	rig_notices[0] = '\0';
	return gpc_plane_apply(rig_bpffs, image, generation, rig_stance, rig_confirm_ms,
			       rig_overrides, &rig_sink, ret, &rig_failure);
}

/* An apply that must work, as the next generation. */
static inline struct gpc_apply_outcome rig_must_apply(const struct gpc_image *image)
{
	static uint32_t generation;
	struct gpc_apply_outcome outcome = {0};

	if (rig_apply(image, ++generation, &outcome)) {
		fprintf(stderr, "apply: %s (%s)\n", rig_failure.message, rig_failure.hint);
		CU_FAIL("apply failed");
	}
	return outcome;
}

static inline void rig_detach(void)
{
	CU_ASSERT_EQUAL(gpc_plane_detach(rig_bpffs, NULL, &rig_failure), 0);
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
}

#define RIG_SIZE_LOG2 22 /* of an instance that has not grown */

/* `image` alone runs, in an instance that has not grown: what stands is taken if it can be. */
static inline void rig_stand(const struct gpc_image *image)
{
	struct gpc_plane_status status = rig_read();
	bool grown = status.has_image && status.size_log2 != RIG_SIZE_LOG2;

	gpc_plane_status_release(&status);
	if (grown)
		rig_detach();
	rig_must_apply(image);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
}

#endif
