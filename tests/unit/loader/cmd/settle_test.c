/* SPDX-License-Identifier: MIT */
/* An apply that waits for its confirmation: what becomes of it, and what is written down. */
#include "loader/cmd/settle.h"

#include "tests/unit/loader/cmd/standin.h"

#define ONE PLANE("{name: a, address: 10.0.0.1}")
#define TWO PLANE(TWO_ENDPOINTS)

/* ---- what --confirm waits for ---- */

static void what_runs_unrecorded_cannot_be_armed(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	drop_image(&plane.image);
	plane.image = image_of_text(TWO);
	plane.generation = 2;
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT(said(err, "gpc restore"));
	CU_ASSERT_EQUAL(plane.applies, 1);
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	end();
	begin();
	plane.image = image_of_text(TWO);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT(said(err, "without --confirm"));
	end();
}

static void what_runs_recorded_needs_no_confirmation(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_FALSE(said(out, "\"confirm\""));
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", ONE), 0);
	CU_ASSERT(said(err, "nothing waits for a confirmation"));
	CU_ASSERT(said(out, "\"pending\":false,\"confirm\":\"not needed\""));
	CU_ASSERT_FALSE(plane.armed);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), 0);
	CU_ASSERT(said(out, "\"pending\":true,\"devices\""));
	CU_ASSERT(plane.armed);
	end();
}

GPC_UNIT_MAIN("cmd/settle",
	      {"what_runs_unrecorded_cannot_be_armed", what_runs_unrecorded_cannot_be_armed},
	      {"what_runs_recorded_needs_no_confirmation",
	       what_runs_recorded_needs_no_confirmation})
