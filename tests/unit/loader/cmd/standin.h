/* SPDX-License-Identifier: MIT */
/*
 * standin.h: commands run against a plane that is a stand-in: it keeps one image in memory. Its functions
 * are linked before libloader and take the real ones' place, so each test program has its own.
 */
#ifndef GPC_TESTS_LOADER_STANDIN_H
#define GPC_TESTS_LOADER_STANDIN_H

#include "loader/cmd/activate.h"
#include "loader/interrupt.h"
#include "loader/override/journal.h"
#include "loader/plane/plane.h"
#include "tests/unit/loader/history/fixture.h"

/* ---- the stand-in ---- */

static struct {
	struct gpc_image image, before; /* bytes NULL: none */
	uint32_t generation, applies, undone, retired;
	uint32_t overridden;	   /* how often overrides were put in effect without an apply */
	const char *drained;	   /* what the last overrides given drain: an endpoint; NULL: nothing known */
	bool refuse, undo_fails, claimed, swapped;
	enum gpc_stance stance, stance_before;
	uint32_t generation_before;
	bool armed, expired, off;
	unsigned int busy; /* so often the claim is refused */
	void (*before_flip)(void);
	void (*during)(void); /* happens after the flip */
} plane;

static inline struct gpc_image copy_image(const struct gpc_image *image)
{
	struct gpc_arena arena = {0};
	struct gpc_image copy = {0};
	struct gpc_diags diags;

	gpc_diags_init(&diags, &arena, false);
	if (!gpc_image_open(&diags, "copy", image->bytes, image->size, false, &copy))
		abort();
	gpc_arena_release(&arena);
	return copy;
}

static inline void drop_image(struct gpc_image *image)
{
	if (image->bytes)
		gpc_image_release(image);
	*image = (struct gpc_image){0};
}

int gpc_plane_read(const char *bpffs, struct gpc_plane_status *ret, struct gpc_failure *failure)
{
	struct gpc_link_head *link;

	(void)bpffs;
	(void)failure;
	*ret = (struct gpc_plane_status){
		.present = plane.image.bytes,
		.control = (plane.stance == GPC_STANCE_AUDIT ? GPC_CTL_AUDIT : 0) |
			   (plane.off ? GPC_CTL_OFF : 0),
		.has_image = plane.image.bytes,
	};
	if (!ret->has_image)
		return 0;
	ret->image = copy_image(&plane.image);
	link = (void *)(ret->image.bytes + ret->image.head->link_offset);
	link->generation = plane.generation;
	return 0;
}

void gpc_plane_status_release(struct gpc_plane_status *status)
{
	drop_image(&status->image);
}

static inline void note_overrides(const struct gpc_overrides *overrides)
{
	static char name[64];

	plane.drained = overrides ? name : NULL;
	*name = '\0';
	for (size_t i = 0; overrides && i < overrides->count; i++)
		if (gpc_override_is_live(&overrides->items[i], gpc_utc_ms()))
			snprintf(name, sizeof(name), "%s", overrides->items[i].endpoint);
}

int gpc_plane_override(const char *bpffs, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure)
{
	(void)bpffs;
	(void)failure;
	note_overrides(overrides);
	plane.overridden++;
	return 0;
}

int gpc_plane_apply(const char *bpffs, const struct gpc_image *image, uint32_t generation,
		    enum gpc_stance stance, uint64_t confirm_ms,
		    const struct gpc_overrides *overrides, const struct gpc_notice_sink *notices,
		    struct gpc_apply_outcome *ret, struct gpc_failure *failure)
{
	(void)bpffs;
	(void)notices;
	note_overrides(overrides);
	plane.applies++;
	if (plane.refuse)
		return gpc_fail(failure, GPC_EXIT_HOST, 0, "the stand-in refuses");
	if (plane.before_flip)
		plane.before_flip();
	if (gpc_interrupt_check(failure))
		return -1;
	*ret = (struct gpc_apply_outcome){.generation = generation, .devices = 1};
	ret->unchanged = plane.image.bytes && !memcmp(plane.image.head->decision_digest,
						      image->head->decision_digest, 32);
	plane.swapped = !ret->unchanged;
	if (plane.swapped) {
		drop_image(&plane.before);
		plane.before = plane.image;
		plane.image = copy_image(image);
		plane.generation_before = plane.generation;
		plane.generation = generation;
	}
	plane.armed = confirm_ms;
	ret->turned = plane.stance != stance;
	plane.stance_before = plane.stance;
	plane.stance = stance;
	if (plane.during)
		plane.during();
	return 0;
}

