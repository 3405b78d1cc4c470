/* SPDX-License-Identifier: MIT */
/*
 * metrics.h: the names under which `gpc stats --prometheus` gives its numbers. They are a promise: a
 * metric may come, none is renamed or means something else later. docs/metrics.md is made from this
 * table.
 */
#ifndef GPC_LOADER_CMD_METRICS_H
#define GPC_LOADER_CMD_METRICS_H

/* When a metric is given. */
enum gpc_metrics_when { GPC_METRICS_ALWAYS, GPC_METRICS_FLOWS, GPC_METRICS_VERBOSE };

/* X(id, name, type, labels, when, help): type as in the format; help without backslash. */
#define GPC_METRICS(X)                                                                             \
	X(BUILD, "gpc_build_info", "gauge", "version", ALWAYS,                                     \
	  "1; the gpc that answered.")                                                             \
	X(PLANE, "gpc_plane_info", "gauge", "plane, decision", ALWAYS,                             \
	  "1; the plane that runs and its decision digest.")                                       \
	X(GENERATION, "gpc_plane_generation", "gauge", "", ALWAYS,                                 \
	  "Generation of the active image.")                                                       \
	X(OFF, "gpc_plane_off", "gauge", "", ALWAYS,                                               \
	  "1 while the plane is switched off and every packet passes.")                            \
	X(AUDIT, "gpc_plane_audit", "gauge", "", ALWAYS,                                           \
	  "1 while all policies only count what they would deny.")                                 \
	X(DEVICE, "gpc_device_bound", "gauge", "device, interface, hook, mode", ALWAYS,            \
	  "1 while the plane's own program runs at the hook, else 0.")                             \
	X(PACKETS, "gpc_packets_total", "counter", "hook, reason", ALWAYS,                         \
	  "Packets by hook and by the reason why they left the program.")                          \
	X(BYTES, "gpc_bytes_total", "counter", "hook, reason", ALWAYS,                             \
	  "Bytes of their frames as they came in.")                                                \
	X(LISTENER_PACKETS, "gpc_listener_packets_total", "counter", "listener", ALWAYS,           \
	  "Packets that a listener forwarded.")                                                    \
	X(LISTENER_BYTES, "gpc_listener_bytes_total", "counter", "listener", ALWAYS,               \
	  "Bytes of their frames as they came in.")                                                \
	X(LISTENER_FLOWS, "gpc_listener_new_flows_total", "counter", "listener", ALWAYS,           \
	  "New flows of a listener.")                                                              \
	X(LISTENER_DROPPED, "gpc_listener_dropped_packets_total", "counter", "listener", ALWAYS,   \
	  "Packets for a listener that were dropped.")                                             \
	X(ENDPOINT_PACKETS, "gpc_endpoint_packets_total", "counter", "backend, endpoint", ALWAYS,  \
	  "Packets sent to an endpoint.")                                                          \
	X(ENDPOINT_BYTES, "gpc_endpoint_bytes_total", "counter", "backend, endpoint", ALWAYS,      \
	  "Bytes of their frames as they came in.")                                                \
	X(ENDPOINT_FLOWS, "gpc_endpoint_new_flows_total", "counter", "backend, endpoint", ALWAYS,  \
	  "New flows that an endpoint got.")                                                       \
	X(ENDPOINT_DROPPED, "gpc_endpoint_dropped_packets_total", "counter", "backend, endpoint",  \
	  ALWAYS, "Packets for an endpoint that were dropped.")                                    \
	X(ENDPOINT_WEIGHT, "gpc_endpoint_weight", "gauge", "backend, endpoint", ALWAYS,            \
	  "Weight of an endpoint by the intent.")                                                  \
	X(ENDPOINT_STATE, "gpc_endpoint_state", "gauge", "backend, endpoint, state", ALWAYS,       \
	  "1; the state of an endpoint by the intent.")                                            \
	X(ENDPOINT_NEW, "gpc_endpoint_takes_new_flows", "gauge", "backend, endpoint", ALWAYS,      \
	  "1 if an endpoint takes new flows: by intent, overrides and what is observed.")          \
	X(ENDPOINT_SHARE, "gpc_endpoint_configured_share_ratio", "gauge", "backend, endpoint",     \
	  ALWAYS, "Share of its backend's new flows that the Maglev table gives an endpoint.")     \
	X(LIMIT_LET, "gpc_limit_let_total", "counter", "limit", ALWAYS,                            \
	  "Events and answers that a limit let through.")                                          \
	X(LIMIT_KEPT, "gpc_limit_kept_total", "counter", "limit", ALWAYS,                          \
	  "Events and answers that a limit kept back.")                                            \
	X(LIMIT_LOST, "gpc_limit_lost_total", "counter", "limit", ALWAYS,                          \
	  "Events that were lost because the ring was full.")                                      \
	X(FLOWS, "gpc_active_flows", "gauge", "family, state", FLOWS,                              \
	  "Flows that are not over, by state.")                                                    \
	X(FLOW_ENTRIES, "gpc_flow_table_entries", "gauge", "family", FLOWS,                        \
	  "Entries in the flow table, also of flows that are over.")                               \
	X(FLOW_CAPACITY, "gpc_flow_table_capacity", "gauge", "family", FLOWS,                      \
	  "Entries that the flow table can have.")                                                 \
	X(FLOW_COMPLETE, "gpc_flow_table_complete", "gauge", "family", FLOWS,                      \
	  "1 if the whole table was counted in the time given, else the numbers are the least.")   \
	X(ENDPOINT_ACTIVE, "gpc_endpoint_active_flows", "gauge", "backend, endpoint", FLOWS,       \
	  "Flows of an endpoint that are not over.")                                               \
	X(RULE_PACKETS, "gpc_rule_packets_total", "counter", "policy, rule", VERBOSE,              \
	  "Packets that a rule decided.")                                                          \
	X(RULE_BYTES, "gpc_rule_bytes_total", "counter", "policy, rule", VERBOSE,                  \
	  "Bytes of their frames.")                                                                \
	X(RULE_WOULD_DENY, "gpc_rule_would_deny_packets_total", "counter", "policy, rule",         \
	  VERBOSE, "Packets that a rule would have denied, had its policy not been in audit.")     \
	X(RULE_EXCEEDED, "gpc_rule_exceeded_packets_total", "counter", "policy, rule", VERBOSE,    \
	  "Packets beyond a rule's rate.")                                                         \
	X(RULE_LOG_LOST, "gpc_rule_log_lost_total", "counter", "policy, rule", VERBOSE,            \
	  "Log events of a rule that its rate or a full ring kept back.")

enum gpc_metric {
#define X(id, name, type, labels, when, help) GPC_METRIC_##id,
	GPC_METRICS(X)
#undef X
	GPC_METRIC_COUNT
};

struct gpc_metric_fact {
	const char *name, *type, *labels;
	enum gpc_metrics_when when;
	const char *help;
};
extern const struct gpc_metric_fact gpc_metrics[GPC_METRIC_COUNT];

#endif
