/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <netinet/in.h>

#include "dump.h"

static const char *const mode_names[] = {
	[GPC_MODE_NATIVE] = "native", [GPC_MODE_GENERIC] = "generic", [GPC_MODE_ANY] = "any"};
static const char *const state_names[] = {
	[GPC_STATE_READY] = "ready", [GPC_STATE_DRAIN] = "drain", [GPC_STATE_MAINT] = "maint"};

static void dump_defaults(const struct gpc_model *model, FILE *out)
{
	fprintf(out, "plane %s malformed %s non-ip %s on-fail %s flows %u flow-inserts %u seed ",
		model->name, model->malformed_drop ? "drop" : "pass",
		model->non_ip_drop ? "drop" : "pass", model->on_fail_drop ? "drop" : "pass",
		model->flows, model->flow_inserts);
	for (size_t i = 0; i < sizeof(model->hash_seed); i++)
		fprintf(out, "%02x", model->hash_seed[i]);
	if (!model->pickup)
		fputs(" pickup never\n", out);
	else if (model->pickup == GPC_NONE)
		fputs(" pickup always\n", out);
	else
		fprintf(out, " pickup %u\n", model->pickup);
}

static void dump_interfaces(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *interface = &model->interfaces[i];

		fprintf(out, "interface %zu %s id %016" PRIx64 " mode %s role %s hooks%s%s%s\n", i,
			interface->name, interface->id, mode_names[interface->mode],
			interface->role == GPC_ROLE_DECAP ? "decap" : "edge",
			interface->hooks & GPC_HOOK_XDP ? " xdp" : "",
			interface->hooks & GPC_HOOK_TC_INGRESS ? " tc-ingress" : "",
			interface->hooks & GPC_HOOK_TC_EGRESS ? " tc-egress" : "");
	}
}

static void dump_endpoint(const struct gpc_model_endpoint *endpoint, size_t index, FILE *out)
{
	char text[GPC_IP_TEXT];

	fprintf(out, "  endpoint %zu %s id %016" PRIx64 " weight %u %s", index, endpoint->name,
		endpoint->id, endpoint->weight, state_names[endpoint->state]);
	if (endpoint->has4)
		fprintf(out, " %s", gpc_ip_format(&endpoint->ip4, text));
	if (endpoint->has6)
		fprintf(out, " %s", gpc_ip_format(&endpoint->ip6, text));
	fputs("\n", out);
}

static void dump_backends(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *backend = &model->backends[i];
		char text[GPC_IP_TEXT];

		fprintf(out, "backend %zu %s id %016" PRIx64 " table-size %u next-hop %s\n", i,
			backend->name, backend->id, backend->table_size,
			backend->next_hop == GPC_NEXT_HOP_AUTO ? "auto"
			: backend->next_hop == GPC_NEXT_HOP_FIB
				? "fib"
				: gpc_ip_format(&backend->next_hop_address.ip, text));
		for (uint32_t k = 0; k < backend->endpoint_count; k++)
			dump_endpoint(&model->endpoints[backend->first_endpoint + k],
				      backend->first_endpoint + k, out);
	}
}

static void dump_listeners(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];
		char text[GPC_IP_TEXT];

		fprintf(out,
			"listener %zu %s id %016" PRIx64
			" %s port %u %s backend %s interfaces %" PRIx64,
			i, listener->name, listener->id,
			listener->protocol == IPPROTO_TCP ? "TCP" : "UDP", listener->port,
			listener->forward == GPC_FORWARD_DSR ? "dsr" : "ipip",
			model->backends[listener->backend].name, listener->interfaces);
		for (size_t k = 0; k < listener->address_count; k++)
			fprintf(out, " %s", gpc_ip_format(&listener->addresses[k].prefix.ip, text));
		fputs("\n", out);
	}
}

void gpc_model_dump(const struct gpc_model *model, FILE *out)
{
	dump_defaults(model, out);
	gpc_model_dump_builtins(model, out);
	dump_interfaces(model, out);
	dump_backends(model, out);
	dump_listeners(model, out);
	gpc_model_dump_policies(model, out);
}
