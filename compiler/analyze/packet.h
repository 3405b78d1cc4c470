/* SPDX-License-Identifier: MIT */
/*
 * packet.h: a packet as people write one, for `gpc explain`:
 *
 *   PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT] [KEY VALUE]...
 *
 *   tcp 10.0.1.5:40000 -> 10.0.9.3:5432          udp [2001:db8::1]:53 -> [2001:db8::2]:53
 *   icmp 10.0.1.5 -> 10.0.9.3 type echo-reply    tcp 10.0.1.5 -> 10.0.9.3:80 flags ack vlan 7
 *
 * PROTOCOL: a name or a number. Keys: flags (of syn ack fin rst, joined by `,`; none), type, code, vlan,
 * dscp, fragment (first, later). Defaults: source port 40000, SYN, echo-request, code 0, untagged, DSCP
 * 0, whole. A destination port is needed where there are ports; a later fragment has none.
 */
#ifndef GPC_ANALYZE_PACKET_H
#define GPC_ANALYZE_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "gpc/lookup/question.h"

struct gpc_packet_fault {
	char text[128];		/* "no destination port" */
	size_t at;		/* offset of the word at fault */
};

/* `family` of *ret is the source's. Untouched on failure. */
bool gpc_packet_parse(const char *text, size_t size, struct gpc_question *ret,
		      struct gpc_packet_fault *ret_fault);

#define GPC_PACKET_TEXT 256
/* The same packet as text that gpc_packet_parse() takes. Returns `out`. */
char *gpc_packet_format(const struct gpc_question *packet, char out[GPC_PACKET_TEXT]);

#endif
