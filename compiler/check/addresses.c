/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../model/ways.h"
#include "check.h"

enum use { FOR_HOST, FOR_GATEWAY };

/* What is no address of one host; lengths of 128 bits, v4 as ::ffff:a.b.c.d. */
static const struct {
	uint8_t bytes[16];
	uint8_t length;
	const char *why;
} unusable[] = {
	{{[10] = 0xff, [11] = 0xff}, 104, "unspecified"},
	{{[10] = 0xff, [11] = 0xff, [12] = 127}, 104, "loopback"},
	{{[10] = 0xff, [11] = 0xff, [12] = 224}, 100, "multicast"},
	{{[10] = 0xff, [11] = 0xff, [12] = 255, [13] = 255, [14] = 255, [15] = 255}, 128, "broadcast"},
	{{0}, 128, "unspecified"},
	{{[15] = 1}, 128, "loopback"},
	{{0xff}, 8, "multicast"},
	{{0xfe, 0x80}, 10, "link-local"},
};

/* Are the first `length` bits the same? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int length)
{
	unsigned int bytes = length / 8, bits = length % 8;

	return !memcmp(a, b, bytes) &&
	       (!bits || !((a[bytes] ^ b[bytes]) & (uint8_t)(0xff00u >> bits)));
}

/*
 * Why a prefix holds an address that cannot be sent to, NULL if it holds none. A gateway may be
 * link-local: it is asked for by name. A v6 prefix above the v4-mapped ones holds `::` anyway.
 */
static const char *unusable_in(const struct gpc_prefix *prefix, enum use use)
{
	unsigned int length = prefix->length + (prefix->v4 ? 96u : 0u);

	for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		unsigned int shorter = length < unusable[i].length ? length : unusable[i].length;

		if (use == FOR_GATEWAY && !strcmp(unusable[i].why, "link-local"))
			continue;
		if (same_bits(prefix->ip.bytes, unusable[i].bytes, shorter))
			return unusable[i].why;
	}
	return NULL;
}

static void check_usable(struct gpc_diags *diags, const struct gpc_prefix *prefix, enum use use,
			 struct gpc_place at, const char *kind, const char *name)
{
	const char *why = unusable_in(prefix, use);
	char text[GPC_PREFIX_TEXT];

	if (!why)
		return;
	if (prefix->length == (prefix->v4 ? 32 : 128))
		gpc_diag(diags, GPC_E0311, at, "%s address %s of %s `%s` cannot be used", why,
			 gpc_address_format(prefix, text), kind, name);
	else
		gpc_diag(diags, GPC_E0311, at,
			 "prefix %s of %s `%s` cannot be used: it holds %s addresses",
			 gpc_address_format(prefix, text), kind, name, why);
}

static void check_endpoint(struct gpc_diags *diags, const struct gpc_model_endpoint *endpoint)
{
	size_t count = endpoint->address_count;

	for (size_t i = 0; i < count; i++)
		check_usable(diags, &endpoint->addresses[i].prefix, FOR_HOST,
			     endpoint->addresses[i].at, "endpoint", endpoint->name);
	if (count > (size_t)endpoint->has4 + endpoint->has6)
		gpc_diag(diags, GPC_E0310, endpoint->addresses[count - 1].at,
			 "%zu addresses of endpoint `%s`, an endpoint has one, or one of each "
			 "family",
			 count, endpoint->name);
}

static void check_listener(struct gpc_diags *diags, const struct gpc_model_listener *listener)
{
	for (size_t i = 0; i < listener->address_count; i++) {
		const struct gpc_prefix_value *address = &listener->addresses[i];

		check_usable(diags, &address->prefix, FOR_HOST, address->at, "listener",
			     listener->name);
	}
	if (listener->repeated_at.source != GPC_NO_SOURCE)
		gpc_diag(diags, GPC_W0320, listener->repeated_at,
			 "address is written twice in listener `%s`", listener->name);
}

static void report_loop(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_model_endpoint *endpoint,
			const struct gpc_prefix_value *address, const struct gpc_way *way)
{
	const char *listener = model->listeners[way->listener].name;
	char text[GPC_PREFIX_TEXT], prefix[GPC_PREFIX_TEXT];
	struct gpc_diag *diag;

	gpc_address_format(&address->prefix, text);
	if (way->length == 128)
		diag = gpc_diag(diags, GPC_E0304, address->at,
				"address %s of endpoint `%s` is that of listener `%s`", text,
				endpoint->name, listener);
	else
		diag = gpc_diag(diags, GPC_E0304, address->at,
				"address %s of endpoint `%s` lies in %s of listener `%s`", text,
				endpoint->name, gpc_address_format(&way->address->prefix, prefix),
				listener);
	gpc_diag_place(diag, way->address->at, "the listener's");
}

/* Such an endpoint would send what it gets back to the balancer. */
static void check_loops(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct gpc_ways ways = gpc_ways_list(diags->arena, model);
	uint8_t lengths[2][129];
	size_t count[2];

	for (int family = GPC_V4; family <= GPC_V6; family++)
		count[family] = gpc_ways_lengths(&ways, family, lengths[family]);
	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];

		for (size_t k = 0; k < endpoint->address_count; k++) {
			const struct gpc_prefix *address = &endpoint->addresses[k].prefix;
			enum gpc_family family = address->v4 ? GPC_V4 : GPC_V6;
			const struct gpc_way *way = NULL;

			for (size_t n = 0; n < count[family] && !way; n++)
				way = gpc_ways_holding(&ways, &address->ip, lengths[family][n]);
			if (way)
				report_loop(diags, model, endpoint, &endpoint->addresses[k], way);
		}
	}
}

void gpc_check_addresses(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->endpoint_count; i++)
		check_endpoint(diags, &model->endpoints[i]);
	for (size_t i = 0; i < model->listener_count; i++)
		check_listener(diags, &model->listeners[i]);
	for (size_t i = 0; i < model->backend_count; i++)
		if (model->backends[i].next_hop == GPC_NEXT_HOP_ADDRESS)
			check_usable(diags, &model->backends[i].next_hop_address, FOR_GATEWAY,
				     model->backends[i].next_hop_at, "next-hop of backend",
				     model->backends[i].name);
	check_loops(diags, model);
}
