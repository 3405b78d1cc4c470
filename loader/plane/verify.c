/* SPDX-License-Identifier: MIT */
/*
 * Does the kernel hold and run what it should? Bytes first, then who reads them: an image proves
 * nothing about the program that a link runs, nor about the maps that the program reads.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/image/compare.h"
#include "control.h"
#include "fallback.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "../link/link.h"
#include "kernel.h"
#include "plane.h"
#include "prog.h"

#define FINDINGS_MAX 100u
#define PROGRAM_MAPS_MAX 64u

struct verify {
	const struct gpc_image *image;
	struct gpc_survey survey;
	struct gpc_bindings bindings;
	struct gpc_fallback other; /* while an apply waits: the image that does not decide now */
	struct gpc_instance loaded; /* the same programs, loaded again by this gpc */
	struct gpc_staged staged;   /* what the kernel holds */
	struct gpc_verify_report report;
};

static void release(struct verify *verify)
{
	gpc_stage_close(&verify->staged);
	gpc_instance_close(&verify->loaded);
	gpc_bindings_release(&verify->bindings);
	gpc_fallback_close(&verify->other);
	gpc_survey_close(&verify->survey);
	gpc_verify_report_release(&verify->report);
}

void gpc_verify_report_release(struct gpc_verify_report *report)
{
	free(report->findings);
	*report = (struct gpc_verify_report){0};
}

static struct gpc_verify_finding *next_finding(struct verify *verify)
{
	struct gpc_verify_report *report = &verify->report;

	report->total++;
	return report->count < FINDINGS_MAX ? &report->findings[report->count++] : NULL;
}

__attribute__((format(printf, 2, 3))) static void find(struct verify *verify, const char *format,
						       ...)
{
	struct gpc_verify_finding *finding = next_finding(verify);
	va_list arguments;

	if (!finding)
		return;
	va_start(arguments, format);
	vsnprintf(finding->what, sizeof(finding->what), format, arguments);
	va_end(arguments);
}

static const struct gpc_instance *current(const struct verify *verify)
{
	return &verify->survey.instances[0];
}

/* ---- bytes ---- */

static void place_of(const struct gpc_image *image, uint64_t object, char *out, size_t size)
{
	GPC_CLEANUP(gpc_arena_release) struct gpc_arena arena = {0};
	const char *path;
	uint32_t line, column;

	if (object && gpc_image_place(image, &arena, object, &path, &line, &column))
		snprintf(out, size, "%s:%u:%u", path, line, column);
}

/*
 * The same decision from other text (SEMANTICS 9): an image that is whole by its own digests, only
 * who compiled it from what is not the same. *ret_size: of the image that is there.
 */
static bool is_recompiled(const struct verify *verify, uint32_t slot, size_t *ret_size)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image held = {0};
	const struct gpc_image *image = verify->image;
	struct gpc_failure ignored;

	if (!memcmp(image->bytes, verify->staged.bytes, image->head->link_offset) ||
	    gpc_stage_read(current(verify), slot, &held, &ignored) ||
	    memcmp(held.head->decision_digest, image->head->decision_digest,
		   sizeof(image->head->decision_digest)))
		return false;
	*ret_size = held.size;
	return true;
}

static int list_differences(struct verify *verify, struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_image_difference *differences =
		calloc(FINDINGS_MAX, sizeof(*differences));
	const struct gpc_image_comparison comparison = {"image", "kernel", differences,
							FINDINGS_MAX};
	size_t found, kept, i;

	if (!differences)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot compare the images");
	found = gpc_image_compare(verify->image, verify->staged.bytes, verify->staged.size,
				  &comparison);
	kept = found < FINDINGS_MAX ? found : FINDINGS_MAX;
	for (i = 0; i < kept; i++) {
		struct gpc_verify_finding *finding = next_finding(verify);

		if (!finding)
			continue;
		snprintf(finding->what, sizeof(finding->what), "%s", differences[i].what);
		place_of(verify->image, differences[i].object, finding->place,
			 sizeof(finding->place));
	}
	verify->report.total += found - kept;
	return 0;
}

