/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * question.h: what rules are asked about a packet (SEMANTICS 5.1), the same for kernel and user space.
 */
#ifndef GPC_LOOKUP_QUESTION_H
#define GPC_LOOKUP_QUESTION_H

#include "view.h"

/* The 65,537th port: later fragments, protocols without ports. Matches what names no port. */
#define GPC_PORT_NONE 65536u
#define GPC_VLAN_NONE 4096u

/* What rules see of the TCP flags, as bits of gpc_question.tcp_flags. */
#define GPC_ASK_SYN 1u
#define GPC_ASK_ACK 2u
#define GPC_ASK_FIN 4u
#define GPC_ASK_RST 8u

enum gpc_fragment { GPC_FRAGMENT_NONE, GPC_FRAGMENT_FIRST, GPC_FRAGMENT_LATER };

struct gpc_question {
	__u64 source[2];	/* as in struct gpc_tuple: memory order, v4 as ::ffff:a.b.c.d */
	__u64 destination[2];
	__u32 source_port;	/* host order, GPC_PORT_NONE; ICMP: GPC_PORT_NONE */
	__u32 destination_port;	/* ICMP and ICMPv6: type << 8 | code */
	__u16 vlan;		/* of the outermost tag, GPC_VLAN_NONE */
	__u8 protocol;
	__u8 tcp_flags;		/* GPC_ASK_*; 0 unless TCP and not a later fragment */
	__u8 dscp;
	__u8 fragment;		/* enum gpc_fragment */
	__u8 family;		/* enum gpc_family */
	__u8 pad0;
};
_Static_assert(sizeof(struct gpc_question) == 48, "question");

#endif
