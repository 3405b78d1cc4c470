/* SPDX-License-Identifier: MIT */
#include "plan_basis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/sha256.h"
#include "../file.h"
#include "../history/history.h"
#include "../override/journal.h"
#include "activate.h"
#include "output.h"

#define MACHINE "/etc/machine-id"
#define BOOT "/proc/sys/kernel/random/boot_id" /* where the machine has no id */

bool gpc_plan_runs(const struct gpc_plane_status *plane)
{
	return plane->has_image && !(plane->confirm.expired && plane->confirm.first);
}

/* ---- the host ---- */

static void add_text(struct gpc_sha256 *sha, const char *text)
{
	gpc_sha256_add(sha, text, strlen(text) + 1);
}

/* Another spelling of the same place is another place: then the plan is made anew. */
static void add_place(struct gpc_sha256 *sha, const char *path)
{
	GPC_AUTO_FREE char *here = *path == '/' ? NULL : getcwd(NULL, 0);

	add_text(sha, here ? here : "");
	add_text(sha, path);
}

static void add_machine(struct gpc_sha256 *sha)
{
	char id[64] = "";
	FILE *in = fopen(MACHINE, "re");

	if (!in)
		in = fopen(BOOT, "re");
	if (!in)
		return;
	if (fgets(id, sizeof(id), in))
		add_text(sha, id);
	fclose(in);
}

static int add_namespace(struct gpc_sha256 *sha)
{
	GPC_AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		return -errno;
	gpc_sha256_add(sha, &cookie, sizeof(cookie));
	return 0;
}

static int read_host(uint8_t ret[32], struct gpc_failure *failure)
{
	struct gpc_sha256 sha;
	int r;

	gpc_sha256_init(&sha);
	add_machine(&sha);
	add_place(&sha, gpc_state_dir());
	add_place(&sha, gpc_bpffs());
	r = add_namespace(&sha);
	gpc_sha256_finish(&sha, ret);
	return r ? gpc_fail(failure, GPC_EXIT_HOST, -r, "cannot tell the network namespace") : 0;
}

/* ---- what is recorded, and set ---- */

static int read_recorded(const struct gpc_plane_status *plane, struct gpc_generation *ret,
			 struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	uint32_t running = gpc_plan_runs(plane) ? gpc_linked_generation(&plane->image) : 0;
	bool found;

	*ret = (struct gpc_generation){0};
	return gpc_history_open(gpc_state_dir(), false, &history, failure) ||
	       gpc_history_standing(history, running, ret, &found, failure);
}

static void add_override(struct gpc_sha256 *sha, const struct gpc_override *o)
{
	add_text(sha, o->backend);
	add_text(sha, o->endpoint);
	gpc_sha256_add(sha, &o->kind, sizeof(o->kind));
	gpc_sha256_add(sha, &o->weight, sizeof(o->weight));
	gpc_sha256_add(sha, &o->until, sizeof(o->until));
}

/* A journal that cannot be read is as good as an empty one here: an apply leaves alone what it says. */
static void read_overrides(uint8_t ret[32])
{
	GPC_CLEANUP(gpc_overrides_release) struct gpc_overrides overrides = {0};
	int64_t now = gpc_utc_ms();
	struct gpc_failure ignored;
	struct gpc_sha256 sha;

	gpc_sha256_init(&sha);
	if (!gpc_journal_load(gpc_state_dir(), &overrides, &ignored))
		for (size_t i = 0; i < overrides.count; i++)
			if (gpc_override_is_live(&overrides.items[i], now))
				add_override(&sha, &overrides.items[i]);
	gpc_sha256_finish(&sha, ret);
}

/* ---- in all ---- */

static void read_running(const struct gpc_plane_status *plane, struct gpc_plan_basis *ret)
{
	const struct gpc_link_head *link =
		(const void *)(plane->image.bytes + plane->image.head->link_offset);

	ret->running = true;
	ret->nonce = link->nonce;
	ret->generation = link->generation;
	ret->sequence = (gpc_ctl_sequence(plane->control) + plane->confirm.expired) &
			GPC_CTL_SEQUENCE_MASK;
	memcpy(ret->decision, plane->image.head->decision_digest, sizeof(ret->decision));
}

int gpc_plan_basis_read(const struct gpc_call *call, const struct gpc_plane_status *plane,
			const struct gpc_image *image, struct gpc_plan_basis *ret,
			struct gpc_failure *failure)
{
	struct gpc_plan_basis basis = {0};
	struct gpc_generation recorded;
	enum gpc_stance before;

	if (read_host(basis.host, failure) || read_recorded(plane, &recorded, failure))
		return -1;
	if (gpc_plan_runs(plane))
		read_running(plane, &basis);
	before = basis.running ? gpc_stance_of(plane->image.plane, plane->control) : recorded.stance;
	basis.stance[0] = (uint8_t)before;
	basis.stance[1] = (uint8_t)gpc_stance_after(image->plane, before, gpc_call_has(call, "enforce"));
	basis.recorded = recorded.number;
	memcpy(basis.commit, recorded.commit, sizeof(basis.commit));
	read_overrides(basis.overrides);
	*ret = basis;
	return 0;
}

/* Of a file that anybody may have written. */
static const char *written_stance(uint8_t stance)
{
	return stance <= GPC_STANCE_ENFORCE ? gpc_stance_name((enum gpc_stance)stance) : "?";
}

static void say_plane(const struct gpc_plan_basis *then, const struct gpc_plan_basis *now,
		      struct gpc_failure *failure)
{
	if (!then->running)
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made when nothing ran, now generation %u does",
			 now->generation);
	else if (!now->running)
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made against generation %u, now nothing runs",
			 then->generation);
	else
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made against generation %u as it was; since then the plane "
			 "was changed, it runs generation %u",
			 then->generation, now->generation);
}

static bool same_plane(const struct gpc_plan_basis *a, const struct gpc_plan_basis *b)
{
	return a->running == b->running && a->nonce == b->nonce &&
	       a->generation == b->generation && a->sequence == b->sequence &&
	       !memcmp(a->decision, b->decision, sizeof(a->decision));
}

int gpc_plan_basis_compare(const struct gpc_plan_basis *then, const struct gpc_plan_basis *now,
			   struct gpc_failure *failure)
{
	if (!memcmp(then, now, sizeof(*then)))
		return 0;
	if (memcmp(then->host, now->host, sizeof(then->host)))
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made on another host, or for another state folder, bpffs "
			 "folder or network namespace");
	else if (!same_plane(then, now))
		say_plane(then, now, failure);
	else if (then->recorded != now->recorded ||
		 memcmp(then->commit, now->commit, sizeof(then->commit)))
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made when generation %u was the last that stood in the "
			 "history, now generation %u is",
			 then->recorded, now->recorded);
	else if (memcmp(then->overrides, now->overrides, sizeof(then->overrides)))
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "since the plan was made, what operators have set (drain, maint, weight) "
			 "was changed, or has ended");
	else
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the plan was made for policies: %s; now they would be: %s",
			 written_stance(then->stance[1]), written_stance(now->stance[1]));
	return gpc_fail_hint(failure, "plan anew, and look at what it says now");
}