static int compare_bytes(struct verify *verify, uint32_t slot, struct gpc_failure *failure)
{
	const char *bytes = verify->staged.bytes;
	size_t i = verify->image->size;

	verify->report.recompiled = is_recompiled(verify, slot, &i);
	if (!verify->report.recompiled && list_differences(verify, failure))
		return -1;
	for (; i < verify->staged.size; i++)
		if (bytes[i]) {
			find(verify, "byte %zu behind the image is not zero", i);
			break;
		}
	verify->report.bytes_compared = verify->staged.size;
	return 0;
}

/* ---- link part: differs from host to host, so its own rules are the measure ---- */

static void check_link_head(struct verify *verify, const struct gpc_link_head *link)
{
	if (link->magic != GPC_LINK_MAGIC)
		find(verify, "the link part was never filled in");
	if (link->nonce != current(verify)->control[GPC_CTL_NONCE])
		find(verify, "the link part has the nonce of another plane");
}

static void check_link_slots(struct verify *verify, struct gpc_view view,
			     const struct gpc_link_head *link)
{
	const struct gpc_plane *plane = verify->image->plane;
	uint32_t counters = current(verify)->entries[GPC_MAP_COUNTERS], i;
	uint32_t next = current(verify)->entries[GPC_MAP_NEXT];
	int family;

	for (i = 0; i < plane->section[GPC_SEC_LISTENER].count; i++) {
		uint32_t slot = gpc_link_listener_at(view, link, i)->counter;

		if (slot < GPC_COUNTER_FIRST_OBJECT || slot >= counters)
			find(verify, "listener %u: counter slot %u is out of range", i, slot);
	}
	for (i = 0; i < plane->section[GPC_SEC_ENDPOINT].count; i++) {
		const struct gpc_link_endpoint *endpoint = gpc_link_endpoint_at(view, link, i);

		if (endpoint->counter < GPC_COUNTER_FIRST_OBJECT || endpoint->counter >= counters)
			find(verify, "endpoint %u: counter slot %u is out of range", i,
			     endpoint->counter);
		for (family = GPC_V4; family <= GPC_V6; family++)
			if (endpoint->next[family] != GPC_NONE && endpoint->next[family] >= next)
				find(verify, "endpoint %u: next-hop slot %u is out of range", i,
				     endpoint->next[family]);
	}
}

static void check_link_rules(struct verify *verify, struct gpc_view view,
			     const struct gpc_link_head *link)
{
	uint32_t counters = current(verify)->entries[GPC_MAP_RULES], i;
	uint32_t buckets = current(verify)->entries[GPC_MAP_RATE];

	for (i = 0; i < gpc_rule_count(view); i++) {
		const struct gpc_rule *rule = gpc_rule_at(view, i);
		const struct gpc_link_rule *record = gpc_link_rule_at(view, link, i);

		if (record->counter >= counters)
			find(verify, "rule %u: counter slot %u is out of range", i,
			     record->counter);
		if (!rule->rate_entries != (record->rate == GPC_NONE) ||
		    (rule->rate_entries && (uint64_t)record->rate + rule->rate_entries > buckets))
			find(verify, "rule %u: buckets %u are out of range", i, record->rate);
	}
}

static void check_link_devices(struct verify *verify, struct gpc_view view,
			       const struct gpc_link_head *link)
{
	const struct gpc_devices *devices = &verify->survey.devices;
	size_t i;

	for (i = 0; i < devices->count; i++) {
		const struct gpc_device *device = &devices->items[i];
		const struct gpc_link_device *known;

		if (device->interface == GPC_NONE16)
			continue;
		known = gpc_device_by_ifindex(view, link, device->ifindex);
		if (!known)
			find(verify, "device '%s' is not in the link part; run: gpc apply",
			     device->name);
		else if (known->interface != device->interface ||
			 memcmp(known->mac, device->mac, sizeof(device->mac)))
			find(verify,
			     "device '%s' has another interface or MAC address in the link "
			     "part; run: gpc apply",
			     device->name);
		else if (known->chain[GPC_INGRESS] != gpc_link_chain(verify->image,
								     device->interface,
								     GPC_INGRESS) ||
			 known->chain[GPC_EGRESS] != gpc_link_chain(verify->image,
								    device->interface,
								    GPC_EGRESS))
			find(verify, "device '%s' has another chain of policies in the link part",
			     device->name);
	}
}

