/* SPDX-License-Identifier: MIT */
/* The values that `gpc status` shows, out of the image, its link part and the counters. */
#include "status.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/ip.h"
#include "../../compiler/image/vips.h"
#include "describe.h"
#include "gpc/lookup/vip_entry.h"

static const char *const hook_names[] = {
	[GPC_HOOK_ID_XDP] = "xdp",
	[GPC_HOOK_ID_TC_INGRESS] = "tc-ingress",
	[GPC_HOOK_ID_TC_EGRESS] = "tc-egress",
	[GPC_HOOK_ID_DECAP] = "decap",
};
_Static_assert(sizeof(hook_names) / sizeof(hook_names[0]) == GPC_HOOK_ID_COUNT, "one name a hook");

static const struct {
	const char *name, *text;
} reasons[] = {
#define X(id, name, text) {name, text},
	GPC_REASONS(X)
#undef X
};

static const char *const limit_names[] = {
	[GPC_LIMIT_REJECT] = "reject",
	[GPC_LIMIT_EVENT_DENY] = "deny-events",
	[GPC_LIMIT_EVENT_FLOW] = "flow-events",
};
_Static_assert(sizeof(limit_names) / sizeof(limit_names[0]) == GPC_LIMIT_COUNT, "one name a limit");

const char *gpc_hook_id_name(enum gpc_hook hook)
{
	return hook_names[hook];
}

const char *gpc_reason_name(enum gpc_reason reason)
{
	return reasons[reason].name;
}

const char *gpc_verdict_name(enum gpc_verdict verdict)
{
	static const char *const names[] = {
		[GPC_VERDICT_PASS] = "pass",
		[GPC_VERDICT_FORWARD] = "forward",
		[GPC_VERDICT_DROP] = "drop",
		[GPC_VERDICT_REJECT] = "reject",
		[GPC_VERDICT_ANSWER] = "answer",
	};

	return names[verdict];
}

const char *gpc_reason_text(enum gpc_reason reason)
{
	return reasons[reason].text;
}

const char *gpc_limit_name(enum gpc_limit limit)
{
	return limit_names[limit];
}

const char *gpc_link_state_name(enum gpc_link_state state)
{
	static const char *const names[] = {[GPC_LINK_OK] = "ok",
					    [GPC_LINK_GONE] = "gone",
					    [GPC_LINK_FOREIGN] = "foreign",
					    [GPC_LINK_MISSING] = "missing"};

	return names[state];
}

const char *gpc_hook_bit_name(uint8_t hook)
{
	return hook == GPC_HOOK_XDP	     ? "xdp"
	       : hook == GPC_HOOK_TC_INGRESS ? "tc-ingress"
					     : "tc-egress";
}

const char *gpc_device_mode_name(const struct gpc_device_status *device)
{
	return device->hook != GPC_HOOK_XDP ? "tc" : device->generic ? "generic" : "native";
}

const char *gpc_listener_backend(const struct gpc_image *image, const struct gpc_listener *listener)
{
	const struct gpc_backend *backend;

	if (listener->backend == GPC_NONE)
		return "-";
	backend = gpc_image_record(image, GPC_SEC_BACKEND, listener->backend);
	return gpc_image_name(image, backend->name);
}

/* ---- order and binding ---- */

static int compare_endpoints(const void *a, const void *b, void *context)
{
	const struct gpc_image *image = context;
	const struct gpc_endpoint *x =
		gpc_image_record(image, GPC_SEC_ENDPOINT, *(const uint32_t *)a);
	const struct gpc_endpoint *y =
		gpc_image_record(image, GPC_SEC_ENDPOINT, *(const uint32_t *)b);

	if (x->backend != y->backend)
		return x->backend < y->backend ? -1 : 1;
	return strcmp(gpc_image_name(image, x->name), gpc_image_name(image, y->name));
}

uint32_t *gpc_endpoint_order(const struct gpc_image *image)
{
	uint32_t count = gpc_image_count(image, GPC_SEC_ENDPOINT);
	uint32_t *order = calloc(count + 1ul, sizeof(*order));

	if (!order)
		abort();
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_endpoints, (void *)(uintptr_t)image);
	return order;
}

bool gpc_interface_bound(const struct gpc_status *status, uint32_t index)
{
	for (size_t i = 0; i < status->plane.device_count; i++)
		if (status->plane.devices[i].interface == index)
			return true;
	return false;
}

/* ---- the parts of a status ---- */

void gpc_status_link(struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;

	status->link = (const void *)(image->bytes + image->head->link_offset);
}

