/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * limits.h: every limit that a user can meet, once. The compiler turns each into a diagnostic, the
 * image reader into a refusal, the documents quote them from here.
 */
#ifndef GPC_LIMITS_H
#define GPC_LIMITS_H

/* Text (syntax). */
#define GPC_MAX_FILE_BYTES	(10u * 1000 * 1000)
#define GPC_MAX_TEXT_BYTES	(64u * 1024 * 1024)	/* all files of a plane */
#define GPC_MAX_NODES		4000000u	/* 100,000 rules of 30 keys and values, and the rest */
#define GPC_MAX_DEPTH		64u
#define GPC_MAX_SCALAR_BYTES	(64u * 1024)
#define GPC_MAX_EXPANDED_BYTES	(64u * 1024 * 1024)	/* all texts that ${name} was inserted into */
#define GPC_MAX_FILES		1000u
#define GPC_MAX_INCLUDE_DEPTH	16u
#define GPC_MAX_NAME_BYTES	63u

/* Objects of a plane (SEMANTICS 2.3; those that it leaves open are chosen here). */
#define GPC_MAX_LISTENERS		4096u
#define GPC_MAX_BACKENDS		4096u
#define GPC_MAX_ENDPOINTS_PER_BACKEND	65535u
#define GPC_MAX_ENDPOINTS		262144u
#define GPC_MAX_INTERFACES		64u	/* one bit each in a listener's interface mask */
#define GPC_MAX_LISTENER_ADDRESSES	16u
#define GPC_MAX_WEIGHT			65535u
#define GPC_MAX_VIP_LENGTHS		16u	/* different prefix lengths of listeners, per family, whole addresses included */
#define GPC_MAX_SPLIT			64u	/* backends of one listener */
#define GPC_MAX_FAILOVER		4u	/* backends one behind the other */
#define GPC_MIN_QUIC_ID			1u	/* bytes */
#define GPC_MAX_QUIC_ID			15u
#define GPC_MIN_TIMEOUT			1u	/* seconds */
#define GPC_MAX_TIMEOUT			(7u * 24 * 3600)
#define GPC_MAX_FLOWS			(64u * 1024 * 1024)
#define GPC_MIN_FLOWS			1024u

/* Policies. */
#define GPC_MAX_SEGMENTS		65536u
#define GPC_MAX_RULES			100000u
#define GPC_MAX_POLICIES		64u
#define GPC_MAX_PROTECT			256u
#define GPC_MAX_CHAIN_POLICIES		8u	/* of one interface and direction */
#define GPC_MAX_FEED_PREFIXES		1000000u
#define GPC_MAX_FEED_BYTES		(64u * 1024 * 1024)
#define GPC_MAX_FEEDS			1000u
#define GPC_MAX_FEEDS_BYTES		(256u * 1024 * 1024)	/* all feeds of a plane */
#define GPC_MAX_PORTS_ITEMS		64u
#define GPC_MAX_MATCH_CLASSES		32u	/* distinguishable by the `match` of one policy's rules */
#define GPC_MAX_RATE_ENTRIES		(16u * 1024 * 1024)	/* buckets of one rule */
#define GPC_MAX_SET_RANGES		(8u * 1024 * 1024)	/* of all address sets of a plane together */
#define GPC_MAX_RULE_BOXES		(4u * 1024 * 1024)	/* of all rules of a plane together */
#define GPC_MAX_INVARIANTS		1024u
#define GPC_MAX_TESTS			65536u

/* Maglev tables. */
#define GPC_MIN_TABLE_SIZE	11u
#define GPC_MAX_TABLE_SIZE	2097143u
#define GPC_TABLE_PER_ENDPOINT	100u

/* Image: one array element of 2^k bytes. */
#define GPC_IMAGE_MIN_LOG2	22u	/* 4 MiB */
#define GPC_IMAGE_MAX_LOG2	26u	/* 64 MiB */
#define GPC_MAX_IMAGE_BYTES	(1u << GPC_IMAGE_MAX_LOG2)

/* Host. */
#define GPC_MAX_DEVICES		256u	/* network devices that one plane may bind or send through */

#endif
