/* SPDX-License-Identifier: MIT */
#include "check.h"

bool gpc_check(struct gpc_diags *diags, const struct gpc_model *model)
{
	size_t errors = diags->errors;

	gpc_check_interfaces(diags, model);
	gpc_check_backends(diags, model);
	gpc_check_tables(diags, model);
	gpc_check_addresses(diags, model);
	gpc_check_listeners(diags, model);
	gpc_check_pools(diags, model);
	gpc_check_rules(diags, model);
	gpc_check_policies(diags, model);
	gpc_check_tests(diags, model);
	return diags->errors == errors;
}
