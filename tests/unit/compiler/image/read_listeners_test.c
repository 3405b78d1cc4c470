/* SPDX-License-Identifier: MIT */
/* The reader trusts no record of a listener, pool, server id or backend, whatever the digests say. */
#include <arpa/inet.h>

#include "../../unit.h"
#include "balancing_fixture.h"
#include "image_tools.h"

static bool opens(const uint8_t *bytes, size_t size, enum gpc_code *ret_code)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;
	bool opened;

	gpc_diags_init(&diags, &arena, false);
	opened = gpc_image_open(&diags, "a.gpi", bytes, size, false, &image);
	*ret_code = opened ? GPC_CODE_COUNT : diags.records.items[0].code;
	if (opened)
		gpc_image_release(&image);
	gpc_arena_release(&arena);
	return opened;
}

/* What was lowered: the reader demands all of it, so the records are looked at as they are. */
static void pools_stand_by_listener_and_name_and_then_by_failover(void)
{
	size_t size;
	uint8_t *bytes = image_of(fixture_balancing_plane, &size);
	const struct gpc_pool *pools = section_of(bytes, GPC_SEC_POOL);
	const struct gpc_listener *listeners = section_of(bytes, GPC_SEC_LISTENER);
	enum gpc_code code;

	CU_ASSERT(opens(bytes, size, &code));
	CU_ASSERT(pools[GUE_SPARE].until == 1 && pools[GUE_WEB].until == 4);
	CU_ASSERT(pools[GUE_SPARE].total == 4 && pools[GUE_WEB].total == 4);
	CU_ASSERT(pools[GUE_WEB].failover == GUE_SPARE && pools[GUE_SPARE].failover == GPC_NONE);
	CU_ASSERT(pools[HTTP_WEB].failover == HTTP_SPARE && !pools[HTTP_SPARE].until);
	CU_ASSERT(listeners[HTTP].pools == 1 && listeners[HTTP].flags & GPC_LISTENER_POOLS);
	CU_ASSERT(!(listeners[NAT].flags & GPC_LISTENER_POOLS));
	CU_ASSERT(listeners[PASS].backend == GPC_NONE && listeners[PASS].first_pool == GPC_NONE);
	CU_ASSERT(listeners[QUIC].quic_length == 2);
	free(bytes);
}

#define DAMAGE(name, type, section, index, change)                                                 \
	static void name(uint8_t *bytes)                                                           \
	{                                                                                          \
		type *record = (type *)section_of(bytes, section) + (index);                       \
                                                                                                   \
		record->change;                                                                    \
	}
#define LISTENER(name, index, change)                                                              \
	DAMAGE(name, struct gpc_listener, GPC_SEC_LISTENER, index, change)
#define POOL(name, index, change) DAMAGE(name, struct gpc_pool, GPC_SEC_POOL, index, change)
#define BACKEND(name, index, change)                                                               \
	DAMAGE(name, struct gpc_backend, GPC_SEC_BACKEND, index, change)
#define ENDPOINT(name, index, change)                                                              \
	DAMAGE(name, struct gpc_endpoint, GPC_SEC_ENDPOINT, index, change)

