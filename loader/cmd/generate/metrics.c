/* SPDX-License-Identifier: MIT */
/* metrics: writes docs/metrics.md from the table of metrics. */
#include "loader/cmd/metrics.h"

#include <stdio.h>

static const char head[] =
	"<!-- Generated from the table of metrics by `make generate`. -->\n"
	"# Metrics\n\n"
	"`gpc stats --prometheus` writes one page in the text exposition format 0.0.4. The names "
	"are a\n"
	"promise: metrics may come, none is renamed or means something else later. Labels are "
	"names as\n"
	"they stand in the plane, so a renamed object is another series.\n\n"
	"gpc has no server of its own. With the textfile collector of the node exporter, every 15 "
	"s:\n\n"
	"```sh\n"
	"gpc stats --prometheus >/var/lib/node_exporter/gpc.prom.tmp &&\n"
	"\tmv /var/lib/node_exporter/gpc.prom.tmp /var/lib/node_exporter/gpc.prom\n"
	"```\n\n"
	"It exits with 1 and writes nothing when no plane runs.\n\n"
	"## What a reading is\n\n"
	"- **Order.** The control word, then the image that it names, then devices, then the "
	"counters:\n"
	"  reasons by hook first, listeners, endpoints and backends after them; then the control "
	"word\n"
	"  again. When that has changed, an apply came in between, and all is read anew. Packets "
	"go on\n"
	"  being counted meanwhile: an endpoint may already have a packet that its reason has not "
	"yet.\n"
	"  Packets and bytes of one counter may differ by the packets of some microseconds, too.\n"
	"- **Counters never start again** by an apply, a rollback, `off`, a larger size class or "
	"newer\n"
	"  programs: they belong to the object's name. They begin at 0 when the plane is made\n"
	"  (first apply, `detach`, reboot); an object that was taken out and comes back may begin "
	"at 0,\n"
	"  too. When the maps themselves must grow they are copied: packets between the copy and "
	"the\n"
	"  switch to the new programs, some milliseconds, are forwarded but not counted.\n"
	"- **Reasons.** A packet is counted once by each program that sees it, so "
	"`gpc_packets_total` is\n"
	"  to be summed within one `hook` only. `gpc stats -v` prints what each reason means.\n"
	"- **Sums.** There is none by backend, because it would fall when an endpoint goes:\n"
	"  `sum by (backend) (rate(gpc_endpoint_packets_total[1m]))`. The observed share of new "
	"flows,\n"
	"  beside `gpc_endpoint_configured_share_ratio`:\n"
	"  `rate(gpc_endpoint_new_flows_total[5m]) / on (backend) group_left sum by (backend)\n"
	"  (rate(gpc_endpoint_new_flows_total[5m]))`.\n"
	"- **New flows** are packets whose endpoint the table chose and that entered the flow "
	"table; where\n"
	"  no entry could be made (`flow-inserts`), SYNs and all UDP.\n"
	"- **Active flows** are asked for (`--flows`), because the flow tables are walked over "
	"entry by\n"
	"  entry, for at most two seconds. A flow is active until its timeout is over; entries "
	"stay in\n"
	"  the table until the kernel needs their room, so a full table is no fault.\n"
	"- **Rules** are given with `-v` only: there may be 100,000 of them.\n\n"
	"## Names\n\n"
	"| metric | type | labels | given | meaning |\n|---|---|---|---|---|\n";

static const char *const when[] = {
	[GPC_METRICS_ALWAYS] = "always",
	[GPC_METRICS_FLOWS] = "`--flows`",
	[GPC_METRICS_VERBOSE] = "`-v`",
};

int main(void)
{
	fputs(head, stdout);
	for (int i = 0; i < GPC_METRIC_COUNT; i++) {
		const struct gpc_metric_fact *fact = &gpc_metrics[i];

		printf("| `%s` | %s | %s | %s | %s |\n", fact->name, fact->type, fact->labels,
		       when[fact->when], fact->help);
	}
	return fflush(stdout) || ferror(stdout);
}
