/* SPDX-License-Identifier: MIT */
#include "../../../../loader/plane/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "rig.h"

static int load(uint32_t *ret_id)
{
	const struct bpf_insn ok[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "test", "GPL", ok, 2, NULL);

	CU_ASSERT_TRUE_FATAL(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size));
	*ret_id = info.id;
	return fd;
}

static void each_hook_has_its_own_filter(void)
{
	uint32_t wan = if_nametoindex("wan0"), first, second, found = 0;
	int a = load(&first), b = load(&second);

	CU_ASSERT_NOT_EQUAL(gpc_tc_query(wan, false, &found), 0);
	CU_ASSERT_EQUAL(gpc_tc_attach(wan, false, a), 0);
	CU_ASSERT_NOT_EQUAL(gpc_tc_query(wan, true, &found), 0);
	CU_ASSERT_EQUAL(gpc_tc_attach(wan, true, b), 0);
	CU_ASSERT_EQUAL(gpc_tc_query(wan, false, &found), 0);
	CU_ASSERT_EQUAL(found, first);
	CU_ASSERT_EQUAL(gpc_tc_query(wan, true, &found), 0);
	CU_ASSERT_EQUAL(found, second);
	CU_ASSERT_EQUAL(gpc_tc_detach(wan, false), 0);
	CU_ASSERT_NOT_EQUAL(gpc_tc_query(wan, false, &found), 0);
	CU_ASSERT_EQUAL(gpc_tc_query(wan, true, &found), 0);
	CU_ASSERT_EQUAL(gpc_tc_detach(wan, true), 0);
	close(a);
	close(b);
}

static void attaching_again_replaces_in_place(void)
{
	uint32_t wan = if_nametoindex("wan0"), first, second, found = 0;
	int a = load(&first), b = load(&second);

	CU_ASSERT_EQUAL(gpc_tc_attach(wan, false, a), 0);
	CU_ASSERT_EQUAL(gpc_tc_attach(wan, false, b), 0);
	CU_ASSERT_EQUAL(gpc_tc_query(wan, false, &found), 0);
	CU_ASSERT_EQUAL(found, second);
	CU_ASSERT_EQUAL(gpc_tc_detach(wan, false), 0);
	CU_ASSERT_NOT_EQUAL(gpc_tc_detach(wan, false), 0);
	close(a);
	close(b);
}

static void filters_of_others_stay(void)
{
	uint32_t wan = if_nametoindex("wan0"), others, own;
	int a = load(&others), b = load(&own);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)wan, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, foreign, .handle = 1, .priority = 7, .prog_fd = a);
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = 1, .priority = 7);

	CU_ASSERT_EQUAL(gpc_tc_attach(wan, false, b), 0);
	CU_ASSERT_EQUAL_FATAL(bpf_tc_attach(&hook, &foreign), 0);
	CU_ASSERT_EQUAL(gpc_tc_detach(wan, false), 0);
	CU_ASSERT_EQUAL(bpf_tc_query(&hook, &query), 0);
	CU_ASSERT_EQUAL(query.prog_id, others);
	close(a);
	close(b);
}

static void prepare(void)
{
	rig_up("plane/tc");
	libbpf_set_print(NULL);
}

GPC_UNIT_MAIN_AFTER("plane/tc", prepare,
		    {"each_hook_has_its_own_filter", each_hook_has_its_own_filter},
		    {"attaching_again_replaces_in_place", attaching_again_replaces_in_place},
		    {"filters_of_others_stay", filters_of_others_stay})