LISTENER(forward_none, HTTP, forward = 0)
LISTENER(forward_unknown, HTTP, forward = GPC_FORWARD_PASS + 1)
LISTENER(forward_without_pools, PASS, forward = GPC_FORWARD_IPIP)
LISTENER(forward_with_pools, HTTP, forward = GPC_FORWARD_PASS)
LISTENER(protocol_unknown, HTTP, protocol = 1)
LISTENER(sctp_forwarded, HTTP, protocol = IPPROTO_SCTP)
LISTENER(ports_upside_down, HTTP, port_last_be = htons(79))
LISTENER(ports_any_but_not_all, HTTP, port_be = 0)
LISTENER(flags_unknown, HTTP, flags |= 1u << 15)
LISTENER(stable_tcp, HTTP, flags |= GPC_LISTENER_STABLE)
LISTENER(snat_of_ipip, HTTP, flags |= GPC_LISTENER_SNAT)
LISTENER(clamp_of_ipip, HTTP, flags |= GPC_LISTENER_MSS_CLAMP)
LISTENER(cookies_of_ipip, HTTP, flags |= GPC_LISTENER_SYN_COOKIES)
LISTENER(pools_not_asked, HTTP, flags &= (uint16_t)~GPC_LISTENER_POOLS)
LISTENER(pools_asked_in_vain, NAT, flags |= GPC_LISTENER_POOLS)
LISTENER(hash_unknown, HTTP, hash = 4)
LISTENER(affinity_unknown, HTTP, affinity = 3)
LISTENER(affinity_without_hash, HTTP, affinity = GPC_AFFINITY_SOURCE_IP)
LISTENER(affinity_of_pass, PASS, affinity = GPC_AFFINITY_QUIC_CID)
LISTENER(timeout_without_affinity, HTTP, affinity_timeout = 1)
LISTENER(quic_over_tcp, QUIC, protocol = IPPROTO_TCP)
LISTENER(quic_length_of_others, QUIC, quic_length = 3)
LISTENER(quic_length_without_quic, HTTP, quic_length = 2)
LISTENER(dscp_unknown, HTTP, outer_dscp = 64)
LISTENER(dscp_of_nat, NAT, outer_dscp = 10)
LISTENER(gue_port_missing, GUE, gue_port_be = 0)
LISTENER(gue_port_of_ipip, HTTP, gue_port_be = 1)
LISTENER(ping_unknown, HTTP, ping = 3)
LISTENER(rate_without_flag, HTTP, rate_entries = 1)
LISTENER(rate_flag_without_rate, HTTP, flags |= GPC_LISTENER_RATE)
LISTENER(rate_per_source_without_rate, HTTP, flags |= GPC_LISTENER_RATE_SOURCE)
LISTENER(no_pools, HTTP, pools = 0)
LISTENER(many_pools, HTTP, pools = POOLS)
LISTENER(pools_of_another, HTTP, first_pool = NAT_APP)
LISTENER(backend_of_another, HTTP, backend = 2)
LISTENER(backend_of_pass, PASS, backend = 0)
LISTENER(table_of_another, HTTP, table[GPC_V4].size++)
LISTENER(listener_pad0, HTTP, pad0 = 1)
LISTENER(listener_pad1, HTTP, pad1 = 1)
LISTENER(listener_pad2, HTTP, pad2 = 1)
LISTENER(listener_pad3, HTTP, pad3[2] = 1)

POOL(pool_backend_unknown, NAT_APP, backend = 4)
POOL(pool_backends_out_of_order, GUE_WEB, backend = 2)
POOL(pool_weights_fall, GUE_WEB, until = 0)
POOL(pool_weight_too_large, GUE_WEB, until = 70000)
POOL(pool_total, GUE_SPARE, total = 5)
POOL(pool_without_weight, NAT_APP, until = record->total = 0)
POOL(pool_failover_out_of_range, HTTP_WEB, failover = POOLS)
POOL(pool_failover_of_another, HTTP_WEB, failover = GUE_SPARE)
POOL(pool_failover_missing, HTTP_WEB, failover = GPC_NONE)
POOL(pool_failover_too_many, NAT_APP, failover = QUIC_QUIC)
POOL(pool_failover_in_a_circle, HTTP_SPARE, failover = HTTP_WEB)
POOL(pool_failed_over_to_with_weight, HTTP_SPARE, until = 1)
POOL(pool_table, HTTP_SPARE, table[GPC_V4].table = 99)
POOL(pool_first_endpoint, HTTP_SPARE, table[GPC_V4].first_endpoint++)
POOL(pool_family, HTTP_SPARE, table[GPC_V6] = record->table[GPC_V4])
POOL(pool_pad, HTTP_SPARE, pad0[1] = 1)

BACKEND(failover_out_of_range, 3, failover = 4)
BACKEND(failover_to_itself, 3, failover = 3)
BACKEND(failover_in_a_circle, 2, failover = 3)
BACKEND(failover_elsewhere, 3, failover = 0)
BACKEND(min_healthy_above_all, 3, min_healthy = 10001)
BACKEND(rebalance_unknown, 3, rebalance = 2)

ENDPOINT(by_name_out_of_range, 1, by_name = 2)
ENDPOINT(by_name_twice, 1, by_name = record[1].by_name)
ENDPOINT(quic_id_too_long, 1, quic_length = 16)
ENDPOINT(quic_id_behind_its_end, 1, quic_id[2] = 1)
ENDPOINT(quic_id_of_another, 1, quic_id[1] ^= 0x10)
ENDPOINT(quic_id_gone, 1, quic_length = 0)
ENDPOINT(quic_id_unknown, 0, quic_length = 1)
ENDPOINT(port_without_nat, 3, port_be = 1)