static void check_link_part(struct verify *verify)
{
	struct gpc_view view = {.base = verify->staged.bytes, .mask = verify->staged.size - 1};
	const struct gpc_link_head *link = gpc_view_link(view);

	check_link_head(verify, link);
	if (link->magic != GPC_LINK_MAGIC)
		return;
	check_link_slots(verify, view, link);
	check_link_rules(verify, view, link);
	check_link_devices(verify, view, link);
}

/* ---- programs and links ---- */

struct program_facts {
	__u8 tag[BPF_TAG_SIZE];
	__u32 maps[PROGRAM_MAPS_MAX];
	__u32 map_count;
};

static int read_program(int fd, struct program_facts *ret, struct gpc_failure *failure)
{
	struct bpf_prog_info info = {.map_ids = (__u64)(uintptr_t)ret->maps,
				     .nr_map_ids = PROGRAM_MAPS_MAX};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return gpc_kernel_fail(failure, errno, "cannot look at a program");
	memcpy(ret->tag, info.tag, sizeof(ret->tag));
	ret->map_count = info.nr_map_ids;
	return 0;
}

/* What a program was told when it was loaded: the one map that it has for itself. */
enum constants {
	CONSTANTS_READ,
	CONSTANTS_OTHER, /* it is another map */
	CONSTANTS_UNSEEN,
};

static enum constants read_constants(__u32 id, struct gpc_flow_seed ret[2])
{
	GPC_AUTO_CLOSE int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info), zero = 0;

	if (fd < 0)
		return errno == EPERM ? CONSTANTS_UNSEEN : CONSTANTS_OTHER;
	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.max_entries == 1 &&
			       info.value_size == 2 * sizeof(*ret) &&
			       info.map_flags & BPF_F_RDONLY_PROG &&
			       !bpf_map_lookup_elem(fd, &zero, ret)
		       ? CONSTANTS_READ
		       : CONSTANTS_OTHER;
}

static bool has_map(const struct program_facts *facts, __u32 id)
{
	for (__u32 i = 0; i < facts->map_count; i++)
		if (facts->maps[i] == id)
			return true;
	return false;
}

/* The only map that a has and b has not; 0: there is none, or several. */
static __u32 own_map(const struct program_facts *a, const struct program_facts *b)
{
	__u32 own = 0;

	for (__u32 i = 0; i < a->map_count; i++) {
		if (has_map(b, a->maps[i]))
			continue;
		if (own)
			return 0;
		own = a->maps[i];
	}
	return own;
}

static bool same_maps(const struct program_facts *a, const struct program_facts *b, bool *unseen)
{
	__u32 own_a = own_map(a, b), own_b = own_map(b, a), different = 0;
	struct gpc_flow_seed told_a[2], told_b[2];
	enum constants seen_a, seen_b;

	for (__u32 i = 0; i < a->map_count; i++)
		different += !has_map(b, a->maps[i]);
	if (a->map_count != b->map_count || different > 1)
		return false;
	if (!different)
		return true;
	seen_a = read_constants(own_a, told_a);
	seen_b = read_constants(own_b, told_b);
	if (seen_a == CONSTANTS_UNSEEN && seen_b == CONSTANTS_UNSEEN)
		return *unseen = true;
	return seen_a == CONSTANTS_READ && seen_b == CONSTANTS_READ &&
	       !memcmp(told_a, told_b, sizeof(told_a));
}

