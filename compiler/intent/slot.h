/* SPDX-License-Identifier: MIT */
/*
 * slot.h: the binder's parts, for bind*.c only. A slot is a key at a place in the tree while its
 * value is being bound: it knows how to name itself in a message. A frame is an object around it.
 */
#ifndef GPC_INTENT_SLOT_H
#define GPC_INTENT_SLOT_H

#include "../base/ip.h"
#include "intent.h"
#include "language.h"
#include "values.h"

struct gpc_frame {
	const struct gpc_frame *up;  /* NULL: the document */
	const char *key;	     /* under which the object stands */
	const struct gpc_node *list; /* that it is an item of, NULL for none */
	size_t index;
	const char *name; /* NULL if it has none */
};

struct gpc_slot {
	struct gpc_values *values;
	const struct gpc_frame *frame;
	const struct gpc_key *key;
};

/*
 * A diagnostic "FAULT for `key` in backends[0] (web)". The second form also shows where an inserted
 * value comes from.
 */
struct gpc_diag *gpc_slot_fault(const struct gpc_slot *slot, enum gpc_code code,
				struct gpc_place place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
struct gpc_diag *gpc_slot_scalar_fault(const struct gpc_slot *slot, enum gpc_code code,
				       const struct gpc_scalar *scalar, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* " in backends[0] (web)", "" for the document itself. */
const char *gpc_frame_text(const struct gpc_values *values, const struct gpc_frame *frame);

/* Complains unless `node` is of that kind. */
bool gpc_slot_wants(const struct gpc_slot *slot, const struct gpc_node *node,
		    enum gpc_node_kind kind);

/* Expands a scalar unless it is a name; false, with a diagnostic, if there is none or nothing in
 * it. */
bool gpc_slot_scalar(const struct gpc_slot *slot, const struct gpc_node *node,
		     struct gpc_scalar *ret);

/*
 * Binds a value to `target` (the field; NULL: only check). `object` is the struct around the field,
 * for types that fill several. Scalars in bind_scalar.c, lists of scalars and labels in
 * bind_list.c.
 */
void gpc_bind_scalar(const struct gpc_slot *slot, const struct gpc_node *node, void *target,
		     void *object);
void gpc_bind_list(const struct gpc_slot *slot, const struct gpc_node *node, void *target);
void gpc_bind_labels(const struct gpc_slot *slot, const struct gpc_node *node,
		     gpc_label_list *target);

/* bind_selector.c and bind_ports.c: what rules match. */
void gpc_bind_selector(const struct gpc_slot *slot, const struct gpc_node *node,
		       struct gpc_selector_intent *selector);
void gpc_bind_ports(const struct gpc_slot *slot, const struct gpc_node *node, gpc_ports_list *ports);
void gpc_bind_protocol(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		       struct gpc_uint_value *target);
void gpc_bind_icmp_type(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			uint8_t protocol, struct gpc_uint_value *target);

/* bind_probe.c: what a probe sends or runs. */
void gpc_bind_payload(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_bytes_value *target);
void gpc_bind_command(const struct gpc_slot *slot, const struct gpc_node *node, void *target);

/*
 * bind_whole.c: what several keys of one object must fulfil together, after all of them were bound.
 * `node` is the mapping, `object` its struct.
 */
void gpc_bind_whole(struct gpc_values *values, const struct gpc_frame *frame,
		    enum gpc_object kind, const struct gpc_node *node, void *object);

/*
 * `count` new zeroed items behind those of `vector`, which is a GPC_VEC of items of that size. All
 * vectors have the same layout; this is the one place that relies on it.
 */
void *gpc_slot_push(const struct gpc_slot *slot, void *vector, size_t item_size, size_t count);

/* The value of a word, with all complaints about it; false if it is none or not built. */
bool gpc_slot_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar, uint64_t *ret);

/* Any prefix; false, with a diagnostic, if it is none. */
bool gpc_slot_prefix(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		     struct gpc_prefix *ret);

/* An address; a prefix length is not welcome. */
bool gpc_slot_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_prefix *ret);

#endif
