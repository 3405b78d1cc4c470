/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "counters.h"
#include "kernel.h"
#include "survey.h"

struct gpc_events {
	char bpffs[GPC_PIN_PATH];
	struct gpc_instance instance;
	struct ring_buffer *ring;
	struct gpc_events_losses before; /* what was lost before it was opened */
	int lock;
	/* of the read that is under way */
	gpc_events_take *take;
	void *context;
};

/* The ring's own way to say that its reader has enough. */
#define ENOUGH (-ECANCELED)

static int take_sample(void *context, void *data, size_t size)
{
	const struct gpc_events *events = context;

	if (size < sizeof(struct gpc_event))
		return 0;
	return events->take(events->context, data) ? 0 : ENOUGH;
}

/* ---- the plane ---- */

static int open_instance(const char *bpffs, struct gpc_instance *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'", bpffs);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	*ret = survey.instances[0];
	gpc_instance_init(&survey.instances[0]);
	return 0;
}

static int open_ring(struct gpc_events *events, struct gpc_failure *failure)
{
	ring_buffer__free(events->ring);
	events->ring = NULL;
	if (events->instance.map[GPC_MAP_EVENTS] < 0) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0,
			 "the programs that run are an older gpc's and know no events");
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	events->ring =
		ring_buffer__new(events->instance.map[GPC_MAP_EVENTS], take_sample, events, NULL);
	if (events->ring)
		return 0;
	return gpc_kernel_fail(failure, errno, "cannot map the ring of events");
}

/* ---- the lock ---- */

static int take_lock(const char *bpffs, int *ret, struct gpc_failure *failure)
{
	GPC_AUTO_CLOSE int fd = -1;
	char path[GPC_PIN_PATH];

	if (gpc_pin_path(path, failure, "%s/links", bpffs))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB)) {
		*ret = GPC_TAKE_FD(fd);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot lock '%s'", path);
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "another gpc reads the events of this plane");
	return gpc_fail_hint(failure, "an event is given once; end that gpc events first");
}

/* ---- losses ---- */

static int read_losses(const struct gpc_events *events, struct gpc_events_losses *ret,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_counters_release) struct gpc_counters counters = {0};
	struct gpc_events_losses losses = {0};
	size_t i;

	if (gpc_counters_read(&events->instance, &counters, failure))
		return -1;
	for (i = 0; i < GPC_LIMIT_COUNT; i++) {
		if (i == GPC_LIMIT_REJECT)
			continue;
		losses.limited += counters.limits[i].kept;
		losses.full += counters.limits[i].lost;
	}
	for (i = 0; i < counters.rule_count; i++)
		losses.logs += counters.rules[i].log_lost;
	*ret = losses;
	return 0;
}

/* A rule's counter that was given to another one starts at 0 again. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

int gpc_events_losses(const struct gpc_events *events, bool all, struct gpc_events_losses *ret,
		      struct gpc_failure *failure)
{
	struct gpc_events_losses before = all ? (struct gpc_events_losses){0} : events->before, now;

	if (read_losses(events, &now, failure))
		return -1;
	ret->limited = since(now.limited, before.limited);
	ret->full = since(now.full, before.full);
	ret->logs = since(now.logs, before.logs);
	return 0;
}

/* ---- the reader ---- */

int gpc_events_open(const char *bpffs, struct gpc_events **ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_events_close) struct gpc_events *events = calloc(1, sizeof(*events));

	if (!events)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read events");
	events->lock = -1;
	gpc_instance_init(&events->instance);
	if (gpc_pin_path(events->bpffs, failure, "%s", bpffs) ||
	    open_instance(bpffs, &events->instance, failure) ||
	    take_lock(bpffs, &events->lock, failure) || open_ring(events, failure) ||
	    read_losses(events, &events->before, failure))
		return -1;
	*ret = GPC_TAKE_PTR(events);
	return 0;
}

void gpc_events_close(struct gpc_events **events)
{
	if (!*events)
		return;
	ring_buffer__free((*events)->ring);
	gpc_instance_close(&(*events)->instance);
	gpc_cleanup_close(&(*events)->lock);
	free(*events);
	*events = NULL;
}

int gpc_events_read(struct gpc_events *events, int timeout_ms, gpc_events_take *take, void *context,
		    bool *ret_done, struct gpc_failure *failure)
{
	int r;

	events->take = take;
	events->context = context;
	r = timeout_ms ? ring_buffer__poll(events->ring, timeout_ms)
		       : ring_buffer__consume(events->ring);
	*ret_done = r == ENOUGH;
	if (r >= 0 || r == ENOUGH || r == -EINTR)
		return 0;
	return gpc_kernel_fail(failure, -r, "cannot read the ring of events");
}

int gpc_events_refresh(struct gpc_events *events, struct gpc_failure *failure)
{
	struct gpc_instance fresh;
	bool other;

	if (open_instance(events->bpffs, &fresh, failure))
		return -1;
	other = fresh.map_id[GPC_MAP_EVENTS] != events->instance.map_id[GPC_MAP_EVENTS];
	gpc_instance_close(&events->instance);
	events->instance = fresh;
	if (!other)
		return 0;
	gpc_cleanup_close(&events->lock);
	events->lock = -1;
	events->before = (struct gpc_events_losses){0};
	return take_lock(events->bpffs, &events->lock, failure) ? -1 : open_ring(events, failure);
}

int gpc_events_image(const struct gpc_events *events, struct gpc_image *ret,
		     struct gpc_failure *failure)
{
	const struct gpc_instance *instance = &events->instance;

	uint64_t word = gpc_control_now(gpc_control_load(instance->control));

	return gpc_stage_read(instance, gpc_ctl_active(word), ret, failure);
}
