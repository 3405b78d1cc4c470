/* SPDX-License-Identifier: MIT */
/* dumper.h: what the parts of gpc_image_dump() share, inside image/ only. */
#ifndef GPC_IMAGE_DUMPER_H
#define GPC_IMAGE_DUMPER_H

#include "emit.h"
#include "image_file.h"

struct gpc_dump {
	struct gpc_emitter emitter;
	const struct gpc_image *image;
	struct gpc_arena *arena; /* for places */
};

/* Begins a record with its index. */
void gpc_dump_begin(struct gpc_dump *dump, const char *kind, uint32_t index);
void gpc_dump_name(struct gpc_dump *dump, const char *key, uint32_t name);

/* Where the object stands in the YAML, if the source map knows. */
void gpc_dump_place(struct gpc_dump *dump, uint64_t id);

const void *gpc_dump_record(const struct gpc_dump *dump, enum gpc_section_id id, uint32_t index);
uint32_t gpc_dump_count(const struct gpc_dump *dump, enum gpc_section_id id);

/* The name of a backend by its index, nothing for GPC_NONE. */
void gpc_dump_backend(struct gpc_dump *dump, const char *key, uint32_t backend);

/* The names of the interfaces of a mask. */
void gpc_dump_interface_mask(struct gpc_dump *dump, const char *key, uint64_t interfaces);

/* An endpoint by its index, and its backend: keys `endpoint` and `backend`. */
void gpc_dump_found(struct gpc_dump *dump, uint32_t endpoint);

/* A number that only some records have. */
void gpc_dump_if(struct gpc_emitter *emitter, const char *key, bool there, uint64_t value);

/* One row per word. */
void gpc_dump_words(struct gpc_dump *dump, enum gpc_section_id id, const char *kind);

/* Sections of the VIP table. */
void gpc_dump_vips(struct gpc_dump *dump);
void gpc_dump_vip_choices(struct gpc_dump *dump);
void gpc_dump_vip_ports(struct gpc_dump *dump);

/* Listeners, and the backends as each of them sees them. */
void gpc_dump_listeners(struct gpc_dump *dump);
void gpc_dump_pools(struct gpc_dump *dump);

/* Backends, their endpoints and what finds an endpoint. */
void gpc_dump_backends(struct gpc_dump *dump);
void gpc_dump_endpoints(struct gpc_dump *dump);
void gpc_dump_endpoint_index(struct gpc_dump *dump);
void gpc_dump_quics(struct gpc_dump *dump);

/* Maglev tables: records, each endpoint's share, every slot. */
void gpc_dump_tables(struct gpc_dump *dump);
void gpc_dump_maglev(struct gpc_dump *dump);
void gpc_dump_maglev_slots(struct gpc_dump *dump);

/* Sections of policies. */
void gpc_dump_policy_words(struct gpc_dump *dump);
void gpc_dump_chains(struct gpc_dump *dump);
void gpc_dump_policies(struct gpc_dump *dump);
void gpc_dump_classifiers(struct gpc_dump *dump);
void gpc_dump_rules(struct gpc_dump *dump);

/* Invariants. */
void gpc_dump_invariants(struct gpc_dump *dump);
void gpc_dump_invariant_words(struct gpc_dump *dump);

#endif
