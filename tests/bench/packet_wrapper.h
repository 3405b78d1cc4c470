/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* packet_wrapper.h: what packet_bench tells the wrapper program. */
#ifndef GPC_TESTS_BENCH_PACKET_WRAPPER_H
#define GPC_TESTS_BENCH_PACKET_WRAPPER_H

#include <linux/types.h>

#define PACKET_WRAPPER_FRAME_MIN 64u
#define PACKET_WRAPPER_WORDS 8u /* of a frame: PACKET_WRAPPER_FRAME_MIN bytes */
#define PACKET_WRAPPER_VIPS 128u /* power of two */
#define PACKET_WRAPPER_PEER_LOG2 20
#define PACKET_WRAPPER_PEER_ENTRIES (1u << PACKET_WRAPPER_PEER_LOG2)

enum packet_wrapper_program {
	PACKET_WRAPPER_EMPTY,
	PACKET_WRAPPER_TESTED,
	PACKET_WRAPPER_FIND,   /* the peer: finds the frame's flow in an LRU hash, and nothing else */
	PACKET_WRAPPER_INSERT, /* the peer: stores it there */
	PACKET_WRAPPER_LINE,   /* the floor: reads the flow's line of a table of 64-byte entries */
	PACKET_WRAPPER_PROGRAMS
};

struct packet_wrapper_state {
	__u32 program; /* enum packet_wrapper_program */
	__u32 frame;   /* bytes to restore */
	__u32 v6;
	__u32 whole;	    /* restore the first 64 bytes, not only Ethernet and addresses */
	__u32 source_shift; /* 32 - log2 of the number of sources */
	__u32 vips;
	__u64 source; /* its last 64 bits as loaded, to whose upper half the flow's number is added; v4: 32 */
	__u64 run;
	__u64 bytes[PACKET_WRAPPER_WORDS];
	__u64 destination[PACKET_WRAPPER_VIPS]; /* of the VIPs, likewise */
};

#endif
