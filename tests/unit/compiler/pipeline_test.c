/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>

#include "../unit.h"
#include "base/memfiles.h"
#include "diag/render.h"
#include "image/image_file.h"
#include "pipeline.h"

struct compilation {
	struct gpc_arena arena;
	struct gpc_memfiles files;
	struct gpc_diags diags;
	struct gpc_compiled compiled;
};

static void start(struct compilation *c)
{
	memset(c, 0, sizeof(*c));
	gpc_memfiles_init(&c->files, &c->arena);
	gpc_diags_init(&c->diags, &c->arena, false);
}

static void add(struct compilation *c, const char *path, const char *text)
{
	gpc_memfiles_add(&c->files, path, text, strlen(text));
}

static bool run(struct compilation *c, const char *const *paths, size_t count)
{
	struct gpc_provider provider = gpc_memfiles_provider(&c->files);
	struct gpc_compile_options options = {.inputs = {paths, count, NULL},
					      .tool_version = "test"};

	return gpc_compile(&c->diags, &provider, &options, &c->compiled);
}

static void end(struct compilation *c)
{
	gpc_arena_release(&c->arena);
}

#define HEAD "apiVersion: gpc/v1\nkind: Plane\n"
#define PLANE HEAD "metadata: {name: edge}\ninterfaces: [{name: wan0}, {name: \"lan*\"}]\n"
#define BACKENDS                                                                                   \
	HEAD "backends:\n"                                                                         \
	     "  - {name: web, endpoints: [{name: a, address: 10.0.0.1}, {name: b, address: "       \
	     "10.0.0.2, weight: 2}]}\n"                                                            \
	     "  - {name: game, endpoints: [{name: g, address: 10.0.0.3}]}\n"
#define LISTENERS                                                                                  \
	HEAD "listeners:\n"                                                                        \
	     "  - {name: http, address: 192.0.2.1, protocol: TCP, port: 80, backend: web}\n"       \
	     "  - {name: udp, address: 192.0.2.1, protocol: UDP, port: 99, backend: game}\n"
/* The same objects in another order and layout. */
#define BACKENDS_TURNED                                                                            \
	HEAD "# a comment\nbackends:\n"                                                            \
	     "  - endpoints: [{address: 10.0.0.3, name: g}]\n    name: game\n"                     \
	     "  - name: web\n    endpoints:\n      - {weight: 2, name: b, address: 10.0.0.2}\n"    \
	     "      - {name: a, address: 10.0.0.1, weight: 1}\n"
#define LISTENERS_TURNED                                                                           \
	HEAD "listeners:\n"                                                                        \
	     "  - {name: udp, address: [192.0.2.1], protocol: UDP, port: 99, backend: game}\n"     \
	     "  - {name: http, backend: web, address: 192.0.2.1, protocol: TCP, port: 80, "        \
	     "forward: ipip}\n"

static const char *const paths[] = {"a.yaml", "b.yaml", "c.yaml"};

static void compile_plane(struct compilation *c, const char *const *order)
{
	start(c);
	add(c, "a.yaml", PLANE);
	add(c, "b.yaml", BACKENDS);
	add(c, "c.yaml", LISTENERS);
	CU_ASSERT_FATAL(run(c, order, 3));
	CU_ASSERT_EQUAL(c->diags.records.n, 0);
}

static void expect_same_bytes(const struct compilation *a, const struct compilation *b)
{
	CU_ASSERT_EQUAL_FATAL(a->compiled.size, b->compiled.size);
	CU_ASSERT_EQUAL(memcmp(a->compiled.bytes, b->compiled.bytes, a->compiled.size), 0);
}

static void the_order_of_files_changes_no_byte(void)
{
	static const char *const orders[][3] = {{"a.yaml", "c.yaml", "b.yaml"},
						{"b.yaml", "a.yaml", "c.yaml"},
						{"b.yaml", "c.yaml", "a.yaml"},
						{"c.yaml", "a.yaml", "b.yaml"},
						{"c.yaml", "b.yaml", "a.yaml"}};
	struct compilation first, other;

	compile_plane(&first, paths);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		compile_plane(&other, orders[i]);
		expect_same_bytes(&first, &other);
		end(&other);
	}
	end(&first);
}

static void the_order_of_objects_their_layout_and_paths_change_no_decision(void)
{
	static const char *const turned[] = {"x/1.yaml", "2.yaml"};
	struct compilation first, other;

	compile_plane(&first, paths);
	start(&other);
	add(&other, "x/1.yaml", LISTENERS_TURNED "---\n" BACKENDS_TURNED);
	add(&other, "2.yaml", PLANE);
	CU_ASSERT_FATAL(run(&other, turned, 2));
	CU_ASSERT_EQUAL_FATAL(first.compiled.decision_size, other.compiled.decision_size);
	CU_ASSERT_EQUAL(memcmp(first.compiled.bytes + sizeof(struct gpc_image_head),
			       other.compiled.bytes + sizeof(struct gpc_image_head),
			       first.compiled.decision_size),
			0);
	CU_ASSERT_EQUAL(memcmp(first.compiled.decision_digest, other.compiled.decision_digest, 32),
			0);
	end(&other);
	end(&first);
}

