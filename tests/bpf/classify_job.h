/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* classify_job.h: what classify.bpf.c is told. */
#ifndef GPC_TESTS_BPF_CLASSIFY_JOB_H
#define GPC_TESTS_BPF_CLASSIFY_JOB_H

#include <linux/types.h>

#define CLASSIFY_QUESTIONS 65536u

struct classify_job {
	__u32 classifier;	/* offset in bytes in the image */
	__u32 count;		/* of questions */
	__u32 next;
	__u32 pad0;
};

#endif
