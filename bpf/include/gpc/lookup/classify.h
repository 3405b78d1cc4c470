/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * classify.h: question -> position of the first matching rule, on the words of the image. The same
 * source for kernel and user space.
 */
#ifndef GPC_LOOKUP_CLASSIFY_H
#define GPC_LOOKUP_CLASSIFY_H

#include "question.h"

/* Address classes of a packet, found once and used by every classifier of the plane. */
struct gpc_classes {
	__u32 source, destination;
};

/* Classes of the question's addresses. */
GPC_INLINE struct gpc_classes gpc_address_classes(struct gpc_view view, const struct gpc_question *question);

/* Position of the first rule that matches, GPC_NONE if none does. */
GPC_INLINE __u32 gpc_classify(struct gpc_view view, const struct gpc_classifier *classifier,
			      const struct gpc_question *question, struct gpc_classes classes);

#endif
