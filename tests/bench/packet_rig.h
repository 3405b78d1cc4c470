/* SPDX-License-Identifier: MIT */
/*
 * packet_rig.h: gpc_xdp in the kernel with a compiled plane, a frame, and what one packet costs: runs of
 * BPF_PROG_TEST_RUN under a wrapper program (packet_wrapper.bpf.c) that makes each frame anew, less those of
 * an empty program. Frames arrive by lo of a network namespace of its own and leave by it again; every
 * endpoint has a next hop of its own. Calls end the program with a message if the system fails, if a packet
 * does not end as it should, or if the plane is refused.
 */
#ifndef GPC_TESTS_BENCH_PACKET_RIG_H
#define GPC_TESTS_BENCH_PACKET_RIG_H

#include "compiler/image/image_file.h"
#include "packet_wrapper.h"
#include "tests/bpf/frame.h"
#include "tests/bpf/kernel.h"

#define PACKET_VIPS 101u
#define PACKET_ENDPOINTS 100u /* of a backend */
#define PACKET_FLOWS (1u << 20) /* entries of the flow tables */
#define PACKET_UNLIMITED 0xffffffffu

struct packet_rig {
	struct kernel kernel;
	struct packet_wrapper *wrapper;
	struct packet_wrapper_state state;
	struct gpc_image image; /* of the plane in use */
	int program, state_fd;
	struct frame frame;
	char **wanted; /* parts of names; NULL: all */
	bool full;     /* packets enter flows, and those in the table are made old before each run */
};

/* A plane as text: `vips` listeners for a v4 and a v6 address each, in turn on `backends` backends. */
struct packet_plane {
	uint32_t vips, backends; /* 0: one */
	const char *listener;	 /* keys of each listener, "forward: dsr" */
	const char *port;	 /* NULL: 443 */
	const char *only;	 /* "v4", "v6": endpoints have that address alone */
	bool quic;		 /* endpoints have server ids, and the listeners are UDP */
	const char *policies;	 /* and rules */
};

void packet_rig_start(struct packet_rig *rig);
void packet_rig_stop(struct packet_rig *rig);

char *packet_plane_text(const struct packet_plane *plane); /* the caller frees */
struct gpc_image packet_compile(const char *yaml);	    /* the caller releases */
/* The plane decides from here on; `inserts`: entries a second, whatever the plane says. */
void packet_rig_use(struct packet_rig *rig, const struct packet_plane *plane, uint32_t inserts);

/* The frame to send; addresses of VIPs by number from 0, of endpoints and sources fixed. */
void packet_rig_frame(struct packet_rig *rig, const struct frame_spec *spec);
const char *packet_vip(bool v6, uint32_t number); /* static memory */

/* One frame as it is: what came out. */
uint32_t packet_rig_once(struct packet_rig *rig, uint8_t out[KERNEL_FRAME_MAX]);

struct packet_case {
	const char *name;		     /* of the figure */
	uint32_t log2_sources;		     /* 0: one flow; 32: another with every packet */
	uint32_t warm_up;		     /* packets before; 0: 1,000 */
	enum gpc_reason reason;		     /* how each packet must end */
	enum packet_wrapper_program program; /* 0: the one under test */
};
/* Prints the median of the differences on stdout, more on stderr; nothing if the name is not wanted. */
void packet_rig_measure(struct packet_rig *rig, const struct packet_case *c);
/* The peer's table holds 2^log2_sources flows of the frame. */
void packet_rig_fill_peer(struct packet_rig *rig, uint32_t log2_sources);
bool packet_wanted(const struct packet_rig *rig, const char *name);

#endif
