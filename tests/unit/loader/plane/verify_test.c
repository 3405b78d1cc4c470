/* SPDX-License-Identifier: MIT */
/* verify against planes that somebody else changed behind gpc's back. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "../../../../loader/plane/control.h"
#include "../../../../loader/plane/stage.h"
#include "rig.h"

static struct gpc_image one;
static struct gpc_instance instance;

static void open_instance(void)
{
	struct gpc_instance_id *ids;
	char name[GPC_INSTANCE_NAME];
	size_t count;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	gpc_instance_name(&ids[0], true, name);
	free(ids);
	CU_ASSERT_EQUAL_FATAL(gpc_instance_open(rig_bpffs, name, &instance, &rig_failure), 0);
}

static uint32_t active_slot(void)
{
	return gpc_ctl_active(gpc_control_load(instance.control));
}

/* A map with the active image, one byte at `offset` changed. */
static int changed_copy(size_t offset)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	const __u32 zero = 0;
	struct gpc_staged staged;
	char *bytes;
	int fd;

	CU_ASSERT_EQUAL_FATAL(gpc_stage_open(&instance, active_slot(), &staged, &rig_failure), 0);
	bytes = malloc(staged.size);
	memcpy(bytes, staged.bytes, staged.size);
	bytes[offset] ^= 1;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tampered", 4, (__u32)staged.size, 1, &options);
	CU_ASSERT_EQUAL(bpf_map_update_elem(fd, &zero, bytes, BPF_ANY), 0);
	free(bytes);
	gpc_stage_close(&staged);
	return fd;
}

static void put_in_slot(int fd)
{
	uint32_t slot = active_slot();

	CU_ASSERT_EQUAL(bpf_map_update_elem(instance.map[GPC_MAP_IMAGES], &slot, &fd, BPF_ANY), 0);
}

static void pin_as_slot(int fd)
{
	char path[GPC_PIN_PATH + 16];

	snprintf(path, sizeof(path), "%s/slot-%u", instance.path, active_slot());
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(bpf_obj_pin(fd, path), 0);
}

static void begin(void)
{
	rig_must_apply(&one);
	open_instance();
	rig_notices[0] = '\0';
}

static void end(void)
{
	gpc_instance_close(&instance);
	rig_detach();
}

static void a_changed_maglev_slot_is_named(void)
{
	struct gpc_plane_status status;
	int fd;

	begin();
	fd = changed_copy(one.plane->section[GPC_SEC_MAGLEV].offset + 2 * 17);
	put_in_slot(fd);
	pin_as_slot(fd);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "maglev"));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "17"));
	close(fd);
	status = rig_read();
	CU_ASSERT_TRUE(status.present);
	CU_ASSERT_FALSE(status.has_image);
	CU_ASSERT_PTR_NOT_NULL(strstr(status.problem, "damaged"));
	gpc_plane_status_release(&status);
	end();
}

static void a_byte_behind_the_image_is_found(void)
{
	int fd;

	begin();
	fd = changed_copy(((size_t)1 << 22) - 1);
	put_in_slot(fd);
	pin_as_slot(fd);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "behind the image"));
	close(fd);
	end();
}

static void a_map_that_gpc_did_not_pin_is_found(void)
{
	int fd;

	begin();
	fd = changed_copy(0);
	put_in_slot(fd);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "not the one that gpc pinned"));
	close(fd);
	end();
}

static void an_empty_active_slot_is_found(void)
{
	uint32_t slot;

	begin();
	slot = active_slot();
	CU_ASSERT_EQUAL(bpf_map_delete_elem(instance.map[GPC_MAP_IMAGES], &slot), 0);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "is empty"));
	end();
}

static void another_nonce_is_found(void)
{
	begin();
	instance.control[GPC_CTL_NONCE]++;
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "nonce"));
	end();
}

static int load_pass(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, &options);
}

