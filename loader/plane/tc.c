/* SPDX-License-Identifier: MIT */
#include "tc.h"

#include <bpf/libbpf.h>
#include <errno.h>

#define HANDLE 0x677063u /* "gpc" */
#define PRIORITY 0x6770u

static struct bpf_tc_hook make_hook(uint32_t ifindex, bool egress)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)ifindex,
		.attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

int gpc_tc_attach(uint32_t ifindex, bool egress, int program)
{
	struct bpf_tc_hook hook = make_hook(ifindex, egress);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	return bpf_tc_attach(&hook, &options);
}

int gpc_tc_query(uint32_t ifindex, bool egress, uint32_t *ret_program_id)
{
	struct bpf_tc_hook hook = make_hook(ifindex, egress);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY);
	int r = bpf_tc_query(&hook, &options);

	if (!r)
		*ret_program_id = options.prog_id;
	return r;
}

int gpc_tc_detach(uint32_t ifindex, bool egress)
{
	struct bpf_tc_hook hook = make_hook(ifindex, egress);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY);

	return bpf_tc_detach(&hook, &options);
}
