/* SPDX-License-Identifier: MIT */
/*
 * classify_rig.h: a compiled classifier in user space and in the kernel: the words lie in an image of their
 * own (only tries, words and classifiers in it), a BPF program asks it an array of questions. Nothing is
 * pinned; all is gone with the process. Calls end the program with a message if the system fails.
 */
#ifndef GPC_TESTS_BPF_CLASSIFY_RIG_H
#define GPC_TESTS_BPF_CLASSIFY_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "compiler/classify/classify.h"
#include "gpc/lookup/classify.h"

/* ---- an image for lookups in user space; no kernel, no root ---- */

struct classify_image {
	char *bytes;			/* 1 << log2 */
	uint32_t log2;
	uint32_t count;			/* classifiers */
	uint32_t classifier_offset;	/* of the first, in bytes */
};

void classify_image_make(const struct gpc_classified *classified, size_t classifier_count,
			 struct classify_image *ret);
void classify_image_free(struct classify_image *image);

struct gpc_view classify_image_view(const struct classify_image *image);
const struct gpc_classifier *classify_image_at(const struct classify_image *image, uint32_t classifier);

/* Addresses and the rest, in user space. */
uint32_t classify_image_ask(const struct classify_image *image, uint32_t classifier,
			    const struct gpc_question *question);

/* ---- in the kernel; needs root ---- */

#define CLASSIFY_RIG_QUESTIONS 65536u	/* at most, of one run */

enum classify_program { CLASSIFY_ALL, CLASSIFY_ADDRESSES, CLASSIFY_EMPTY, CLASSIFY_PROGRAMS };

struct classify_rig {
	struct bpf_object *object;
	const struct classify_image *image;
	uint32_t log2;
	int images;
	int program[CLASSIFY_PROGRAMS];
	struct gpc_question *questions;	/* these three in memory shared with the kernel */
	uint32_t *answers;
	struct classify_job *job;
};

/* Loads the programs for the image's size class and the image. */
void classify_rig_start(struct classify_rig *rig, const struct classify_image *image);
void classify_rig_stop(struct classify_rig *rig);

/* Another image of the same size class. */
void classify_rig_install(struct classify_rig *rig, const struct classify_image *image);

/*
 * Asks `count` questions, at most CLASSIFY_RIG_QUESTIONS, of one classifier; the positions go to `ret`
 * (NULL: only timed). Returns ns per question of the fastest of `repeat` runs over all of them.
 */
double classify_rig_run(struct classify_rig *rig, uint32_t classifier,
			const struct gpc_question *questions, uint32_t count, uint32_t repeat,
			uint32_t *ret);

/* Times of one run side by side, ns per question: the whole, and what the harness alone takes. */
struct classify_times {
	double classify, addresses, empty;	/* minima of the repeats */
};
struct classify_times classify_rig_times(struct classify_rig *rig, uint32_t classifier,
					 const struct gpc_question *questions, uint32_t count,
					 uint32_t repeat);

struct classify_insns {
	uint32_t classify, addresses;	/* verified instructions, harness included */
};
struct classify_insns classify_rig_insns(const struct classify_rig *rig);

#endif
