/* SPDX-License-Identifier: MIT */
/* table_size.h: sizes of Maglev tables (SEMANTICS 2.3): the default list and primes. */
#ifndef GPC_MODEL_TABLE_SIZE_H
#define GPC_MODEL_TABLE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Smallest prime of the list in SEMANTICS 2.3 >= 100 x endpoints; the last one when there is none. */
uint32_t gpc_maglev_default_size(uint64_t endpoints);

bool gpc_is_prime(uint64_t n);

/* The nearest primes below and above n (0 if there is none below), for the message. */
void gpc_nearest_primes(uint64_t n, uint64_t *ret_below, uint64_t *ret_above);

#endif
