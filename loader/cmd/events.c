/* SPDX-License-Identifier: MIT */
#include "../plane/events.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../clock.h"
#include "../interrupt.h"
#include "activate.h"
#include "event_line.h"
#include "output.h"
#include "rulebook.h"

#define BATCH 1024u /* events that are taken out of the ring together */
#define BOOKS 4u    /* images whose rules are known, the newest first */
#define WAIT_MS 500
#define LOOK_SECONDS                                                                               \
	3 /* between two looks at what was lost, and whether the plane is still there */
#define NANOSECONDS 1000000000ll

static const struct gpc_option options[] = {
	{'f', "follow", NULL, "wait for more, until interrupted"},
	{'n', "count", "N", "end after N events"},
	{'t', "type", "TYPE,...", "only these: flow, deny, would-deny, log, revoked"},
	GPC_OPTION_JSON,
};

struct watch {
	const struct gpc_call *call;
	struct gpc_events *events;
	bool follow;
	unsigned int types; /* bit by enum gpc_event_type */
	uint64_t left;	    /* events that are still wanted */
	uint64_t start; /* coarse ktime: without --follow, what is newer is not waited for */
	struct gpc_event batch[BATCH];
	size_t batch_count;
	bool done;
	struct gpc_rulebook books[BOOKS];
	size_t book_count;
	uint32_t asked; /* generation of an event that was looked for last */
	uint64_t counts[GPC_EVENT_COUNT];
	struct gpc_events_losses said;
};

static struct watch *new_watch(void)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		abort();
	return watch;
}

static void free_watch(struct watch **watch)
{
	gpc_events_close(&(*watch)->events);
	for (size_t i = 0; i < (*watch)->book_count; i++)
		gpc_rulebook_release(&(*watch)->books[i]);
	free(*watch);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* ---- options ---- */

static int parse_types(const char *text, unsigned int *ret, struct gpc_failure *failure)
{
	*ret = 0;
	while (text) {
		size_t length = strcspn(text, ",");
		enum gpc_event_type type = gpc_event_type_parse(text, length);

		if (type == GPC_EVENT_COUNT) {
			gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%.*s' is no type of event",
				 (int)length, text);
			return gpc_fail_hint(failure, "there are flow, deny, would-deny, log and "
						      "revoked, with commas between them");
		}
		*ret |= 1u << type;
		text = text[length] ? text + length + 1 : NULL;
	}
	return 0;
}

static int parse(const struct gpc_call *call, struct watch *watch, struct gpc_failure *failure)
{
	const char *count = gpc_call_value(call, "count"), *types = gpc_call_value(call, "type");
	unsigned long number = 0;

	watch->call = call;
	watch->follow = gpc_call_has(call, "follow");
	watch->types = ~0u;
	if (count && !gpc_number_parse(count, 1, UINT32_MAX, &number))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no number of events", count);
	watch->left = count ? number : UINT64_MAX;
	return types ? parse_types(types, &watch->types, failure) : 0;
}

/* ---- names ---- */

/* The rules of the image that is active now become the newest known ones. */
static void learn(struct watch *watch)
{
	struct gpc_image image;
	struct gpc_failure ignored;

	if (gpc_events_image(watch->events, &image, &ignored))
		return;
	if (watch->book_count == BOOKS)
		gpc_rulebook_release(&watch->books[--watch->book_count]);
	memmove(watch->books + 1, watch->books, watch->book_count * sizeof(watch->books[0]));
	gpc_rulebook_init(&watch->books[0], &image);
	watch->book_count++;
}

static bool is_known(const struct watch *watch, uint32_t generation)
{
	for (size_t i = 0; i < watch->book_count; i++)
		if (gpc_linked_generation(&watch->books[i].image) == generation)
			return true;
	return false;
}

/* The image that an event speaks of first, then the others: an id means the same in all of them. */
static void find_rule(struct watch *watch, const struct gpc_event *event,
		      struct gpc_event_names *names)
{
	for (int same = 1; same >= 0; same--)
		for (size_t i = 0; i < watch->book_count; i++) {
			struct gpc_rulebook *book = &watch->books[i];
			const struct gpc_rulebook_entry *entry;

			if ((gpc_linked_generation(&book->image) == event->generation) != same)
				continue;
			entry = gpc_rulebook_find(book, event->rule);
			if (!entry)
				continue;
			names->rule = gpc_image_name(&book->image, entry->rule->name);
			names->policy = gpc_rule_owner(&book->image, entry->rule);
			names->place = entry->place;
			return;
		}
}

/* ---- events ---- */

static bool take(void *context, const struct gpc_event *event)
{
	struct watch *watch = context;

	if (!watch->follow && event->time > watch->start)
		watch->done = true;
	if (event->type >= GPC_EVENT_COUNT || !(watch->types >> event->type & 1))
		return !watch->done;
	watch->batch[watch->batch_count++] = *event;
	if (!--watch->left)
		watch->done = true;
	return !watch->done && watch->batch_count < BATCH && !gpc_interrupted();
}

static void say(struct watch *watch, const struct gpc_event *event)
{
	int64_t wall = clock_ns(CLOCK_REALTIME) - (int64_t)gpc_clock_coarse() + (int64_t)event->time;
	struct gpc_event_names names = {
		.seconds = wall / NANOSECONDS,
		.milliseconds = (uint32_t)(wall % NANOSECONDS / 1000000),
	};
	char device[IF_NAMESIZE];

	names.device = if_indextoname(event->ifindex, device);
	if (event->rule)
		find_rule(watch, event, &names);
	if (gpc_call_has(watch->call, "json"))
		gpc_json_print(gpc_event_json(event, &names));
	else
		gpc_event_print(event, &names, stdout);
	fflush(stdout);
	watch->counts[event->type]++;
}

