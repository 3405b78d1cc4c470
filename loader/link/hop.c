/* SPDX-License-Identifier: MIT */
#include "hop.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../interrupt.h"

#define POLL_MS 10u
#define NUD_HAS_ADDRESS                                                                            \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

static int ip_family(const struct gpc_ip *ip)
{
	return gpc_ip_is_v4(ip) ? AF_INET : AF_INET6;
}

static void put_ip(struct nlmsghdr *message, uint16_t type, const struct gpc_ip *ip)
{
	if (gpc_ip_is_v4(ip))
		mnl_attr_put(message, type, 4, ip->bytes + 12);
	else
		mnl_attr_put(message, type, 16, ip->bytes);
}

/* An address attribute's payload; false if it has neither length. */
static bool get_ip(const void *bytes, size_t size, struct gpc_ip *ret)
{
	struct gpc_ip ip = {0};

	if (size == 4) {
		memset(ip.bytes + 10, 0xff, 2);
		memcpy(ip.bytes + 12, bytes, 4);
	} else if (size == 16) {
		memcpy(ip.bytes, bytes, 16);
	} else {
		return false;
	}
	*ret = ip;
	return true;
}

static bool get_ip_attribute(const struct nlattr *attribute, struct gpc_ip *ret)
{
	return get_ip(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), ret);
}

/* ---- routes ---- */

static void build_route_request(void *context, size_t i, struct nlmsghdr *message)
{
	const struct gpc_hop *hop = &((struct gpc_hop *)context)[i];
	struct rtmsg *body;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST;
	body = mnl_nlmsg_put_extra_header(message, sizeof(*body));
	body->rtm_family = (unsigned char)ip_family(&hop->target);
	body->rtm_dst_len = gpc_ip_is_v4(&hop->target) ? 32 : 128;
	put_ip(message, RTA_DST, &hop->target);
}

static int take_route_attribute(const struct nlattr *attribute, void *context)
{
	struct gpc_hop *hop = context;
	size_t size = mnl_attr_get_payload_len(attribute);
	const struct rtvia *via;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_OIF:
		hop->ifindex = mnl_attr_get_u32(attribute);
		break;
	case RTA_PREFSRC:
		get_ip_attribute(attribute, &hop->source);
		break;
	case RTA_GATEWAY:
		get_ip_attribute(attribute, &hop->via);
		break;
	case RTA_VIA:
		via = mnl_attr_get_payload(attribute);
		if (size > sizeof(*via))
			get_ip(via->rtvia_addr, size - sizeof(*via), &hop->via);
		break;
	}
	return MNL_CB_OK;
}

static void take_route(void *context, size_t i, const struct nlmsghdr *message, int error)
{
	struct gpc_hop *hop = &((struct gpc_hop *)context)[i];
	const struct rtmsg *body;

	hop->via = hop->target;
	hop->state = GPC_HOP_UNROUTED;
	hop->error = error;
	if (!message)
		return;
	body = mnl_nlmsg_get_payload(message);
	mnl_attr_parse(message, sizeof(*body), take_route_attribute, hop);
	if (body->rtm_type == RTN_LOCAL)
		hop->state = GPC_HOP_LOCAL;
	else if (body->rtm_type != RTN_UNICAST || !hop->ifindex)
		hop->state = GPC_HOP_REFUSED;
	else
		hop->state = GPC_HOP_UNANSWERED;
}

/* ---- neighbours ---- */

struct neighbour {
	uint32_t ifindex;
	struct gpc_ip ip;
	uint8_t mac[6];
	uint16_t state;
};

struct neighbours {
	struct neighbour *items;
	size_t count;
};

static int take_neighbour_attribute(const struct nlattr *attribute, void *context)
{
	struct neighbour *neighbour = context;

	switch (mnl_attr_get_type(attribute)) {
	case NDA_DST:
		get_ip_attribute(attribute, &neighbour->ip);
		break;
	case NDA_LLADDR:
		if (mnl_attr_get_payload_len(attribute) == sizeof(neighbour->mac))
			memcpy(neighbour->mac, mnl_attr_get_payload(attribute),
			       sizeof(neighbour->mac));
		else
			neighbour->state = NUD_NONE;
		break;
	}
	return MNL_CB_OK;
}

static int take_neighbour(const struct nlmsghdr *message, void *context)
{
	const struct ndmsg *body = mnl_nlmsg_get_payload(message);
	struct neighbours *neighbours = context;
	struct neighbour *neighbour;

	if ((neighbours->count & (neighbours->count - 1)) == 0) {
		size_t room = neighbours->count ? 2 * neighbours->count : 1;
		struct neighbour *items = realloc(neighbours->items, room * sizeof(*items));

		if (!items) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		neighbours->items = items;
	}
	neighbour = &neighbours->items[neighbours->count++];
	*neighbour = (struct neighbour){.ifindex = (uint32_t)body->ndm_ifindex,
					.state = body->ndm_state};
	return mnl_attr_parse(message, sizeof(*body), take_neighbour_attribute, neighbour);
}

static int by_device_and_ip(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return gpc_ip_compare(&x->ip, &y->ip);
}

static void forget_neighbours(void *context)
{
	((struct neighbours *)context)->count = 0;
}

