/* SPDX-License-Identifier: MIT */
#include "loader/interrupt.h"

#include <signal.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum gpc_exit code_after(int signal_number)
{
	struct gpc_failure failure;

	gpc_interrupts_hold();
	CU_ASSERT_FALSE(gpc_interrupted());
	CU_ASSERT_EQUAL(gpc_interrupt_check(&failure), 0);
	raise(signal_number);
	CU_ASSERT(gpc_interrupted());
	CU_ASSERT_EQUAL(gpc_interrupt_check(&failure), -1);
	CU_ASSERT_STRING_EQUAL(failure.message, "nothing was changed");
	CU_ASSERT_EQUAL(failure.code, gpc_interrupt_code());
	return failure.code;
}

static void what_ends_a_program_is_noted(void)
{
	CU_ASSERT_EQUAL(code_after(SIGINT), GPC_EXIT_INTERRUPTED);
	CU_ASSERT_EQUAL(code_after(SIGQUIT), GPC_EXIT_INTERRUPTED);
	CU_ASSERT_EQUAL(code_after(SIGTERM), GPC_EXIT_TERMINATED);
	CU_ASSERT_EQUAL(code_after(SIGHUP), GPC_EXIT_TERMINATED);
}

static void nohup_is_heeded(void)
{
	signal(SIGHUP, SIG_IGN);
	gpc_interrupts_hold();
	raise(SIGHUP);
	CU_ASSERT_FALSE(gpc_interrupted());
	signal(SIGHUP, SIG_DFL);
}

GPC_UNIT_MAIN("interrupt", {"what_ends_a_program_is_noted", what_ends_a_program_is_noted},
	      {"nohup_is_heeded", nohup_is_heeded})