static void a_link_with_another_program_is_found(void)
{
	char path[GPC_PIN_PATH];
	int link, fd = load_pass();

	begin();
	snprintf(path, sizeof(path), "%s/links/xdp-%u-wan0", rig_bpffs, if_nametoindex("wan0"));
	link = bpf_obj_get(path);
	CU_ASSERT_TRUE(link >= 0);
	CU_ASSERT_EQUAL(bpf_link_update(link, fd, NULL), 0);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "not the plane's"));
	/* An apply puts the plane's own back. */
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	close(link);
	close(fd);
	end();
}

static void a_pinned_program_that_is_not_gpcs_is_found(void)
{
	char path[GPC_PIN_PATH + 8];
	int fd = load_pass();

	begin();
	snprintf(path, sizeof(path), "%s/xdp", instance.path);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(bpf_obj_pin(fd, path), 0);
	/* The pin, and the link that runs what the pin no longer is. */
	CU_ASSERT_EQUAL(rig_verify(&one), 2);
	close(fd);
	end();
}

static void a_link_that_was_removed_is_found(void)
{
	begin();
	rig_run("rm %s/links/xdp-*", rig_bpffs);
	CU_ASSERT_EQUAL(rig_verify(&one), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "is not bound"));
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	end();
}

static void a_plane_with_a_missing_pin_can_be_detached(void)
{
	begin();
	rig_run("rm %s/counters", instance.path);
	CU_ASSERT_EQUAL(rig_verify(&one), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.hint, "gpc detach"));
	end();
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
}

static void a_tampered_plane_is_mended_by_an_apply(void)
{
	int fd;

	begin();
	fd = changed_copy(one.plane->section[GPC_SEC_MAGLEV].offset);
	put_in_slot(fd);
	pin_as_slot(fd);
	close(fd);
	CU_ASSERT_FALSE(rig_must_apply(&one).unchanged);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	end();
}

static void the_same_decision_from_other_text_is_no_difference(void)
{
	struct gpc_image other =
		rig_image("# one line more, so that every place is another\n" RIG_PLANE(
			RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
	struct gpc_verify_report report;

	begin();
	CU_ASSERT_EQUAL_FATAL(gpc_plane_verify(rig_bpffs, &other, &report, &rig_failure), 0);
	CU_ASSERT_EQUAL(report.total, 0);
	CU_ASSERT_TRUE(report.recompiled);
	gpc_verify_report_release(&report);
	CU_ASSERT_EQUAL_FATAL(gpc_plane_verify(rig_bpffs, &one, &report, &rig_failure), 0);
	CU_ASSERT_FALSE(report.recompiled);
	gpc_verify_report_release(&report);
	gpc_image_release(&other);
	end();
}

static void a_changed_provenance_is_a_difference(void)
{
	int fd;

	begin();
	fd = changed_copy(one.head->provenance_offset + 8);
	put_in_slot(fd);
	pin_as_slot(fd);
	CU_ASSERT_TRUE(rig_verify(&one) > 0);
	close(fd);
	end();
}

static void make_images(void)
{
	rig_up("plane/verify");
	gpc_instance_init(&instance);
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
}

GPC_UNIT_MAIN_AFTER(
	"plane/verify", make_images,
	{"a_changed_maglev_slot_is_named", a_changed_maglev_slot_is_named},
	{"a_byte_behind_the_image_is_found", a_byte_behind_the_image_is_found},
	{"a_map_that_gpc_did_not_pin_is_found", a_map_that_gpc_did_not_pin_is_found},
	{"an_empty_active_slot_is_found", an_empty_active_slot_is_found},
	{"another_nonce_is_found", another_nonce_is_found},
	{"a_link_with_another_program_is_found", a_link_with_another_program_is_found},
	{"a_pinned_program_that_is_not_gpcs_is_found", a_pinned_program_that_is_not_gpcs_is_found},
	{"a_link_that_was_removed_is_found", a_link_that_was_removed_is_found},
	{"a_plane_with_a_missing_pin_can_be_detached", a_plane_with_a_missing_pin_can_be_detached},
	{"the_same_decision_from_other_text_is_no_difference",
	 the_same_decision_from_other_text_is_no_difference},
	{"a_changed_provenance_is_a_difference", a_changed_provenance_is_a_difference},
	{"a_tampered_plane_is_mended_by_an_apply", a_tampered_plane_is_mended_by_an_apply})
