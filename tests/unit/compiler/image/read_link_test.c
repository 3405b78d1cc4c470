/* SPDX-License-Identifier: MIT */
/* The reader trusts nothing in the link part of a running plane's image. */
#include "../../unit.h"
#include "image/layout.h"
#include "image_tools.h"

/* What has buckets and what has none, endpoints of one family and of both, a policy. */
static const char plane[] =
	"apiVersion: gpc/v1\n"
	"kind: Plane\n"
	"metadata: {name: linked}\n"
	"defaults: {on-fail: drop}\n"
	"interfaces: [{name: lan0}, {name: wan0}]\n"
	"backends:\n"
	"  - {name: both, table-size: 11, endpoints: [{name: a, address: [10.0.0.1, \"fd00::1\"]}]}\n"
	"  - {name: four, table-size: 11, endpoints: [{name: a, address: 10.0.0.3}]}\n"
	"  - {name: six, table-size: 11, endpoints: [{name: a, address: \"fd00::3\"}]}\n"
	"listeners:\n"
	"  - {name: a, address: 203.0.113.1, protocol: TCP, port: 80, backend: both, rate: {limit: 5/s}}\n"
	"  - {name: b, address: 203.0.113.2, protocol: TCP, port: 80, backend: four,\n"
	"     rate: {limit: 5/s, per: source-ip, entries: 64}}\n"
	"  - {name: c, address: 203.0.113.3, protocol: TCP, port: 80, backend: six}\n"
	"rules:\n"
	"  - {name: r, action: allow, ports: [tcp], rate: {limit: 5/s}}\n"
	"  - {name: s, action: allow, ports: [udp]}\n"
	"policies:\n"
	"  - {name: p, interfaces: [wan0], direction: ingress, stateful: false, rules: [r, s]}\n";
enum { ONE, MANY, NONE };	/* buckets of listeners */
enum { BOTH, FOUR, SIX };	/* endpoints */

struct parts {
	struct gpc_link_head *head;
	struct gpc_link_device *device;
	struct gpc_link_listener *listener;
	struct gpc_link_endpoint *endpoint;
	struct gpc_link_backend *backend;
	struct gpc_link_rule *rule;
	uint32_t limited;	/* index of a rule with a rate */
};

#define LAN_SLOT 2u
#define WAN_SLOT 3u

static struct gpc_link_device device(uint32_t ifindex, uint16_t interface, uint16_t ingress)
{
	return (struct gpc_link_device){.ifindex = ifindex,
					.interface = interface,
					.interface_bit = 1ull << interface,
					.mtu = 1500,
					.chain = {ingress, GPC_NONE16}};
}

static struct parts parts_of(uint8_t *bytes)
{
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;
	struct parts p = {.head = (struct gpc_link_head *)(bytes + head->link_offset)};
	const struct gpc_rule *rules = section_of(bytes, GPC_SEC_RULE);

	p.device = (struct gpc_link_device *)(bytes + p.head->device_offset);
	p.listener = (struct gpc_link_listener *)(bytes + p.head->listener_offset);
	p.endpoint = (struct gpc_link_endpoint *)(bytes + p.head->endpoint_offset);
	p.backend = (struct gpc_link_backend *)(bytes + p.head->backend_offset);
	p.rule = (struct gpc_link_rule *)(bytes + p.head->rule_offset);
	while (!rules[p.limited].rate_entries)
		p.limited++;
	return p;
}

static void link_objects(const struct gpc_plane *of, uint8_t *bytes, struct parts p)
{
	const struct gpc_listener *listeners = section_of(bytes, GPC_SEC_LISTENER);
	const struct gpc_rule *rules = section_of(bytes, GPC_SEC_RULE);
	uint32_t counter = GPC_COUNTER_FIRST_OBJECT, bucket = 0;

	for (uint32_t i = 0; i < of->section[GPC_SEC_LISTENER].count; i++) {
		uint32_t entries = listeners[i].rate_entries;

		p.listener[i] = (struct gpc_link_listener){
			counter++, entries ? bucket : GPC_NONE, entries, 0};
		bucket += entries;
	}
	for (uint32_t i = 0; i < of->section[GPC_SEC_ENDPOINT].count; i++)
		p.endpoint[i] = (struct gpc_link_endpoint){
			.counter = counter++,
			.next = {i == SIX ? GPC_NONE : 0, i == FOUR ? GPC_NONE : 1}};
	for (uint32_t i = 0; i < of->section[GPC_SEC_BACKEND].count; i++)
		p.backend[i].counter = counter++;
	for (uint32_t i = 0; i < of->section[GPC_SEC_RULE].count; i++) {
		uint32_t entries = rules[i].rate_entries;

		p.rule[i] = (struct gpc_link_rule){i, entries ? bucket : GPC_NONE, entries, 0};
		bucket += entries;
	}
}

/* The plane, linked as the loader would. */
static uint8_t *linked_image(size_t *ret_size)
{
	uint8_t *bytes = image_of_text(plane, ret_size);
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;
	struct gpc_plane *of = (struct gpc_plane *)(bytes + head->decision_offset);
	struct gpc_link_head *link = (struct gpc_link_head *)(bytes + head->link_offset);
	struct gpc_link_layout layout = gpc_link_layout(of->section[GPC_SEC_LISTENER].count,
							of->section[GPC_SEC_ENDPOINT].count,
							of->section[GPC_SEC_BACKEND].count);
	struct parts p;

	*link = (struct gpc_link_head){
		.magic = GPC_LINK_MAGIC,
		.generation = 1,
		.device_mult = 1,
		.device_offset = head->link_offset + layout.device,
		.listener_offset = head->link_offset + layout.listener,
		.endpoint_offset = head->link_offset + layout.endpoint,
		.backend_offset = head->link_offset + layout.backend,
		.rule_offset = head->link_offset + layout.rule,
		.nonce = 99,
		.cpus = 2,
	};
	gpc_link_describe(of->section, link);
	p = parts_of(bytes);
	p.device[LAN_SLOT] = device(7, 0, GPC_NONE16);
	p.device[WAN_SLOT] = device(8, 1, 0);
	link_objects(of, bytes, p);
	return bytes;
}

