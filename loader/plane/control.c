/* SPDX-License-Identifier: MIT */
#include "control.h"

#include "../clock.h"

#define ARMED (~0ull << GPC_CTL_DEADLINE_SHIFT | GPC_CTL_FALLBACK_AUDIT)
#define SLOTS_AND_DEADLINE                                                                         \
	(GPC_CTL_SLOT_MASK << GPC_CTL_ACTIVE_SHIFT | GPC_CTL_SLOT_MASK << GPC_CTL_FALLBACK_SHIFT | \
	 GPC_CTL_SLOT_MASK << GPC_CTL_PREVIOUS_SHIFT | ARMED)

static uint64_t next_sequence(uint64_t word)
{
	uint64_t sequence = (gpc_ctl_sequence(word) + 1) & GPC_CTL_SEQUENCE_MASK;

	return (word & ~(GPC_CTL_SEQUENCE_MASK << GPC_CTL_SEQUENCE_SHIFT)) |
	       sequence << GPC_CTL_SEQUENCE_SHIFT;
}

static uint64_t disarmed(uint64_t word)
{
	return word & ~ARMED;
}

static uint64_t with_audit(uint64_t word, bool audit)
{
	return audit ? word | GPC_CTL_AUDIT : word & ~GPC_CTL_AUDIT;
}

static uint64_t with_slots(uint64_t word, uint32_t active, uint32_t previous, bool on_fail_drop)
{
	word &= ~(SLOTS_AND_DEADLINE | GPC_CTL_ON_FAIL_MASK << GPC_CTL_ON_FAIL_SHIFT);
	return word | (uint64_t)active << GPC_CTL_ACTIVE_SHIFT |
	       (uint64_t)active << GPC_CTL_FALLBACK_SHIFT |
	       (uint64_t)previous << GPC_CTL_PREVIOUS_SHIFT |
	       (uint64_t)on_fail_drop << GPC_CTL_ON_FAIL_SHIFT;
}

uint64_t gpc_control_flip(uint64_t word, uint32_t slot, bool on_fail_drop, bool audit)
{
	word = with_slots(word, slot, gpc_ctl_active(word), on_fail_drop);
	return next_sequence(with_audit(word, audit));
}

uint64_t gpc_control_first(uint32_t slot, bool on_fail_drop, bool audit)
{
	return next_sequence(with_audit(with_slots(0, slot, slot, on_fail_drop), audit));
}

uint64_t gpc_control_audit(uint64_t word, bool audit)
{
	return next_sequence(with_audit(word, audit));
}

uint64_t gpc_control_follow(uint64_t word, uint64_t other)
{
	return (word & ~GPC_CTL_OPERATOR) | (other & GPC_CTL_OPERATOR);
}

uint64_t gpc_control_restore(uint64_t word, uint64_t old)
{
	word = with_slots(word, gpc_ctl_active(old), gpc_ctl_previous(old), gpc_ctl_on_fail(old));
	return next_sequence(with_audit(word, old & GPC_CTL_AUDIT));
}

uint64_t gpc_control_off(uint64_t word, bool off)
{
	return next_sequence(off ? word | GPC_CTL_OFF : word & ~GPC_CTL_OFF);
}

bool gpc_control_names(uint64_t word, uint32_t slot)
{
	return slot == gpc_ctl_active(word) || slot == gpc_ctl_fallback(word) ||
	       slot == gpc_ctl_previous(word);
}

uint64_t gpc_control_flows_since(void)
{
	return gpc_clock_coarse();
}

/* ---- with a deadline ---- */

bool gpc_control_deadline(uint64_t now, uint64_t after_ms, uint64_t *ret)
{
	uint64_t unit = 1ull << GPC_CTL_DEADLINE_UNIT_SHIFT;
	uint64_t deadline = (now + after_ms * 1000000u + unit - 1) >> GPC_CTL_DEADLINE_UNIT_SHIFT;

	if (deadline > ~0ull >> GPC_CTL_DEADLINE_SHIFT)
		return false;
	*ret = deadline;
	return true;
}

uint64_t gpc_control_arm(uint64_t word, uint32_t fallback, bool fallback_audit, uint64_t deadline)
{
	word = disarmed(word) & ~(GPC_CTL_SLOT_MASK << GPC_CTL_FALLBACK_SHIFT);
	return word | (uint64_t)fallback << GPC_CTL_FALLBACK_SHIFT |
	       (fallback_audit ? GPC_CTL_FALLBACK_AUDIT : 0) | deadline << GPC_CTL_DEADLINE_SHIFT;
}

uint64_t gpc_control_keep(uint64_t word)
{
	word = disarmed(word) & ~(GPC_CTL_SLOT_MASK << GPC_CTL_FALLBACK_SHIFT);
	return next_sequence(word | (uint64_t)gpc_ctl_active(word) << GPC_CTL_FALLBACK_SHIFT);
}

uint64_t gpc_control_fall_back(uint64_t word, bool on_fail_drop)
{
	word = gpc_ctl_expired(word) & ~(GPC_CTL_ON_FAIL_MASK << GPC_CTL_ON_FAIL_SHIFT);
	return next_sequence(word | (uint64_t)on_fail_drop << GPC_CTL_ON_FAIL_SHIFT);
}

int64_t gpc_control_left_ns(uint64_t word, uint64_t now)
{
	return (int64_t)((gpc_ctl_deadline(word) << GPC_CTL_DEADLINE_UNIT_SHIFT) - now);
}

uint64_t gpc_control_at(uint64_t word, uint64_t now)
{
	return gpc_ctl_deadline(word) && gpc_control_left_ns(word, now) <= 0 ? gpc_ctl_expired(word)
									    : word;
}

uint64_t gpc_control_now(uint64_t word)
{
	return gpc_control_at(word, gpc_clock_coarse());
}
