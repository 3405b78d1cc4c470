/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "../base/words.h"
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
	fprintf(out, "fragments %s timeouts", gpc_fragments_name(model->fragments));
	for (unsigned int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		fprintf(out, " %s %u", gpc_timeout_name(i), model->timeout[i]);
	fputs("\n", out);
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
	if (endpoint->port)
		fprintf(out, " port %u", endpoint->port);
	if (endpoint->quic_id->length)
		fputs(" quic-id ", out);
	for (uint8_t i = 0; i < endpoint->quic_id->length; i++)
		fprintf(out, "%02x", endpoint->quic_id->bytes[i]);
	fputs("\n", out);
}

static void dump_backends(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *backend = &model->backends[i];
		char text[GPC_IP_TEXT];

		fprintf(out, "backend %zu %s id %016" PRIx64 " table-size %u next-hop %s", i,
			backend->name, backend->id, backend->table_size,
			backend->next_hop == GPC_NEXT_HOP_AUTO ? "auto"
			: backend->next_hop == GPC_NEXT_HOP_FIB
				? "fib"
				: gpc_ip_format(&backend->next_hop_address.ip, text));
		if (backend->failover != GPC_NONE)
			fprintf(out, " failover %s", model->backends[backend->failover].name);
		if (backend->min_healthy)
			fprintf(out, " min-healthy %u.%02u%%", backend->min_healthy / 100,
				backend->min_healthy % 100);
		fputs("\n", out);
		for (uint32_t k = 0; k < backend->endpoint_count; k++)
			dump_endpoint(&model->endpoints[backend->first_endpoint + k],
				      backend->first_endpoint + k, out);
	}
}

static void dump_shares(const struct gpc_model *model, const struct gpc_model_listener *listener,
			FILE *out)
{
	for (size_t i = 0; i < listener->share_count; i++) {
		const char *name = model->backends[listener->shares[i].backend].name;

		if (listener->share_count > 1)
			fprintf(out, " %s %s weight %u", i ? "and" : "split", name,
				listener->shares[i].weight);
		else
			fprintf(out, " backend %s", name);
	}
}

/* What is not as it is by default. */
static void dump_choice(const struct gpc_model_listener *listener, FILE *out)
{
	if (listener->hash != GPC_HASH_5_TUPLE)
		fprintf(out, " hash %s", gpc_hash_name(listener->hash));
	if (listener->affinity == GPC_AFFINITY_SOURCE_IP)
		fprintf(out, " affinity source-ip %us", listener->affinity_timeout);
	if (listener->affinity == GPC_AFFINITY_QUIC_CID)
		fputs(" affinity quic-cid", out);
	if (listener->forward == GPC_FORWARD_GUE)
		fprintf(out, " gue-port %u", listener->gue_port);
	if (listener->outer_dscp != GPC_DSCP_COPY)
		fprintf(out, " outer-dscp %u", listener->outer_dscp);
	if (listener->ping != GPC_PING_REPLY)
		fprintf(out, " ping %s", gpc_ping_name(listener->ping));
	fprintf(out, "%s%s%s%s", listener->stable ? " stable" : "", listener->snat ? " snat" : "",
		listener->mss_clamp ? " mss-clamp" : "",
		listener->syn_cookies ? " syn-cookies" : "");
	if (listener->rate.limited)
		fprintf(out, " rate per %s cost %" PRIu64 " burst %" PRIu64 " buckets %u",
			listener->rate.per_source ? "source-ip" : "listener", listener->rate.cost,
			listener->rate.burst, listener->rate.entries);
}

static void dump_listeners(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];
		char ports[GPC_PORTS_TEXT], text[GPC_PREFIX_TEXT];

		fprintf(out, "listener %zu %s id %016" PRIx64 " %s port %s %s", i, listener->name,
			listener->id, gpc_transport_name(listener->protocol),
			gpc_ports_format(listener->port, listener->port_last, ports),
			gpc_forward_name(listener->forward));
		dump_shares(model, listener, out);
		fprintf(out, " interfaces %" PRIx64, listener->interfaces);
		dump_choice(listener, out);
		for (size_t k = 0; k < listener->address_count; k++)
			fprintf(out, " %s", gpc_address_format(&listener->addresses[k].prefix, text));
		fputs("\n", out);
	}
}

static void dump_probes(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->probe_count; i++) {
		fputs("probe ", out);
		gpc_model_probe_json(&model->probes[i], out);
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
	dump_probes(model, out);
}
