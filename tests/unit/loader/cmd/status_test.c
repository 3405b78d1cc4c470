/* SPDX-License-Identifier: MIT */
/*
 * gpc status, on a plane that a stand-in describes: what it shows, and what it says loudly. The
 * stand-in's gpc_plane_read() takes the real one's place.
 */
#include "loader/cmd/status.h"

#include <json-c/json.h>

#include "loader/cmd/settle.h"
#include "tests/unit/loader/history/fixture.h"

#define FIRST_SLOT 300u /* of the counters: listener, then endpoints */

/* ---- the stand-in ---- */

static struct {
	bool present, off, gone, know_hops, bound, waits;
	const char *yaml;
} set;

static struct gpc_counter counters[FIRST_SLOT + 64];
static struct gpc_next next[64];
static struct gpc_device_status device;

static void link_image(struct gpc_image *image)
{
	struct gpc_link_head *head = (void *)(image->bytes + image->head->link_offset);
	uint32_t listeners, endpoints;
	struct gpc_link_listener *l;
	struct gpc_link_endpoint *e;

	gpc_image_section(image, GPC_SEC_LISTENER, &listeners);
	gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoints);
	head->generation = 5;
	head->device_offset = image->head->link_offset + (uint32_t)sizeof(*head);
	head->listener_offset =
		head->device_offset + GPC_DEVICE_SLOTS * (uint32_t)sizeof(struct gpc_link_device);
	head->endpoint_offset =
		head->listener_offset + (listeners + 3) / 4 * 4 * (uint32_t)sizeof(*l);
	l = (void *)(image->bytes + head->listener_offset);
	e = (void *)(image->bytes + head->endpoint_offset);
	for (uint32_t i = 0; i < listeners; i++)
		l[i].counter = FIRST_SLOT + i;
	for (uint32_t i = 0; i < endpoints; i++) {
		e[i].counter = FIRST_SLOT + listeners + i;
		e[i].next[GPC_V4] = i;
		e[i].next[GPC_V6] = GPC_NONE;
	}
}

int gpc_plane_read(const char *bpffs, struct gpc_plane_status *ret, struct gpc_failure *failure)
{
	(void)bpffs;
	(void)failure;
	*ret = (struct gpc_plane_status){.present = set.present, .size_log2 = 22};
	if (!set.present)
		return 0;
	ret->has_image = true;
	ret->confirm = (struct gpc_confirm){.present = true, .generation = 5};
	if (set.waits) {
		ret->confirm.armed = true;
		ret->confirm.fallback = 1;
		ret->confirm.left_ms = 60000;
	}
	ret->image = image_of_text(set.yaml);
	link_image(&ret->image);
	ret->control = set.off ? GPC_CTL_OFF : 0;
	ret->counters = counters;
	ret->counter_count = sizeof(counters) / sizeof(counters[0]);
	ret->next = next;
	ret->next_count = sizeof(next) / sizeof(next[0]);
	for (size_t i = 0; i < ret->next_count; i++)
		next[i].hop = set.know_hops ? 0x0001060504030202ull : 0;
	device = (struct gpc_device_status){.name = "wan0", .hook = GPC_HOOK_XDP, .generic = true};
	if (set.gone) {
		device.state = GPC_LINK_GONE;
		snprintf(device.detail, sizeof(device.detail), "was ifindex 7");
	}
	ret->devices = &device;
	ret->device_count = set.bound;
	return 0;
}

/* settle_test.c looks at that. */
void gpc_settle_in_passing(const struct gpc_call *call)
{
	(void)call;
}

void gpc_plane_status_release(struct gpc_plane_status *status)
{
	if (status->has_image)
		gpc_image_release(&status->image);
}

/* ---- running it ---- */

static struct folder f;
static char text[65536];

/* Runs gpc status with up to two options; its stdout is in `text`. */
static int status(const char *a, const char *b)
{
	char *argv[] = {strdup("status"), a ? strdup(a) : NULL, b ? strdup(b) : NULL, NULL};
	int old = dup(1), rc;
	struct gpc_failure failure;
	struct gpc_call call;
	char path[PATH_MAX];
	FILE *in;
	size_t n;

	snprintf(path, sizeof(path), "%s/out", f.base);
	fflush(NULL);
	if (!freopen(path, "w", stdout))
		abort();
	rc = (int)gpc_call_parse(&gpc_command_status, 1 + !!a + !!b, argv, &call, &failure);
	if (!rc)
		rc = (int)call.command->run(&call);
	gpc_call_release(&call);
	fflush(NULL);
	dup2(old, 1);
	close(old);
	for (int i = 0; i < 3; i++)
		free(argv[i]);
	in = fopen(path, "r");
	n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
	text[n] = '\0';
	if (in)
		fclose(in);
	return rc;
}

