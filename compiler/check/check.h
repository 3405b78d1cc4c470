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

void gpc_check_interfaces(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_backends(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_tables(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_addresses(struct gpc_diags *diags, const struct gpc_model *model);
void gpc_check_listeners(struct gpc_diags *diags, const struct gpc_model *model);

#endif
