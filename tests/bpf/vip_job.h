/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* vip_job.h: what vip_lookup.bpf.c is asked, and what it answers. */
#ifndef GPC_TESTS_BPF_VIP_JOB_H
#define GPC_TESTS_BPF_VIP_JOB_H

#include <linux/types.h>

#define VIP_QUESTIONS 16384u

struct vip_question {
	__u64 address[2];
	__be16 port;
	__u8 protocol;
	__u8 forward;		/* enum gpc_forward */
	__be16 gue_port;
	__u16 pad0;
	__u64 interface_bit;
};

struct vip_answer {
	__u32 listener, sole, address;
	__u8 forwards, address_forwards;
	__u16 pad0;
};

struct vip_job {
	__u32 count;		/* of questions */
	__u32 next;
};

#endif
