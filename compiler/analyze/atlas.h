/* SPDX-License-Identifier: MIT */
/*
 * atlas.h: what one image, or each of two, does with every packet: exactly, from the compiled tables alone.
 *
 * All packets are cut into what no table of either image tells apart. An atom is a set of addresses of one
 * family with the same address class in each image, the same listeners, and in the same of the caller's sets.
 * What a packet carries besides (protocol, ports, TCP flags, fragment, DSCP, VLAN) is cut likewise; a set of
 * that is a region. A piece is a product, sources x destinations x region, that has one verdict in each image.
 * Only packets that can exist count (region.h); source and destination are of one family. For each packet the
 * verdict is that of gpc_explain(), without built-ins.
 *
 *   gpc_atlas_new()      both images, the caller's sets (segments, from, to) and services (ports)
 *   gpc_atlas_places()   interfaces and directions; skip those that are `alike` an earlier one
 *   diff                 gpc_atlas_compare() for each place: all that is treated differently, in few pieces
 *   matrix               gpc_atlas_survey() with the ingress place: all pieces that pass; the atoms of a piece say
 *                        which of the caller's sets (segments) hold them
 *   invariants           gpc_atlas_first(): `never` is "none passes", with sources in `from`, destinations in `to`,
 *                        the service of `ports`; `always` asks for what does not pass; `only` asks twice, for what
 *                        passes with sources outside of `from`, and with `outside` of the service. What reaches a
 *                        listener is known by verdict.listener: ask again with all destinations and a `wanted`
 *                        that looks at it
 *   gpc_atlas_boxes(), gpc_atlas_box_format()   a region as ranges, and as the text of a rule's `ports`
 *
 * It is never wrong and never silent: tables too entangled for its bounds of memory and time are
 * GPC_ATLAS_ENTANGLED, and gpc_atlas_fault() says why. Everything lives in the arena given; nothing is freed
 * before it. The images outlive the atlas.
 */
#ifndef GPC_ANALYZE_ATLAS_H
#define GPC_ANALYZE_ATLAS_H

#include "../classify/service.h"
#include "../classify/set.h"
#include "../image/image_file.h"

struct gpc_atlas;

/* What counts as a difference between two verdicts; who decides never does. */
#define GPC_ATLAS_PASSAGE	(1u << 0)	/* let through, denied, rejected */
#define GPC_ATLAS_LOGGED	(1u << 1)	/* logged or not */
#define GPC_ATLAS_MARK		(1u << 2)
#define GPC_ATLAS_RATE		(1u << 3)	/* of the rule that decides */
#define GPC_ATLAS_LISTENER	(1u << 4)	/* which listener takes what is let through, by its id */
#define GPC_ATLAS_ALL		31u

/*
 * Which packets count where a chain is stateful (SEMANTICS 5.4), of a comparison where either is; elsewhere all. All
 * are taken as ones of an unknown flow.
 */
enum gpc_atlas_scope {
	GPC_ATLAS_OPENING,	/* those that open a flow */
	GPC_ATLAS_ASKED,	/* all but TCP in mid-stream: later fragments and ICMP that is no echo request too */
	GPC_ATLAS_EVERY
};

struct gpc_atlas_options {
	const struct gpc_image *images[2];	/* [1] NULL: one image */
	const struct gpc_set *sets;		/* the caller's, for sources and destinations */
	size_t set_count;
	const struct gpc_service *services;	/* the caller's, for queries */
	size_t service_count;
	uint32_t aspects;	/* GPC_ATLAS_*; 0: all */
	bool enforce_audit;	/* audit policies decide like others; else they only log */
	enum gpc_atlas_scope scope;
};

/* Does any policy of the image only audit? Else `enforce_audit` makes no difference. */
bool gpc_atlas_audits(const struct gpc_image *image);

/* Never NULL. */
struct gpc_atlas *gpc_atlas_new(struct gpc_arena *arena, const struct gpc_atlas_options *options);

enum gpc_atlas_result {
	GPC_ATLAS_DONE,
	GPC_ATLAS_NONE,		/* gpc_atlas_first(): there is no such packet */
	GPC_ATLAS_ENTANGLED
};

/* "more than 65536 kinds of ports and flags", of the last GPC_ATLAS_ENTANGLED; else NULL. */
const char *gpc_atlas_fault(const struct gpc_atlas *atlas);

/* ---- places ---- */

/*
 * An interface of either image and direction: the devices that it takes, and no longer head of either image does. In
 * the other image they are of the item that takes them there: `lan0` may be of `lan*`.
 */
struct gpc_atlas_place {
	const char *interface;		/* as written, `lan*` */
	enum gpc_direction direction;
	uint32_t index[2];		/* of INTERFACE by image; GPC_NONE: no item takes the devices */
	const struct gpc_chain *chain[2];	/* NULL: none, all pass */
	size_t alike;	/* the first place where both images treat every packet as here: this one or an earlier one */
};

/* By name of the interface, ingress first. */
const struct gpc_atlas_place *gpc_atlas_places(const struct gpc_atlas *atlas, size_t *ret_count);

/* ---- atoms ---- */

enum gpc_atlas_side { GPC_ATLAS_SOURCE, GPC_ATLAS_DESTINATION };

struct gpc_atlas_atom {
	struct gpc_set set;		/* not empty, of one family; set.ranges[0].first is the lowest address */
	enum gpc_family family;
	uint32_t class[2];		/* by image: in its trie of this side */
	const uint32_t *members;	/* the caller's sets that hold it, ascending */
	size_t member_count;
};

