/* SPDX-License-Identifier: MIT */
/* What differs between two images. */
#include "loader/history/changes.h"

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
		GPC_CHANGE_LISTENER, "http", "addresses or interfaces");
	check_single(LISTENER(HTTP), LISTENER(HTTP ", interfaces: [wan0]"), GPC_CHANGE_LISTENER,
		     "http", "addresses or interfaces");
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

GPC_UNIT_MAIN("history/changes",
	      {"the_first_image_adds_everything", the_first_image_adds_everything},
	      {"equal_images_and_another_order_differ_in_nothing",
	       equal_images_and_another_order_differ_in_nothing},
	      {"an_endpoint_is_its_name", an_endpoint_is_its_name},
	      {"weight_and_state_are_told_together", weight_and_state_are_told_together},
	      {"a_listener_tells_each_of_its_keys", a_listener_tells_each_of_its_keys},
	      {"an_interface_tells_mode_and_role", an_interface_tells_mode_and_role},
	      {"what_is_true_for_all_packets_is_told", what_is_true_for_all_packets_is_told},
	      {"a_new_name_moves_the_flows", a_new_name_moves_the_flows},
	      {"a_table_of_another_size_moves_all_slots", a_table_of_another_size_moves_all_slots})
