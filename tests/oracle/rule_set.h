/* SPDX-License-Identifier: MIT */
/*
 * rule_set.h: rules as plain data, as a person would write them down, and what they mean by going
 * through them one by one. Nothing of the classifier is believed here: addresses are numbers, a set
 * is its prefixes less its exceptions, and the first rule that holds a packet is found by asking
 * each (SEMANTICS 5.1).
 *
 * Order of use: rule_set_init(), rule_set_add_*() (or a generator of rule_sets.h), then
 *   rule_linear_first()       the answer, slowly
 *   rule_compile()            the answer of the library: the same set through gpc_classify_compile()
 *   rule_yaml_write()         the same set as an intent
 * and rule_set_release(). Running out of memory aborts.
 */
#ifndef GPC_ORACLE_RULE_SET_H
#define GPC_ORACLE_RULE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "classify/classify.h"
#include "gpc/lookup/question.h"

typedef unsigned __int128 rule_address; /* one line for both families, v4 at ::ffff:0:0/96 */

#define RULE_V4_FIRST ((rule_address)0xffff << 32)
#define RULE_V4_LAST (RULE_V4_FIRST | 0xffffffffu)

static inline rule_address rule_v4(uint32_t host)
{
	return RULE_V4_FIRST | host;
}

static inline rule_address rule_v6(uint64_t high, uint64_t low)
{
	return (rule_address)high << 64 | low;
}

static inline bool rule_is_v4(rule_address a)
{
	return a >= RULE_V4_FIRST && a <= RULE_V4_LAST;
}

struct rule_prefix {
	rule_address address;
	uint8_t length; /* 0..32 for v4, 0..128 for v6 */
	bool v4;
};

rule_address rule_prefix_first(const struct rule_prefix *p);
rule_address rule_prefix_last(const struct rule_prefix *p);
/* A v6 prefix never holds a v4 address, however short it is. */
bool rule_prefix_holds(const struct rule_prefix *p, rule_address a);

/* All, or what the prefixes hold and the exceptions do not. */
struct rule_addresses {
	bool all;
	size_t prefixes, prefix_count; /* of rule_set.prefixes */
	size_t except, except_count;
};

struct rule_item {
	uint8_t protocol_first, protocol_last;
	uint32_t source_first, source_last; /* ports, 65536: none */
	uint32_t destination_first, destination_last;
};

struct rule_service {
	size_t items, item_count; /* of rule_set.items */
	struct gpc_match match;
};

/* One box; boxes of one position are one rule, and stand together. */
struct rule_box {
	uint32_t source, destination, service;
	uint32_t position;
};

struct rule_set {
	char name[48];
	struct rule_prefix *prefixes;
	size_t prefix_count;
	struct rule_addresses *sets;
	size_t set_count;
	struct rule_item *items;
	size_t item_count;
	struct rule_service *services;
	size_t service_count;
	struct rule_box *boxes;
	size_t box_count;
	struct gpc_question *headers; /* a header trace that came with the set, or none */
	size_t header_count;
};

#define RULE_SET_ANYWHERE 0u /* the set of all addresses */

void rule_set_init(struct rule_set *set, const char *name);
void rule_set_release(struct rule_set *set);

/* Numbers of what was added. */
uint32_t rule_set_add_addresses(struct rule_set *set, const struct rule_prefix *prefixes, size_t count,
				const struct rule_prefix *except, size_t except_count);
uint32_t rule_set_add_prefix(struct rule_set *set, struct rule_prefix prefix);
uint32_t rule_set_add_service(struct rule_set *set, const struct rule_item *items, size_t count,
			      struct gpc_match match);
/* The position is the one behind the last. */
uint32_t rule_set_add_rule(struct rule_set *set, uint32_t source, uint32_t destination, uint32_t service);
/* One more box of the last rule. */
void rule_set_add_box(struct rule_set *set, uint32_t source, uint32_t destination, uint32_t service);
void rule_set_add_header(struct rule_set *set, struct gpc_question question);

/* Number of rules. */
uint32_t rule_set_rules(const struct rule_set *set);

bool rule_addresses_hold(const struct rule_set *set, uint32_t index, rule_address a);
bool rule_service_holds(const struct rule_set *set, uint32_t index, const struct gpc_question *question);

/* ---- questions ---- */

rule_address rule_question_source(const struct gpc_question *question);
rule_address rule_question_destination(const struct gpc_question *question);
/* Sets both addresses and the family, which must be the same. */
void rule_question_between(struct gpc_question *question, rule_address source, rule_address destination);
/* Makes the rest of a question such as a packet can be: no flags without TCP, no ports where there are none. */
void rule_question_settle(struct gpc_question *question);
void rule_question_say(const struct gpc_question *question, FILE *out);

/* ---- the answer, one rule after the other ---- */

struct rule_linear {
	const struct rule_set *set;
	struct rule_span {
		rule_address first, last;
	} *spans; /* of each prefix */
	/* By box and side: between which 32-bit keys its addresses lie. What lies outside need not be asked. */
	struct rule_hull {
		uint32_t low[2], width[2];
	} *hulls;
};

void rule_linear_init(struct rule_linear *linear, const struct rule_set *set);
void rule_linear_release(struct rule_linear *linear);
/* Position of the first rule that matches, UINT32_MAX: none. */
uint32_t rule_linear_first(struct rule_linear *linear, const struct gpc_question *question);

/* ---- the library's answer ---- */

/* The set in the library's structures, in the arena. */
struct gpc_space rule_library_space(struct gpc_arena *arena, const struct rule_set *set);
/* Boxes of one list, in the order of the set; all with list_of NULL. */
struct gpc_box_list rule_library_list(struct gpc_arena *arena, const struct rule_set *set,
				      const uint8_t *list_of, size_t list);

struct rule_compiled {
	struct gpc_arena arena;
	enum gpc_classify_status status;
	struct gpc_classified classified;
	struct gpc_classify_refusal refusal;
	char *image; /* of 2^log2 bytes: tries and words where an image has them */
	unsigned int log2;
};

/* Compiles the set as one list; status says how it went. `max_bytes` as in gpc_classify_compile(). */
void rule_compile(struct rule_compiled *compiled, const struct rule_set *set, uint64_t max_bytes);
/* The same with several lists: box i belongs to list `list_of[i]` (< lists). */
void rule_compile_lists(struct rule_compiled *compiled, const struct rule_set *set, const uint8_t *list_of,
			size_t lists, uint64_t max_bytes);
void rule_compiled_release(struct rule_compiled *compiled);
uint32_t rule_compiled_ask(const struct rule_compiled *compiled, size_t list, const struct gpc_question *question);

/* ---- as an intent ---- */

struct rule_yaml {
	const char *interface; /* NULL: wan0 */
	const char *extra;     /* more of the document, or NULL */
	bool stateful;
	bool allow_all;	      /* every action and the default */
	bool rules_elsewhere; /* in documents of rule_yaml_write_rules(); a file may have 10 MB */
};

/*
 * Actions in turn: allow, deny, allow, deny, ... and a default of deny, unless allow_all. The language has no source ports:
 * a set with some must go through rule_set_drop_source_ports() first.
 */
void rule_yaml_write(const struct rule_set *set, const struct rule_yaml *how, FILE *out);
/* Items of the section `rules`, without its head. */
void rule_yaml_write_rules(const struct rule_set *set, const struct rule_yaml *how, size_t first, size_t count,
			   FILE *out);
void rule_set_drop_source_ports(struct rule_set *set);

#endif
