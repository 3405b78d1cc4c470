/* SPDX-License-Identifier: MIT */
/*
 * stack.h: how much stack a loaded program takes as the strictest kernel counts that gpc runs on. 6.1 rounds the frame
 * of each function up to 32 bytes, newer kernels to fewer; whole frames add up along functions that call each other,
 * and the sum may be MOST_STACK. So a newer kernel takes what an older one refuses.
 */
#ifndef GPC_TESTS_BPF_STACK_H
#define GPC_TESTS_BPF_STACK_H

#include <stdint.h>

struct bpf_program;

#define MOST_STACK 512

uint32_t stack_of(const struct bpf_program *program);

#endif
