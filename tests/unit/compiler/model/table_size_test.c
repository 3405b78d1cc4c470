/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "model/table_size.h"

static void default_is_the_least_of_the_list_with_100_slots_per_endpoint(void)
{
	CU_ASSERT_EQUAL(gpc_maglev_default_size(1), 251);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(2), 251);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(3), 509);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(100), 16381);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(655), 65521);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(656), 131071);
}

static void default_above_the_list_is_its_last(void)
{
	CU_ASSERT_EQUAL(gpc_maglev_default_size(20971), 2097143);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(65535), 2097143);
	CU_ASSERT_EQUAL(gpc_maglev_default_size(UINT64_MAX), 2097143);
}

static void every_default_is_a_prime(void)
{
	for (uint64_t endpoints = 1; endpoints < 30000; endpoints++)
		CU_ASSERT_FATAL(gpc_is_prime(gpc_maglev_default_size(endpoints)));
}

static void primes_are_those_of_a_sieve(void)
{
	static bool composite[100000];

	for (uint64_t n = 2; n < 100000; n++) {
		CU_ASSERT_EQUAL_FATAL(gpc_is_prime(n), !composite[n]);
		for (uint64_t m = 2 * n; !composite[n] && m < 100000; m += n)
			composite[m] = true;
	}
	CU_ASSERT_FALSE(gpc_is_prime(0));
	CU_ASSERT_FALSE(gpc_is_prime(1));
	CU_ASSERT(gpc_is_prime(4294967291));
	CU_ASSERT_FALSE(gpc_is_prime(4294967295));
}

static void nearest_primes_stand_on_both_sides(void)
{
	uint64_t below, above;

	gpc_nearest_primes(16384, &below, &above);
	CU_ASSERT_EQUAL(below, 16381);
	CU_ASSERT_EQUAL(above, 16411);
	gpc_nearest_primes(13, &below, &above);
	CU_ASSERT_EQUAL(below, 11);
	CU_ASSERT_EQUAL(above, 17);
	gpc_nearest_primes(2, &below, &above);
	CU_ASSERT_EQUAL(below, 0);
	CU_ASSERT_EQUAL(above, 3);
	gpc_nearest_primes(0, &below, &above);
	CU_ASSERT_EQUAL(below, 0);
	CU_ASSERT_EQUAL(above, 2);
}

GPC_UNIT_MAIN("model/table_size",
	      {"default_is_the_least_of_the_list_with_100_slots_per_endpoint",
	       default_is_the_least_of_the_list_with_100_slots_per_endpoint},
	      {"default_above_the_list_is_its_last", default_above_the_list_is_its_last},
	      {"every_default_is_a_prime", every_default_is_a_prime},
	      {"primes_are_those_of_a_sieve", primes_are_those_of_a_sieve},
	      {"nearest_primes_stand_on_both_sides", nearest_primes_stand_on_both_sides})
