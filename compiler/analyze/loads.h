/* SPDX-License-Identifier: MIT */
/*
 * loads.h: how many loads from an image wait for each other in the worst walk of a packet: each needs what the
 * one before it brought. Policies of a chain start from the same address classes and do not wait for each other,
 * so the worst classifier counts (`loads` of gpc_classifier, trie included). Behind it stands, at ingress, the
 * listener: a probe for whole addresses, one for each length of prefix, the search among intervals of ports,
 * choice, listener, pool, Maglev slot, endpoint. Flow tables are no part of the image.
 */
#ifndef GPC_ANALYZE_LOADS_H
#define GPC_ANALYZE_LOADS_H

#include "../image/image_file.h"

uint32_t gpc_worst_loads(const struct gpc_image *image);

#endif
