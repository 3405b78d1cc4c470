/* SPDX-License-Identifier: MIT */
/* What differs between two images. */
#include "analyze/changes.h"

#include "fixture.h"

static struct gpc_changes compare(const char *before, const char *after)
{
	struct gpc_image a, b = image_of_text(after);
	struct gpc_changes changes;

	if (!before) {
		gpc_changes_compare(NULL, &b, &changes);
	} else {
		a = image_of_text(before);
		gpc_changes_compare(&a, &b, &changes);
		gpc_image_release(&a);
	}
	gpc_image_release(&b);
	return changes;
}

/* The only change is `text` of `name`. */
static void check_single(const char *before, const char *after, enum gpc_change_object object,
			 const char *name, const char *text)
{
	struct gpc_changes changes = compare(before, after);

	CU_ASSERT_EQUAL_FATAL(changes.count, 1);
	CU_ASSERT_EQUAL(changes.items[0].object, object);
	CU_ASSERT_EQUAL(changes.items[0].kind, GPC_CHANGE_CHANGED);
	CU_ASSERT_STRING_EQUAL(changes.items[0].name, name);
	CU_ASSERT_STRING_EQUAL(changes.items[0].text, text);
	CU_ASSERT_EQUAL(changes.counts[object][GPC_CHANGE_CHANGED], 1);
	gpc_changes_release(&changes);
}

static void the_first_image_adds_everything(void)
{
	static const char *const names[] = {"wan0", "web", "web/a", "web/b", "http"};
	struct gpc_changes changes = compare(NULL, PLANE(TWO_ENDPOINTS));

	CU_ASSERT_EQUAL_FATAL(changes.count, 5);
	for (size_t i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(changes.items[i].kind, GPC_CHANGE_ADDED);
		CU_ASSERT_STRING_EQUAL(changes.items[i].name, names[i]);
		CU_ASSERT_STRING_EQUAL(changes.items[i].text, "");
	}
	CU_ASSERT_EQUAL(changes.slots, 0);
	gpc_changes_release(&changes);
}

static void equal_images_and_another_order_differ_in_nothing(void)
{
	struct gpc_changes changes =
		compare(PLANE(TWO_ENDPOINTS),
			PLANE("{name: b, address: 10.0.0.2}, {name: a, address: 10.0.0.1}"));

	CU_ASSERT_EQUAL(changes.count, 0);
	CU_ASSERT_EQUAL(changes.slots_moved, 0);
	CU_ASSERT(changes.slots > 0);
	gpc_changes_release(&changes);
}

static void an_endpoint_is_its_name(void)
{
	struct gpc_changes changes = compare(PLANE("{name: a, address: 10.0.0.1}"),
					     PLANE("{name: b, address: 10.0.0.1}"));

	CU_ASSERT_EQUAL_FATAL(changes.count, 2);
	CU_ASSERT_EQUAL(changes.counts[GPC_CHANGE_ENDPOINT][GPC_CHANGE_ADDED], 1);
	CU_ASSERT_EQUAL(changes.counts[GPC_CHANGE_ENDPOINT][GPC_CHANGE_REMOVED], 1);
	CU_ASSERT_EQUAL(changes.slots_moved, changes.slots);
	gpc_changes_release(&changes);
	check_single(PLANE("{name: a, address: 10.0.0.1}"), PLANE("{name: a, address: 10.0.0.7}"),
		     GPC_CHANGE_ENDPOINT, "web/a", "address 10.0.0.1 -> 10.0.0.7");
	check_single(PLANE("{name: a, address: 10.0.0.1}"),
		     PLANE("{name: a, address: [10.0.0.1, \"2001:db8::1\"]}"), GPC_CHANGE_ENDPOINT,
		     "web/a", "address none -> 2001:db8::1");
}

static void weight_and_state_are_told_together(void)
{
	check_single(PLANE("{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}"),
		     PLANE("{name: a, address: 10.0.0.1, weight: 7, state: maint}, "
			   "{name: b, address: 10.0.0.2}"),
		     GPC_CHANGE_ENDPOINT, "web/a", "weight 1 -> 7, state ready -> maint");
}

