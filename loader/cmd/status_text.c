/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/analyze/changes.h"
#include "../../compiler/diag/format.h"
#include "describe.h"
#include "flow_fill.h"
#include "output.h"
#include "../../compiler/base/words.h"
#include "split.h"
#include "status.h"
#include "status_overrides.h"
#include "status_policies.h"

#define LISTED 40u /* rows of a kind on one screen; -v shows all */

static void add_titles(struct gpc_grid *grid, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		gpc_grid_add(grid, GPC_DIM, "%s", names[i]);
}

static void titles(struct gpc_grid *grid, const char *const *names)
{
	add_titles(grid, names, strlen(grid->alignment));
}

static void print_problems(const struct gpc_status *status)
{
	for (size_t i = 0; i < status->problem_count; i++) {
		printf("%s!! ", gpc_paint(stdout, GPC_RED));
		gpc_put_safe(stdout, status->problems[i]);
		printf("%s\n", gpc_paint(stdout, GPC_PLAIN));
	}
	if (status->problem_count)
		putchar('\n');
}

static void print_head(const struct gpc_call *call, const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	bool off = status->plane.control & GPC_CTL_OFF;
	char digest[65], brief[13], when[32], ago[32];

	gpc_digest_format(image->head->decision_digest, digest);
	printf("plane %s%s%s, generation %u, decision %s, %s%s%s\n", gpc_paint(stdout, GPC_BOLD),
	       gpc_image_name(image, image->plane->name), gpc_paint(stdout, GPC_PLAIN),
	       status->running.number ? status->running.number : status->link->generation,
	       gpc_call_has(call, "verbose") ? digest : gpc_digest_short(digest, brief),
	       gpc_paint(stdout, off ? GPC_RED : GPC_GREEN), off ? "OFF" : "on",
	       gpc_paint(stdout, GPC_PLAIN));
	if (status->running.number) {
		gpc_text_ago(status->running.time, ago);
		printf("  since %s%s%s%s, by ", gpc_text_time(status->running.time, when),
		       *ago ? " (" : "", ago, *ago ? ")" : "");
		gpc_put_safe(stdout, status->running.actor);
		fputs(", from ", stdout);
		gpc_put_safe(stdout, status->running.source);
		putchar('\n');
	}
	printf("  size class %u MiB, image %s\n", 1u << (status->plane.size_log2 - 20),
	       gpc_text_bytes(image->size, when));
	if (gpc_call_has(call, "verbose"))
		printf("  control word %016llx: slot %u active, %u previous, %u fallback, sequence "
		       "%u\n",
		       (unsigned long long)status->plane.control,
		       gpc_ctl_active(status->plane.control),
		       gpc_ctl_previous(status->plane.control),
		       gpc_ctl_fallback(status->plane.control),
		       gpc_ctl_sequence(status->plane.control));
}

/* Interfaces of the plane that this host does not have. */
static void add_absent(struct gpc_grid *grid, const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_INTERFACE); i++) {
		const struct gpc_interface *interface =
			gpc_image_record(image, GPC_SEC_INTERFACE, i);

		if (gpc_interface_bound(status, i))
			continue;
		gpc_grid_add(grid, GPC_DIM, "-");
		gpc_grid_add(grid, GPC_DIM, "%s%s", gpc_image_name(image, interface->name),
			     interface->role == GPC_ROLE_DECAP ? " (decap)" : "");
		gpc_grid_add(grid, GPC_DIM, "-");
		gpc_grid_add(grid, GPC_DIM, "-");
		gpc_grid_add(grid, GPC_DIM, "not here");
	}
}

static void print_devices(const struct gpc_status *status)
{
	static const char *const names[] = {"device", "interface", "hook", "mode", "state"};
	struct gpc_grid grid = {.alignment = "lllll"};

	titles(&grid, names);
	for (size_t i = 0; i < status->plane.device_count; i++) {
		const struct gpc_device_status *d = &status->plane.devices[i];
		const struct gpc_interface *interface =
			d->interface < gpc_image_count(&status->plane.image, GPC_SEC_INTERFACE)
				? gpc_image_record(&status->plane.image, GPC_SEC_INTERFACE,
						   d->interface)
				: NULL;

		gpc_grid_add(&grid, GPC_PLAIN, "%s", d->name);
		gpc_grid_add(&grid, GPC_PLAIN, "%s%s",
			     interface ? gpc_image_name(&status->plane.image, interface->name)
				       : "-",
			     interface && interface->role == GPC_ROLE_DECAP ? " (decap)" : "");
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_hook_bit_name(d->hook));
		gpc_grid_add(&grid, d->generic ? GPC_YELLOW : GPC_PLAIN, "%s",
			     gpc_device_mode_name(d));
		gpc_grid_add(&grid, d->state == GPC_LINK_OK ? GPC_GREEN : GPC_RED, "%s",
			     gpc_link_state_name(d->state));
	}
	add_absent(&grid, status);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