/* Once per generation: what was switched away from meanwhile stays unknown. */
static int look_for(struct watch *watch, uint32_t generation, struct gpc_failure *failure)
{
	if (generation == watch->asked || is_known(watch, generation))
		return 0;
	watch->asked = generation;
	if (gpc_events_refresh(watch->events, failure))
		return -1;
	learn(watch);
	return 0;
}

static int read_batch(struct watch *watch, int timeout_ms, struct gpc_failure *failure)
{
	bool enough;

	watch->batch_count = 0;
	if (gpc_events_read(watch->events, timeout_ms, take, watch, &enough, failure))
		return -1;
	if (!enough && !watch->follow)
		watch->done = true; /* the ring is empty */
	for (size_t i = 0; i < watch->batch_count; i++) {
		if (look_for(watch, watch->batch[i].generation, failure))
			return -1;
		say(watch, &watch->batch[i]);
	}
	return 0;
}

/* ---- losses ---- */

static void say_losses(const struct watch *watch, const struct gpc_events_losses *losses)
{
	struct json_object *object;

	if (!gpc_call_has(watch->call, "json")) {
		gpc_say(watch->call, GPC_YELLOW, "lost",
			"%llu events beyond the limits, %llu because the ring was full, %llu of "
			"rules' logs",
			(unsigned long long)losses->limited, (unsigned long long)losses->full,
			(unsigned long long)losses->logs);
		return;
	}
	object = gpc_json("losses");
	gpc_json_number(object, "limited", (int64_t)losses->limited);
	gpc_json_number(object, "full", (int64_t)losses->full);
	gpc_json_number(object, "logs", (int64_t)losses->logs);
	gpc_json_print(object);
	fflush(stdout);
}

/* Says them when there are more than were said last. */
static int look_at_losses(struct watch *watch, struct gpc_failure *failure)
{
	struct gpc_events_losses losses;

	if (gpc_events_losses(watch->events, !watch->follow, &losses, failure))
		return -1;
	if (losses.limited > watch->said.limited || losses.full > watch->said.full ||
	    losses.logs > watch->said.logs)
		say_losses(watch, &losses);
	watch->said = losses;
	return 0;
}

/* ---- the whole ---- */

static int watch_all(struct watch *watch, struct gpc_failure *failure)
{
	int64_t next = clock_ns(CLOCK_MONOTONIC) + LOOK_SECONDS * NANOSECONDS;

	while (!watch->done && !gpc_interrupted()) {
		if (read_batch(watch, watch->follow ? WAIT_MS : 0, failure))
			return -1;
		if (!watch->follow || clock_ns(CLOCK_MONOTONIC) < next)
			continue;
		next = clock_ns(CLOCK_MONOTONIC) + LOOK_SECONDS * NANOSECONDS;
		if (gpc_events_refresh(watch->events, failure) || look_at_losses(watch, failure))
			return -1;
	}
	return 0;
}

static enum gpc_exit finish(struct watch *watch)
{
	struct json_object *result = gpc_json("result");
	uint64_t sum = 0;

	for (unsigned int i = 0; i < GPC_EVENT_COUNT; i++) {
		gpc_json_number(result, gpc_event_type_name(i), (int64_t)watch->counts[i]);
		sum += watch->counts[i];
	}
	gpc_json_number(result, "events", (int64_t)sum);
	gpc_json_number(result, "limited", (int64_t)watch->said.limited);
	gpc_json_number(result, "full", (int64_t)watch->said.full);
	gpc_json_number(result, "logs", (int64_t)watch->said.logs);
	if (!gpc_call_has(watch->call, "json"))
		gpc_say(watch->call, GPC_DIM, "note",
			"%llu events: %llu deny, %llu would-deny, "
			"%llu log, %llu flow, %llu revoked",
			(unsigned long long)sum, (unsigned long long)watch->counts[GPC_EVENT_DENY],
			(unsigned long long)watch->counts[GPC_EVENT_WOULD_DENY],
			(unsigned long long)watch->counts[GPC_EVENT_LOG],
			(unsigned long long)watch->counts[GPC_EVENT_FLOW],
			(unsigned long long)watch->counts[GPC_EVENT_REVOKED]);
	return gpc_finish(watch->call, GPC_EXIT_OK, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(free_watch) struct watch *watch = new_watch();
	struct gpc_failure failure;

	if (parse(call, watch, &failure))
		return gpc_finish_failed(call, &failure);
	gpc_interrupts_hold();
	if (gpc_events_open(gpc_bpffs(), &watch->events, &failure))
		return gpc_finish_failed(call, &failure);
	learn(watch);
	watch->start = gpc_clock_coarse();
	if (watch_all(watch, &failure) || look_at_losses(watch, &failure))
		return gpc_finish_failed(call, &failure);
	return finish(watch);
}

const struct gpc_command gpc_command_events = {
	.name = "events",
	.side = GPC_SIDE_HOST,
	.summary = "what policies deny, would deny, log and let begin",
	.operands = "",
	.description =
		"Takes the events out of the plane's ring and prints one a line: when, what, "
		"device "
		"and\n"
		"hook, packet, policy/rule and its line, reason; x1000 stands for a thousand "
		"packets.\n"
		"Ends when the ring is empty, with --follow when interrupted. Each event is given "
		"once, so\n"
		"only one gpc events runs at a time (6). Denials and flow starts are limited to "
		"1000 a\n"
		"second and CPU each, logs by their rule; what was kept back or lost is said.",
	.objects = "event, losses",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run,
};
