/* SPDX-License-Identifier: MIT */
/*
 * check.h: what a plane may not mean, although every value and reference in it is right. One family
 * of rules per file; each reads the model and writes diagnostics (E03xx, W03xx).
 */
#ifndef GPC_CHECK_CHECK_H
#define GPC_CHECK_CHECK_H

#include "../model/model.h"

/* All families. False if an error was added. */
bool gpc_check(struct gpc_diags *diags, const struct gpc_model *model);

/*
 * Rules that have expired (an error unless allowed) or will within 30 days. Apart from the rest: this
 * alone depends on the day, and the image never does. `today`: UTC seconds, 0: nothing is judged.
 */
bool gpc_check_expiry(struct gpc_diags *diags, const struct gpc_model *model, uint64_t today,
		      bool allow_expired);

void gpc_check_interfaces(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_backends(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_tables(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_addresses(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_pools(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_listeners(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_rules(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_policies(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_tests(struct gpc_diags *diags, const struct gpc_model *model);

#endif
