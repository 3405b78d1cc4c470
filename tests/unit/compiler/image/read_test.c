/* SPDX-License-Identifier: MIT */
#include "../fixture.h"
#include "../../unit.h"

static void a_written_image_opens(void)
{
	struct fixture f;
	struct gpc_image_bytes bytes = {0};
	struct gpc_image image;

	fixture_small_plane(&f);
	CU_ASSERT_FATAL(fixture_compile(&f, &bytes));
	CU_ASSERT_FATAL(gpc_image_open(&f.diags, "a.gpi", bytes.bytes, bytes.size, false, &image));
	gpc_image_release(&image);
	fixture_release(&f);
}

GPC_UNIT_MAIN("image/read", {"a_written_image_opens", a_written_image_opens})