static void count_table(struct gpc_status *status, const struct gpc_table *table)
{
	const struct gpc_image *image = &status->plane.image;
	const struct gpc_backend *backend =
		gpc_image_record(image, GPC_SEC_BACKEND, table->backend);
	const __u16 *slots = (const void *)(image->bytes + table->offset);

	/* A backend may have one table per family; the first one stands for its weights. */
	if (status->backend_slots[table->backend])
		return;
	for (uint32_t i = 0; i < table->size; i++)
		status->slots[backend->first_endpoint + slots[i]]++;
	status->backend_slots[table->backend] = table->size;
}

void gpc_status_count_slots(struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;

	free(status->slots);
	free(status->backend_slots);
	status->slots =
		calloc(gpc_image_count(image, GPC_SEC_ENDPOINT) + 1ul, sizeof(*status->slots));
	status->backend_slots = calloc(gpc_image_count(image, GPC_SEC_BACKEND) + 1ul,
				       sizeof(*status->backend_slots));
	if (!status->slots || !status->backend_slots)
		abort();
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_TABLE); i++)
		count_table(status, gpc_image_record(image, GPC_SEC_TABLE, i));
}

void gpc_status_release(struct gpc_status *status)
{
	gpc_plane_status_release(&status->plane);
	gpc_overrides_release(&status->overrides);
	gpc_flows_release(&status->active);
	free(status->slots);
	free(status->flows);
	free(status->backend_slots);
	free(status->backend_flows);
	for (size_t i = 0; i < status->problem_count; i++)
		free(status->problems[i]);
	free(status->problems);
}

/* ---- counters ---- */

struct gpc_counter gpc_status_counter(const struct gpc_status *status, uint32_t slot)
{
	return slot < status->plane.counter_count ? status->plane.counters[slot]
						  : (struct gpc_counter){0};
}

struct gpc_counter gpc_listener_counter(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_link_listener *l =
		(const void *)(status->plane.image.bytes + status->link->listener_offset);

	return gpc_status_counter(status, l[index].counter);
}

static const struct gpc_link_endpoint *linked_endpoint(const struct gpc_status *status,
						       uint32_t index)
{
	const struct gpc_link_endpoint *e =
		(const void *)(status->plane.image.bytes + status->link->endpoint_offset);

	return &e[index];
}

struct gpc_counter gpc_endpoint_counter(const struct gpc_status *status, uint32_t index)
{
	return gpc_status_counter(status, linked_endpoint(status, index)->counter);
}

struct gpc_counter gpc_backend_counter(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_link_backend *b =
		(const void *)(status->plane.image.bytes + status->link->backend_offset);

	return gpc_status_counter(status, b[index].counter);
}

struct gpc_rule_counter gpc_rule_counter_at(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_link_rule *links =
		(const void *)(status->plane.image.bytes + status->link->rule_offset);
	uint32_t slot = links[index].counter;

	return slot < status->plane.rule_count ? status->plane.rules[slot]
					       : (struct gpc_rule_counter){0};
}

/* ---- addresses ---- */

static FILE *open_text(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (!out)
		abort();
	return out;
}

/* "203.0.113.0/24:80-90/tcp" */
static void print_way(FILE *out, const struct gpc_vip *vip, const struct gpc_listener *listener)
{
	unsigned int first = ntohs(listener->port_be), last = ntohs(listener->port_last_be);
	struct gpc_prefix prefix;
	char text[GPC_PREFIX_TEXT];

	gpc_vip_prefix_of(vip, &prefix);
	if (prefix.length == (prefix.v4 ? 32 : 128))
		gpc_ip_format(&prefix.ip, text);
	else
		gpc_prefix_format(&prefix, text);
	fprintf(out, "%s%s%s%s:", ftell(out) > 0 ? ", " : "", prefix.v4 ? "" : "[", text,
		prefix.v4 ? "" : "]");
	if (!first)
		fputs("any", out);
	else if (first == last)
		fprintf(out, "%u", first);
	else
		fprintf(out, "%u-%u", first, last);
	fprintf(out, "/%s",
		vip->protocol == IPPROTO_TCP   ? "tcp"
		: vip->protocol == IPPROTO_UDP ? "udp"
					       : "sctp");
}

/* One way to a listener; those of all listeners are collected in one pass over the table. */
struct way {
	uint32_t listener;
	const struct gpc_vip *vip;
};

struct ways {
	struct way *items;
	size_t count, room;
	const struct gpc_vip *vip; /* whose ways are being added */
};

/* A listener of several intervals of ports comes several times. */
static void add_way(void *user, uint32_t listener, uint64_t interfaces)
{
	struct ways *ways = user;

	(void)interfaces;
	if (ways->count == ways->room) {
		ways->room = ways->room ? ways->room * 2 : 64;
		ways->items = reallocarray(ways->items, ways->room, sizeof(*ways->items));
		if (!ways->items)
			abort();
	}
	ways->items[ways->count++] = (struct way){listener, ways->vip};
}

