/* SPDX-License-Identifier: MIT */
/*
 * stages.h: what stages.bpf.c is asked and what it answers: one element of a map each. Its programs
 * call single stages of the data plane, so that each can be tested without the walk around it.
 */
#ifndef GPC_TESTS_BPF_STAGES_H
#define GPC_TESTS_BPF_STAGES_H

#include "gpc/abi.h"
#include "gpc/image.h"
#include "gpc/lookup/question.h"

#define STAGES_NONCE 0x1122334455667788ull

struct stages_ask {
	struct gpc_question question;
	struct gpc_rule rule;
	__u64 now;
	__u64 seed[2];
	__u64 packets, bytes;
	__u64 policy;
	__u32 bucket; /* first one of the rule */
	__u32 l4;     /* offset in the frame */
	__u32 length; /* of the IP packet */
	__u32 at, limit;	/* of the quoted packet */
	__u32 frame, ifindex, generation;
	__u8 tags, tcp_flags, hook, type, reason, which;
	__u8 pad[2];
};

struct stages_answer {
	__u64 source[2], destination[2];
	__be16 source_port, destination_port;
	__u32 l4;
	__u32 result;
	__u8 protocol, family, pad[2];
};

#endif