/* The pinned programs against the same ones loaded again over the same maps. */
static int check_programs(struct verify *verify, struct gpc_failure *failure)
{
	const struct gpc_instance *instance = current(verify);
	const struct gpc_prog_sizes sizes = {.log2 = instance->id.log2};
	char build[GPC_BUILD_TEXT];
	int i;

	gpc_prog_build(instance->id.log2, build);
	if (strcmp(build, instance->id.build)) {
		find(verify,
		     "the programs are of another build of gpc (%s, this one has %s); run: "
		     "gpc apply",
		     instance->id.build, build);
		return 0;
	}
	if (gpc_prog_load(&sizes, instance, true, &verify->loaded, failure))
		return -1;
	for (i = 0; i < GPC_PROGRAM_COUNT; i++) {
		struct program_facts have, want;

		if (read_program(instance->program[i], &have, failure) ||
		    read_program(verify->loaded.program[i], &want, failure))
			return -1;
		if (memcmp(have.tag, want.tag, sizeof(have.tag)))
			find(verify, "the program pinned as '%s' is not gpc's",
			     gpc_program_names[i]);
		else if (!same_maps(&have, &want, &verify->report.constants_unseen))
			find(verify,
			     "the program pinned as '%s' uses other maps than the pinned ones",
			     gpc_program_names[i]);
	}
	return 0;
}

static void check_links(struct verify *verify)
{
	size_t i;

	for (i = 0; i < verify->bindings.count; i++) {
		const struct gpc_binding *binding = &verify->bindings.items[i];
		uint32_t want = current(verify)->program_id[binding->program];

		verify->report.links_checked++;
		if (!binding->link)
			find(verify, "device '%s' (%s) is not bound; run: gpc apply",
			     binding->device->name, gpc_hook_name(binding->hook));
		else if (binding->link->program != want)
			find(verify,
			     "the link on device '%s' (%s) runs program id %u, not the plane's "
			     "(%u)",
			     binding->device->name, gpc_hook_name(binding->hook),
			     binding->link->program, want);
	}
	for (i = 0; i < verify->survey.links.count; i++) {
		const struct gpc_link *link = &verify->survey.links.items[i];

		if (!link->wanted)
			find(verify, "the link on device '%s' (%s) is left over%s; run: gpc apply",
			     link->device, gpc_hook_name(link->hook),
			     link->ifindex ? "" : ", the device is gone");
	}
}

/*
 * While an apply waits, and until it is written down that its time is over, the links of both images
 * stay. One that cannot be read wants none.
 */
static void want_other(struct verify *verify)
{
	uint64_t word = gpc_control_load(current(verify)->control), now = gpc_control_now(word);
	uint32_t slot = now == word ? gpc_ctl_fallback(word) : gpc_ctl_active(word);
	struct gpc_failure ignored;

	if (gpc_ctl_deadline(word) && slot != gpc_ctl_active(now))
		(void)gpc_fallback_open(&verify->survey, slot, false, &verify->other, &ignored);
}

static int look(struct verify *verify, const char *bpffs, struct gpc_failure *failure)
{
	if (gpc_survey_open(bpffs, &verify->survey, failure))
		return -1;
	if (!verify->survey.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'", bpffs);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	verify->report.findings = calloc(FINDINGS_MAX, sizeof(*verify->report.findings));
	if (!verify->report.findings)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot verify the plane");
	(void)gpc_devices_match(&verify->survey.devices, verify->image, NULL);
	want_other(verify);
	return gpc_bindings_plan(verify->image, &verify->survey.devices, &verify->survey.links,
				 &verify->bindings, failure) ||
			       (verify->other.present &&
				gpc_fallback_join(&verify->other, &verify->bindings, failure))
		       ? -1
		       : 0;
}

int gpc_plane_verify(const char *bpffs, const struct gpc_image *image,
		     struct gpc_verify_report *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(release) struct verify verify = {.image = image, .staged = GPC_STAGED_NONE};
	uint32_t slot;

	gpc_instance_init(&verify.loaded);
	if (look(&verify, bpffs, failure))
		return -1;
	slot = gpc_ctl_active(gpc_control_now(gpc_control_load(current(&verify)->control)));
	if (gpc_stage_open(current(&verify), slot, &verify.staged, failure)) {
		find(&verify, "%s", failure->message);
	} else if (!verify.staged.bytes) {
		find(&verify, "the active image slot %u is empty", slot);
	} else {
		if (compare_bytes(&verify, slot, failure))
			return -1;
		if (!verify.report.total)
			check_link_part(&verify);
	}
	if (check_programs(&verify, failure))
		return -1;
	check_links(&verify);
	*ret = verify.report;
	verify.report = (struct gpc_verify_report){0};
	return 0;
}