static int compare_ways(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order;

	if (x->listener != y->listener)
		return x->listener < y->listener ? -1 : 1;
	order = memcmp(x->vip->address_be, y->vip->address_be, sizeof(x->vip->address_be));
	return order ? order : (x->vip > y->vip) - (x->vip < y->vip);
}

static void collect_ways(struct ways *ways, const struct gpc_image *image)
{
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_VIP); i++) {
		ways->vip = gpc_image_record(image, GPC_SEC_VIP, i);
		if (gpc_vip_kind(ways->vip) != GPC_VIP_SOLE)
			gpc_image_vip_listeners(image, ways->vip, add_way, ways);
	}
	if (ways->count)
		qsort(ways->items, ways->count, sizeof(*ways->items), compare_ways);
}

/* The ways of listener `index` from *at on, each once. */
static void print_ways(FILE *out, const struct gpc_image *image, const struct ways *ways,
		       uint32_t index, size_t *at)
{
	const struct gpc_vip *before = NULL;

	for (; *at < ways->count && ways->items[*at].listener == index; ++*at) {
		const struct gpc_vip *vip = ways->items[*at].vip;

		if (vip != before)
			print_way(out, vip, gpc_image_record(image, GPC_SEC_LISTENER, index));
		before = vip;
	}
}

char **gpc_listener_addresses(const struct gpc_image *image)
{
	uint32_t listeners = gpc_image_count(image, GPC_SEC_LISTENER);
	char **list = calloc(listeners + 1ul, sizeof(*list));
	struct ways ways = {0};
	size_t at = 0, size;

	if (!list)
		abort();
	collect_ways(&ways, image);
	for (uint32_t i = 0; i < listeners; i++) {
		FILE *out = open_text(&list[i], &size);

		print_ways(out, image, &ways, i, &at);
		if (fclose(out))
			abort();
	}
	free(ways.items);
	return list;
}

void gpc_listener_addresses_free(const struct gpc_image *image, char **addresses)
{
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER); i++)
		free(addresses[i]);
	free(addresses);
}

char *gpc_endpoint_addresses(const struct gpc_endpoint *endpoint)
{
	char v4[INET_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN] = "", *text;

	if (endpoint->flags & GPC_ENDPOINT_V4)
		inet_ntop(AF_INET, &endpoint->address4_be, v4, sizeof(v4));
	if (endpoint->flags & GPC_ENDPOINT_V6)
		inet_ntop(AF_INET6, endpoint->address6_be, v6, sizeof(v6));
	if (asprintf(&text, "%s%s%s", v4, *v4 && *v6 ? ", " : "", v6) < 0)
		abort();
	return text;
}

/* ---- next hops ---- */

static bool print_hop(FILE *out, const struct gpc_status *status, uint32_t slot)
{
	unsigned char bytes[8];
	char name[IF_NAMESIZE];
	uint16_t ifindex;

	if (slot >= status->plane.next_count || !status->plane.next[slot].hop ||
	    status->plane.next[slot].checked & GPC_NEXT_REFUSED)
		return false;
	memcpy(bytes, &status->plane.next[slot].hop, sizeof(bytes));
	memcpy(&ifindex, bytes + 6, sizeof(ifindex));
	if (ftell(out) > 0)
		fputs(", ", out);
	for (int i = 0; i < 6; i++)
		fprintf(out, "%02x%s", bytes[i], i < 5 ? ":" : "");
	if (if_indextoname(ifindex, name))
		fprintf(out, " %s", name);
	else
		fprintf(out, " ifindex %u", ifindex);
	return true;
}

char *gpc_next_hop_text(const struct gpc_status *status, uint32_t endpoint)
{
	const struct gpc_endpoint *e =
		gpc_image_record(&status->plane.image, GPC_SEC_ENDPOINT, endpoint);
	const struct gpc_link_endpoint *linked = linked_endpoint(status, endpoint);
	bool asked = false, known = true;
	char *text = NULL;
	size_t size;
	FILE *out = open_text(&text, &size);

	for (int family = GPC_V4; family <= GPC_V6; family++) {
		if (linked->next[family] == GPC_NONE)
			continue;
		asked = true;
		known &= print_hop(out, status, linked->next[family]);
	}
	if (fclose(out))
		abort();
	if (asked && known)
		return text;
	free(text);
	text = strdup(e->flags & GPC_ENDPOINT_FIB ? "fib" : asked ? "unknown" : "-");
	if (!text)
		abort();
	return text;
}
