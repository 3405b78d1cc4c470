/* SPDX-License-Identifier: MIT */
/* vip_rig.h: runs vip_lookup.bpf.c over compiled images. Errors of the system end the program. */
#ifndef GPC_TESTS_BPF_VIP_RIG_H
#define GPC_TESTS_BPF_VIP_RIG_H

#include "compiler/image/image_file.h"
#include "vip_job.h"

enum vip_program { VIP_ALL, VIP_LISTENER, VIP_EMPTY, VIP_PROGRAMS };

struct vip_rig {
	struct vip_lookup *object;
	struct vip_question *questions; /* these two in memory shared with the kernel */
	struct vip_answer *answers;
	struct vip_job *job;
};

void vip_rig_start(struct vip_rig *rig);
void vip_rig_stop(struct vip_rig *rig);

/* A copy of the image, which is of the smallest size class, in slot 0. */
void vip_rig_install(struct vip_rig *rig, const struct gpc_image *image);

/* Asks rig->questions[0..count) `rounds` times; ns per question, as the kernel takes the time. */
double vip_rig_run(struct vip_rig *rig, enum vip_program program, uint32_t count, uint32_t rounds);

#endif
