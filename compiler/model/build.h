/* SPDX-License-Identifier: MIT */
/* build.h: the steps of gpc_model_build(), inside model/ only; in the order of their calls. */
#ifndef GPC_MODEL_BUILD_H
#define GPC_MODEL_BUILD_H

#include "model.h"

/* Each adds its errors to diags and fills its part of *model. */
void gpc_model_defaults(const struct gpc_intent *intent, struct gpc_model *model);
void gpc_model_interfaces(struct gpc_diags *diags, const struct gpc_intent *intent,
			  struct gpc_model *model);
void gpc_model_backends(struct gpc_diags *diags, const struct gpc_intent *intent,
			struct gpc_model *model);
void gpc_model_listeners(struct gpc_diags *diags, const struct gpc_intent *intent,
			 struct gpc_model *model);
void gpc_model_identities(struct gpc_diags *diags, const struct gpc_model *model);

#endif
