/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stdio.h>
#include <string.h>

#include "gpc/image.h"

#define F(record, name)                                                                            \
	{                                                                                          \
		#record, #name, offsetof(struct record, name),                                     \
			sizeof(((struct record *)NULL)->name)                                      \
	}
#define R(record)                                                                                  \
	{                                                                                          \
		#record, sizeof(struct record)                                                     \
	}

static const struct gpc_record records[] = {
	R(gpc_image_head), R(gpc_section), R(gpc_phash), R(gpc_plane), R(gpc_vip),
	R(gpc_vip_choice), R(gpc_vip_ports), R(gpc_table_ref), R(gpc_listener), R(gpc_pool),
	R(gpc_endpoint), R(gpc_quic), R(gpc_table), R(gpc_backend), R(gpc_interface), R(gpc_invariant), R(gpc_tries),
	R(gpc_vip_lengths), R(gpc_chain), R(gpc_policy), R(gpc_classifier), R(gpc_rule),
	R(gpc_linked_objects), R(gpc_link_head), R(gpc_link_device), R(gpc_link_listener), R(gpc_link_endpoint),
	R(gpc_link_backend), R(gpc_link_rule),
};

static const struct gpc_field fields[] = {
	F(gpc_image_head, magic),
	F(gpc_image_head, version),
	F(gpc_image_head, head_size),
	F(gpc_image_head, abi),
	F(gpc_image_head, flags),
	F(gpc_image_head, size),
	F(gpc_image_head, decision_offset),
	F(gpc_image_head, decision_size),
	F(gpc_image_head, provenance_offset),
	F(gpc_image_head, provenance_size),
	F(gpc_image_head, link_offset),
	F(gpc_image_head, link_size),
	F(gpc_image_head, pad0),
	F(gpc_image_head, decision_digest),
	F(gpc_image_head, file_digest),
	F(gpc_image_head, pad1),

	F(gpc_section, offset),
	F(gpc_section, size),
	F(gpc_section, count),
	F(gpc_section, entry_size),

	F(gpc_phash, seed),
	F(gpc_phash, bucket_mask),
	F(gpc_phash, slot_mask),

	F(gpc_plane, format),
	F(gpc_plane, flags),
	F(gpc_plane, hash_seed),
	F(gpc_plane, vip),
	F(gpc_plane, endpoint),
	F(gpc_plane, name),
	F(gpc_plane, pad0),
	F(gpc_plane, flows),
	F(gpc_plane, flow_inserts),
	F(gpc_plane, timeout),
	F(gpc_plane, pickup),
	F(gpc_plane, builtin),
	F(gpc_plane, pad1),
	F(gpc_plane, protects),
	F(gpc_plane, epoch),
	F(gpc_plane, pad2),
	F(gpc_plane, tries),
	F(gpc_plane, vip_lengths),
	F(gpc_plane, quic),
	F(gpc_plane, pad3),
	F(gpc_plane, section),

	F(gpc_vip, address_be),
	F(gpc_vip, port_be),
	F(gpc_vip, protocol),
	F(gpc_vip, flags),
	F(gpc_vip, listener),
	F(gpc_vip, interfaces),

	F(gpc_vip_choice, interfaces),
	F(gpc_vip_choice, listener),
	F(gpc_vip_choice, last),

	F(gpc_vip_ports, interfaces),
	F(gpc_vip_ports, listener),
	F(gpc_vip_ports, first),
	F(gpc_vip_ports, flags),
	F(gpc_vip_ports, last),

	F(gpc_table_ref, offset),
	F(gpc_table_ref, size),
	F(gpc_table_ref, first_endpoint),
	F(gpc_table_ref, table),

	F(gpc_listener, id),
	F(gpc_listener, table),
	F(gpc_listener, forward),
	F(gpc_listener, protocol),
	F(gpc_listener, port_be),
	F(gpc_listener, port_last_be),
	F(gpc_listener, flags),
	F(gpc_listener, hash),
	F(gpc_listener, affinity),
	F(gpc_listener, outer_dscp),
	F(gpc_listener, quic_length),
	F(gpc_listener, gue_port_be),
	F(gpc_listener, pools),
	F(gpc_listener, first_pool),
	F(gpc_listener, pad0),
	F(gpc_listener, backend),
	F(gpc_listener, name),
	F(gpc_listener, affinity_timeout),
	F(gpc_listener, ping),
	F(gpc_listener, rate_exceed),
	F(gpc_listener, pad1),
	F(gpc_listener, rate_cost),
	F(gpc_listener, rate_burst),
	F(gpc_listener, rate_entries),
	F(gpc_listener, pad2),
	F(gpc_listener, pad3),

	F(gpc_pool, table),
	F(gpc_pool, until),
	F(gpc_pool, total),
	F(gpc_pool, backend),
	F(gpc_pool, failover),
	F(gpc_pool, pad0),

	F(gpc_endpoint, id),
	F(gpc_endpoint, address6_be),
	F(gpc_endpoint, address4_be),
	F(gpc_endpoint, weight),
	F(gpc_endpoint, state),
	F(gpc_endpoint, flags),
	F(gpc_endpoint, backend),
	F(gpc_endpoint, name),
	F(gpc_endpoint, port_be),
	F(gpc_endpoint, quic_length),
	F(gpc_endpoint, pad0),
	F(gpc_endpoint, by_name),
	F(gpc_endpoint, quic_id),

	F(gpc_quic, id),
	F(gpc_quic, backend),
	F(gpc_quic, endpoint),
	F(gpc_quic, pad0),

	F(gpc_table, offset),
	F(gpc_table, size),
	F(gpc_table, backend),
	F(gpc_table, endpoints),

	F(gpc_backend, id),
	F(gpc_backend, next_hop_be),
	F(gpc_backend, first_endpoint),
	F(gpc_backend, endpoints),
	F(gpc_backend, table_size),
	F(gpc_backend, name),
	F(gpc_backend, next_hop),
	F(gpc_backend, rebalance),
	F(gpc_backend, min_healthy),
	F(gpc_backend, failover),
	F(gpc_backend, pad0),

	F(gpc_interface, id),
	F(gpc_interface, name),
	F(gpc_interface, mode),
	F(gpc_interface, role),
	F(gpc_interface, hooks),
	F(gpc_interface, pattern),
	F(gpc_interface, pad0),

	F(gpc_invariant, id),
	F(gpc_invariant, name),
	F(gpc_invariant, form),
	F(gpc_invariant, flags),
	F(gpc_invariant, max),
	F(gpc_invariant, interface),
	F(gpc_invariant, boxes),
	F(gpc_invariant, box_count),
	F(gpc_invariant, allowed),
	F(gpc_invariant, allowed_count),
	F(gpc_invariant, backend),
	F(gpc_invariant, memory),
	F(gpc_invariant, max_lookups),
	F(gpc_invariant, pad0),

	F(gpc_tries, root4),
	F(gpc_tries, root6),
	F(gpc_tries, wide),
	F(gpc_tries, classes),
	F(gpc_tries, pad0),

	F(gpc_vip_lengths, length),

	F(gpc_chain, stamp),
	F(gpc_chain, tag),
	F(gpc_chain, interface),
	F(gpc_chain, direction),
	F(gpc_chain, flags),
	F(gpc_chain, policies),
	F(gpc_chain, pad0),
	F(gpc_chain, policy),
	F(gpc_chain, protect),
	F(gpc_chain, protect_base),
	F(gpc_chain, pad1),

	F(gpc_policy, id),
	F(gpc_policy, name),
	F(gpc_policy, first_rule),
	F(gpc_policy, rules),
	F(gpc_policy, decide),
	F(gpc_policy, log),
	F(gpc_policy, mark),
	F(gpc_policy, mode),
	F(gpc_policy, fallback),
	F(gpc_policy, priority),
	F(gpc_policy, pad0),

	F(gpc_classifier, flags),
	F(gpc_classifier, groups),
	F(gpc_classifier, source_map),
	F(gpc_classifier, destination_map),
	F(gpc_classifier, source_vector),
	F(gpc_classifier, destination_vector),
	F(gpc_classifier, vector_shift),
	F(gpc_classifier, cells),
	F(gpc_classifier, cell_count),
	F(gpc_classifier, protocol),
	F(gpc_classifier, source_port),
	F(gpc_classifier, destination_port),
	F(gpc_classifier, source_stride),
	F(gpc_classifier, l4),
	F(gpc_classifier, bits),
	F(gpc_classifier, bit_words),
	F(gpc_classifier, none),
	F(gpc_classifier, match),
	F(gpc_classifier, match_stride),
	F(gpc_classifier, ranges),
	F(gpc_classifier, range_match),
	F(gpc_classifier, residual),
	F(gpc_classifier, residuals),
	F(gpc_classifier, boxes),
	F(gpc_classifier, specs),
	F(gpc_classifier, l4_classes),
	F(gpc_classifier, loads),
	F(gpc_classifier, bytes),
	F(gpc_classifier, pad0),

	F(gpc_rule, id),
	F(gpc_rule, name),
	F(gpc_rule, policy),
	F(gpc_rule, action),
	F(gpc_rule, exceed),
	F(gpc_rule, flags),
	F(gpc_rule, mark),
	F(gpc_rule, log_sample),
	F(gpc_rule, log_rate),
	F(gpc_rule, rate_cost),
	F(gpc_rule, rate_burst),
	F(gpc_rule, rate_entries),
	F(gpc_rule, pad0),
	F(gpc_rule, expires),

	F(gpc_linked_objects, count),
	F(gpc_linked_objects, record),
	F(gpc_linked_objects, record_size),
	F(gpc_linked_objects, link),
	F(gpc_linked_objects, link_size),

	F(gpc_link_head, magic),
	F(gpc_link_head, generation),
	F(gpc_link_head, device_mult),
	F(gpc_link_head, device_offset),
	F(gpc_link_head, listener_offset),
	F(gpc_link_head, endpoint_offset),
	F(gpc_link_head, nonce),
	F(gpc_link_head, cpus),
	F(gpc_link_head, rule_offset),
	F(gpc_link_head, backend_offset),
	F(gpc_link_head, pad0),
	F(gpc_link_head, objects),
	F(gpc_link_head, pad1),

	F(gpc_link_device, ifindex),
	F(gpc_link_device, interface),
	F(gpc_link_device, flags),
	F(gpc_link_device, interface_bit),
	F(gpc_link_device, mac),
	F(gpc_link_device, mtu),
	F(gpc_link_device, chain),
	F(gpc_link_device, pad0),

	F(gpc_link_listener, counter),
	F(gpc_link_listener, rate),
	F(gpc_link_listener, buckets),
	F(gpc_link_listener, pad0),

	F(gpc_link_endpoint, counter),
	F(gpc_link_endpoint, next),
	F(gpc_link_endpoint, source4_be),
	F(gpc_link_endpoint, source6_be),

	F(gpc_link_backend, counter),
	F(gpc_link_backend, pad0),

	F(gpc_link_rule, counter),
	F(gpc_link_rule, rate),
	F(gpc_link_rule, buckets),
	F(gpc_link_rule, pad0),
};

