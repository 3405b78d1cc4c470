/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <inttypes.h>
#include <string.h>

#include "../base/ip.h"
#include "../base/json_text.h"

void gpc_emit_begin(const struct gpc_emitter *emitter, const char *kind)
{
	fprintf(emitter->out, emitter->json ? "{\"type\":\"%s\"" : "%s", kind);
}

void gpc_emit_end(const struct gpc_emitter *emitter)
{
	fputs(emitter->json ? "}\n" : "\n", emitter->out);
}

static void put_key(const struct gpc_emitter *emitter, const char *key)
{
	fprintf(emitter->out, emitter->json ? ",\"%s\":" : " %s ", key);
}

void gpc_emit_string(const struct gpc_emitter *emitter, const char *key, const char *value)
{
	put_key(emitter, key);
	if (emitter->json)
		gpc_json_put(emitter->out, value);
	else
		fputs(value, emitter->out);
}

void gpc_emit_number(const struct gpc_emitter *emitter, const char *key, uint64_t value)
{
	put_key(emitter, key);
	fprintf(emitter->out, "%" PRIu64, value);
}

void gpc_emit_share(const struct gpc_emitter *emitter, const char *key, double value)
{
	put_key(emitter, key);
	fprintf(emitter->out, emitter->json ? "%.4f" : "%.2f%%",
		emitter->json ? value : 100 * value);
}

void gpc_emit_hex(const struct gpc_emitter *emitter, const char *key, uint64_t value)
{
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, value);
	gpc_emit_string(emitter, key, text);
}

void gpc_emit_address(const struct gpc_emitter *emitter, const char *key, const void *bytes)
{
	char text[GPC_IP_TEXT];
	struct gpc_ip ip;

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	gpc_emit_string(emitter, key, gpc_ip_format(&ip, text));
}
