/* SPDX-License-Identifier: MIT */
/*
 * policy_rig.h: planes from YAML text in the kernel, and packets through their hooks, each with the
 * verdict, the reason and the rule that it must have. A step names the interface that its packet
 * arrives at or leaves by; every interface is lo (the only device of the test's network namespace), in
 * an image of its own.
 */
#ifndef GPC_TESTS_BPF_POLICY_RIG_H
#define GPC_TESTS_BPF_POLICY_RIG_H

#include "compiler/image/image_file.h"
#include "frame.h"
#include "kernel.h"

enum policy_verdict { PASS, FORWARD, DROP, REJECT };

/* Where a packet is seen. */
enum policy_hook { IN, OUT, TC_IN };

struct policy_step {
	enum policy_hook hook;
	unsigned int interface; /* index of POLICY_INTERFACES */
	struct frame_spec frame;
	enum policy_verdict verdict;
	enum gpc_reason reason;
	/* "policy/rule", "protect/NAME", "builtin/NAME": all that count, apart by spaces; NULL: none */
	const char *rule;
	const char *would; /* likewise, those that would have denied */
	uint32_t mark;	   /* of the packet that goes on */
};

/* "wan0", "lan*", "dmz0": every plane has these items, in this order. */
#define POLICY_INTERFACES 3u
enum { WAN, LAN, DMZ };

void policy_start(void);
void policy_stop(void);

/* Compiles and activates; flows and buckets stay. */
void policy_use(const char *yaml);

/*
 * For tests that set the control word themselves: an image alone in a slot, lo being wan0, with
 * counters for its RULE records that are its own. The caller releases the image.
 */
struct policy_link {
	uint32_t slot, generation, first_counter;
};
struct gpc_image policy_compile(const char *yaml);
void policy_install(const struct gpc_image *of, const struct policy_link *link);

/* Flags of the control word. */
void policy_control(uint64_t flags);
/* No flows, full buckets; the flow tables are `age` seconds old. */
void policy_reset(uint32_t age);

/* Prints and returns false if it went otherwise. */
bool policy_step(const char *name, const struct policy_step *step);

/* Only sends it. */
void policy_send(enum policy_hook hook, unsigned int interface, const struct frame_spec *spec);

struct kernel *policy_kernel(void);

#endif