static void record_as(const char *yaml, uint32_t at_least, bool pending)
{
	struct gpc_history_file file = {"web.yaml", yaml, strlen(yaml)};
	struct gpc_image image = image_of_text(yaml);
	const struct gpc_history_entry entry = {.image = &image,
						.files = &file,
						.file_count = 1,
						.source = "web.yaml",
						.actor = "tester",
						.inputs = "web.yaml\n",
						.at_least = at_least,
						.pending = pending};
	struct gpc_history *history = NULL;
	struct gpc_failure failure;
	uint32_t number;

	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &history, &failure));
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	gpc_history_free(&history);
	gpc_image_release(&image);
}

static void record(const char *yaml)
{
	record_as(yaml, 0, false);
}

#define THREE                                                                                      \
	PLANE("{name: b, address: 10.0.0.2, weight: 3}, {name: a, address: 10.0.0.1}, "            \
	      "{name: z, address: 10.0.0.9, state: drain}")

/* All is well. */
static void begin(void)
{
	folder_make(&f);
	setenv("GPC_STATE_DIR", f.path, 1);
	memset(&set, 0, sizeof(set));
	memset(counters, 0, sizeof(counters));
	set.present = set.know_hops = set.bound = true;
	set.yaml = THREE;
	record(THREE);
}

static bool says(const char *words)
{
	if (!strstr(text, words))
		fprintf(stderr, "status_test: no '%s' in:\n%s", words, text);
	return strstr(text, words);
}

/* ---- tests ---- */

static void a_sound_plane_needs_no_attention(void)
{
	begin();
	CU_ASSERT_EQUAL(status("--exit-code", NULL), 0);
	CU_ASSERT_PTR_NULL(strstr(text, "!!"));
	CU_ASSERT(says("plane test, generation 1, decision "));
	CU_ASSERT(says("by tester, from web.yaml"));
	CU_ASSERT(says("wan0    wan0       xdp   generic  ok"));
	CU_ASSERT(says("http      192.0.2.10:80/tcp  dsr      web"));
	CU_ASSERT(says("02:02:03:04:05:06"));
	CU_ASSERT(says("no packet yet"));
	folder_drop(&f);
}

static void endpoints_stand_by_name_with_due_and_got(void)
{
	const char *a, *b, *z;

	begin();
	for (uint32_t i = FIRST_SLOT + 1; i < FIRST_SLOT + 4; i++)
		counters[i] = (struct gpc_counter){.packets = 10, .bytes = 1000, .flows = 5};
	CU_ASSERT_EQUAL(status(NULL, NULL), 0);
	a = strstr(text, "web/a ");
	b = strstr(text, "web/b ");
	z = strstr(text, "web/z ");
	CU_ASSERT_FATAL(a && b && z);
	CU_ASSERT(a < b && b < z);
	CU_ASSERT_EQUAL(strncmp(a, "web/a     10.0.0.1  ready       1  2", 36), 0);
	CU_ASSERT_EQUAL(
		strncmp(z, "web/z     10.0.0.9  drain       1   0.0 %  33.3 %       10  1000 B",
			66),
		0);
	folder_drop(&f);
}

static void reasons_are_shown_with_their_meaning(void)
{
	begin();
	counters[GPC_HOOK_ID_XDP * GPC_REASON_MAX + GPC_REASON_FORWARDED].packets = 123456;
	CU_ASSERT_EQUAL(status(NULL, NULL), 0);
	CU_ASSERT(says("xdp   forwarded   123.5k  sent to an endpoint"));
	CU_ASSERT_PTR_NULL(strstr(text, "malformed"));
	CU_ASSERT_EQUAL(status("-v", NULL), 0);
	CU_ASSERT(says("malformed-short"));
	folder_drop(&f);
}

static void switched_off_is_said_first(void)
{
	begin();
	set.off = true;
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT_EQUAL(strncmp(text, "!! SWITCHED OFF", 15), 0);
	CU_ASSERT(says(", OFF\n"));
	CU_ASSERT_EQUAL(status(NULL, NULL), 0);
	folder_drop(&f);
}

