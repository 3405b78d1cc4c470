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

/* ---- with a deadline ---- */

#define UNIT (1ull << GPC_CTL_DEADLINE_UNIT_SHIFT)
#define LAST_DEADLINE (~0ull >> GPC_CTL_DEADLINE_SHIFT)

/* 2 active, 1 before it; policies enforce now and only audited before. */
static uint64_t armed_word(uint64_t deadline)
{
	uint64_t word = gpc_control_flip(gpc_control_first(1, false, true), 2, true, false);

	return gpc_control_arm(word, 1, true, deadline);
}

static void a_deadline_is_never_too_early(void)
{
	const uint64_t starts[] = {0, 1, UNIT - 1, UNIT, UNIT + 1, 12345678901234567ull};
	const uint64_t waits[] = {1, 100, 1000, 24ull * 3600 * 1000};

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		for (size_t k = 0; k < sizeof(waits) / sizeof(*waits); k++) {
			uint64_t deadline, wanted = starts[i] + waits[k] * 1000000u;

			CU_ASSERT_TRUE_FATAL(gpc_control_deadline(starts[i], waits[k], &deadline));
			CU_ASSERT_TRUE(deadline << GPC_CTL_DEADLINE_UNIT_SHIFT >= wanted);
			CU_ASSERT_TRUE((deadline << GPC_CTL_DEADLINE_UNIT_SHIFT) - wanted < UNIT);
		}
}

static void a_deadline_beyond_the_word_is_refused(void)
{
	uint64_t last = LAST_DEADLINE << GPC_CTL_DEADLINE_UNIT_SHIFT, deadline = 7;

	CU_ASSERT_TRUE(gpc_control_deadline(last - 1000000, 1, &deadline));
	CU_ASSERT_EQUAL(deadline, LAST_DEADLINE);
	deadline = 7;
	CU_ASSERT_FALSE(gpc_control_deadline(last - 1000000 + 1, 1, &deadline));
	CU_ASSERT_FALSE(gpc_control_deadline(last, 24ull * 3600 * 1000, &deadline));
	CU_ASSERT_EQUAL(deadline, 7);
}

static void arming_changes_only_fallback_and_deadline(void)
{
	uint64_t flipped = gpc_control_flip(gpc_control_first(1, false, true), 2, true, false) |
			   GPC_CTL_OFF | GPC_CTL_BANS;
	uint64_t word = gpc_control_arm(flipped, 5, true, LAST_DEADLINE);

	CU_ASSERT_EQUAL(gpc_ctl_active(word), 2);
	CU_ASSERT_EQUAL(gpc_ctl_fallback(word), 5);
	CU_ASSERT_EQUAL(gpc_ctl_previous(word), 1);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(word), LAST_DEADLINE);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(word), gpc_ctl_sequence(flipped));
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(word), 1);
	CU_ASSERT_EQUAL(word & (GPC_CTL_OFF | GPC_CTL_BANS | GPC_CTL_AUDIT),
			GPC_CTL_OFF | GPC_CTL_BANS);
	CU_ASSERT_FALSE(gpc_control_arm(word, 5, false, 1) & GPC_CTL_FALLBACK_AUDIT);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(gpc_control_arm(word, 5, false, 1)), 1);
}

/* To the nanosecond, as the programs compare whole units. */
static void a_word_expires_at_its_deadline_and_not_before(void)
{
	const uint64_t deadlines[] = {1, 1000, LAST_DEADLINE};

	for (size_t i = 0; i < sizeof(deadlines) / sizeof(*deadlines); i++) {
		uint64_t word = armed_word(deadlines[i]);
		uint64_t at = deadlines[i] << GPC_CTL_DEADLINE_UNIT_SHIFT;

		CU_ASSERT_EQUAL(gpc_control_at(word, at - 1), word);
		CU_ASSERT_EQUAL(gpc_control_left_ns(word, at - 1), 1);
		CU_ASSERT_EQUAL(gpc_control_at(word, at), gpc_ctl_expired(word));
		CU_ASSERT_EQUAL(gpc_control_at(word, at + 1), gpc_ctl_expired(word));
		CU_ASSERT_EQUAL(gpc_control_left_ns(word, at + 1), -1);
		CU_ASSERT_TRUE((at - 1) >> GPC_CTL_DEADLINE_UNIT_SHIFT < gpc_ctl_deadline(word));
		CU_ASSERT_TRUE(at >> GPC_CTL_DEADLINE_UNIT_SHIFT >= gpc_ctl_deadline(word));
	}
}

static void a_word_without_a_deadline_never_expires(void)
{
	uint64_t word = gpc_control_flip(gpc_control_first(1, false, false), 2, true, false);

	CU_ASSERT_EQUAL(gpc_control_at(word, 0), word);
	CU_ASSERT_EQUAL(gpc_control_at(word, ~0ull), word);
}