#define LISTENER(rest)                                                                             \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"                                \
	"interfaces:\n  - {name: lan0, hooks: [xdp]}\n  - {name: wan0, hooks: [xdp]}\n"            \
	"backends:\n  - {name: web, endpoints: [{name: a, address: 10.0.0.1}]}\n"                  \
	"  - {name: app, endpoints: [{name: a, address: 10.0.0.2}]}\n"                             \
	"listeners:\n  - {name: keep, address: 192.0.2.99, protocol: TCP, port: 1, backend: "      \
	"app}\n"                                                                                   \
	"  - {name: keep2, address: 192.0.2.98, protocol: TCP, port: 1, backend: web}\n"           \
	"  - {name: http, " rest "}\n"
#define HTTP "address: 192.0.2.10, protocol: TCP, port: 80, forward: dsr, backend: web"

static void a_listener_tells_each_of_its_keys(void)
{
	check_single(
		LISTENER(HTTP),
		LISTENER(
			"address: 192.0.2.10, protocol: TCP, port: 80, forward: dsr, backend: app"),
		GPC_CHANGE_LISTENER, "http", "backend web -> app");
	check_single(LISTENER(HTTP),
		     LISTENER("address: 192.0.2.10, protocol: TCP, port: 80, forward: ipip, "
			      "backend: web"),
		     GPC_CHANGE_LISTENER, "http", "forward dsr -> ipip");
	check_single(
		LISTENER(HTTP),
		LISTENER(
			"address: 192.0.2.10, protocol: TCP, port: 81, forward: dsr, backend: web"),
		GPC_CHANGE_LISTENER, "http", "port 80 -> 81");
	check_single(
		LISTENER(HTTP),
		LISTENER(
			"address: 192.0.2.11, protocol: TCP, port: 80, forward: dsr, backend: web"),
		GPC_CHANGE_LISTENER, "http", "address [192.0.2.10] -> [192.0.2.11]");
	check_single(LISTENER(HTTP), LISTENER(HTTP ", interfaces: [wan0]"), GPC_CHANGE_LISTENER,
		     "http", "interfaces [lan0, wan0] -> [wan0]");
}

#define AT "address: 192.0.2.10, protocol: TCP, port: 80, "
#define UDP_AT "address: 192.0.2.10, protocol: UDP, port: 80, backend: web, "

static void a_listener_tells_how_it_balances(void)
{
	check_single(LISTENER(AT "backend: web"), LISTENER(AT "forward: pass"), GPC_CHANGE_LISTENER,
		     "http", "backend web -> none, forward ipip -> pass");
	check_single(
		LISTENER(AT "backend: web"),
		LISTENER(AT "split: [{backend: web, weight: 9}, {backend: app, weight: 1}]"),
		GPC_CHANGE_LISTENER, "http", "split [web] -> [app 1, web 9]");
	check_single(
		LISTENER(AT "split: [{backend: web, weight: 9}, {backend: app, weight: 1}]"),
		LISTENER(AT "split: [{backend: web, weight: 8}, {backend: app, weight: 2}]"),
		GPC_CHANGE_LISTENER, "http", "split [app 1, web 9] -> [app 2, web 8]");
	check_single(LISTENER(AT "backend: web"),
		     LISTENER(AT "backend: web, affinity: source-ip, ping: drop"),
		     GPC_CHANGE_LISTENER, "http",
		     "hash 5-tuple -> source-ip, affinity none -> source-ip, ping reply -> drop");
	check_single(LISTENER(UDP_AT "forward: gue"),
		     LISTENER(UDP_AT "forward: gue, gue-port: 6081, outer-dscp: 46, stable: true"),
		     GPC_CHANGE_LISTENER, "http",
		     "gue-port 6080 -> 6081, outer-dscp copy -> 46, stable on");
	check_single(LISTENER(AT "backend: web, rate: {limit: 5/s}"),
		     LISTENER(AT "backend: web, rate: {limit: 6/s}"), GPC_CHANGE_LISTENER, "http",
		     "rate [5/s burst 5, beyond it deny] -> [6/s burst 6, beyond it deny]");
	check_single(LISTENER(AT "backend: web, rate: {limit: 7/m, burst: 20, per: source-ip}"),
		     LISTENER(AT "backend: web"), GPC_CHANGE_LISTENER, "http",
		     "rate [7/m burst 20 per source-ip of 65536, beyond it deny] -> [none]");
}

