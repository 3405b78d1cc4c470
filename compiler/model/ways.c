/* SPDX-License-Identifier: MIT */
#include "ways.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96u /* what stands before a v4 address */

static int compare_groups(const struct gpc_way *a, const struct gpc_way *b)
{
	int order = gpc_ip_compare(&a->ip, &b->ip);

	if (order)
		return order;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return (a->protocol > b->protocol) - (a->protocol < b->protocol);
}

static int compare_ways(const void *left, const void *right)
{
	const struct gpc_way *a = left, *b = right;
	int order = compare_groups(a, b);

	if (order)
		return order;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	return (a->listener > b->listener) - (a->listener < b->listener);
}

struct gpc_ways gpc_ways_list(struct gpc_arena *arena, const struct gpc_model *model)
{
	struct gpc_ways ways = {0};
	size_t count = 0;

	for (size_t i = 0; i < model->listener_count; i++)
		count += model->listeners[i].address_count;
	ways.items = GPC_NEW_ARRAY(arena, struct gpc_way, count);
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];

		for (size_t k = 0; k < listener->address_count; k++) {
			const struct gpc_prefix *prefix = &listener->addresses[k].prefix;

			ways.items[ways.count++] = (struct gpc_way){
				.ip = prefix->ip,
				.length = (uint8_t)(prefix->length + (prefix->v4 ? V4_BITS : 0)),
				.protocol = listener->protocol,
				.first = listener->port,
				.last = listener->port_last,
				.listener = (uint32_t)i,
				.interfaces = listener->interfaces,
				.address = &listener->addresses[k],
			};
		}
	}
	if (ways.count)
		qsort(ways.items, ways.count, sizeof(*ways.items), compare_ways);
	return ways;
}

bool gpc_way_same_prefix(const struct gpc_way *a, const struct gpc_way *b)
{
	return a->length == b->length && !gpc_ip_compare(&a->ip, &b->ip);
}

bool gpc_way_same_group(const struct gpc_way *a, const struct gpc_way *b)
{
	return !compare_groups(a, b);
}

size_t gpc_ways_group_end(const struct gpc_ways *ways, size_t start)
{
	size_t end = start + 1;

	while (end < ways->count && gpc_way_same_group(&ways->items[start], &ways->items[end]))
		end++;
	return end;
}

static struct gpc_ip cut(struct gpc_ip ip, uint8_t length)
{
	for (unsigned int i = 0; i < sizeof(ip.bytes); i++) {
		unsigned int kept = length > 8 * i ? length - 8 * i : 0;

		if (kept < 8)
			ip.bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
	return ip;
}

/* The first way of a group that is not before that of `key`. */
static size_t lower_bound(const struct gpc_ways *ways, const struct gpc_way *key)
{
	size_t low = 0, high = ways->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_groups(&ways->items[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct gpc_way *gpc_ways_holding(const struct gpc_ways *ways, const struct gpc_ip *ip,
				       uint8_t length)
{
	struct gpc_way key = {.ip = cut(*ip, length), .length = length};
	size_t low = lower_bound(ways, &key);

	return low < ways->count && gpc_way_same_prefix(&ways->items[low], &key) ? &ways->items[low]
										 : NULL;
}

const struct gpc_way *gpc_ways_covering(const struct gpc_ways *ways, const struct gpc_way *of,
					uint8_t length, size_t *ret_count)
{
	struct gpc_way key = {
		.ip = cut(of->ip, length), .length = length, .protocol = of->protocol};
	size_t low = lower_bound(ways, &key);

	*ret_count = low < ways->count && gpc_way_same_group(&ways->items[low], &key)
			     ? gpc_ways_group_end(ways, low) - low
			     : 0;
	return *ret_count ? &ways->items[low] : NULL;
}

size_t gpc_ways_lengths(const struct gpc_ways *ways, enum gpc_family family,
			uint8_t ret_lengths[129])
{
	bool there[129] = {false};
	size_t count = 0;

	for (size_t i = 0; i < ways->count; i++)
		if (ways->items[i].address->prefix.v4 == (family == GPC_V4))
			there[ways->items[i].length] = true;
	for (unsigned int length = 129; length-- > 0;)
		if (there[length])
			ret_lengths[count++] = (uint8_t)length;
	return count;
}

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	default:
		return "SCTP";
	}
}

char *gpc_way_format(const struct gpc_way *way, char *out)
{
	const struct gpc_prefix *prefix = &way->address->prefix;
	char text[GPC_PREFIX_TEXT];
	int used;

	if (way->length == 128)
		gpc_ip_format(&prefix->ip, text);
	else
		gpc_prefix_format(prefix, text);
	used = snprintf(out, GPC_WAY_TEXT, "%s %s ", text, protocol_name(way->protocol));
	if (!way->first)
		snprintf(out + used, GPC_WAY_TEXT - (size_t)used, "any");
	else if (way->first == way->last)
		snprintf(out + used, GPC_WAY_TEXT - (size_t)used, "%u", way->first);
	else
		snprintf(out + used, GPC_WAY_TEXT - (size_t)used, "%u-%u", way->first, way->last);
	return out;
}