/* In ascending order of their lowest address, v4 first. NULL: too many. */
const struct gpc_atlas_atom *gpc_atlas_atoms(const struct gpc_atlas *atlas, enum gpc_atlas_side side,
					     size_t *ret_count);

/* By atom of the side: is it in any of these of the caller's sets? For gpc_atlas_query. */
bool *gpc_atlas_atoms_in(struct gpc_arena *arena, const struct gpc_atlas *atlas, enum gpc_atlas_side side,
			 const uint32_t *sets, size_t set_count);

/* ---- pieces ---- */

struct gpc_atlas_verdict {
	enum gpc_action action;	/* of the chain: PASS (nobody decided, or no chain), ALLOW, DENY, REJECT */
	uint32_t rule;		/* RULE that decides, of a policy or `protect`; GPC_NONE */
	uint32_t policy;	/* POLICY of it, GPC_NONE */
	uint32_t log_rule;	/* RULE that logs: the log rule that acts, or the deciding one with `log:`; GPC_NONE */
	uint32_t mark;		/* 0: none */
	uint32_t listener;	/* LISTENER that takes it if it is let through, GPC_NONE */
	uint32_t at_times;	/* 1: DENY or REJECT, but what exceeds the rule's rate is let through */
};

/* PASS or ALLOW, also only at times; and DENY or REJECT, also only at times. A limited allow is an allow. */
bool gpc_atlas_passes(const struct gpc_atlas_verdict *verdict);
bool gpc_atlas_denies(const struct gpc_atlas_verdict *verdict);

struct gpc_atlas_piece {
	const uint32_t *sources, *destinations;	/* atoms, ascending; pairs of two families are no packets */
	size_t source_count, destination_count;
	size_t place;
	uint32_t region;		/* of the place's chart: gpc_atlas_boxes() */
	struct gpc_atlas_verdict verdict[2];	/* by image; of a query both are those of the image asked */
	/* Lowest source, then lowest destination, protocol, destination port (ICMP: type and code). */
	struct gpc_question witness;
};

struct gpc_atlas_pieces {
	const struct gpc_atlas_piece *items;
	size_t count;
};

/*
 * What the images treat differently at the place, as disjoint pieces; all sources that differ alike are in one.
 * In order of their witnesses.
 */
enum gpc_atlas_result gpc_atlas_compare(struct gpc_atlas *atlas, size_t place,
					struct gpc_atlas_pieces *ret);

struct gpc_atlas_query {
	size_t place;
	unsigned int image;			/* 0, 1 */
	const bool *sources, *destinations;	/* by atom; NULL: all */
	uint32_t service;			/* of the options' services; GPC_NONE: whatever */
	bool outside;				/* what the service does not hold */
	bool (*wanted)(void *context, const struct gpc_atlas_verdict *verdict);	/* pure; NULL: gpc_atlas_passes() */
	void *context;
};

/* All that the query asks for, as disjoint pieces in order of their witnesses. */
enum gpc_atlas_result gpc_atlas_survey(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
				       struct gpc_atlas_pieces *ret);

/* Only the one with the lowest witness: one source atom, one destination atom. */
enum gpc_atlas_result gpc_atlas_first(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
				      struct gpc_atlas_piece *ret);

/* ---- regions ---- */

/* Packets with protocol and ports of `item`, and any of these flags, fragments, DSCPs, VLANs. */
struct gpc_atlas_box {
	struct gpc_service_item item;
	uint64_t dscp;
	uint16_t tcp_flags;
	uint8_t fragments;
	const uint64_t *vlans;	/* bitmap of 0..GPC_VLAN_NONE; NULL: all */
};

/*
 * The region of a piece as a union of few boxes. They are as wide as can be said: what they hold besides are only
 * packets that cannot exist, or that the options leave out.
 */
const struct gpc_atlas_box *gpc_atlas_boxes(struct gpc_atlas *atlas, size_t place, uint32_t region,
					    size_t *ret_count);
/* The same of a piece that a query found: images may differ in what counts. Of one image both are alike. */
const struct gpc_atlas_box *gpc_atlas_boxes_of_query(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
						     uint32_t region, size_t *ret_count);

/* Is there a packet in the region that opens a flow? */
bool gpc_atlas_opens(const struct gpc_atlas *atlas, size_t place, uint32_t region);

/*
 * Regions of one place, which a query has been about, have numbers, and equal ones the same: no packets; those in
 * both; in `a` but not in `b`; in any of the two.
 */
uint32_t gpc_atlas_nothing(const struct gpc_atlas *atlas, size_t place);
uint32_t gpc_atlas_both(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b);
uint32_t gpc_atlas_without(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b);
uint32_t gpc_atlas_either(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b);
/* The number here of a region of an atlas that differs in `enforce_audit` only. */
uint32_t gpc_atlas_region_of(struct gpc_atlas *atlas, size_t place, const struct gpc_atlas *other,
			     uint32_t region);
/* Its lowest packet, without addresses; the region holds some. */
struct gpc_question gpc_atlas_lowest(const struct gpc_atlas *atlas, size_t place, uint32_t region);

/* "any", "tcp/443", "icmp/8/0", "udp/53 from port 53", "tcp/22 flags any but syn|syn,ack", "proto/47 later fragments". */
#define GPC_ATLAS_BOX_TEXT 512
char *gpc_atlas_box_format(const struct gpc_atlas_box *box, char out[GPC_ATLAS_BOX_TEXT]);

#endif
