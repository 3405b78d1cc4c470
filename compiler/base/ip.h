/* SPDX-License-Identifier: MIT */
/*
 * ip.h: addresses, prefixes and MACs as values. Grammar: SEMANTICS 2.1. An address is 16 bytes in
 * network order; v4 is kept as ::ffff:a.b.c.d, so one comparison orders both families.
 */
#ifndef GPC_BASE_IP_H
#define GPC_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpc_ip {
	uint8_t bytes[16];
};

struct gpc_prefix {
	struct gpc_ip ip;
	uint8_t length;		/* as written: 0..32 for v4, 0..128 for v6 */
	bool v4;
};

enum gpc_ip_error {
	GPC_IP_OK,
	GPC_IP_SYNTAX,		/* not an address */
	GPC_IP_LEADING_ZERO,	/* octet or length with a leading zero */
	GPC_IP_ZONE,		/* fe80::1%eth0 */
	GPC_IP_MAPPED,		/* ::ffff:0:0/96: write the v4 form */
	GPC_IP_LENGTH,		/* prefix length out of range */
	GPC_IP_HOST_BITS,	/* *ret_prefix is set, masked: the message names it */
};

#define GPC_IP_TEXT 46		/* enough for any address with its NUL */
#define GPC_PREFIX_TEXT 50

bool gpc_ip_is_v4(const struct gpc_ip *ip);
int gpc_ip_compare(const struct gpc_ip *a, const struct gpc_ip *b);
uint32_t gpc_ip_v4_be(const struct gpc_ip *ip);		/* last four bytes as they stand in memory */

/* Parses `len` bytes of text; *ret is untouched on failure (but see GPC_IP_HOST_BITS). */
enum gpc_ip_error gpc_ip_parse(const char *text, size_t len, struct gpc_ip *ret);
enum gpc_ip_error gpc_prefix_parse(const char *text, size_t len, struct gpc_prefix *ret_prefix);

/* RFC 5952 text. `out` has GPC_IP_TEXT or GPC_PREFIX_TEXT bytes; returns out. */
char *gpc_ip_format(const struct gpc_ip *ip, char *out);
char *gpc_prefix_format(const struct gpc_prefix *prefix, char *out);
/* The same, without a length that says "the whole address"; `out` has GPC_PREFIX_TEXT bytes. */
char *gpc_address_format(const struct gpc_prefix *prefix, char *out);

#endif
