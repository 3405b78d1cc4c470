/* SPDX-License-Identifier: MIT */
/* What applies do with policies: the link part, what survives swaps and growth, audit and enforce. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <glob.h>
#include <sys/mman.h>

#include "../../../../loader/link/link.h"
#include "gpc/lookup/device.h"
#include "rig.h"

#define HEAD                                                                                       \
	RIG_HEAD "defaults: {flows: 4096}\n"                                                       \
		 "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}, {name: lan0, hooks: "        \
		 "[xdp, tc-ingress, tc-egress]}]\n"
#define LIMITED(entries)                                                                           \
	"  - {name: limited, ports: [udp/53], action: allow, rate: {limit: 10/s, per: source-ip, "   \
	"entries: " entries ", exceed: deny}}\n"
#define SSH "  - {name: ssh, ports: [tcp/22], action: allow}\n"
#define NEW "  - {name: new, ports: [tcp/23], action: allow}\n"
#define THIRD "  - {name: third, ports: [tcp/24], action: allow}\n"
#define POLICY(rules)                                                                              \
	"policies: [{name: in, interfaces: [wan0], direction: ingress, rules: [" rules "]}]\n"

static struct gpc_image small, other, third, plain, large, wide, none;

/* ---- looking into the maps ---- */

static int open_map(const char *name)
{
	char pattern[128];
	glob_t found = {0};
	int fd = -1;

	snprintf(pattern, sizeof(pattern), "%s/inst-*/%s", rig_bpffs, name);
	if (!glob(pattern, 0, NULL, &found))
		fd = bpf_obj_get(found.gl_pathv[found.gl_pathc - 1]);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	globfree(&found);
	return fd;
}

/* The link record of the rule of this name. */
static struct gpc_link_rule link_of(const struct gpc_plane_status *status, const char *name)
{
	struct gpc_view view = status->image.view;
	struct gpc_link_rule none_there = {GPC_NONE, GPC_NONE, 0, 0};

	for (uint32_t i = 0; i < gpc_rule_count(view); i++)
		if (!strcmp(gpc_image_name(&status->image, gpc_rule_at(view, i)->name), name))
			return *gpc_link_rule_at(view, gpc_view_link(view), i);
	return none_there;
}

static struct gpc_link_rule linked(const char *name)
{
	struct gpc_plane_status status = rig_read();
	struct gpc_link_rule link = link_of(&status, name);

	gpc_plane_status_release(&status);
	return link;
}

static struct gpc_rule_counter counter_of(const char *name)
{
	struct gpc_plane_status status = rig_read();
	struct gpc_link_rule link = link_of(&status, name);
	struct gpc_rule_counter counter = {0};

	CU_ASSERT_TRUE(link.counter < status.rule_count);
	if (link.counter < status.rule_count)
		counter = status.rules[link.counter];
	gpc_plane_status_release(&status);
	return counter;
}

/* As if the first CPU had counted so many packets. */
static void count(const char *name, uint64_t packets)
{
	struct gpc_rule_counter *values =
		calloc((size_t)libbpf_num_possible_cpus(), sizeof(*values));
	uint32_t slot = linked(name).counter;
	int fd = open_map("rules");

	values[0] = (struct gpc_rule_counter){.packets = packets, .last_hit = 7, .log_lost = 1};
	CU_ASSERT_EQUAL(bpf_map_update_elem(fd, &slot, values, BPF_ANY), 0);
	close(fd);
	free(values);
}

static uint64_t bucket(uint32_t index)
{
	uint64_t word = 0;
	int fd = open_map("rate");

	CU_ASSERT_EQUAL(bpf_map_lookup_elem(fd, &index, &word), 0);
	close(fd);
	return word;
}

static void fill_bucket(uint32_t index, uint64_t word)
{
	int fd = open_map("rate");

	CU_ASSERT_EQUAL(bpf_map_update_elem(fd, &index, &word, BPF_ANY), 0);
	close(fd);
}

static uint64_t control_word(uint32_t index)
{
	uint64_t word = 0;
	int fd = open_map("ctl");

	CU_ASSERT_EQUAL(bpf_map_lookup_elem(fd, &index, &word), 0);
	close(fd);
	return word;
}

static bool audits(void)
{
	return control_word(GPC_CTL_WORD) & GPC_CTL_AUDIT;
}

static void apply_as(const struct gpc_image *image, enum gpc_stance stance)
{
	rig_stance = stance;
	rig_must_apply(image);
	rig_stance = GPC_STANCE_NONE;
}

/* ---- link part ---- */

static uint16_t chain_of(const struct gpc_plane_status *status, const char *device, int direction)
{
	const struct gpc_link_device *record =
		gpc_device_by_ifindex(status->image.view, gpc_view_link(status->image.view),
				      if_nametoindex(device));

	CU_ASSERT_PTR_NOT_NULL_FATAL(record);
	return record->chain[direction];
}

