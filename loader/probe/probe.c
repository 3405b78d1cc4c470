/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct gpc_probe *gpc_probes_add(struct gpc_probes *probes)
{
	struct gpc_probe *items =
		reallocarray(probes->items, probes->count + 1, sizeof(*probes->items));

	if (!items)
		abort();
	probes->items = items;
	items[probes->count] = (struct gpc_probe){
		.timeout = GPC_PROBE_TIMEOUT,
		.attempts = GPC_PROBE_ATTEMPTS,
		.interval = GPC_PROBE_INTERVAL,
		.port = GPC_PROBE_PORT,
		.status_first = GPC_PROBE_STATUS_FIRST,
		.status_last = GPC_PROBE_STATUS_LAST,
	};
	return &items[probes->count++];
}

static void release_one(struct gpc_probe *probe)
{
	for (char **word = probe->command; word && *word; word++)
		free(*word);
	free(probe->command);
	free(probe->name);
	free(probe->netns);
	free(probe->interface);
	free(probe->path);
	free(probe->host);
	free(probe->send);
	free(probe->expect);
}

void gpc_probes_release(struct gpc_probes *probes)
{
	for (size_t i = 0; i < probes->count; i++)
		release_one(&probes->items[i]);
	free(probes->items);
	*probes = (struct gpc_probes){0};
}

static void put_peer(FILE *out, const struct gpc_probe *probe)
{
	bool v4 = gpc_ip_is_v4(&probe->address);
	char text[GPC_IP_TEXT];

	fprintf(out, " %s%s%s:%u", v4 ? "" : "[", gpc_ip_format(&probe->address, text),
		v4 ? "" : "]", probe->port);
}

char *gpc_probe_text(const struct gpc_probe *probe)
{
	static const char *const kinds[GPC_PROBE_KINDS] = {
		[GPC_PROBE_TCP] = "tcp",
		[GPC_PROBE_HTTP] = "http",
		[GPC_PROBE_UDP] = "udp",
		[GPC_PROBE_EXEC] = "exec",
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fputs(kinds[probe->kind], out);
	if (probe->kind != GPC_PROBE_EXEC)
		put_peer(out, probe);
	if (probe->kind == GPC_PROBE_HTTP)
		fprintf(out, "%s %u-%u", probe->path, probe->status_first, probe->status_last);
	for (char **word = probe->command; word && *word; word++)
		fprintf(out, " %s", *word);
	if (fclose(out))
		abort();
	return text;
}
