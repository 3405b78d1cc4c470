/* SPDX-License-Identifier: MIT */
/*
 * ports.h: items of `ports`, protocols and ICMP types as pure functions of a text (SEMANTICS 2.1).
 * No diagnostics: bind_ports.c says what a failure means. *ret is untouched on failure.
 */
#ifndef GPC_INTENT_PORTS_H
#define GPC_INTENT_PORTS_H

#include "intent.h"

enum gpc_ports_error {
	GPC_PORTS_OK,
	GPC_PORTS_SYNTAX, /* no item begins like this */
	GPC_PORTS_NUMBER, /* something else where a number is wanted */
	GPC_PORTS_LEADING_ZERO,
	GPC_PORTS_PORT,	    /* above 65535 */
	GPC_PORTS_ORDER,    /* a range from high to low */
	GPC_PORTS_BYTE,	    /* ICMP type or code, protocol number: above 255 */
	GPC_PORTS_PROTOCOL, /* no such protocol */
	GPC_PORTS_TYPE,	    /* no such ICMP type */
	GPC_PORTS_PORTLESS, /* a protocol that stands behind `proto/` */
};

/* `at` of *ret is left to the caller. */
enum gpc_ports_error gpc_ports_parse(const char *text, struct gpc_ports_item *ret);

/* N or a name. */
enum gpc_ports_error gpc_protocol_parse(const char *text, uint8_t *ret);

/* N or a name of that protocol's: IPPROTO_ICMP or IPPROTO_ICMPV6. */
enum gpc_ports_error gpc_icmp_type_parse(const char *text, uint8_t protocol, uint8_t *ret);

/* TCP, UDP, SCTP. */
bool gpc_protocol_has_ports(uint64_t protocol);
bool gpc_protocol_is_icmp(uint64_t protocol);

/* The names of protocols and of the types of an ICMP protocol, for messages and the schema; NULL
 * behind the last. */
const char *gpc_protocol_name(size_t number);
const char *gpc_icmp_type_name(uint8_t protocol, size_t number);

#endif