static void add_counter(struct gpc_grid *grid, const struct gpc_counter *counter)
{
	char text[32];

	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_text_count(counter->packets, text));
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_text_bytes(counter->bytes, text));
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_text_count(counter->flows, text));
	gpc_grid_add(grid, counter->dropped ? GPC_YELLOW : GPC_DIM, "%s",
		     gpc_text_count(counter->dropped, text));
}

static void print_listeners(const struct gpc_call *call, const struct gpc_status *status)
{
	static const char *const names[] = {"listener", "address", "forward", "backend",
					    "packets",	"bytes",   "flows",   "dropped"};
	const struct gpc_image *image = &status->plane.image;
	uint32_t count = gpc_image_count(image, GPC_SEC_LISTENER);
	uint32_t shown = count > LISTED && !gpc_call_has(call, "verbose") ? LISTED : count;
	struct gpc_grid grid = {.alignment = "llllrrrr"};
	char **addresses = gpc_listener_addresses(image);

	titles(&grid, names);
	for (uint32_t i = 0; i < shown; i++) {
		const struct gpc_listener *l = gpc_image_record(image, GPC_SEC_LISTENER, i);
		struct gpc_counter counter = gpc_listener_counter(status, i);
		GPC_AUTO_FREE char *backends = gpc_listener_backends(image, l);

		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_image_name(image, l->name));
		gpc_grid_add(&grid, GPC_PLAIN, "%s", addresses[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_forward_name(l->forward));
		gpc_grid_add(&grid, GPC_PLAIN, "%s", backends);
		add_counter(&grid, &counter);
	}
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
	if (shown < count)
		printf("... and %u more (-v lists all)\n", count - shown);
	gpc_listener_addresses_free(image, addresses);
}

/* A share in percent, "-" of nothing. */
static void add_share(struct gpc_grid *grid, uint64_t part, uint64_t whole)
{
	if (whole)
		gpc_grid_add(grid, GPC_PLAIN, "%.1f %%", 100.0 * (double)part / (double)whole);
	else
		gpc_grid_add(grid, GPC_DIM, "-");
}

/* What operators and observers say of it, beside what the intent says. */
static void add_operating(struct gpc_grid *grid, const struct gpc_status *status, uint32_t index)
{
	char override[GPC_STATUS_OVERRIDDEN];
	const char *observed = gpc_status_observed(status, index);
	bool takes_new = gpc_status_is_new(status, index);

	gpc_status_overridden(status, index, override);
	gpc_grid_add(grid, *override ? GPC_YELLOW : GPC_DIM, "%s", *override ? override : "-");
	gpc_grid_add(grid, strcmp(observed, "down") ? GPC_DIM : GPC_RED, "%s", observed);
	gpc_grid_add(grid, takes_new ? GPC_PLAIN : GPC_YELLOW, "%s", takes_new ? "yes" : "no");
}

static void add_endpoint(struct gpc_grid *grid, const struct gpc_status *status, uint32_t index)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, index);
	const struct gpc_backend *b = gpc_image_record(image, GPC_SEC_BACKEND, e->backend);
	struct gpc_counter counter = gpc_endpoint_counter(status, index);
	GPC_AUTO_FREE char *addresses = gpc_endpoint_addresses(e);
	GPC_AUTO_FREE char *hop = gpc_next_hop_text(status, index);

	gpc_grid_add(grid, GPC_PLAIN, "%s/%s", gpc_image_name(image, b->name),
		     gpc_image_name(image, e->name));
	gpc_grid_add(grid, GPC_PLAIN, "%s", addresses);
	gpc_grid_add(grid, e->state == GPC_STATE_READY ? GPC_PLAIN : GPC_YELLOW, "%s",
		     gpc_state_name(e->state));
	gpc_grid_add(grid, GPC_PLAIN, "%u", e->weight);
	if (gpc_status_has_overrides(status))
		add_operating(grid, status, index);
	add_share(grid, status->slots[index], status->backend_slots[e->backend]);
	add_share(grid, status->flows[index], status->backend_flows[e->backend]);
	add_counter(grid, &counter);
	gpc_grid_add(grid, strcmp(hop, "unknown") ? GPC_PLAIN : GPC_RED, "%s", hop);
	if (status->has_active)
		gpc_grid_add(grid, GPC_PLAIN, "%llu",
			     (unsigned long long)status->active.endpoint[index]);
}