static void devices_get_the_chains_of_their_interface(void)
{
	struct gpc_plane_status status;
	const struct gpc_link_device *lan;

	rig_must_apply(&small);
	status = rig_read();
	CU_ASSERT_EQUAL(chain_of(&status, "wan0", GPC_INGRESS), 0);
	CU_ASSERT_EQUAL(chain_of(&status, "wan0", GPC_EGRESS), GPC_NONE16);
	CU_ASSERT_EQUAL(chain_of(&status, "lan0", GPC_INGRESS), GPC_NONE16);
	lan = gpc_device_by_ifindex(status.image.view, gpc_view_link(status.image.view),
				    if_nametoindex("lan0"));
	CU_ASSERT_EQUAL(lan->flags, GPC_DEVICE_META);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(rig_verify(&small), 0);
	rig_detach();
}

/* ---- what survives ---- */

static void counters_and_buckets_survive_a_swap_by_identity(void)
{
	uint32_t first;

	rig_must_apply(&small);
	count("ssh", 5);
	first = linked("limited").rate;
	fill_bucket(first + 100, 12345);
	CU_ASSERT_EQUAL(linked("ssh").rate, GPC_NONE);
	rig_must_apply(&other);
	CU_ASSERT_EQUAL(counter_of("ssh").packets, 5);
	CU_ASSERT_EQUAL(counter_of("ssh").last_hit, 7);
	CU_ASSERT_EQUAL(counter_of("ssh").log_lost, 1);
	CU_ASSERT_EQUAL(counter_of("new").packets, 0);
	CU_ASSERT_EQUAL(linked("limited").rate, first);
	CU_ASSERT_EQUAL(bucket(first + 100), 12345);
	rig_detach();
}

static void what_is_given_to_another_rule_is_zeroed(void)
{
	uint32_t slot, range;

	rig_must_apply(&other);
	count("new", 9);
	slot = linked("new").counter;
	range = linked("limited").rate;
	fill_bucket(range + 3, 77);
	/* Two images that know neither: nobody holds them any more. */
	rig_must_apply(&none);
	rig_must_apply(&plain);
	CU_ASSERT_EQUAL(counter_of("ssh").packets, 0);
	rig_must_apply(&third);
	CU_ASSERT_EQUAL(linked("third").counter, slot);
	CU_ASSERT_EQUAL(counter_of("third").packets, 0);
	CU_ASSERT_EQUAL(linked("limited").rate, range);
	CU_ASSERT_EQUAL(bucket(range + 3), 0);
	rig_detach();
}

/* 1,200 rules do not fit the rule slots of the first instance, 65,536 buckets not its rate map. */
static void growth_takes_everything_over(void)
{
	struct gpc_plane_status status;
	uint64_t since;
	uint32_t first;

	rig_must_apply(&small);
	count("ssh", 5);
	first = linked("limited").rate;
	fill_bucket(first + 100, 12345);
	since = control_word(GPC_CTL_FLOWS_SINCE);
	CU_ASSERT_NOT_EQUAL(since, 0);
	rig_must_apply(&large);
	status = rig_read();
	CU_ASSERT_TRUE(status.rule_count > 1200);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(counter_of("ssh").packets, 5);
	CU_ASSERT_EQUAL(linked("limited").rate, first);
	CU_ASSERT_EQUAL(bucket(first + 100), 12345);
	CU_ASSERT_EQUAL(control_word(GPC_CTL_FLOWS_SINCE), since);
	CU_ASSERT_EQUAL(rig_verify(&large), 0);
	rig_must_apply(&wide);
	CU_ASSERT_EQUAL(counter_of("ssh").packets, 5);
	CU_ASSERT_EQUAL(bucket(first + 100), 12345);
	CU_ASSERT_NOT_EQUAL(linked("limited").rate, first);
	CU_ASSERT_EQUAL(bucket(linked("limited").rate + 100), 0);
	CU_ASSERT_EQUAL(control_word(GPC_CTL_FLOWS_SINCE), since);
	CU_ASSERT_EQUAL(rig_verify(&wide), 0);
	rig_detach();
}

/* ---- audit and enforce ---- */

static void audit_is_set_with_the_flip_and_kept_as_told(void)
{
	apply_as(&small, GPC_STANCE_AUDIT);
	CU_ASSERT_TRUE(audits());
	apply_as(&other, GPC_STANCE_AUDIT);
	CU_ASSERT_TRUE(audits());
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, NULL, &rig_failure), 0);
	CU_ASSERT_TRUE(audits());
	apply_as(&large, GPC_STANCE_AUDIT);
	CU_ASSERT_TRUE(audits());
	CU_ASSERT_TRUE(control_word(GPC_CTL_WORD) & GPC_CTL_OFF);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, false, NULL, &rig_failure), 0);
	CU_ASSERT_TRUE(audits());
	apply_as(&small, GPC_STANCE_ENFORCE);
	CU_ASSERT_FALSE(audits());
	rig_detach();
}