static void a_linked_image_opens_only_as_such(void)
{
	size_t size;
	uint8_t *bytes = linked_image(&size);

	CU_ASSERT_EQUAL(code_of(bytes, size, true), GPC_CODE_COUNT);
	CU_ASSERT_EQUAL(code_of(bytes, size, false), GPC_E0510);
	free(bytes);
}

/* One field each. */
#define DAMAGES(X)                                                                                 \
	X(magic, p.head->magic ^= 1)                                                               \
	X(generation_0, p.head->generation = 0)                                                    \
	X(generation_too_large, p.head->generation = 1u << 29)                                     \
	X(multiplier_even, p.head->device_mult = 2)                                                \
	X(device_offset, p.head->device_offset += 64)                                              \
	X(listener_offset, p.head->listener_offset += 64)                                          \
	X(endpoint_offset, p.head->endpoint_offset += 64)                                          \
	X(backend_offset, p.head->backend_offset += 64)                                            \
	X(rule_offset, p.head->rule_offset += 64)                                                  \
	X(no_cpus, p.head->cpus = 0)                                                               \
	X(head_pad0, p.head->pad0[4] = 1)                                                          \
	X(head_pad1, p.head->pad1[11] = 1)                                                         \
	X(objects, ((uint8_t *)p.head->objects)[0] ^= 1)                                           \
	X(device_of_another_home, p.device[WAN_SLOT].ifindex = 8u << 22)                           \
	X(device_in_an_empty_slot, p.device[LAN_SLOT].ifindex = 0)                                 \
	X(device_flags, p.device[WAN_SLOT].flags = 2)                                              \
	X(device_pad, p.device[WAN_SLOT].pad0 = 1)                                                 \
	X(device_interface_unknown, p.device[WAN_SLOT].interface = 2)                              \
	X(device_bit_of_another, p.device[WAN_SLOT].interface_bit = 1)                             \
	X(device_bit_without_interface, p.device[LAN_SLOT].interface = GPC_NONE16)                 \
	X(device_chain_unknown, p.device[WAN_SLOT].chain[GPC_INGRESS] = 9)                         \
	X(device_chain_of_the_other_direction, p.device[WAN_SLOT].chain[GPC_EGRESS] = 0)           \
	X(device_chain_of_another, p.device[LAN_SLOT].chain[GPC_INGRESS] = 0)                      \
	X(listener_counts_as_a_reason, p.listener[ONE].counter = 3)                                \
	X(listener_without_its_bucket, p.listener[ONE].rate = GPC_NONE)                            \
	X(listener_with_a_bucket, p.listener[NONE].rate = 0)                                       \
	X(listener_fewer_buckets, p.listener[MANY].buckets--)                                      \
	X(listener_more_buckets, p.listener[MANY].buckets++)                                       \
	X(listener_buckets_without_a_rate, p.listener[NONE].buckets = 1)                           \
	X(listener_buckets_out_of_range, p.listener[MANY].rate = GPC_NONE - 63)                    \
	X(listener_pad, p.listener[ONE].pad0 = 1)                                                  \
	X(endpoint_counts_as_a_reason, p.endpoint[BOTH].counter = 0)                               \
	X(endpoint_with_a_way_to_v6, p.endpoint[FOUR].next[GPC_V6] = 0)                            \
	X(endpoint_with_a_way_to_v4, p.endpoint[SIX].next[GPC_V4] = 0)                             \
	X(backend_counts_as_a_reason, p.backend[1].counter = GPC_COUNTER_FIRST_OBJECT - 1)         \
	X(backend_pad, p.backend[1].pad0[2] = 1)                                                   \
	X(rule_without_its_bucket, p.rule[p.limited].rate = GPC_NONE)                              \
	X(rule_more_buckets, p.rule[p.limited].buckets++)                                          \
	X(rule_buckets_out_of_range, p.rule[p.limited].rate = GPC_NONE)                            \
	X(rule_with_a_bucket, p.rule[0].rate = 0)                                                  \
	X(rule_pad, p.rule[0].pad0 = 1)

#define X(name, change)                                                                            \
	static void name(struct parts p)                                                           \
	{                                                                                          \
		change;                                                                            \
	}
DAMAGES(X)
#undef X

static const struct damage {
	const char *name;
	void (*change)(struct parts p);
} damages[] = {
#define X(name, change) {#name, name},
	DAMAGES(X)
#undef X
};

static void a_malformed_link_part_is_refused(void)
{
	size_t size;
	uint8_t *bytes = linked_image(&size), *copy = malloc(size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		enum gpc_code code;

		memcpy(copy, bytes, size);
		damages[i].change(parts_of(copy));
		code = code_of(copy, size, true);
		if (code != GPC_E0510)
			printf("%s: not refused as malformed\n", damages[i].name);
		CU_ASSERT_EQUAL(code, GPC_E0510);
	}
	free(copy);
	free(bytes);
}

GPC_UNIT_MAIN("image/read_link",
	      {"a_linked_image_opens_only_as_such", a_linked_image_opens_only_as_such},
	      {"a_malformed_link_part_is_refused", a_malformed_link_part_is_refused})
