/* SPDX-License-Identifier: MIT */
/* What the compiler writes into an image is what comes out of it; another form is refused, never taken for none. */
#include "loader/probe/probe.h"

#include "tests/unit/loader/plane/rig.h"

#define HEAD "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ninterfaces: [{name: wan0}]\n"
#define FOUR                                                                                       \
	"probes:\n"                                                                                \
	"- {name: c, udp: {address: 192.0.2.1, port: 53, send: 0x00ff, expect: ab}}\n"             \
	"- {name: a, tcp: {address: \"2001:db8::1\", port: 81}, timeout: 250ms, interface: eth0}\n"  \
	"- {name: d, exec: {command: [/bin/sh, -c, 'echo \"x\"']}, attempts: 9}\n"                 \
	"- {name: b, http: {address: 192.0.2.1, host: h, path: /x, status: 204}, netns: blue}\n"

static bool says(const struct gpc_probe *probe, const char *text)
{
	char *said = gpc_probe_text(probe);
	bool same = !strcmp(said, text);

	if (!same)
		fprintf(stderr, "'%s', not '%s'\n", said, text);
	free(said);
	return same;
}

static void what_is_written_comes_out_by_name(void)
{
	struct gpc_image image = rig_image(HEAD FOUR);
	struct gpc_probes probes = {0};
	const struct gpc_probe *p;

	CU_ASSERT_EQUAL_FATAL(gpc_probes_of_image(&probes, &image, &rig_failure), 0);
	CU_ASSERT_EQUAL_FATAL(probes.count, 4);
	p = probes.items;
	CU_ASSERT(says(&p[0], "tcp [2001:db8::1]:81"));
	CU_ASSERT_EQUAL(p[0].timeout, 250);
	CU_ASSERT_STRING_EQUAL(p[0].interface, "eth0");
	CU_ASSERT_PTR_NULL(p[0].netns);
	CU_ASSERT_FALSE(p[0].given);
	CU_ASSERT(says(&p[1], "http 192.0.2.1:80/x 204-204"));
	CU_ASSERT_STRING_EQUAL(p[1].host, "h");
	CU_ASSERT_STRING_EQUAL(p[1].netns, "blue");
	CU_ASSERT_EQUAL(p[2].send_size, 2);
	CU_ASSERT(!memcmp(p[2].send, "\x00\xff", 2));
	CU_ASSERT(!memcmp(p[2].expect, "ab", 2));
	CU_ASSERT_STRING_EQUAL(p[3].command[2], "echo \"x\"");
	CU_ASSERT_PTR_NULL(p[3].command[3]);
	CU_ASSERT_EQUAL(p[3].attempts, 9);
	gpc_probes_release(&probes);
	gpc_image_release(&image);
}

static void they_are_no_part_of_the_identity(void)
{
	struct gpc_image with = rig_image(HEAD FOUR), without = rig_image(HEAD);
	struct gpc_probes probes = {0};

	CU_ASSERT(!memcmp(with.head->decision_digest, without.head->decision_digest, 32));
	CU_ASSERT(memcmp(with.head->file_digest, without.head->file_digest, 32) != 0);
	CU_ASSERT_EQUAL(gpc_probes_of_image(&probes, &without, &rig_failure), 0);
	CU_ASSERT_EQUAL(probes.count, 0);
	gpc_image_release(&with);
	gpc_image_release(&without);
}

/* The same image with other text of the same length; the caller releases. */
static struct gpc_image changed(const char *from, const char *to)
{
	struct gpc_image image = rig_image(HEAD FOUR);
	size_t size;
	char *text = (char *)gpc_image_provenance(&image, &size), *at;

	at = memmem(text, size, from, strlen(from));
	if (!at || strlen(from) != strlen(to))
		abort();
	memcpy(at, to, strlen(to));
	return image;
}

static void another_form_is_refused(void)
{
	static const char *const rows[][2] = {
		{"\"port\":81", "\"port\":-1"},
		{"\"port\":81", "\"post\":81"},
		{"\"port\":81", "\"port\":\"\""},
		{"2001:db8::1", "2001:xx8::1"},
		{"\"timeout\":250", "\"timeout\":000"},
		{"\"timeout\":250", "\"timeouts\":25"},
		{"\"attempts\":9", "\"attempts\":0"},
		{"[204,204]", "[204,203]"},
		{"[204,204]", "[204,999]"},
		{"\"/x\"", "\"xx\""},
		{"\"blue\"", "\"../x\""},
		{"\"eth0\"", "\"e/h0\""},
		{"\"00ff\"", "\"00fx\""},
		{"\"00ff\"", "\"00f\" "},
		{"\"00ff\"", "null  "},
		{"/bin/sh", "xbin/sh"},
		{"\"exec\"", "\"exek\""},
		{"\"name\":\"a\"", "\"name\":\"1\""},
		{"\"probes\":[\n{", "\"probes\":  {"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpc_image image = changed(rows[i][0], rows[i][1]);
		struct gpc_probes probes = {0};
		int rc = gpc_probes_of_image(&probes, &image, &rig_failure);

		/* What is no JSON any more the reader of images refuses. */
		if (i + 1 < sizeof(rows) / sizeof(rows[0])) {
			if (!rc)
				fprintf(stderr, "'%s' is taken\n", rows[i][1]);
			CU_ASSERT_EQUAL(rc, -1);
			CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_INVALID);
		}
		gpc_probes_release(&probes);
		gpc_image_release(&image);
	}
}

GPC_UNIT_MAIN("probe/image", {"what_is_written_comes_out_by_name", what_is_written_comes_out_by_name},
	      {"they_are_no_part_of_the_identity", they_are_no_part_of_the_identity},
	      {"another_form_is_refused", another_form_is_refused})