#define BACKENDS(keys, endpoint)                                                                   \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\ninterfaces: [{name: wan0}]\n"     \
	"backends:\n  - {name: web, endpoints: [{name: a, address: 10.0.0.1" endpoint "}]" keys     \
	"}\n  - {name: app, endpoints: [{name: a, address: 10.0.0.2}]}\n"                           \
	"listeners:\n  - {name: http, " AT "forward: nat, split: [{backend: web, weight: 1}, "      \
	"{backend: app, weight: 1}]}\n"

static void a_backend_tells_its_failover_and_an_endpoint_its_port(void)
{
	check_single(BACKENDS("", ""), BACKENDS(", failover: app", ""), GPC_CHANGE_BACKEND, "web",
		     "failover none -> app");
	check_single(BACKENDS("", ""), BACKENDS(", min-healthy: 12.5%", ""), GPC_CHANGE_BACKEND,
		     "web", "min-healthy 0.00% -> 12.50%");
	check_single(BACKENDS("", ""), BACKENDS("", ", port: 8080, quic-id: 0a"),
		     GPC_CHANGE_ENDPOINT, "web/a", "port 0 -> 8080, quic-id");
}

#define INTERFACE(rest)                                                                            \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"                                \
	"interfaces:\n  - {name: wan0, hooks: [xdp]}\n  - {name: lan0, hooks: [xdp]" rest "}\n"    \
	"backends:\n  - {name: web, endpoints: [{name: a, address: 10.0.0.1}]}\n"                  \
	"listeners:\n  - {name: http, interfaces: [wan0], " HTTP "}\n"

static void an_interface_tells_mode_and_role(void)
{
	check_single(INTERFACE(""), INTERFACE(", mode: generic"), GPC_CHANGE_INTERFACE, "lan0",
		     "mode native -> generic");
	check_single(INTERFACE(""), INTERFACE(", role: decap"), GPC_CHANGE_INTERFACE, "lan0",
		     "role edge -> decap");
}

static void an_invariant_tells_what_it_says_and_is_about(void)
{
	check_single(INTERFACE("}\ninvariants:\n  - {name: x, always: {to: 10.0.0.0/24}"),
		     INTERFACE("}\ninvariants:\n  - {name: x, always: {to: 10.0.1.0/24}"),
		     GPC_CHANGE_INVARIANT, "x", "packets");
	check_single(INTERFACE("}\ninvariants:\n  - {name: x, always: {to: 10.0.0.0/24, in: lan0}"),
		     INTERFACE("}\ninvariants:\n  - {name: x, only: {from: 10.0.0.0/24}"),
		     GPC_CHANGE_INVARIANT, "x", "always -> only, interface, packets");
	check_single(INTERFACE("}\ninvariants:\n  - {name: x, remap: {backend: web, max: 5%}"),
		     INTERFACE("}\ninvariants:\n  - {name: x, remap: {backend: web, max: 7.5%}"),
		     GPC_CHANGE_INVARIANT, "x", "max 5.00% -> 7.50%");
	check_single(INTERFACE("}\ninvariants:\n  - {name: x, memory: 1Mi"),
		     INTERFACE("}\ninvariants:\n  - {name: x, memory: 2Mi, max-lookups: 9"),
		     GPC_CHANGE_INVARIANT, "x", "memory 1048576 -> 2097152, max-lookups 0 -> 9");
}

#define DEFAULTS(name, rest)                                                                       \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: " name "}\ndefaults: {" rest "}\n"      \
	"interfaces:\n  - {name: wan0, hooks: [xdp]}\n"                                            \
	"backends:\n  - {name: web, endpoints: [{name: a, address: 10.0.0.1}]}\n"                  \
	"listeners:\n  - {name: http, " HTTP "}\n"

static void what_is_true_for_all_packets_is_told(void)
{
	check_single(DEFAULTS("test", ""), DEFAULTS("test", "on-fail: drop, malformed: pass"),
		     GPC_CHANGE_PLANE, "test", "on-fail pass -> drop, malformed drop -> pass");
	check_single(DEFAULTS("test", "non-ip: pass"), DEFAULTS("test", "non-ip: drop"),
		     GPC_CHANGE_PLANE, "test", "non-ip pass -> drop");
	check_single(DEFAULTS("test", "flow-inserts: 1000/s"),
		     DEFAULTS("test", "flow-inserts: 2000/s"), GPC_CHANGE_PLANE, "test",
		     "flow-inserts 1000 -> 2000");
	check_single(DEFAULTS("test", "flow-inserts: 1000/s, flows: 4096"),
		     DEFAULTS("test", "flow-inserts: 1000/s, flows: 8192"), GPC_CHANGE_PLANE,
		     "test", "flows 4096 -> 8192");
}