/* Values in a layout: a program that took another one for the same meaning would misread the image. */
static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
#define C(name) {#name, (uint64_t)(name)}
	C(GPC_IMAGE_MAGIC),	 C(GPC_LINK_MAGIC),	   C(GPC_IMAGE_ALIGN),
	C(GPC_PAGE),		 C(GPC_NONE),		   C(GPC_NONE16),
	C(GPC_PLANE_MALFORMED_DROP), C(GPC_PLANE_NON_IP_DROP), C(GPC_PLANE_ON_FAIL_DROP),
	C(GPC_VIP_CHOICE),	 C(GPC_VIP_EXACT),	   C(GPC_VIP_PORTS),
	C(GPC_VIP_SOLE),	 C(GPC_VIP_ADDRESS),	   C(GPC_FORWARD_IPIP),
	C(GPC_FORWARD_GUE),	 C(GPC_FORWARD_NAT),	   C(GPC_FORWARD_PASS),
	C(GPC_PLANE_STATEFUL),	 C(GPC_PLANE_VIP_PORTS),   C(GPC_PLANE_NAT),
	C(GPC_PLANE_FRAGMENTS_SHIFT), C(GPC_FRAGMENTS_DROP), C(GPC_FRAGMENTS_PASS),
	C(GPC_HASH_SOURCE_IP),	 C(GPC_HASH_SOURCE_IP_PORT), C(GPC_HASH_DESTINATION_PORT),
	C(GPC_AFFINITY_SOURCE_IP), C(GPC_AFFINITY_QUIC_CID), C(GPC_PING_PASS),
	C(GPC_PING_DROP),	 C(GPC_LISTENER_STABLE),   C(GPC_LISTENER_SNAT),
	C(GPC_LISTENER_MSS_CLAMP), C(GPC_LISTENER_SYN_COOKIES), C(GPC_LISTENER_POOLS),
	C(GPC_LISTENER_RATE),	 C(GPC_LISTENER_RATE_SOURCE), C(GPC_LISTENER_RATE_BYTES),
	C(GPC_REBALANCE_MINIMAL), C(GPC_DRAWS),		   C(GPC_DRAW_SPLIT),
	C(GPC_FORWARD_DSR),	 C(GPC_V4),		   C(GPC_V6),
	C(GPC_STATE_READY),	 C(GPC_STATE_DRAIN),	   C(GPC_STATE_MAINT),
	C(GPC_ENDPOINT_V4),	 C(GPC_ENDPOINT_V6),	   C(GPC_ENDPOINT_KEEP),
	C(GPC_ENDPOINT_FIB),	 C(GPC_NEXT_HOP_AUTO),	   C(GPC_NEXT_HOP_FIB),
	C(GPC_NEXT_HOP_ADDRESS), C(GPC_MODE_NATIVE),	   C(GPC_MODE_GENERIC),
	C(GPC_MODE_ANY),	 C(GPC_ROLE_EDGE),	   C(GPC_ROLE_DECAP),
	C(GPC_HOOK_XDP),	 C(GPC_HOOK_TC_INGRESS),   C(GPC_HOOK_TC_EGRESS),
	C(GPC_DEVICE_SLOTS),	 C(GPC_DEVICE_PROBES),	   C(GPC_DEVICE_META),
	C(GPC_TIMEOUT_COUNT),	 C(GPC_INVARIANT_NEVER),   C(GPC_INVARIANT_ALWAYS),
	C(GPC_INVARIANT_ONLY),	 C(GPC_INVARIANT_REMAP),   C(GPC_INVARIANT_LIMITS),
	C(GPC_INVARIANT_EGRESS), C(GPC_INVARIANT_ENFORCED),