static void locale_and_time_zone_change_no_byte(void)
{
	static const char *const locales[] = {"C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"};
	static const char *const zones[] = {"UTC", "Asia/Kolkata", "America/St_Johns", "nonsense"};
	struct compilation first, other;

	compile_plane(&first, paths);
	for (size_t i = 0; i < 4; i++) {
		setenv("LC_ALL", locales[i], 1);
		setenv("TZ", zones[i], 1);
		setlocale(LC_ALL, ""); /* one that is not installed leaves "C" */
		tzset();
		compile_plane(&other, paths);
		expect_same_bytes(&first, &other);
		end(&other);
	}
	setlocale(LC_ALL, "C");
	end(&first);
}

static void what_is_meant_changes_the_digest(void)
{
	struct compilation first, other;

	compile_plane(&first, paths);
	start(&other);
	add(&other, "a.yaml", PLANE);
	add(&other, "b.yaml",
	    HEAD "backends:\n  - {name: web, endpoints: [{name: a, address: 10.0.0.1}, {name: b, "
		 "address: 10.0.0.2, weight: 3}]}\n"
		 "  - {name: game, endpoints: [{name: g, address: 10.0.0.3}]}\n");
	add(&other, "c.yaml", LISTENERS);
	CU_ASSERT_FATAL(run(&other, paths, 3));
	CU_ASSERT_NOT_EQUAL(
		memcmp(first.compiled.decision_digest, other.compiled.decision_digest, 32), 0);
	end(&other);
	end(&first);
}

static void every_object_has_its_place(void)
{
	struct compilation c;
	struct gpc_image image;
	uint32_t line, column, count;
	const struct gpc_listener *listeners;
	const char *path;

	compile_plane(&c, paths);
	CU_ASSERT_FATAL(
		gpc_image_open(&c.diags, "x", c.compiled.bytes, c.compiled.size, false, &image));
	listeners = gpc_image_section(&image, GPC_SEC_LISTENER, &count);
	CU_ASSERT_FATAL(gpc_image_place(&image, &c.arena, listeners[1].id, &path, &line, &column));
	CU_ASSERT_STRING_EQUAL(path, "c.yaml");
	CU_ASSERT_EQUAL(line, 5);
	CU_ASSERT_EQUAL(column, 5);
	gpc_image_release(&image);
	end(&c);
}

#define POLICIES                                                                                   \
	HEAD "defaults: {on-fail: pass}\nmetadata: {name: edge}\n"                                 \
	     "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\n"                               \
	     "segments:\n"                                                                         \
	     "  - {name: app, cidrs: [10.0.1.0/24, 10.0.2.0/24], labels: {role: app}}\n"           \
	     "  - {name: db, cidrs: [10.0.9.0/28], except: [10.0.9.1]}\n"                          \
	     "rules:\n"                                                                            \
	     "  - {name: b, from: {labels: {role: app}}, to: db, ports: [tcp/5432, tcp/80],\n"     \
	     "     action: allow, expires: 2026-12-31}\n"                                          \
	     "  - {name: a, from: 192.0.2.0/24, action: deny}\n"                                   \
	     "policies: [{name: p, interfaces: [wan0], direction: ingress, rules: [a, b]}]\n"
#define POLICIES_TURNED                                                                            \
	HEAD "rules:\n"                                                                            \
	     "  - {action: deny, from: [192.0.2.128/25, 192.0.2.0/25], name: a}\n"                 \
	     "  - {to: [db], name: b, from: app, ports: [tcp/80-80, tcp/5432],\n"                  \
	     "     action: allow, expires: \"2027-01-01T00:00:00Z\"}\n"                            \
	     "policies: [{name: p, interfaces: [wan0], direction: ingress, rules: [a, b]}]\n"      \
	     "segments:\n"                                                                         \
	     "  - {name: db, cidrs: [10.0.9.0/28], except: [10.0.9.1/32]}\n"                       \
	     "  - {name: app, labels: {role: app}, cidrs: [10.0.2.0/24, 10.0.1.0/24]}\n"           \
	     "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\n"                               \
	     "metadata: {name: edge}\ndefaults: {on-fail: pass}\n"