/* Of both families: a gateway need not be of its destination's. */
static int read_neighbours(struct gpc_netlink *netlink, struct neighbours *ret,
			   struct gpc_failure *failure)
{
	struct neighbours neighbours = {0};
	const struct gpc_netlink_dump dump = {
		.type = RTM_GETNEIGH,
		.body_size = sizeof(struct ndmsg),
		.each = take_neighbour,
		.reset = forget_neighbours,
		.context = &neighbours,
	};

	if (gpc_netlink_dump(netlink, &dump, failure)) {
		free(neighbours.items);
		return -1;
	}
	if (neighbours.count)
		qsort(neighbours.items, neighbours.count, sizeof(*neighbours.items),
		      by_device_and_ip);
	*ret = neighbours;
	return 0;
}

static const struct neighbour *find_neighbour(const struct neighbours *neighbours,
					      const struct gpc_hop *hop)
{
	struct neighbour key = {.ifindex = hop->ifindex, .ip = hop->via};

	if (!neighbours->count)
		return NULL;
	return bsearch(&key, neighbours->items, neighbours->count, sizeof(key), by_device_and_ip);
}

/* Takes what the neighbour table says; returns how many hops are worth more waiting. */
static size_t take_neighbours(struct gpc_hop *hops, size_t count,
			      const struct neighbours *neighbours)
{
	size_t open = 0, i;

	for (i = 0; i < count; i++) {
		const struct neighbour *neighbour;

		if (hops[i].state != GPC_HOP_UNANSWERED)
			continue;
		neighbour = find_neighbour(neighbours, &hops[i]);
		if (neighbour && neighbour->state & NUD_HAS_ADDRESS) {
			memcpy(hops[i].mac, neighbour->mac, sizeof(hops[i].mac));
			hops[i].state = GPC_HOP_KNOWN;
		} else {
			open += hops[i].wait && !(neighbour && neighbour->state & NUD_FAILED);
		}
	}
	return open;
}

static void build_use_request(void *context, size_t i, struct nlmsghdr *message)
{
	const struct gpc_hop *hop = ((struct gpc_hop **)context)[i];
	struct ndmsg *body;

	message->nlmsg_type = RTM_NEWNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
	body = mnl_nlmsg_put_extra_header(message, sizeof(*body));
	body->ndm_family = (unsigned char)ip_family(&hop->via);
	body->ndm_ifindex = (int)hop->ifindex;
	body->ndm_flags = NTF_USE;
	put_ip(message, NDA_DST, &hop->via);
}

/* A refusal (device down) leaves the hop unanswered, which is what the caller reports. */
static void take_use_answer(void *context, size_t i, const struct nlmsghdr *message, int error)
{
	struct gpc_hop *hop = ((struct gpc_hop **)context)[i];

	(void)message;
	if (!error)
		return;
	hop->error = error;
	hop->wait = false;
}

/* Lets the kernel ask for every neighbour that is not known, as a packet to it would. */
static int ask_neighbours(struct gpc_netlink *netlink, struct gpc_hop *hops, size_t count,
			  struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_hop **open = calloc(count, sizeof(struct gpc_hop *));
	struct gpc_netlink_batch batch = {build_use_request, take_use_answer, open};
	size_t open_count = 0, i;

	if (!open)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot ask for neighbours");
	for (i = 0; i < count; i++)
		if (hops[i].state == GPC_HOP_UNANSWERED)
			open[open_count++] = &hops[i];
	return gpc_netlink_batch(netlink, &batch, open_count, failure);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int gpc_hops_resolve(struct gpc_netlink *netlink, struct gpc_hop *hops, size_t count,
		     unsigned int wait_ms, struct gpc_failure *failure)
{
	struct gpc_netlink_batch routes = {build_route_request, take_route, hops};
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000l};
	uint64_t deadline = now_ms() + wait_ms;
	bool asked = false;

	if (!count)
		return 0;
	if (gpc_netlink_batch(netlink, &routes, count, failure))
		return -1;
	for (;;) {
		struct neighbours neighbours;
		size_t open;

		if (gpc_interrupt_check(failure) || read_neighbours(netlink, &neighbours, failure))
			return -1;
		open = take_neighbours(hops, count, &neighbours);
		free(neighbours.items);
		if (!asked && ask_neighbours(netlink, hops, count, failure))
			return -1;
		asked = true;
		if (!open || now_ms() >= deadline)
			return 0;
		nanosleep(&pause, NULL);
	}
}

const char *gpc_hop_explain(const struct gpc_hop *hop, char *out, size_t size)
{
	char via[GPC_IP_TEXT], name[IF_NAMESIZE];

	switch (hop->state) {
	case GPC_HOP_KNOWN:
		snprintf(out, size, "known");
		break;
	case GPC_HOP_UNANSWERED:
		snprintf(out, size, "%s does not answer on %s", gpc_ip_format(&hop->via, via),
			 if_indextoname(hop->ifindex, name) ? name : "a device that is gone");
		break;
	case GPC_HOP_UNROUTED:
		snprintf(out, size, "no route: %s", strerror(hop->error));
		break;
	case GPC_HOP_LOCAL:
		snprintf(out, size, "it is an address of this host");
		break;
	case GPC_HOP_REFUSED:
		snprintf(out, size, "the routing table refuses it");
		break;
	}
	return out;
}