#undef C
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct gpc_field *gpc_fields(size_t *ret_count)
{
	*ret_count = COUNT(fields);
	return fields;
}

const struct gpc_record *gpc_records(size_t *ret_count)
{
	*ret_count = COUNT(records);
	return records;
}

const struct gpc_field *gpc_field_at(const char *record, uint32_t offset)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (!strcmp(fields[i].record, record) && offset >= fields[i].offset &&
		    offset - fields[i].offset < fields[i].size)
			return &fields[i];
	return NULL;
}

/* FNV-1a over lines of text, so that the order and the names count too. */
static uint32_t hash_line(uint32_t hash, const char *owner, const char *name, uint64_t a, uint64_t b)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "%s.%s %llu %llu\n", owner, name, (unsigned long long)a,
			   (unsigned long long)b);

	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)line[i]) * 16777619u;
	return hash;
}

uint32_t gpc_abi_hash(void)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < COUNT(records); i++)
		hash = hash_line(hash, records[i].name, "", records[i].size, 0);
	for (size_t i = 0; i < COUNT(fields); i++)
		hash = hash_line(hash, fields[i].record, fields[i].name, fields[i].offset, fields[i].size);
#define X(id, name, type) hash = hash_line(hash, "section", name, GPC_SEC_##id, sizeof(type));
	GPC_SECTIONS(X)
#undef X
	for (size_t i = 0; i < COUNT(constants); i++)
		hash = hash_line(hash, "constant", constants[i].name, constants[i].value, 0);
	return hash;
}
