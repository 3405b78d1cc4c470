/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "build.h"

static uint32_t value_or(const struct gpc_uint_value *value, uint32_t fallback)
{
	return value->set ? (uint32_t)value->value : fallback;
}

static int by_name(const void *a, const void *b)
{
	const struct gpc_model_probe *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct gpc_model_probe build_probe(const struct gpc_probe_intent *from)
{
	return (struct gpc_model_probe){
		.name = from->name.text,
		.kind = from->kind,
		.timeout = value_or(&from->timeout, GPC_PROBE_TIMEOUT),
		.attempts = value_or(&from->attempts, GPC_PROBE_ATTEMPTS),
		.interval = value_or(&from->interval, GPC_PROBE_INTERVAL),
		.netns = from->netns.text,
		.interface = from->interface.text,
		.address = from->address.prefix,
		.port = (uint16_t)value_or(&from->port, GPC_PROBE_PORT),
		.status_first = from->status.set ? from->status.first : GPC_PROBE_STATUS_FIRST,
		.status_last = from->status.set ? from->status.last : GPC_PROBE_STATUS_LAST,
		.path = from->path.text ? from->path.text : "/",
		.host = from->host.text,
		.send = from->send,
		.expect = from->expect,
		.command = from->command.items,
		.command_count = from->command.n,
		.at = from->at,
	};
}

void gpc_model_probes(struct gpc_diags *diags, const struct gpc_intent *intent,
		      struct gpc_model *model)
{
	size_t count = intent->probes.n;

	if (count > GPC_MAX_PROBES)
		gpc_diag(diags, GPC_E0496, intent->probes.items[GPC_MAX_PROBES].at,
			 "%zu probes, the most is %u", count, GPC_MAX_PROBES);
	model->probes = GPC_NEW_ARRAY(diags->arena, struct gpc_model_probe, count);
	model->probe_count = count;
	for (size_t i = 0; i < count; i++)
		model->probes[i] = build_probe(&intent->probes.items[i]);
	if (count)
		qsort(model->probes, count, sizeof(*model->probes), by_name);
}
