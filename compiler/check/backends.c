/* SPDX-License-Identifier: MIT */
#include "check.h"

static bool takes_flows(const struct gpc_model *model, const struct gpc_model_backend *backend)
{
	for (uint32_t i = 0; i < backend->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint =
			&model->endpoints[backend->first_endpoint + i];

		if (endpoint->state == GPC_STATE_READY && endpoint->weight)
			return true;
	}
	return false;
}

void gpc_check_backends(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *backend = &model->backends[i];

		if (!backend->used)
			gpc_diag(diags, GPC_W0308, backend->at,
				 "backend `%s` is not used by any listener", backend->name);
		if (!takes_flows(model, backend))
			gpc_diag(diags, GPC_W0307, backend->at,
				 "backend `%s` takes no new flows: no endpoint is `ready` with a "
				 "weight above 0",
				 backend->name);
		if (backend->has_health)
			gpc_diag(diags, GPC_W0309, backend->health_at,
				 "`health` of backend `%s` is not observed: every endpoint counts "
				 "as up",
				 backend->name);
	}
}