static void an_unrecorded_image_is_said(void)
{
	begin();
	set.yaml = PLANE(TWO_ENDPOINTS);
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("is not the one recorded last (generation 1, decision"));
	CU_ASSERT(says("plane test, generation 5, "));
	folder_drop(&f);
	begin();
	folder_drop(&f);
	folder_make(&f);
	setenv("GPC_STATE_DIR", f.path, 1);
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("is not recorded in"));
	folder_drop(&f);
}

static void what_waits_unrecorded_can_only_be_aborted(void)
{
	begin();
	set.waits = true;
	set.yaml = PLANE(TWO_ENDPOINTS);
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("then generation 1 decides again; its apply has not ended, or was killed: gpc "
		       "abort takes it back"));
	CU_ASSERT_PTR_NULL(strstr(text, "gpc confirm"));
	CU_ASSERT_PTR_NULL(strstr(text, "gpc restore"));
	record_as(PLANE(TWO_ENDPOINTS), 5, true);
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("gpc confirm keeps it, gpc abort takes it back"));
	folder_drop(&f);
}

static void a_vanished_interface_and_a_missing_device_are_said(void)
{
	begin();
	set.gone = true;
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("!! interface 'wan0' has vanished (was ifindex 7)"));
	set.gone = set.bound = false;
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("!! no device is bound"));
	CU_ASSERT(says("not here"));
	folder_drop(&f);
}

static void an_unknown_next_hop_matters_where_new_flows_go(void)
{
	begin();
	set.know_hops = false;
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("the next hop of endpoint 'web/a' is unknown"));
	CU_ASSERT(says("the next hop of endpoint 'web/b' is unknown"));
	CU_ASSERT_PTR_NULL(strstr(text, "endpoint 'web/z'"));
	folder_drop(&f);
}

/* A plane of `n` endpoints, static. */
static const char *many(unsigned int n)
{
	static char yaml[65536];
	char *p = yaml + snprintf(yaml, sizeof(yaml),
				  PLANE_HEAD "backends:\n  - name: web\n    endpoints:\n");

	for (unsigned int i = 0; i < n; i++)
		p += snprintf(p, sizeof(yaml) - (size_t)(p - yaml),
			      "      - {name: e%03u, address: 10.0.%u.1}\n", i, i);
	return yaml;
}

static void many_endpoints_fit_one_screen(void)
{
	unsigned int lines = 0;

	begin();
	set.yaml = many(60);
	set.know_hops = false;
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("endpoint 'web/e000'"));
	CU_ASSERT(says("and of 55 more endpoints"));
	CU_ASSERT(says("web             60     60      0      0"));
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	CU_ASSERT(lines < 40);
	CU_ASSERT_EQUAL(status("-v", NULL), 0);
	CU_ASSERT(says("web/e059  10.0.59.1"));
	folder_drop(&f);
}

static void no_plane_names_what_could_be_restored(void)
{
	begin();
	set.present = false;
	CU_ASSERT_EQUAL(status(NULL, NULL), 0);
	CU_ASSERT(says("!! no plane is running"));
	CU_ASSERT(says("generation 1 is recorded; gpc restore runs it"));
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	folder_drop(&f);
}

static void a_broken_history_hides_nothing_of_the_plane(void)
{
	char path[PATH_MAX];

	begin();
	file_put(folder_file(&f, "history.git/refs/heads/main", path), "nonsense");
	CU_ASSERT_EQUAL(status("--exit-code", NULL), GPC_EXIT_DIFFERENT);
	CU_ASSERT(says("refs/heads/main"));
	CU_ASSERT(says("192.0.2.10:80/tcp"));
	folder_drop(&f);
}

static void json_is_one_object_a_line_and_ends_with_the_result(void)
{
	char *line, *rest = text;
	struct json_object *object, *type = NULL, *code;
	unsigned int endpoints = 0;

	begin();
	set.off = true;
	CU_ASSERT_EQUAL(status("--json", "--exit-code"), GPC_EXIT_DIFFERENT);
	while ((line = strsep(&rest, "\n")) && *line) {
		object = json_tokener_parse(line);
		CU_ASSERT_FATAL(json_object_object_get_ex(object, "type", &type));
		CU_ASSERT(strstr(gpc_command_status.objects, json_object_get_string(type)) ||
			  !strcmp(json_object_get_string(type), "result"));
		endpoints += !strcmp(json_object_get_string(type), "endpoint");
		if (!rest || !*rest) {
			CU_ASSERT_STRING_EQUAL(json_object_get_string(type), "result");
			CU_ASSERT(json_object_object_get_ex(object, "exit", &code));
			CU_ASSERT_EQUAL(json_object_get_int(code), GPC_EXIT_DIFFERENT);
		}
		json_object_put(object);
	}
	CU_ASSERT_EQUAL(endpoints, 3);
	folder_drop(&f);
}