int gpc_confirm_read(const char *bpffs, struct gpc_confirm *ret, struct gpc_failure *failure)
{
	(void)bpffs;
	(void)failure;
	*ret = (struct gpc_confirm){
		.present = plane.image.bytes,
		.armed = plane.armed,
		.expired = plane.armed && plane.expired,
		.first = plane.armed && !plane.before.bytes,
		.generation = plane.generation,
		.fallback = plane.armed ? plane.generation_before : 0,
		.left_ms = plane.armed && !plane.expired ? 60000 : 0,
	};
	return 0;
}

int gpc_confirm_keep(const char *bpffs, uint32_t generation, const struct gpc_notice_sink *notices,
		     struct gpc_confirm *ret, struct gpc_failure *failure)
{
	(void)notices;
	(void)gpc_confirm_read(bpffs, ret, failure);
	if (!ret->armed || ret->expired || ret->generation != generation)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the stand-in does not wait for that");
	plane.armed = false;
	if (plane.during)
		plane.during();
	return 0;
}

int gpc_confirm_fall_back(const char *bpffs, const struct gpc_notice_sink *notices,
			  struct gpc_confirm *ret, struct gpc_failure *failure)
{
	(void)notices;
	(void)gpc_confirm_read(bpffs, ret, failure);
	if (!plane.armed)
		return 0;
	drop_image(&plane.image);
	plane.image = plane.before;
	plane.before = (struct gpc_image){0};
	plane.generation = plane.generation_before;
	plane.stance = plane.stance_before;
	plane.armed = plane.expired = false;
	return 0;
}

int gpc_claim_take(const char *bpffs, bool make, struct gpc_claim *ret,
		   struct gpc_failure *failure)
{
	(void)bpffs;
	(void)make;
	if (plane.claimed || (plane.busy && plane.busy--))
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the stand-in is claimed");
	*ret = GPC_CLAIM_NONE;
	return 0;
}

void gpc_claim_release(struct gpc_claim *claim)
{
	*claim = GPC_CLAIM_NONE;
}

int gpc_plane_retire(const char *bpffs, struct gpc_failure *failure)
{
	(void)bpffs;
	(void)failure;
	if (!plane.armed)
		drop_image(&plane.before);
	plane.retired++;
	return 0;
}

/* Nothing to find but what the command itself finds. */
int gpc_plane_verify(const char *bpffs, const struct gpc_image *image,
		     struct gpc_verify_report *ret, struct gpc_failure *failure)
{
	(void)bpffs;
	(void)failure;
	*ret = (struct gpc_verify_report){.bytes_compared = image->size};
	return 0;
}

void gpc_verify_report_release(struct gpc_verify_report *report)
{
	free(report->findings);
}

int gpc_plane_undo(const char *bpffs, struct gpc_failure *failure)
{
	(void)bpffs;
	if (plane.undo_fails)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the stand-in cannot undo");
	if (plane.swapped) {
		drop_image(&plane.image);
		plane.image = plane.before;
		plane.before = (struct gpc_image){0};
	}
	plane.stance = plane.stance_before;
	plane.armed = plane.expired = false;
	plane.undone++;
	return 0;
}

/* ---- running commands ---- */

static struct folder f;
static char yaml[PATH_MAX], out[PATH_MAX], err[PATH_MAX];