static void the_order_of_policies_objects_changes_no_decision(void)
{
	struct compilation c, other;

	start(&c);
	add(&c, "a.yaml", POLICIES);
	CU_ASSERT_FATAL(run(&c, paths, 1));
	start(&other);
	add(&other, "a.yaml", POLICIES_TURNED);
	CU_ASSERT_FATAL(run(&other, paths, 1));
	CU_ASSERT_EQUAL(memcmp(c.compiled.decision_digest, other.compiled.decision_digest, 32), 0);
	end(&other);
	end(&c);
}

static bool run_on(struct compilation *c, uint64_t today, bool allow_expired)
{
	struct gpc_compile_options options = {.inputs = {paths, 1, NULL},
					      .tool_version = "test",
					      .today = today,
					      .allow_expired = allow_expired};
	struct gpc_provider provider;

	start(c);
	add(c, "a.yaml", POLICIES);
	provider = gpc_memfiles_provider(&c->files);
	return gpc_compile(&c->diags, &provider, &options, &c->compiled);
}

#define EXPIRES 1798761600u /* 2027-01-01 */

static void the_day_changes_what_is_said_but_no_byte(void)
{
	static const struct {
		uint64_t today;
		bool allowed;
		size_t warnings;
	} days[] = {{0, false, 0},
		    {EXPIRES - 31 * 86400, false, 0},
		    {EXPIRES - 30 * 86400, false, 1},
		    {EXPIRES - 1, false, 1},
		    {EXPIRES, true, 0},
		    {EXPIRES + 1000000000, true, 0}};
	struct compilation first, c;

	CU_ASSERT_FATAL(run_on(&first, days[0].today, days[0].allowed));
	for (size_t i = 1; i < sizeof(days) / sizeof(days[0]); i++) {
		CU_ASSERT_FATAL(run_on(&c, days[i].today, days[i].allowed));
		CU_ASSERT_EQUAL(c.diags.warnings, days[i].warnings);
		CU_ASSERT_EQUAL_FATAL(c.compiled.size, first.compiled.size);
		CU_ASSERT_EQUAL(memcmp(c.compiled.bytes, first.compiled.bytes, c.compiled.size), 0);
		end(&c);
	}
	CU_ASSERT_FALSE(run_on(&c, EXPIRES, false));
	CU_ASSERT_EQUAL(c.diags.records.items[0].code, GPC_E0337);
	end(&c);
	end(&first);
}

static void an_error_stops_behind_its_pass_and_leaves_the_result_alone(void)
{
	struct compilation c;

	start(&c);
	add(&c, "a.yaml", PLANE);
	add(&c, "b.yaml", LISTENERS);
	CU_ASSERT_FALSE(run(&c, paths, 2));
	CU_ASSERT_EQUAL(c.diags.errors, 2); /* both listeners' backends, nothing of what follows */
	CU_ASSERT_EQUAL(c.diags.records.items[0].code, GPC_E0301);
	CU_ASSERT_PTR_NULL(c.compiled.bytes);
	end(&c);
}

static void a_pass_can_be_dumped(void)
{
	for (size_t i = 0; gpc_pass_names[i]; i++) {
		struct gpc_compile_options options = {.inputs = {paths, 3, NULL},
						      .tool_version = "test"};
		struct gpc_provider provider;
		struct compilation c;
		char *text = NULL;
		size_t size;

		start(&c);
		add(&c, "a.yaml", PLANE);
		add(&c, "b.yaml", BACKENDS);
		add(&c, "c.yaml", LISTENERS);
		provider = gpc_memfiles_provider(&c.files);
		options.dump_after = gpc_pass_names[i];
		options.dump_to = open_memstream(&text, &size);
		CU_ASSERT_FATAL(gpc_compile(&c.diags, &provider, &options, &c.compiled));
		fclose(options.dump_to);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "http"));
		free(text);
		end(&c);
	}
}

GPC_UNIT_MAIN("pipeline",
	      {"the_order_of_files_changes_no_byte", the_order_of_files_changes_no_byte},
	      {"the_order_of_objects_their_layout_and_paths_change_no_decision",
	       the_order_of_objects_their_layout_and_paths_change_no_decision},
	      {"locale_and_time_zone_change_no_byte", locale_and_time_zone_change_no_byte},
	      {"what_is_meant_changes_the_digest", what_is_meant_changes_the_digest},
	      {"the_order_of_policies_objects_changes_no_decision",
	       the_order_of_policies_objects_changes_no_decision},
	      {"the_day_changes_what_is_said_but_no_byte",
	       the_day_changes_what_is_said_but_no_byte},
	      {"every_object_has_its_place", every_object_has_its_place},
	      {"an_error_stops_behind_its_pass_and_leaves_the_result_alone",
	       an_error_stops_behind_its_pass_and_leaves_the_result_alone},
	      {"a_pass_can_be_dumped", a_pass_can_be_dumped})
