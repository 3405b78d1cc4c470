/* SPDX-License-Identifier: MIT */
/*
 * tables.h: what the image will hold, section by section, as arrays of its very records (image.h).
 * Only one thing is left to the writer: offsets of Maglev tables (gpc_table.offset and
 * gpc_table_ref.offset) count from the start of MAGLEV here, from byte 0 in the image.
 */
#ifndef GPC_LOWER_TABLES_H
#define GPC_LOWER_TABLES_H

#include <stdio.h>

#include "../model/model.h"
#include "gpc/lookup/view.h"

struct gpc_tables {
	struct gpc_phash vip_hash, endpoint_hash;
	uint32_t name;			/* metadata.name in NAMES */

	uint32_t *vip_displacements;
	size_t vip_displacement_count;
	struct gpc_vip *vips;
	size_t vip_count;
	struct gpc_vip_choice *choices;
	size_t choice_count;
	struct gpc_vip_ports *ports;
	size_t port_count;
	struct gpc_vip_lengths vip_lengths;
	struct gpc_listener *listeners;
	size_t listener_count;
	struct gpc_pool *pools;
	size_t pool_count;
	struct gpc_endpoint *endpoints;
	size_t endpoint_count;
	uint32_t *endpoint_displacements;
	size_t endpoint_displacement_count;
	uint32_t *endpoint_index;
	size_t endpoint_index_count;
	struct gpc_phash quic_hash;
	uint32_t *quic_displacements;
	size_t quic_displacement_count;
	struct gpc_quic *quics;
	size_t quic_count;
	uint16_t *maglev;
	size_t maglev_count;
	struct gpc_table *tables;
	size_t table_count;
	struct gpc_backend *backends;
	size_t backend_count;
	struct gpc_interface *interfaces;
	size_t interface_count;
	struct gpc_tries tries;
	uint32_t *words;
	size_t word_count;
	struct gpc_chain *chains;
	size_t chain_count;
	struct gpc_policy *policies;
	size_t policy_count;
	struct gpc_classifier *classifiers;
	size_t classifier_count;
	struct gpc_rule *rules;
	size_t rule_count;
	struct gpc_invariant *invariants;
	size_t invariant_count;
	uint32_t *invariant_words;
	size_t invariant_word_count;
	char *names;
	size_t names_size;
};

/*
 * Lowers the model. False if an error was added (a table does not fit, no perfect hash found, another
 * parent than the plane names). `parent`: a checked image for `rebalance: minimal`, NULL if none is given.
 */
bool gpc_lower(struct gpc_diags *diags, const struct gpc_model *model, const struct gpc_view *parent,
	       struct gpc_tables *ret_tables);

/* All tables as text, with every Maglev slot: --dump-after=lower. */
void gpc_tables_dump(const struct gpc_tables *tables, FILE *out);

/*
 * Which endpoints of a backend a listener of this family can send to: all, or those with an address of
 * the family. A backend has a table for each such choice that is asked for and differs from the others.
 */
enum gpc_reach { GPC_REACH_ANY, GPC_REACH_V4, GPC_REACH_V6, GPC_REACH_COUNT };
enum gpc_reach gpc_reach(enum gpc_forward forward, enum gpc_family family);
/* Is an endpoint with such addresses among them? */
bool gpc_reach_takes(enum gpc_reach reach, bool has4, bool has6);

/*
 * Can a listener of this family send to the endpoint (SEMANTICS 6.2)? ipip, gue: v4 to v4 or v6, v6 to
 * v6; nat: the same family; dsr: any, because the address only finds the MAC.
 */
bool gpc_endpoint_usable(const struct gpc_model_endpoint *endpoint, enum gpc_forward forward,
			 enum gpc_family family);

#endif
