/* SPDX-License-Identifier: MIT */
#include "../../../../loader/plane/control.h"

#include "../../unit.h"

static void first_names_one_slot_three_times(void)
{
	uint64_t word = gpc_control_first(5, true, false);

	CU_ASSERT_EQUAL(gpc_ctl_active(word), 5);
	CU_ASSERT_EQUAL(gpc_ctl_previous(word), 5);
	CU_ASSERT_EQUAL(gpc_ctl_fallback(word), 5);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(word), 1);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(word), 0);
	CU_ASSERT_NOT_EQUAL(word, 0);
}

static void flip_makes_the_active_one_previous(void)
{
	uint64_t word = gpc_control_flip(gpc_control_first(1, true, false), 6, false, false);

	CU_ASSERT_EQUAL(gpc_ctl_active(word), 6);
	CU_ASSERT_EQUAL(gpc_ctl_fallback(word), 6);
	CU_ASSERT_EQUAL(gpc_ctl_previous(word), 1);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(word), 0);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(word), 2);
}

static void flip_keeps_what_the_operator_set_and_disarms_the_deadline(void)
{
	uint64_t set = GPC_CTL_OFF | GPC_CTL_BANS;
	uint64_t word = gpc_control_first(0, false, false) | set | 12345ull << GPC_CTL_DEADLINE_SHIFT;

	word = gpc_control_flip(word, 7, false, false);
	CU_ASSERT_EQUAL(word & set, set);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(word), 0);
}

static void sequence_wraps_without_touching_its_neighbours(void)
{
	uint64_t word = gpc_control_first(3, true, false) | GPC_CTL_OFF;
	int i;

	for (i = 0; i < 5000; i++)
		word = gpc_control_flip(word, (uint32_t)i % GPC_IMAGE_SLOTS, true, false);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(word), (5000 + 1) % 4096);
	CU_ASSERT_EQUAL(gpc_ctl_active(word), 4999 % GPC_IMAGE_SLOTS);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(word), 1);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(word), 0);
	CU_ASSERT_TRUE(word & GPC_CTL_OFF);
}

static void off_and_on_change_nothing_else_but_the_sequence(void)
{
	uint64_t word = gpc_control_flip(gpc_control_first(2, true, false), 4, true, false);
	uint64_t off = gpc_control_off(word, true), on = gpc_control_off(off, false);
	uint64_t sequence = GPC_CTL_SEQUENCE_MASK << GPC_CTL_SEQUENCE_SHIFT;

	CU_ASSERT_EQUAL(off & ~sequence, (word & ~sequence) | GPC_CTL_OFF);
	CU_ASSERT_EQUAL(on & ~sequence, word & ~sequence);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(on), gpc_ctl_sequence(word) + 2);
}

static void restore_takes_a_flip_back_but_keeps_off(void)
{
	uint64_t old = gpc_control_flip(gpc_control_first(2, true, false), 4, true, false);
	uint64_t word = gpc_control_restore(gpc_control_flip(old, 6, false, false) | GPC_CTL_OFF, old);

	CU_ASSERT_EQUAL(gpc_ctl_active(word), 4);
	CU_ASSERT_EQUAL(gpc_ctl_previous(word), 2);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(word), 1);
	CU_ASSERT_TRUE(word & GPC_CTL_OFF);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(word), gpc_ctl_sequence(old) + 2);
}

static void audit_is_set_by_the_flip_and_taken_back_with_it(void)
{
	uint64_t old = gpc_control_first(2, true, true);
	uint64_t word = gpc_control_flip(old, 4, true, false);

	CU_ASSERT_TRUE(old & GPC_CTL_AUDIT);
	CU_ASSERT_FALSE(word & GPC_CTL_AUDIT);
	CU_ASSERT_TRUE(gpc_control_restore(word, old) & GPC_CTL_AUDIT);
	CU_ASSERT_TRUE(gpc_control_flip(word, 2, true, true) & GPC_CTL_AUDIT);
	CU_ASSERT_FALSE(gpc_control_follow(word, GPC_CTL_AUDIT) & GPC_CTL_AUDIT);
}

static void audit_alone_changes_nothing_else_but_the_sequence(void)
{
	uint64_t word = gpc_control_flip(gpc_control_first(2, true, false), 4, true, false);
	uint64_t audit = gpc_control_audit(word, true);
	uint64_t sequence = GPC_CTL_SEQUENCE_MASK << GPC_CTL_SEQUENCE_SHIFT;

	CU_ASSERT_EQUAL(audit & ~sequence, (word & ~sequence) | GPC_CTL_AUDIT);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(audit), gpc_ctl_sequence(word) + 1);
}

static void a_word_names_exactly_its_slots(void)
{
	uint64_t word = gpc_control_flip(gpc_control_first(1, false, false), 3, false, false);
	uint32_t slot;

	for (slot = 0; slot < GPC_IMAGE_SLOTS; slot++)
		CU_ASSERT_EQUAL(gpc_control_names(word, slot), slot == 1 || slot == 3);
}

static void swap_fails_when_the_word_moved(void)
{
	uint64_t control[GPC_CTL_ENTRIES] = {7, 99};

	CU_ASSERT_FALSE(gpc_control_swap(control, 8, 9));
	CU_ASSERT_EQUAL(gpc_control_load(control), 7);
	CU_ASSERT_TRUE(gpc_control_swap(control, 7, 9));
	CU_ASSERT_EQUAL(control[GPC_CTL_WORD], 9);
	CU_ASSERT_EQUAL(control[GPC_CTL_NONCE], 99);
}

GPC_UNIT_MAIN("plane/control",
	      {"first_names_one_slot_three_times", first_names_one_slot_three_times},
	      {"flip_makes_the_active_one_previous", flip_makes_the_active_one_previous},
	      {"flip_keeps_what_the_operator_set_and_disarms_the_deadline",
	       flip_keeps_what_the_operator_set_and_disarms_the_deadline},
	      {"sequence_wraps_without_touching_its_neighbours",
	       sequence_wraps_without_touching_its_neighbours},
	      {"off_and_on_change_nothing_else_but_the_sequence",
	       off_and_on_change_nothing_else_but_the_sequence},
	      {"restore_takes_a_flip_back_but_keeps_off", restore_takes_a_flip_back_but_keeps_off},
	      {"audit_is_set_by_the_flip_and_taken_back_with_it",
	       audit_is_set_by_the_flip_and_taken_back_with_it},
	      {"audit_alone_changes_nothing_else_but_the_sequence",
	       audit_alone_changes_nothing_else_but_the_sequence},
	      {"a_word_names_exactly_its_slots", a_word_names_exactly_its_slots},
	      {"swap_fails_when_the_word_moved", swap_fails_when_the_word_moved})
