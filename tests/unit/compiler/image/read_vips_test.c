/* SPDX-License-Identifier: MIT */
/* The reader trusts no entry of the VIP table, of its intervals, runs and lengths, and of the QUIC table. */
#include "../../unit.h"
#include "image_tools.h"

/* Every kind of entry: whole addresses, prefixes, ranges, runs of listeners on disjoint interfaces. */
static const char plane[] =
	"apiVersion: gpc/v1\n"
	"kind: Plane\n"
	"metadata: {name: vips}\n"
	"interfaces: [{name: lan0}, {name: wan0}]\n"
	"backends:\n"
	"  - {name: both, table-size: 11, endpoints: [{name: a, address: [10.0.0.1, \"fd00::1\"], quic-id: \"01\"},\n"
	"                                             {name: b, address: [10.0.0.2, \"fd00::2\"], quic-id: \"02\"}]}\n"
	"  - {name: four, table-size: 11, endpoints: [{name: a, address: 10.0.0.3}]}\n"
	"listeners:\n"
	"  - {name: entire, address: 203.0.113.0/24, protocol: TCP, port: any, backend: four}\n"
	"  - {name: high, address: 203.0.113.9, protocol: TCP, port: 600-700, backend: four, forward: dsr}\n"
	"  - {name: inside, address: 203.0.113.9, protocol: TCP, port: 443, backend: four, interfaces: [lan0]}\n"
	"  - {name: outside, address: 203.0.113.9, protocol: TCP, port: 443, backend: both, interfaces: [wan0]}\n"
	"  - {name: quic, address: \"2001:db8:f::/96\", protocol: UDP, port: 443, backend: both, affinity: quic-cid}\n"
	"  - {name: range-in, address: 203.0.113.8, protocol: UDP, port: 10-20, backend: four, interfaces: [lan0]}\n"
	"  - {name: range-out, address: 203.0.113.8, protocol: UDP, port: 10-20, backend: both, forward: gue,\n"
	"     interfaces: [wan0]}\n"
	"  - {name: sole, address: 198.51.100.1, protocol: UDP, port: 53, backend: four}\n";
enum { ENTIRE, HIGH, INSIDE, OUTSIDE, QUIC, RANGE_IN, RANGE_OUT, SOLE, LISTENERS };

/* ---- what is damaged ---- */

static struct gpc_plane *plane_of(uint8_t *b)
{
	return (struct gpc_plane *)(b + sizeof(struct gpc_image_head));
}

static struct gpc_vip *entry(uint8_t *b, enum gpc_vip_kind kind, uint8_t protocol, const char *address)
{
	struct gpc_vip *vip = section_of(b, GPC_SEC_VIP);
	struct gpc_prefix prefix;

	CU_ASSERT_EQUAL_FATAL(gpc_prefix_parse(address, strlen(address), &prefix), GPC_IP_OK);
	for (uint32_t i = 0; i < plane_of(b)->section[GPC_SEC_VIP].count; i++)
		if (vip[i].interfaces && gpc_vip_kind(&vip[i]) == kind &&
		    vip[i].protocol == protocol &&
		    !memcmp(vip[i].address_be, prefix.ip.bytes, sizeof(vip[i].address_be)))
			return &vip[i];
	CU_FAIL_FATAL("there is no such entry");
	return NULL;
}

static struct gpc_vip_ports *intervals(uint8_t *b, const struct gpc_vip *vip)
{
	return (struct gpc_vip_ports *)section_of(b, GPC_SEC_VIP_PORTS) + vip->listener;
}

#define WHOLE	 entry(b, GPC_VIP_EXACT, IPPROTO_UDP, "198.51.100.1")
#define SHARED	 entry(b, GPC_VIP_EXACT, IPPROTO_TCP, "203.0.113.9")
#define PREFIX	 entry(b, GPC_VIP_PORTS, IPPROTO_TCP, "203.0.113.0")
#define PREFIX6	 entry(b, GPC_VIP_PORTS, IPPROTO_UDP, "2001:db8:f::")
#define RANGE	 entry(b, GPC_VIP_PORTS, IPPROTO_TCP, "203.0.113.9")
#define RUN	 entry(b, GPC_VIP_PORTS, IPPROTO_UDP, "203.0.113.8")
#define ONE	 entry(b, GPC_VIP_SOLE, IPPROTO_UDP, "198.51.100.1")
#define ONE_RUN	 entry(b, GPC_VIP_SOLE, IPPROTO_UDP, "203.0.113.8")
#define SAYS	 entry(b, GPC_VIP_ADDRESS, GPC_IPPROTO_ADDRESS, "203.0.113.8")
#define SAYS6	 entry(b, GPC_VIP_ADDRESS, GPC_IPPROTO_ADDRESS, "2001:db8:f::")
#define CHOICES	 ((struct gpc_vip_choice *)section_of(b, GPC_SEC_VIP_CHOICE))
#define LENGTHS	 plane_of(b)->vip_lengths.length
#define SERVER	 first_server(b)

