/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "check.h"
#include "../model/table_size.h"
#include "gpc/limits.h"

static uint32_t count_takers(const struct gpc_model *model, const struct gpc_model_backend *backend)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < backend->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint =
			&model->endpoints[backend->first_endpoint + i];

		count += endpoint->state == GPC_STATE_READY && endpoint->weight;
	}
	return count;
}

static void check_given(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_model_backend *backend)
{
	uint32_t size = backend->table_size, takers = count_takers(model, backend);
	uint64_t below, above;
	struct gpc_diag *diag;

	if (!gpc_is_prime(size)) {
		gpc_nearest_primes(size, &below, &above);
		diag = gpc_diag(diags, GPC_E0316, backend->table_size_at,
				"table size %u of backend `%s` is not a prime", size,
				backend->name);
		gpc_diag_hint(diags, diag, "the nearest primes are %" PRIu64 " and %" PRIu64, below,
			      above);
	} else if (size < takers) {
		gpc_diag(diags, GPC_W0319, backend->table_size_at,
			 "table of backend `%s` has %u slots for %u endpoints: some get none",
			 backend->name, size, takers);
	}
}

/* What was not given is the default: large enough, or the last of the list. */
static void check_default(struct gpc_diags *diags, const struct gpc_model_backend *backend)
{
	if ((uint64_t)backend->endpoint_count * GPC_TABLE_PER_ENDPOINT > backend->table_size)
		gpc_diag(diags, GPC_W0318, backend->at,
			 "table of backend `%s` has %u slots for %u endpoints, fewer than %u each",
			 backend->name, backend->table_size, backend->endpoint_count,
			 GPC_TABLE_PER_ENDPOINT);
}

void gpc_check_tables(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *backend = &model->backends[i];

		if (backend->table_size_given)
			check_given(diags, model, backend);
		else
			check_default(diags, backend);
	}
}