static void an_expired_word_is_the_fallback_with_its_audit(void)
{
	uint64_t word = armed_word(9) | GPC_CTL_BANS, expired = gpc_ctl_expired(word);

	CU_ASSERT_EQUAL(gpc_ctl_active(expired), 1);
	CU_ASSERT_EQUAL(gpc_ctl_fallback(expired), 1);
	CU_ASSERT_EQUAL(gpc_ctl_previous(expired), 2);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(expired), 0);
	CU_ASSERT_TRUE(expired & GPC_CTL_AUDIT);
	CU_ASSERT_TRUE(expired & GPC_CTL_BANS);
	CU_ASSERT_FALSE(expired & (GPC_CTL_OFF | GPC_CTL_FALLBACK_AUDIT));
	expired = gpc_ctl_expired(gpc_control_arm(gpc_control_audit(word, true), 1, false, 9));
	CU_ASSERT_FALSE(expired & GPC_CTL_AUDIT);
	/* Nothing ran before: it is off. */
	expired = gpc_ctl_expired(gpc_control_arm(gpc_control_first(3, true, false), 3, false, 9));
	CU_ASSERT_TRUE(expired & GPC_CTL_OFF);
}

static void fallback_and_its_audit_are_named_until_the_end(void)
{
	uint64_t word = gpc_control_arm(gpc_control_first(2, false, false), 5, true, 9);

	CU_ASSERT_TRUE(gpc_control_names(word, 2) && gpc_control_names(word, 5));
	CU_ASSERT_TRUE(gpc_control_names(gpc_ctl_expired(word), 2));
	CU_ASSERT_TRUE(gpc_control_names(gpc_ctl_expired(word), 5));
	CU_ASSERT_TRUE(gpc_control_names(gpc_control_off(word, true), 5));
	CU_ASSERT_FALSE(gpc_control_names(gpc_control_keep(word), 5));
}

static void keep_and_fall_back_leave_no_deadline(void)
{
	uint64_t word = armed_word(LAST_DEADLINE) | GPC_CTL_OFF;
	uint64_t kept = gpc_control_keep(word), fell = gpc_control_fall_back(word, false);

	CU_ASSERT_EQUAL(gpc_ctl_active(kept), 2);
	CU_ASSERT_EQUAL(gpc_ctl_fallback(kept), 2);
	CU_ASSERT_EQUAL(gpc_ctl_previous(kept), 1);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(kept), 0);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(kept), 1);
	CU_ASSERT_FALSE(kept & (GPC_CTL_AUDIT | GPC_CTL_FALLBACK_AUDIT));
	CU_ASSERT_EQUAL(gpc_ctl_active(fell), 1);
	CU_ASSERT_EQUAL(gpc_ctl_deadline(fell), 0);
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(fell), 0);
	CU_ASSERT_TRUE(fell & GPC_CTL_AUDIT);
	CU_ASSERT_TRUE(kept & fell & GPC_CTL_OFF);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(kept), gpc_ctl_sequence(word) + 1);
	CU_ASSERT_EQUAL(gpc_ctl_sequence(fell), gpc_ctl_sequence(word) + 1);
}

/* Who read the armed word and comes second changes nothing, whichever it is. */
static void of_keep_and_fall_back_one_wins(void)
{
	uint64_t armed = armed_word(9);
	uint64_t kept = gpc_control_keep(armed), fell = gpc_control_fall_back(armed, false);
	uint64_t off = gpc_control_off(armed, true);
	uint64_t control[GPC_CTL_ENTRIES] = {armed};

	CU_ASSERT_TRUE(gpc_control_swap(control, armed, kept));
	CU_ASSERT_FALSE(gpc_control_swap(control, armed, fell));
	CU_ASSERT_EQUAL(gpc_control_load(control), kept);
	control[GPC_CTL_WORD] = armed;
	CU_ASSERT_TRUE(gpc_control_swap(control, armed, fell));
	CU_ASSERT_FALSE(gpc_control_swap(control, armed, kept));
	CU_ASSERT_EQUAL(gpc_control_load(control), fell);
	/* An operator's switch between reading and writing hinders both; what they do then keeps it. */
	control[GPC_CTL_WORD] = off;
	CU_ASSERT_FALSE(gpc_control_swap(control, armed, kept));
	CU_ASSERT_FALSE(gpc_control_swap(control, armed, fell));
	CU_ASSERT_EQUAL(gpc_ctl_deadline(off), 9);
	CU_ASSERT_TRUE(gpc_control_keep(off) & gpc_control_fall_back(off, false) & GPC_CTL_OFF);
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
	      {"swap_fails_when_the_word_moved", swap_fails_when_the_word_moved},
	      {"a_deadline_is_never_too_early", a_deadline_is_never_too_early},
	      {"a_deadline_beyond_the_word_is_refused", a_deadline_beyond_the_word_is_refused},
	      {"arming_changes_only_fallback_and_deadline",
	       arming_changes_only_fallback_and_deadline},
	      {"a_word_expires_at_its_deadline_and_not_before",
	       a_word_expires_at_its_deadline_and_not_before},
	      {"a_word_without_a_deadline_never_expires", a_word_without_a_deadline_never_expires},
	      {"an_expired_word_is_the_fallback_with_its_audit",
	       an_expired_word_is_the_fallback_with_its_audit},
	      {"fallback_and_its_audit_are_named_until_the_end",
	       fallback_and_its_audit_are_named_until_the_end},
	      {"keep_and_fall_back_leave_no_deadline", keep_and_fall_back_leave_no_deadline},
	      {"of_keep_and_fall_back_one_wins", of_keep_and_fall_back_one_wins})