static struct gpc_quic *first_server(uint8_t *b)
{
	struct gpc_quic *entries = section_of(b, GPC_SEC_QUIC);

	while (!entries->endpoint)
		entries++;
	return entries;
}

static void change_servers(uint8_t *b)
{
	struct gpc_quic *first = first_server(b), *second = first + 1, kept = *first;

	while (!second->endpoint)
		second++;
	first->endpoint = second->endpoint;
	second->endpoint = kept.endpoint;
}

/* One field each. */
#define DAMAGES(X)                                                                                 \
	X(exact_listener_out_of_range, WHOLE->listener = LISTENERS)                                \
	X(exact_listener_of_another_protocol, WHOLE->listener = ENTIRE)                               \
	X(exact_listener_of_other_ports, WHOLE->listener = RANGE_IN)                               \
	X(exact_listener_without_the_family, WHOLE->listener = QUIC)                               \
	X(exact_on_no_interface, WHOLE->interfaces = 0)                                            \
	X(exact_on_an_interface_too_many, WHOLE->interfaces |= 4)                                  \
	X(exact_of_another_port, WHOLE->port_be ^= 1)                                              \
	X(exact_of_another_protocol, WHOLE->protocol = IPPROTO_TCP)                                \
	X(exact_of_another_address, WHOLE->address_be[1] ^= 1ull << 60)                            \
	X(exact_becomes_a_run, WHOLE->flags |= GPC_VIP_CHOICE)                                     \
	X(exact_flags, WHOLE->flags |= 8)                                                          \
	X(exact_becomes_ports, WHOLE->flags |= GPC_VIP_PORTS)                                      \
	X(exact_run_becomes_a_listener, SHARED->flags &= (uint8_t)~GPC_VIP_CHOICE)                 \
	X(exact_run_begins_later, SHARED->listener++)                                              \
	X(exact_run_out_of_range, SHARED->listener = 99)                                           \
	X(exact_run_of_fewer_interfaces, SHARED->interfaces = 1)                                   \
	X(ports_none, PREFIX->ports = 0)                                                           \
	X(ports_fewer, RANGE->ports--)                                                             \
	X(ports_more, RANGE->ports++)                                                              \
	X(ports_more_than_any, RANGE->ports = GPC_VIP_INTERVALS_MAX + 1ull)                        \
	X(ports_more_than_words, RANGE->ports |= 1ull << 32)                                       \
	X(ports_begin_later, RANGE->listener++)                                                    \
	X(ports_out_of_range, RANGE->listener = 1u << 30)                                          \
	X(ports_length_too_long, PREFIX->port_be = 129)                                            \
	X(ports_length_of_others, PREFIX->port_be = 121)                                           \
	X(ports_host_bits, PREFIX->address_be[1] |= 1ull << 60)                                    \
	X(ports_protocol, PREFIX->protocol = IPPROTO_UDP)                                          \
	X(ports_are_a_run, PREFIX->flags |= GPC_VIP_CHOICE)                                        \
	X(ports_of_v6_elsewhere, PREFIX6->address_be[0] ^= 1)                                      \
	X(interval_does_not_begin_at_0, intervals(b, RANGE)->first = 1)                            \
	X(interval_out_of_order, intervals(b, RANGE)[2].first = intervals(b, RANGE)[1].first)      \
	X(interval_ends_too_early, intervals(b, RANGE)[0].last = 1)                                \
	X(interval_without_end, intervals(b, PREFIX)[0].last = 0)                                  \
	X(interval_last_unknown, intervals(b, RANGE)[2].last = 2)                                  \
	X(interval_grows, intervals(b, RANGE)[1].first--)                                          \
	X(interval_listener_out_of_range, intervals(b, RANGE)[1].listener = LISTENERS)             \
	X(interval_listener_of_another_protocol, intervals(b, RANGE)[1].listener = RANGE_OUT)      \
	X(interval_listener_of_other_ports, intervals(b, RANGE)[1].listener = INSIDE)              \
	X(interval_nobody_on_an_interface, intervals(b, RANGE)[0].interfaces = 1)                  \
	X(interval_nobody_becomes_a_run, intervals(b, RANGE)[0].flags = GPC_VIP_CHOICE)            \
	X(interval_on_no_interface, intervals(b, RANGE)[1].interfaces = 0)                         \
	X(interval_on_an_interface_too_many, intervals(b, RANGE)[1].interfaces |= 4)               \
	X(interval_becomes_a_run, intervals(b, RANGE)[1].flags = GPC_VIP_CHOICE)                   \
	X(interval_flags, intervals(b, RANGE)[1].flags = 1)                                        \
	X(interval_run_becomes_a_listener, intervals(b, RUN)[1].flags = 0)                         \
	X(interval_run_begins_later, intervals(b, RUN)[1].listener++)                              \
	X(interval_run_of_fewer_interfaces, intervals(b, RUN)[1].interfaces = 2)                   \
	X(interval_listener_without_the_family, intervals(b, PREFIX6)[1].listener = SOLE)          \
	X(sole_listener_out_of_range, ONE->listener = LISTENERS)                                   \
	X(sole_listener_of_another_protocol, ONE->listener = HIGH)                                 \
	X(sole_listener_without_the_family, ONE->listener = QUIC)                                  \
	X(sole_on_no_interface, ONE->interfaces = 0)                                               \
	X(sole_on_an_interface_too_many, ONE->interfaces |= 4)                                     \
	X(sole_length_too_long, ONE->port_be = 129)                                                \
	X(sole_length_of_others, ONE->port_be = 120)                                               \
	X(sole_protocol, ONE->protocol = IPPROTO_TCP)                                              \
	X(sole_becomes_a_run, ONE->flags |= GPC_VIP_CHOICE)                                        \
	X(sole_flags, ONE->flags |= 8)                                                             \
	X(sole_run_becomes_several, ONE_RUN->listener = GPC_NONE)                                  \
	X(sole_run_begins_later, ONE_RUN->listener++)                                              \
	X(sole_run_of_fewer_interfaces, ONE_RUN->interfaces = 1)                                   \
	X(choice_on_no_interface, CHOICES[0].interfaces = 0)                                       \
	X(choice_overlaps, CHOICES[0].interfaces |= CHOICES[1].interfaces)                         \
	X(choice_listener_out_of_range, CHOICES[0].listener = LISTENERS)                           \
	X(choice_without_end, CHOICES[1].last = 0)                                                 \
	X(choice_ends_too_early, CHOICES[0].last = 1)                                              \
	X(choice_last_unknown, CHOICES[1].last = 2)                                                \
	X(address_ping_unknown, SAYS->listener |= 3)                                               \
	X(address_unknown_bits, SAYS->listener |= 4)                                               \
	X(address_forwards_nothing, SAYS->listener &= ~0xff00u)                                    \
	X(address_forwards_by_0, SAYS->listener |= 1u << 8)                                        \
	X(address_forwards_by_6, SAYS->listener |= 1u << 14)                                       \
	X(address_gue_port_without_gue, SAYS6->listener |= 1u << 20)                               \
	X(address_protocol, SAYS->protocol = IPPROTO_TCP)                                          \
	X(address_run, SAYS->flags |= GPC_VIP_CHOICE)                                              \
	X(address_on_fewer_interfaces, SAYS->interfaces = 1)                                       \
	X(address_on_an_interface_too_many, SAYS->interfaces |= 4)                                 \
	X(address_on_no_interface, SAYS->interfaces = 0)                                           \
	X(address_length, SAYS->port_be = 127)                                                     \
	X(address_elsewhere, SAYS6->address_be[0] ^= 1)                                            \
	X(lengths_twice, LENGTHS[GPC_V4][1] = LENGTHS[GPC_V4][0])                                  \
	X(lengths_ascend, LENGTHS[GPC_V4][0] = LENGTHS[GPC_V4][1] - 1)                             \
	X(lengths_above_all, LENGTHS[GPC_V4][0] = 130)                                             \
	X(lengths_of_v4_too_short, LENGTHS[GPC_V4][2] = 96)                                        \
	X(lengths_with_a_gap, LENGTHS[GPC_V4][3] = 100)                                            \
	X(lengths_without_one, LENGTHS[GPC_V4][1] = 0)                                             \
	X(lengths_without_the_only_one, LENGTHS[GPC_V6][0] = 0)                                    \
	X(lengths_of_v6_other, LENGTHS[GPC_V6][0]++)                                               \
	X(plane_without_prefixes, plane_of(b)->flags &= ~GPC_PLANE_VIP_PORTS)                      \
	X(vip_seed, plane_of(b)->vip.seed ^= 1)                                                    \
	X(vip_slots, plane_of(b)->vip.slot_mask >>= 1)                                             \
	X(vip_buckets, plane_of(b)->vip.bucket_mask |= 1u << 20)                                   \
	X(quic_endpoint_out_of_range, SERVER->endpoint = 99)                                       \
	X(quic_endpoint_without_an_id, SERVER->endpoint = 3)                                       \
	X(quic_endpoints_changed, change_servers(b))                                               \
	X(quic_empty_with_an_id, SERVER->endpoint = 0)                                             \
	X(quic_backend, SERVER->backend = 1)                                                       \
	X(quic_id, SERVER->id[0] ^= 2)                                                             \
	X(quic_id_too_long, SERVER->id[1] = 1)                                                     \
	X(quic_pad, SERVER->pad0 = 1)                                                              \
	X(quic_seed, plane_of(b)->quic.seed ^= 1)                                                  \
	X(quic_buckets, plane_of(b)->quic.bucket_mask |= 1u << 20)                                 \
	X(quic_slots, plane_of(b)->quic.slot_mask |= 1u << 20)