static void growth_can_turn(void)
{
	apply_as(&small, GPC_STANCE_AUDIT);
	apply_as(&large, GPC_STANCE_ENFORCE);
	CU_ASSERT_FALSE(audits());
	rig_detach();
	apply_as(&small, GPC_STANCE_ENFORCE);
	apply_as(&large, GPC_STANCE_AUDIT);
	CU_ASSERT_TRUE(audits());
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_FALSE(audits());
	rig_detach();
}

static void the_same_image_can_turn_without_a_swap(void)
{
	struct gpc_apply_outcome outcome;
	uint64_t word, since;

	apply_as(&small, GPC_STANCE_AUDIT);
	word = control_word(GPC_CTL_WORD);
	since = control_word(GPC_CTL_FLOWS_SINCE);
	rig_stance = GPC_STANCE_ENFORCE;
	outcome = rig_must_apply(&small);
	CU_ASSERT_TRUE(outcome.unchanged);
	CU_ASSERT_TRUE(outcome.turned);
	CU_ASSERT_FALSE(audits());
	CU_ASSERT_EQUAL(gpc_ctl_active(control_word(GPC_CTL_WORD)), gpc_ctl_active(word));
	/* Live connections may be picked up from now on, as after the first apply. */
	CU_ASSERT_TRUE(control_word(GPC_CTL_FLOWS_SINCE) > since);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(audits());
	CU_ASSERT_EQUAL(control_word(GPC_CTL_FLOWS_SINCE), since);
	outcome = rig_must_apply(&small);
	word = control_word(GPC_CTL_WORD);
	outcome = rig_must_apply(&small);
	CU_ASSERT_FALSE(outcome.turned);
	CU_ASSERT_EQUAL(control_word(GPC_CTL_WORD), word);
	rig_stance = GPC_STANCE_NONE;
	rig_detach();
}

static void undo_brings_audit_back(void)
{
	apply_as(&small, GPC_STANCE_AUDIT);
	apply_as(&other, GPC_STANCE_ENFORCE);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(audits());
	rig_detach();
}

static void flows_may_be_picked_up_when_policies_begin(void)
{
	uint64_t since;

	rig_must_apply(&none);
	since = control_word(GPC_CTL_FLOWS_SINCE);
	CU_ASSERT_NOT_EQUAL(since, 0);
	apply_as(&small, GPC_STANCE_ENFORCE);
	CU_ASSERT_TRUE(control_word(GPC_CTL_FLOWS_SINCE) > since);
	since = control_word(GPC_CTL_FLOWS_SINCE);
	apply_as(&other, GPC_STANCE_ENFORCE);
	CU_ASSERT_EQUAL(control_word(GPC_CTL_FLOWS_SINCE), since);
	rig_detach();
}

static struct gpc_image large_image(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct gpc_image image;

	fputs(HEAD "rules:\n" SSH LIMITED("1024"), out);
	for (int i = 0; i < 1200; i++)
		fprintf(out, "  - {name: r%d, ports: [tcp/%d], action: allow}\n", i, 1000 + i);
	fputs("policies: [{name: in, interfaces: [wan0], direction: ingress, rules: [limited", out);
	for (int i = 0; i < 1200; i++)
		fprintf(out, ", r%d", i);
	fputs(", ssh]}]\n", out);
	fclose(out);
	image = rig_image(text);
	free(text);
	return image;
}

static void make_images(void)
{
	rig_up("plane/policy");
	small = rig_image(HEAD "rules:\n" SSH LIMITED("1024") POLICY("ssh, limited"));
	other = rig_image(HEAD "rules:\n" SSH LIMITED("1024") NEW POLICY("new, limited, ssh"));
	third = rig_image(HEAD "rules:\n" SSH LIMITED("1024") THIRD POLICY("third, limited, ssh"));
	plain = rig_image(HEAD "rules:\n" SSH POLICY("ssh"));
	wide = rig_image(HEAD "rules:\n" SSH LIMITED("65536") POLICY("ssh, limited"));
	none = rig_image(RIG_PLANE("{name: wan0}", RIG_W1));
	large = large_image();
}

GPC_UNIT_MAIN_AFTER("plane/policy", make_images,
		    {"devices_get_the_chains_of_their_interface",
		     devices_get_the_chains_of_their_interface},
		    {"counters_and_buckets_survive_a_swap_by_identity",
		     counters_and_buckets_survive_a_swap_by_identity},
		    {"what_is_given_to_another_rule_is_zeroed",
		     what_is_given_to_another_rule_is_zeroed},
		    {"growth_takes_everything_over", growth_takes_everything_over},
		    {"audit_is_set_with_the_flip_and_kept_as_told",
		     audit_is_set_with_the_flip_and_kept_as_told},
		    {"growth_can_turn", growth_can_turn},
		    {"the_same_image_can_turn_without_a_swap",
		     the_same_image_can_turn_without_a_swap},
		    {"undo_brings_audit_back", undo_brings_audit_back},
		    {"flows_may_be_picked_up_when_policies_begin",
		     flows_may_be_picked_up_when_policies_begin})
