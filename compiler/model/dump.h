/* SPDX-License-Identifier: MIT */
/* dump.h: the parts of gpc_model_dump() (inside model/ only). */
#ifndef GPC_MODEL_DUMP_H
#define GPC_MODEL_DUMP_H

#include "id.h"
#include "model.h"

void gpc_model_dump_builtins(const struct gpc_model *model, FILE *out);
void gpc_model_dump_policies(const struct gpc_model *model, FILE *out);

#endif