static void a_new_name_moves_the_flows(void)
{
	struct gpc_changes changes = compare(DEFAULTS("test", ""), DEFAULTS("other", ""));

	CU_ASSERT_FATAL(changes.count > 0);
	CU_ASSERT_EQUAL(changes.items[0].object, GPC_CHANGE_PLANE);
	CU_ASSERT_STRING_EQUAL(changes.items[0].text,
			       "name test -> other, hash seed changed: all new flows move");
	gpc_changes_release(&changes);
}

static void a_table_of_another_size_moves_all_slots(void)
{
	struct gpc_changes changes = compare(PLANE(TWO_ENDPOINTS), PLANE_HEAD
					     "backends:\n  - name: web\n    table-size: 1021\n"
					     "    endpoints: [" TWO_ENDPOINTS "]\n");

	CU_ASSERT_EQUAL_FATAL(changes.count, 1);
	CU_ASSERT_STRING_EQUAL(changes.items[0].text, "table-size 251 -> 1021");
	CU_ASSERT_EQUAL(changes.slots, 1021);
	CU_ASSERT_EQUAL(changes.slots_moved, 1021);
	gpc_changes_release(&changes);
}

#define POLICIES(rules, policy)                                                                    \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"                                \
	"interfaces:\n  - {name: wan0, hooks: [xdp, tc-egress]}\n"                                 \
	"segments:\n  - {name: office, cidrs: [192.0.2.0/24]}\n"                                   \
	"rules:\n" rules "policies:\n"                                                             \
	"  - {name: in, interfaces: [wan0], direction: ingress, " policy "}\n"
#define SSH "  - {name: ssh, from: office, ports: [tcp/22], action: allow}\n"
#define WEB "  - {name: web, from: office, ports: [tcp/80], action: allow}\n"
#define DNS "  - {name: dns, from: office, ports: [udp/53], action: allow}\n"

/* All changes as lines "KIND OBJECT NAME: TEXT". */
static void check_changes(const char *before, const char *after, const char *wanted)
{
	struct gpc_changes changes = compare(before, after);
	char text[2048] = "";
	size_t used = 0;

	for (size_t i = 0; i < changes.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s %s%s%s\n",
					 gpc_change_kind_name(changes.items[i].kind),
					 gpc_change_object_name(changes.items[i].object),
					 changes.items[i].name, *changes.items[i].text ? ": " : "",
					 changes.items[i].text);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	if (strcmp(text, wanted))
		fprintf(stderr, "changes:\n%s", text);
	gpc_changes_release(&changes);
}

static void the_first_policy_is_added_with_its_rules_and_chain(void)
{
	check_changes(POLICIES(SSH, "rules: [ssh]"), POLICIES(SSH, "rules: [ssh]"), "");
	check_changes(NULL, POLICIES(SSH, "rules: [ssh]"),
		      "added interface wan0\nadded policy in\nadded rule in/ssh\n"
		      "added chain wan0 ingress\n");
}

static void a_rule_that_comes_changes_what_the_chain_means(void)
{
	check_changes(POLICIES(SSH WEB, "rules: [ssh]"), POLICIES(SSH WEB, "rules: [ssh, web]"),
		      "changed policy in: rules 1 -> 2\nadded rule in/web\n"
		      "changed chain wan0 ingress: what it lets through is another: live flows are "
		      "rechecked\n");
	check_changes(POLICIES(SSH WEB, "existing: keep, rules: [ssh, web]"),
		      POLICIES(SSH WEB, "existing: keep, rules: [ssh]"),
		      "changed policy in: rules 2 -> 1\nremoved rule in/web\n"
		      "changed chain wan0 ingress: what it lets through is another: live flows are "
		      "kept\n");
	check_changes(POLICIES(SSH WEB, "stateful: false, rules: [ssh]"),
		      POLICIES(SSH WEB, "stateful: false, rules: [ssh, web]"),
		      "changed policy in: rules 1 -> 2\nadded rule in/web\n"
		      "changed chain wan0 ingress: what it lets through is another\n");
}

