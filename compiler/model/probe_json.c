/* SPDX-License-Identifier: MIT */
#include "../base/json_text.h"
#include "model.h"

static void put_text(const char *key, const char *text, FILE *out)
{
	fprintf(out, ",\"%s\":", key);
	if (text)
		gpc_json_put(out, text);
	else
		fputs("null", out);
}

static void put_bytes(const char *key, const struct gpc_bytes_value *bytes, FILE *out)
{
	fprintf(out, ",\"%s\":%s", key, bytes->bytes ? "\"" : "null");
	for (size_t i = 0; i < bytes->size; i++)
		fprintf(out, "%02x", bytes->bytes[i]);
	fputs(bytes->bytes ? "\"" : "", out);
}

static void put_peer(const char *kind, const struct gpc_model_probe *probe, FILE *out)
{
	char text[GPC_IP_TEXT];

	fprintf(out, ",\"%s\":{\"address\":\"%s\",\"port\":%u", kind,
		gpc_ip_format(&probe->address.ip, text), probe->port);
}

static void put_command(const struct gpc_model_probe *probe, FILE *out)
{
	fputs(",\"exec\":[", out);
	for (size_t i = 0; i < probe->command_count; i++) {
		fputs(i ? "," : "", out);
		gpc_json_put(out, probe->command[i].text);
	}
	fputs("]", out);
}

static void put_question(const struct gpc_model_probe *probe, FILE *out)
{
	switch (probe->kind) {
	case GPC_PROBE_TCP:
		put_peer("tcp", probe, out);
		fputs("}", out);
		break;
	case GPC_PROBE_HTTP:
		put_peer("http", probe, out);
		put_text("path", probe->path, out);
		put_text("host", probe->host, out);
		fprintf(out, ",\"status\":[%u,%u]}", probe->status_first, probe->status_last);
		break;
	case GPC_PROBE_UDP:
		put_peer("udp", probe, out);
		put_bytes("send", &probe->send, out);
		put_bytes("expect", &probe->expect, out);
		fputs("}", out);
		break;
	default:
		put_command(probe, out);
	}
}

void gpc_model_probe_json(const struct gpc_model_probe *probe, FILE *out)
{
	fputs("{\"name\":", out);
	gpc_json_put(out, probe->name);
	fprintf(out, ",\"timeout\":%u,\"attempts\":%u,\"interval\":%u", probe->timeout,
		probe->attempts, probe->interval);
	put_text("netns", probe->netns, out);
	put_text("interface", probe->interface, out);
	put_question(probe, out);
	fputs("}", out);
}
