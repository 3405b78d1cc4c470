/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "../../unit.h"
#include "balancing_fixture.h"
#include "image_tools.h"

/* What the dump writes; the caller frees. */
static char *dump(const struct gpc_image *image, const char *section, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	CU_ASSERT(gpc_image_dump(image, section, json, out));
	fclose(out);
	return text;
}

static void open_plane(void (*plane)(struct fixture *fixture), struct fixture *fixture,
		       struct gpc_image *image)
{
	struct gpc_image_bytes bytes;

	plane(fixture);
	CU_ASSERT_FATAL(fixture_compile(fixture, &bytes));
	CU_ASSERT_FATAL(
		gpc_image_open(&fixture->diags, "a.gpi", bytes.bytes, bytes.size, false, image));
}

static void open_small(struct fixture *fixture, struct gpc_image *image)
{
	open_plane(fixture_small_plane, fixture, image);
}

static void expect_line(const struct gpc_image *image, const char *section, bool json,
			const char *line)
{
	char *text = dump(image, section, json);

	if (!strstr(text, line))
		printf("not in section %s: %s\n%s", section, line, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	free(text);
}

static void records_are_decoded_with_their_place(void)
{
	struct fixture f;
	struct gpc_image image;

	open_small(&f, &image);
	expect_line(&image, "listener", false,
		    "index  name          id                protocol  port   forward  backend  pools  "
		    "table-v4  table-v6  hash     affinity  ");
	expect_line(&image, "listener", false, "    1  https         ");
	expect_line(&image, "listener", false,
		    "  TCP       443    ipip     web          1         1         2  5-tuple  "
		    "none      ");
	expect_line(&image, "listener", true,
		    "\"ping\":\"reply\",\"at\":\"plane.yaml:21:1\"");
	expect_line(&image, "pool", true,
		    "\"listener\":\"https\",\"backend\":\"web\",\"weight\":1,\"of\":1,\"table-v4\":1,\"table-v6\":2");
	expect_line(&image, "endpoint", false, "  address-v4  address-v6      weight  state  ");
	expect_line(&image, "endpoint", false,
		    "  10.0.1.11   2001:db8:1::11       1  ready  ");
	expect_line(&image, "endpoint", true,
		    "\"address-v4\":\"10.0.1.14\",\"weight\":1,\"state\":\"drain\"");
	expect_line(&image, "backend", false, "    1  web   ");
	expect_line(&image, "interface", true, "\"name\":\"lan*\"");
	expect_line(&image, "vip", false, "  203.0.113.11         32  exact                     UDP       27000  game-udp  ");
	expect_line(&image, "names", false, "offset  name\n     0  test\n");
	expect_line(&image, "link", false, "  empty\n");
	expect_line(&image, "endpoint-index", true, "{");
	gpc_image_release(&image);
	fixture_release(&f);
}

/* web: weights 1, 3, 1 of 251 slots. */
static void maglev_is_shown_by_shares_and_on_request_by_slots(void)
{
	struct fixture f;
	struct gpc_image image;
	char *text;
	size_t lines = 0;

	open_small(&f, &image);
	expect_line(&image, "maglev", false, "web      web-2          3    151  251  60.16%\n");
	text = dump(&image, "maglev-slots", false);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	CU_ASSERT_EQUAL(lines, 1 + 3 * 251);
	free(text);
	gpc_image_release(&image);
	fixture_release(&f);
}

static void policies_are_decoded(void)
{
	struct fixture f;
	struct gpc_image image;

	open_plane(fixture_policed_plane, &f, &image);
	expect_line(&image, "chain", true,
		    "\"interface\":\"lan*\",\"direction\":\"ingress\",\"policies\":\"guard\","
		    "\"stateful\":1,\"existing\":\"recheck\",\"mid-stream\":\"deny\",\"protect\":4,");
	expect_line(&image, "policy", true, "\"mode\":\"enforce\",\"default\":\"deny\",");
	expect_line(&image, "policy", true,
		    "\"first-rule\":13,\"rules\":2,\"decide\":3,\"at\":\"plane.yaml:");
	expect_line(&image, "classifier", true, "\"index\":2,\"of\":\"guard mark\",\"boxes\":1,");
	expect_line(&image, "classifier", true, "\"index\":5,\"of\":\"protect\",\"boxes\":2,");
	expect_line(&image, "rule", true, "\"policy\":\"builtin\",\"name\":\"icmp-error\",");
	expect_line(&image, "rule", true, "\"policy\":\"protect\",\"name\":\"mgmt\",");
	expect_line(&image, "rule", true, "\"action\":\"mark\",\"mark\":7,\"at\":\"plane.yaml:");
	expect_line(&image, "rule", true,
		    "\"action\":\"allow\",\"exceed\":\"deny\",\"cost-ns\":10000000,"
		    "\"burst-ns\":1000000000,\"buckets\":64,\"at\":");
	gpc_image_release(&image);
	fixture_release(&f);
}

static void balancing_is_decoded_by_name(void)
{
	struct fixture f;
	struct gpc_image image;

	open_plane(fixture_balancing_plane, &f, &image);
	expect_line(&image, "listener", true, "\"forward\":\"gue\",\"backend\":\"spare web\",\"pools\":2,");
	expect_line(&image, "pool", true,
		    "\"listener\":\"gue\",\"backend\":\"web\",\"weight\":3,\"of\":4,");
	expect_line(&image, "pool", true, "\"listener\":\"http\",\"backend\":\"spare\",\"table-v4\":");
	expect_line(&image, "pool", true, ",\"failover\":\"spare\"}");
	expect_line(&image, "quic", true, "\"endpoint\":\"b\",\"backend\":\"quic\",\"quic-id\":\"0103\"}");
	expect_line(&image, "endpoint-index", true, "\"endpoint\":\"b\",\"backend\":\"quic\"}");
	expect_line(&image, "vip", true, "\"listener\":\"nat\",\"interfaces\":\"wan0\"}");
	expect_line(&image, "vip", true, "\"ping\":\"reply\",\"forward\":\"nat\",\"interfaces\":\"wan0\"}");
	expect_line(&image, "vip-ports", true, "\"listener\":\"pass\",\"interfaces\":\"wan0\",");
	gpc_image_release(&image);
	fixture_release(&f);
}

/* Two listeners that share a key on interfaces of their own. */
static void apart_plane(struct fixture *f)
{
	struct gpc_backend_intent *web;
	struct gpc_listener_intent *listener;

	fixture_init(f);
	fixture_interface(f, "lan0");
	fixture_interface(f, "wan0");
	web = fixture_backend(f, "web");
	fixture_endpoint(f, web, "a", "10.0.0.5", NULL);
	listener = fixture_listener(f, "inside", "192.0.2.1", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f->arena, &listener->interfaces) = fixture_text(f, "lan0");
	listener = fixture_listener(f, "outside", "192.0.2.1", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f->arena, &listener->interfaces) = fixture_text(f, "wan0");
}

static void listeners_that_share_a_key_are_all_named(void)
{
	struct fixture f;
	struct gpc_image image;

	open_plane(apart_plane, &f, &image);
	expect_line(&image, "vip", true,
		    "\"port\":80,\"listener\":\"inside outside\",\"first-choice\":0,\"interfaces\":\"lan0 wan0\"}");
	expect_line(&image, "vip-choice", true, "\"listener\":\"outside\",\"interfaces\":\"wan0\",");
	gpc_image_release(&image);
	fixture_release(&f);
}

static void every_line_of_json_is_an_object_with_a_type(void)
{
	struct fixture f;
	struct gpc_image image;

	open_plane(fixture_policed_plane, &f, &image);
	for (size_t i = 0; gpc_image_dump_sections[i]; i++) {
		char *text = dump(&image, i ? gpc_image_dump_sections[i] : NULL, true);

		char *rest = text;

		for (char *line; (line = strsep(&rest, "\n")) && *line;) {
			json_object *object = json_tokener_parse(line);

			CU_ASSERT(json_object_object_get_ex(object, "type", NULL));
			json_object_put(object);
		}
		free(text);
	}
	gpc_image_release(&image);
	fixture_release(&f);
}

static void provenance_is_json(void)
{
	struct fixture f;
	struct gpc_image image;
	json_object *root, *objects, *tool;
	char *text;

	open_small(&f, &image);
	text = dump(&image, "provenance", false);
	root = json_tokener_parse(text);
	CU_ASSERT_FATAL(json_object_object_get_ex(root, "objects", &objects));
	CU_ASSERT_EQUAL(json_object_object_length(objects), 2 + 2 + 6 + 3);
	CU_ASSERT_FATAL(json_object_object_get_ex(root, "tool", &tool));
	CU_ASSERT_STRING_EQUAL(json_object_get_string(tool), "test");
	json_object_put(root);
	free(text);
	gpc_image_release(&image);
	fixture_release(&f);
}

static void an_unknown_section_is_refused(void)
{
	struct fixture f;
	struct gpc_image image;

	open_small(&f, &image);
	CU_ASSERT_FALSE(gpc_image_dump(&image, "rules", false, stdout));
	gpc_image_release(&image);
	fixture_release(&f);
}

GPC_UNIT_MAIN("image/dump",
	      {"records_are_decoded_with_their_place", records_are_decoded_with_their_place},
	      {"maglev_is_shown_by_shares_and_on_request_by_slots",
	       maglev_is_shown_by_shares_and_on_request_by_slots},
	      {"policies_are_decoded", policies_are_decoded},
	      {"balancing_is_decoded_by_name", balancing_is_decoded_by_name},
	      {"listeners_that_share_a_key_are_all_named",
	       listeners_that_share_a_key_are_all_named},
	      {"every_line_of_json_is_an_object_with_a_type",
	       every_line_of_json_is_an_object_with_a_type},
	      {"provenance_is_json", provenance_is_json},
	      {"an_unknown_section_is_refused", an_unknown_section_is_refused})