#define X(name, change)                                                                            \
	static void name(uint8_t *b)                                                               \
	{                                                                                          \
		change;                                                                            \
	}
DAMAGES(X)
#undef X

static const struct damage {
	const char *name;
	void (*change)(uint8_t *b);
} damages[] = {
#define X(name, change) {#name, name},
	DAMAGES(X)
#undef X
};

static void the_plane_has_every_kind(void)
{
	size_t size;
	uint8_t *b = image_of_text(plane, &size);

	CU_ASSERT_EQUAL(code_of(b, size, false), GPC_CODE_COUNT);
	CU_ASSERT_EQUAL(RANGE->ports, 3);
	CU_ASSERT_EQUAL(intervals(b, RANGE)[0].listener, GPC_NONE);
	CU_ASSERT_EQUAL(intervals(b, RANGE)[1].listener, HIGH);
	CU_ASSERT_EQUAL(intervals(b, RUN)[1].flags, GPC_VIP_CHOICE);
	CU_ASSERT_EQUAL(SHARED->flags, GPC_VIP_EXACT | GPC_VIP_CHOICE);
	CU_ASSERT_EQUAL(ONE->listener, SOLE);
	CU_ASSERT_EQUAL(ONE_RUN->flags, GPC_VIP_SOLE | GPC_VIP_CHOICE);
	CU_ASSERT(LENGTHS[GPC_V4][0] == 129 && LENGTHS[GPC_V4][1] == 121 && !LENGTHS[GPC_V4][2]);
	CU_ASSERT(LENGTHS[GPC_V6][0] == 97 && !LENGTHS[GPC_V6][1]);
	free(b);
}

static void no_entry_is_trusted(void)
{
	size_t size;
	uint8_t *bytes = image_of_text(plane, &size), *copy = malloc(size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		enum gpc_code code;

		memcpy(copy, bytes, size);
		damages[i].change(copy);
		fix_digests(copy);
		code = code_of(copy, size, false);
		if (code != GPC_E0509)
			printf("%s: not refused as malformed\n", damages[i].name);
		CU_ASSERT_EQUAL(code, GPC_E0509);
	}
	free(copy);
	free(bytes);
}

GPC_UNIT_MAIN("image/read_vips", {"the_plane_has_every_kind", the_plane_has_every_kind},
	      {"no_entry_is_trusted", no_entry_is_trusted})