static void a_segment_changes_what_the_chain_means(void)
{
	check_changes(POLICIES("  - {name: ssh, from: 192.0.2.0/24, action: allow}\n",
			       "rules: [ssh]"),
		      POLICIES("  - {name: ssh, from: 192.0.2.0/25, action: allow}\n",
			       "rules: [ssh]"),
		      "changed chain wan0 ingress: what it lets through is another: live flows are "
		      "rechecked\n");
}

static void the_mode_is_no_meaning(void)
{
	check_changes(POLICIES(SSH, "mode: audit, rules: [ssh]"), POLICIES(SSH, "rules: [ssh]"),
		      "changed policy in: mode audit -> enforce\n");
	check_changes(POLICIES(SSH, "rules: [ssh]"), POLICIES(SSH, "existing: keep, rules: [ssh]"),
		      "changed chain wan0 ingress: existing recheck -> keep\n");
}

static void rules_that_moved_are_counted(void)
{
	struct gpc_changes changes = compare(POLICIES(SSH WEB DNS, "rules: [ssh, web, dns]"),
					     POLICIES(SSH WEB DNS, "rules: [dns, ssh, web]"));

	CU_ASSERT_FATAL(changes.count > 0);
	CU_ASSERT_EQUAL(changes.items[0].object, GPC_CHANGE_POLICY);
	CU_ASSERT_STRING_EQUAL(changes.items[0].text, "1 rule moved");
	gpc_changes_release(&changes);
	changes = compare(POLICIES(SSH WEB DNS, "rules: [ssh, web, dns]"),
			  POLICIES(SSH WEB DNS, "rules: [dns, web, ssh]"));
	CU_ASSERT_FATAL(changes.count > 0);
	CU_ASSERT_STRING_EQUAL(changes.items[0].text, "2 rules moved");
	gpc_changes_release(&changes);
}

static void a_rule_tells_action_rate_log_and_expiry(void)
{
	check_changes(
		POLICIES("  - {name: ssh, ports: [tcp/22], action: allow}\n", "rules: [ssh]"),
		POLICIES("  - {name: ssh, ports: [tcp/22], action: allow, log: all, expires: "
			 "2999-01-01}\n",
			 "rules: [ssh]"),
		"changed rule in/ssh: logged, expires never -> 2999-01-02T00:00:00Z\n");
	check_changes(
		POLICIES("  - {name: ssh, ports: [tcp/22], action: allow}\n", "rules: [ssh]"),
		POLICIES("  - {name: ssh, ports: [tcp/22], action: reject}\n", "rules: [ssh]"),
		"changed rule in/ssh: action allow -> reject\n"
		"changed chain wan0 ingress: what it lets through is another: live flows are "
		"rechecked\n");
}

GPC_UNIT_MAIN("history/changes",
	      {"the_first_image_adds_everything", the_first_image_adds_everything},
	      {"equal_images_and_another_order_differ_in_nothing",
	       equal_images_and_another_order_differ_in_nothing},
	      {"an_endpoint_is_its_name", an_endpoint_is_its_name},
	      {"weight_and_state_are_told_together", weight_and_state_are_told_together},
	      {"a_listener_tells_each_of_its_keys", a_listener_tells_each_of_its_keys},
	      {"a_listener_tells_how_it_balances", a_listener_tells_how_it_balances},
	      {"a_backend_tells_its_failover_and_an_endpoint_its_port",
	       a_backend_tells_its_failover_and_an_endpoint_its_port},
	      {"an_interface_tells_mode_and_role", an_interface_tells_mode_and_role},
	      {"an_invariant_tells_what_it_says_and_is_about",
	       an_invariant_tells_what_it_says_and_is_about},
	      {"what_is_true_for_all_packets_is_told", what_is_true_for_all_packets_is_told},
	      {"a_new_name_moves_the_flows", a_new_name_moves_the_flows},
	      {"a_table_of_another_size_moves_all_slots", a_table_of_another_size_moves_all_slots},
	      {"the_first_policy_is_added_with_its_rules_and_chain",
	       the_first_policy_is_added_with_its_rules_and_chain},
	      {"a_rule_that_comes_changes_what_the_chain_means",
	       a_rule_that_comes_changes_what_the_chain_means},
	      {"a_segment_changes_what_the_chain_means", a_segment_changes_what_the_chain_means},
	      {"the_mode_is_no_meaning", the_mode_is_no_meaning},
	      {"rules_that_moved_are_counted", rules_that_moved_are_counted},
	      {"a_rule_tells_action_rate_log_and_expiry", a_rule_tells_action_rate_log_and_expiry})
