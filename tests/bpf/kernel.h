/* SPDX-License-Identifier: MIT */
/*
 * kernel.h: the BPF objects in the kernel, for tests and benches: load, install images, set the
 * control word, run packets. Nothing is pinned, nothing is attached; all of it is gone with the
 * process. Calls end the program with a message if the system fails.
 */
#ifndef GPC_TESTS_BPF_KERNEL_H
#define GPC_TESTS_BPF_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpc/abi.h"
#include "loader/plane/flow_table.h"

#define KERNEL_FRAME_MAX 2048u

enum kernel_program {
	KERNEL_XDP,
	KERNEL_DECAP,
	KERNEL_TC_INGRESS,
	KERNEL_TC_EGRESS,
	KERNEL_ODD, /* these only go on with what others began */
	KERNEL_ERROR,
	KERNEL_NAT,
	KERNEL_CONSULT,
	KERNEL_SERVE,
	KERNEL_FRAGMENT,
	KERNEL_ANSWER,
	KERNEL_PROGRAMS
};

struct kernel {
	struct bpf_object *object;
	uint32_t log2;
	uint32_t cpus;
	uint32_t buckets;
	struct gpc_flow_table flows[2]; /* by enum gpc_family */
	void *busy; /* gpc_busy, mapped */
	size_t busy_size;
	int control, images, next, counters, rules, rate;
	int program[KERNEL_PROGRAMS];
};

struct kernel_sizes {
	uint32_t flows, next, counters;
	uint32_t rules, rate; /* 0: as few as there can be */
};

/* A network namespace of the process's own, where the kernel does not forward and so says nothing about routes. */
void kernel_alone(void);
void kernel_load(struct kernel *kernel, uint32_t log2, const struct kernel_sizes *sizes);
void kernel_unload(struct kernel *kernel);
/* Takes a program that others go on in away, or puts it back. */
void kernel_let(struct kernel *kernel, enum gpc_tail program, bool there);

void kernel_install(struct kernel *kernel, uint32_t slot, const char *image);
void kernel_remove(struct kernel *kernel, uint32_t slot);
void kernel_control(struct kernel *kernel, uint64_t word);
void kernel_next(struct kernel *kernel, uint32_t slot, struct gpc_next next);
struct gpc_next kernel_read_next(struct kernel *kernel, uint32_t slot);

/* Summed over CPUs. */
struct gpc_counter kernel_counter(struct kernel *kernel, uint32_t slot);
uint64_t kernel_reason(struct kernel *kernel, enum gpc_hook hook, enum gpc_reason reason);

struct gpc_rule_counter kernel_rule(struct kernel *kernel, uint32_t slot);
void kernel_endpoint_state(struct kernel *kernel, uint32_t slot,
			   const struct gpc_endpoint_state *state);
void kernel_backend_state(struct kernel *kernel, uint32_t slot,
			  const struct gpc_backend_state *state);
struct gpc_backend_state kernel_backend_state_now(struct kernel *kernel, uint32_t slot);
void kernel_full_buckets(struct kernel *kernel);
/* gpc_ctl[GPC_CTL_FLOWS_SINCE] */
void kernel_flows_since(struct kernel *kernel, uint64_t since);

/* Flows are read and written while no program runs. */

/* false: no such flow. */
bool kernel_flow(struct kernel *kernel, bool v6, const void *key, struct gpc_flow *ret);
void kernel_set_flow(struct kernel *kernel, bool v6, const void *key, const struct gpc_flow *flow);
uint32_t kernel_flow_count(struct kernel *kernel, bool v6);
void kernel_forget_flows(struct kernel *kernel);
/* Calls back for each entry of a table, which may be changed and is written back if it returns true. */
void kernel_each_flow(struct kernel *kernel, bool v6, bool (*each)(struct gpc_flow *flow));

/* One frame through one program; -errno in `action` if the kernel refuses the frame. */
struct kernel_run {
	uint32_t ifindex; /* of the arriving device; 0: lo of this namespace */
	const void *in;
	uint32_t in_size;
	const void *meta; /* 8 bytes in front of the frame (TC), NULL: none */
	uint8_t *out;	  /* KERNEL_FRAME_MAX bytes */
	uint32_t out_size;
	uint32_t mark; /* TC: of the skb afterwards */
	int action;
};
void kernel_run(struct kernel *kernel, enum kernel_program program, struct kernel_run *run);

uint32_t kernel_verified_insns(int program_fd);
/*
 * How many times the figure of today's verifiers that of this kernel may be. One before 6.2 compares all numbers of
 * two states of a program with functions, also those on which nothing depends, and looks at more of them.
 */
uint32_t kernel_insns_factor(void);

#endif