static inline void begin(void)
{
	folder_make(&f);
	drop_image(&plane.image);
	drop_image(&plane.before);
	memset(&plane, 0, sizeof(plane));
	setenv("GPC_STATE_DIR", f.path, 1);
	snprintf(yaml, sizeof(yaml), "%s/web.yaml", f.base);
	snprintf(out, sizeof(out), "%s/out", f.base);
	snprintf(err, sizeof(err), "%s/err", f.base);
}

static inline void end(void)
{
	drop_image(&plane.image);
	drop_image(&plane.before);
	folder_drop(&f);
}

/* Not by the table: it would bring in commands that need more of a plane than the stand-in has. */
static const struct gpc_command *find(const char *name)
{
	static const struct gpc_command *const commands[] = {
		&gpc_command_apply, &gpc_command_rollback, &gpc_command_restore,
		&gpc_command_verify, &gpc_command_confirm, &gpc_command_abort,
		&gpc_command_log};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	abort();
}

/* The options that commands are given beside --json. */
static const char *option, *second_option;

/* Between the two stdout and stderr are files. */
static struct {
	int out, err;
} outside;

static inline void hear(void)
{
	outside.out = dup(1);
	outside.err = dup(2);
	fflush(NULL);
	if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr))
		abort();
}

static inline void hear_no_more(void)
{
	fflush(NULL);
	dup2(outside.out, 1);
	dup2(outside.err, 2);
	close(outside.out);
	close(outside.err);
}

static inline int gpc(const char *name, const char *argument)
{
	char *argv[] = {strdup(name), strdup(option ? option : "--json"),
			strdup(second_option ? second_option : "--json"), strdup("--json"),
			argument ? strdup(argument) : NULL, NULL};
	struct gpc_failure failure;
	struct gpc_call call;
	int rc;

	hear();
	rc = (int)gpc_call_parse(find(name), argument ? 5 : 4, argv, &call, &failure);
	if (!rc)
		rc = (int)call.command->run(&call);
	gpc_call_release(&call);
	hear_no_more();
	for (int i = 0; i < 5; i++)
		free(argv[i]);
	return rc;
}

static inline bool said(const char *path, const char *text)
{
	static char buffer[65536];
	FILE *in = fopen(path, "r");
	size_t n = in ? fread(buffer, 1, sizeof(buffer) - 1, in) : 0;

	buffer[n] = '\0';
	if (in)
		fclose(in);
	return strstr(buffer, text);
}

static inline int apply(const char *text)
{
	file_put(yaml, text);
	return gpc("apply", yaml);
}

/* Number of recorded generations; *ret_newest their newest number. */
static inline size_t recorded(uint32_t *ret_newest)
{
	struct gpc_history *history = NULL;
	struct gpc_generation *list = NULL;
	struct gpc_failure failure;
	size_t count = 0;

	CU_ASSERT(!gpc_history_open(f.path, false, &history, &failure));
	CU_ASSERT(!gpc_history_list(history, 0, &list, &count, &failure));
	*ret_newest = count ? list[0].number : 0;
	free(list);
	gpc_history_free(&history);
	return count;
}

/* Somebody moves the branch between prepare and publish: publishing must fail. */
static inline void break_publish(void)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command),
		 "cd '%.1000s/history.git' && c=$(git -c user.name=x -c user.email=x commit-tree "
		 "-m x "
		 "main^{tree}) && git update-ref refs/heads/main $c",
		 f.path);
	if (system(command))
		abort();
}

static inline int apply_with(const char *given, const char *text)
{
	int rc;

	option = given;
	rc = apply(text);
	option = NULL;
	return rc;
}

static inline int apply_enforced(const char *text)
{
	return apply_with("--enforce", text);
}

#define POLICY(name)                                                                               \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"                                \
	"interfaces:\n  - {name: wan0, hooks: [xdp, tc-egress]}\n"                                 \
	"rules:\n  - {name: ssh, ports: [tcp/22], action: allow}\n"                                \
	"policies:\n  - {name: " name ", interfaces: [wan0], direction: ingress, rules: [ssh]}\n"
#define ONE PLANE("{name: a, address: 10.0.0.1}")
#define TWO PLANE(TWO_ENDPOINTS)

#endif
