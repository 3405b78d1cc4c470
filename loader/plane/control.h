/* SPDX-License-Identifier: MIT */
/*
 * control.h: the control word: how the next one follows from the present one, and the 8-byte
 * compare-and-swap by which it is written.
 */
#ifndef GPC_LOADER_PLANE_CONTROL_H
#define GPC_LOADER_PLANE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "gpc/abi.h"

/*
 * `slot` becomes active, what was active becomes previous. Off and bans stay as they are; no deadline,
 * so the fallback names what the active field names.
 */
uint64_t gpc_control_flip(uint64_t word, uint32_t slot, bool on_fail_drop, bool audit);
/* The first word of a plane: `slot` active, previous and fallback. */
uint64_t gpc_control_first(uint32_t slot, bool on_fail_drop, bool audit);
/* The same slots, another audit flag. */
uint64_t gpc_control_audit(uint64_t word, bool audit);
/* The bits that an operator sets; every other one is an apply's. */
#define GPC_CTL_OPERATOR (GPC_CTL_OFF | GPC_CTL_BANS)
/* The word with the operator's bits of `other`. */
uint64_t gpc_control_follow(uint64_t word, uint64_t other);
/* The slots, on-fail and audit of `old` come back; off and bans stay as they are now. */
uint64_t gpc_control_restore(uint64_t word, uint64_t old);
uint64_t gpc_control_off(uint64_t word, bool off);

/*
 * ---- with a deadline: an apply that waits for its confirmation ----
 *
 *   armed -> kept            by gpc confirm, before the deadline
 *         -> fallen back     by gpc abort; or past the deadline, where the programs decide by the
 *                            fallback already and the store only says so
 *
 * Each is one compare-and-swap from the armed word, so of two that race one wins.
 */

/* In units of the word, `after_ms` from `now` and never sooner; false: too far for the word. */
bool gpc_control_deadline(uint64_t now, uint64_t after_ms, uint64_t *ret);
/* To a word that was flipped. A fallback that is the active slot: nothing ran before. */
uint64_t gpc_control_arm(uint64_t word, uint32_t fallback, bool fallback_audit, uint64_t deadline);
uint64_t gpc_control_keep(uint64_t word);
/* on_fail_drop: of the fallback. */
uint64_t gpc_control_fall_back(uint64_t word, bool on_fail_drop);
/* What the word means at `now` (coarse ktime): itself, or once its deadline is over gpc_ctl_expired(). */
uint64_t gpc_control_at(uint64_t word, uint64_t now);
uint64_t gpc_control_now(uint64_t word);
/* Of a word with a deadline; 0 or less: it is over. */
int64_t gpc_control_left_ns(uint64_t word, uint64_t now);

/*
 * GPC_CTL_FLOWS_SINCE of tables that do not know what lives now. By the programs' coarse clock: to them
 * it is never in the future.
 */
uint64_t gpc_control_flows_since(void);

/* Does the word name the slot (rule R)? */
bool gpc_control_names(uint64_t word, uint32_t slot);

static inline uint64_t gpc_control_load(const volatile uint64_t *control)
{
	return __atomic_load_n(&control[GPC_CTL_WORD], __ATOMIC_ACQUIRE);
}

/* False: somebody else changed it meanwhile. */
static inline bool gpc_control_swap(volatile uint64_t *control, uint64_t old, uint64_t new)
{
	return __atomic_compare_exchange_n(&control[GPC_CTL_WORD], &old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

#endif
