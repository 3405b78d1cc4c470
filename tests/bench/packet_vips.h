/* SPDX-License-Identifier: MIT */
/* packet_vips.h: what finding a packet's listener costs, by the kind of VIP. */
#ifndef GPC_TESTS_BENCH_PACKET_VIPS_H
#define GPC_TESTS_BENCH_PACKET_VIPS_H

#include "packet_rig.h"

/* Prints the figures that are wanted. */
void packet_vips_measure(const struct packet_rig *packets);

#endif
