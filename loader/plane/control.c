/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <time.h>

#define SLOTS_AND_DEADLINE                                                                         \
	(GPC_CTL_SLOT_MASK << GPC_CTL_ACTIVE_SHIFT | GPC_CTL_SLOT_MASK << GPC_CTL_FALLBACK_SHIFT | \
	 GPC_CTL_SLOT_MASK << GPC_CTL_PREVIOUS_SHIFT | ~0ull << GPC_CTL_DEADLINE_SHIFT)

static uint64_t next_sequence(uint64_t word)
{
	uint64_t sequence = (gpc_ctl_sequence(word) + 1) & GPC_CTL_SEQUENCE_MASK;

	return (word & ~(GPC_CTL_SEQUENCE_MASK << GPC_CTL_SEQUENCE_SHIFT)) |
	       sequence << GPC_CTL_SEQUENCE_SHIFT;
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
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