/* A backend in one line, where its endpoints would not fit the screen. */
static void add_backend(struct gpc_grid *grid, const struct gpc_status *status, uint32_t index)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_backend *b = gpc_image_record(image, GPC_SEC_BACKEND, index);
	struct gpc_counter sum = {.dropped = gpc_backend_counter(status, index).dropped};
	uint32_t states[3] = {0};

	for (uint32_t i = b->first_endpoint; i < b->first_endpoint + b->endpoints; i++) {
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);
		struct gpc_counter c = gpc_endpoint_counter(status, i);

		states[e->state % 3]++;
		sum.packets += c.packets;
		sum.bytes += c.bytes;
		sum.flows += c.flows;
		sum.dropped += c.dropped;
	}
	gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_image_name(image, b->name));
	gpc_grid_add(grid, GPC_PLAIN, "%u", b->endpoints);
	for (int s = 0; s < 3; s++)
		gpc_grid_add(grid, s && states[s] ? GPC_YELLOW : GPC_PLAIN, "%u", states[s]);
	add_counter(grid, &sum);
}

static void print_backends(const struct gpc_status *status)
{
	static const char *const names[] = {"backend", "endpoints", "ready", "drain",  "maint",
					    "packets", "bytes",	    "flows", "dropped"};
	uint32_t count = gpc_image_count(&status->plane.image, GPC_SEC_BACKEND);
	uint32_t shown = count > LISTED ? LISTED : count;
	struct gpc_grid grid = {.alignment = "lrrrrrrrr"};

	titles(&grid, names);
	for (uint32_t i = 0; i < shown; i++)
		add_backend(&grid, status, i);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
	if (shown < count)
		printf("... and %u more backends\n", count - shown);
	puts("(-v lists the endpoints)");
}

static void print_endpoints(const struct gpc_status *status)
{
	static const char *const intent[] = {"endpoint", "address", "state", "weight"};
	static const char *const operating[] = {"override", "observed", "new flows"};
	static const char *const seen[] = {"due",   "got",     "packets",  "bytes",
					   "flows", "dropped", "next hop", "active"};
	GPC_AUTO_FREE uint32_t *order = gpc_endpoint_order(&status->plane.image);
	bool overrides = gpc_status_has_overrides(status);
	char alignment[16];
	struct gpc_grid grid = {.alignment = alignment};

	snprintf(alignment, sizeof(alignment), "lllr%srrrrrrl%s", overrides ? "lll" : "",
		 status->has_active ? "r" : "");
	add_titles(&grid, intent, 4);
	if (overrides)
		add_titles(&grid, operating, 3);
	add_titles(&grid, seen, status->has_active ? 8 : 7);
	for (uint32_t i = 0; i < gpc_image_count(&status->plane.image, GPC_SEC_ENDPOINT); i++)
		add_endpoint(&grid, status, order[i]);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

static void print_reasons(const struct gpc_call *call, const struct gpc_status *status)
{
	static const char *const names[] = {"hook", "reason", "packets", "meaning"};
	struct gpc_grid grid = {.alignment = "llrl"};
	char text[32];
	bool none;

	titles(&grid, names);
	for (int hook = 0; hook < GPC_HOOK_ID_COUNT; hook++)
		for (int r = 0; r < GPC_REASON_COUNT; r++) {
			struct gpc_counter c = gpc_status_counter(
				status, (uint32_t)hook * GPC_REASON_MAX + (uint32_t)r);

			if (!c.packets && !gpc_call_has(call, "verbose"))
				continue;
			gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_hook_id_name(hook));
			gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_reason_name(r));
			gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_text_count(c.packets, text));
			gpc_grid_add(&grid, GPC_DIM, "%s", gpc_reason_text(r));
		}
	none = grid.count == sizeof(names) / sizeof(names[0]);
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
	if (none)
		puts("no packet yet");
}

void gpc_status_text(const struct gpc_call *call, const struct gpc_status *status)
{
	print_problems(status);
	if (!status->plane.has_image)
		return;
	print_head(call, status);
	print_devices(status);
	gpc_status_policies_text(call, status);
	if (gpc_image_count(&status->plane.image, GPC_SEC_LISTENER))
		print_listeners(call, status);
	gpc_splits_text(status);
	if (gpc_image_count(&status->plane.image, GPC_SEC_ENDPOINT) > LISTED &&
	    !gpc_call_has(call, "verbose"))
		print_backends(status);
	else if (gpc_image_count(&status->plane.image, GPC_SEC_ENDPOINT))
		print_endpoints(status);
	gpc_status_overrides_text(status);
	print_reasons(call, status);
	if (status->has_active)
		gpc_flows_text(&status->active);
}