static struct gpc_plane *plane_of(uint8_t *bytes)
{
	return (struct gpc_plane *)(bytes + sizeof(struct gpc_image_head));
}
static void plane_without_nat(uint8_t *bytes)
{
	plane_of(bytes)->flags &= ~GPC_PLANE_NAT;
}
static void plane_fragments_unknown(uint8_t *bytes)
{
	plane_of(bytes)->flags |= 3u << GPC_PLANE_FRAGMENTS_SHIFT;
}
static void plane_timeout_too_long(uint8_t *bytes)
{
	plane_of(bytes)->timeout[GPC_TIMEOUT_UDP] = GPC_MAX_TIMEOUT + 1;
}
static void plane_quic_mask(uint8_t *bytes)
{
	plane_of(bytes)->quic.slot_mask ^= 1;
}
static void plane_pad(uint8_t *bytes)
{
	plane_of(bytes)->pad3[1] = 1;
}
static void quic_entry_pad(uint8_t *bytes)
{
	struct gpc_quic *entries = section_of(bytes, GPC_SEC_QUIC);

	while (!entries->endpoint)
		entries++;
	entries->pad0 = 1;
}

static const struct damage {
	const char *name;
	void (*change)(uint8_t *bytes);
} damages[] = {
#define D(name) {#name, name}
	D(forward_none), D(forward_unknown), D(forward_without_pools), D(forward_with_pools),
	D(protocol_unknown), D(sctp_forwarded), D(ports_upside_down), D(ports_any_but_not_all),
	D(flags_unknown), D(stable_tcp), D(snat_of_ipip), D(clamp_of_ipip), D(cookies_of_ipip),
	D(pools_not_asked), D(pools_asked_in_vain), D(hash_unknown), D(affinity_unknown),
	D(affinity_without_hash), D(affinity_of_pass), D(timeout_without_affinity),
	D(quic_over_tcp), D(quic_length_of_others), D(quic_length_without_quic), D(dscp_unknown),
	D(dscp_of_nat), D(gue_port_missing), D(gue_port_of_ipip), D(ping_unknown),
	D(rate_without_flag), D(rate_flag_without_rate), D(rate_per_source_without_rate),
	D(no_pools), D(many_pools), D(pools_of_another), D(backend_of_another), D(backend_of_pass),
	D(table_of_another), D(listener_pad0), D(listener_pad1), D(listener_pad2),
	D(listener_pad3), D(pool_backend_unknown), D(pool_backends_out_of_order),
	D(pool_weights_fall), D(pool_weight_too_large), D(pool_total), D(pool_without_weight),
	D(pool_failover_out_of_range), D(pool_failover_of_another), D(pool_failover_missing),
	D(pool_failover_too_many), D(pool_failover_in_a_circle),
	D(pool_failed_over_to_with_weight), D(pool_table), D(pool_first_endpoint), D(pool_family),
	D(pool_pad), D(failover_out_of_range), D(failover_to_itself), D(failover_in_a_circle),
	D(failover_elsewhere), D(min_healthy_above_all), D(rebalance_unknown),
	D(by_name_out_of_range), D(by_name_twice), D(quic_id_too_long), D(quic_id_behind_its_end),
	D(quic_id_of_another), D(quic_id_gone), D(quic_id_unknown), D(port_without_nat),
	D(plane_without_nat), D(plane_fragments_unknown), D(plane_timeout_too_long),
	D(plane_quic_mask), D(plane_pad), D(quic_entry_pad),
#undef D
};

static void no_record_is_trusted(void)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		size_t size;
		uint8_t *bytes = image_of(fixture_balancing_plane, &size);
		enum gpc_code code;

		damages[i].change(bytes);
		fix_digests(bytes);
		opens(bytes, size, &code);
		if (code != GPC_E0509)
			printf("%s: not refused as malformed\n", damages[i].name);
		CU_ASSERT_EQUAL(code, GPC_E0509);
		free(bytes);
	}
}

GPC_UNIT_MAIN("image/read_listeners",
	      {"pools_stand_by_listener_and_name_and_then_by_failover",
	       pools_stand_by_listener_and_name_and_then_by_failover},
	      {"no_record_is_trusted", no_record_is_trusted})