/* Listeners by name: h 0, s 1, t 2, u 3; endpoints: canary/c 0, more/m 1, web/w 2. */
static const char splits[] =
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"
	"interfaces: [{name: wan0, mode: any, hooks: [xdp]}]\n"
	"backends:\n"
	"  - {name: canary, endpoints: [{name: c, address: 10.0.0.1}]}\n"
	"  - {name: more, endpoints: [{name: m, address: 10.0.0.2}]}\n"
	"  - {name: web, endpoints: [{name: w, address: 10.0.0.3}]}\n"
	"listeners:\n"
	"  - {name: h, address: 192.0.2.1, protocol: TCP, port: 80, backend: web}\n"
	"  - {name: s, address: 192.0.2.2, protocol: TCP, port: 80, split: [{backend: web, weight: 9}, {backend: canary, weight: 1}]}\n"
	"  - {name: t, address: 192.0.2.3, protocol: TCP, port: 80, split: [{backend: web, weight: 1}, {backend: more, weight: 3}]}\n"
	"  - {name: u, address: 192.0.2.4, protocol: TCP, port: 80, backend: more}\n";

static void a_split_shows_what_each_backend_got_where_that_is_known(void)
{
	begin();
	set.yaml = splits;
	counters[FIRST_SLOT + 1].flows = 1000; /* s */
	counters[FIRST_SLOT + 2].flows = 77;   /* t */
	counters[FIRST_SLOT + 4].flows = 98;   /* canary/c */
	counters[FIRST_SLOT + 5].flows = 500;  /* more/m */
	counters[FIRST_SLOT + 6].flows = 5000; /* web/w */
	status(NULL, NULL);
	CU_ASSERT(says("canary 10 %, web 90 %"));
	CU_ASSERT(says("split of  backend     due                got\n"));
	CU_ASSERT(says("s         canary   10.0 %              9.8 %\n"));
	CU_ASSERT(says("s         web      90.0 %             90.2 %\n"));
	CU_ASSERT(says("t         more     75.0 %  not counted apart\n"));
	CU_ASSERT(says("t         web      25.0 %  not counted apart\n"));
	status("--json", NULL);
	CU_ASSERT(says("{\"backend\":\"web\",\"due\":0.9000,\"got\":0.9020}"));
	CU_ASSERT(says("{\"backend\":\"more\",\"due\":0.7500,\"got\":null}"));
	/* Of the time when `canary` served others. */
	counters[FIRST_SLOT + 4].flows = 1001;
	status(NULL, NULL);
	CU_ASSERT(says("s         canary   10.0 %  not counted apart\n"));
	folder_drop(&f);
}

static void without_a_packet_the_line_ends(void)
{
	begin();
	memset(counters, 0, sizeof(counters));
	status(NULL, NULL);
	CU_ASSERT(says("meaning\nno packet yet\n"));
	folder_drop(&f);
}

GPC_UNIT_MAIN("cmd/status",
	      {"what_waits_unrecorded_can_only_be_aborted",
	       what_waits_unrecorded_can_only_be_aborted},
	      {"a_sound_plane_needs_no_attention", a_sound_plane_needs_no_attention},
	      {"endpoints_stand_by_name_with_due_and_got",
	       endpoints_stand_by_name_with_due_and_got},
	      {"reasons_are_shown_with_their_meaning", reasons_are_shown_with_their_meaning},
	      {"a_split_shows_what_each_backend_got_where_that_is_known",
	       a_split_shows_what_each_backend_got_where_that_is_known},
	      {"without_a_packet_the_line_ends", without_a_packet_the_line_ends},
	      {"switched_off_is_said_first", switched_off_is_said_first},
	      {"an_unrecorded_image_is_said", an_unrecorded_image_is_said},
	      {"a_vanished_interface_and_a_missing_device_are_said",
	       a_vanished_interface_and_a_missing_device_are_said},
	      {"an_unknown_next_hop_matters_where_new_flows_go",
	       an_unknown_next_hop_matters_where_new_flows_go},
	      {"many_endpoints_fit_one_screen", many_endpoints_fit_one_screen},
	      {"no_plane_names_what_could_be_restored", no_plane_names_what_could_be_restored},
	      {"a_broken_history_hides_nothing_of_the_plane",
	       a_broken_history_hides_nothing_of_the_plane},
	      {"json_is_one_object_a_line_and_ends_with_the_result",
	       json_is_one_object_a_line_and_ends_with_the_result})
