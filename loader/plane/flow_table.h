/* SPDX-License-Identifier: MIT */
/*
 * flow_table.h: the flow tables (gpc/abi.h, gpc/lookup/flow_table.h) as the loader has to do with them: their size,
 * their secret, and a look at them while programs go on writing. Functions return 0 or -errno.
 */
#ifndef GPC_LOADER_PLANE_FLOW_TABLE_H
#define GPC_LOADER_PLANE_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpc/lookup/flow_table.h"

struct bpf_object;

/* Entries of the maps of a table for at least so many flows, and flows of maps with so many. */
uint32_t gpc_flow_table_elements(uint32_t flows);
uint32_t gpc_flow_table_heads(uint32_t flows);
uint32_t gpc_flow_table_flows(uint32_t heads);

/*
 * Tells the programs of an object that is about to be loaded the size and the secret of each table: that of the
 * table that they share, else a new one, which gpc_flow_tables_keep() writes into the table when they are loaded.
 */
struct gpc_flow_secrets {
	uint64_t word[2][2];	/* by enum gpc_family */
	bool fresh[2];
};
int gpc_flow_tables_tell(struct bpf_object *object, struct gpc_flow_secrets *ret);
int gpc_flow_tables_keep(struct bpf_object *object, const struct gpc_flow_secrets *secrets);

/* A table, mapped. */
struct gpc_flow_table {
	__u64 *tags, *ages;	/* by set */
	unsigned char *elements;
	size_t heads_size, elements_size;
	uint32_t sets;
	size_t stride, value_at;	/* of elements; of the value in them */
};

/* -EINVAL: the maps are no table of this family. */
int gpc_flow_table_map(int heads, int flows, enum gpc_family family, bool writable,
		       struct gpc_flow_table *ret);
void gpc_flow_table_unmap(struct gpc_flow_table *table);

/* Key, and value, of the entry in a way; NULL: it is free, or being written. */
const void *gpc_flow_table_key(const struct gpc_flow_table *table, uint32_t set, uint32_t way);
struct gpc_flow *gpc_flow_table_value(const struct gpc_flow_table *table, uint32_t set, uint32_t way);

/* Forgets all flows, of a table mapped writable that no program works on. */
void gpc_flow_table_empty(struct gpc_flow_table *table);

/* What the table's places are made with. */
struct gpc_flow_seed gpc_flow_table_seed(const struct gpc_flow_table *table);

#endif
