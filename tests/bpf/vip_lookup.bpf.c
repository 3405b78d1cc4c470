// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Asks the VIP table of the image in slot 0 an array of questions, one with each run of a program, for the
 * tests that hold the kernel's answers against user space's, and for times.
 */
#include "tests/bpf/vip_job.h"
#include "vip.bpf.h"

struct questions {
	struct vip_question each[VIP_QUESTIONS];
};
struct answers {
	struct vip_answer each[VIP_QUESTIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct questions);
} vip_questions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answers);
} vip_answers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vip_job);
} vip_job SEC(".maps");

struct round {
	const struct vip_question *q;
	struct vip_answer *a;
	struct gpc_view view;
};

static __always_inline int next_round(struct round *round)
{
	__u32 zero = 0, next;
	struct vip_job *job = bpf_map_lookup_elem(&vip_job, &zero);
	struct questions *questions = bpf_map_lookup_elem(&vip_questions, &zero);
	struct answers *answers = bpf_map_lookup_elem(&vip_answers, &zero);

	if (!job || !questions || !answers)
		return 0;
	next = job->next & (VIP_QUESTIONS - 1);
	job->next = next + 1 >= job->count ? 0 : next + 1;
	round->q = &questions->each[next];
	round->a = &answers->each[next];
	round->view = image_of(zero);
	return round->view.base != 0;
}

SEC("xdp")
int vip_all(struct xdp_md *ctx __attribute__((unused)))
{
	struct round round;
	__u32 what, how;

	if (!next_round(&round))
		return XDP_ABORTED;
	what = round.q->port | (__u32)round.q->protocol << 16;
	how = round.q->forward | (__u32)round.q->gue_port << 16;
	round.a->listener = find_listener_at(round.view, round.q->address, round.q->port,
					     round.q->protocol, round.q->interface_bit);
	round.a->sole = gpc_find_sole(0, round.q->address[0], round.q->address[1],
				      round.q->protocol, round.q->interface_bit);
	round.a->address = gpc_find_address(0, round.q->address[0], round.q->address[1],
					    round.q->interface_bit);
	round.a->forwards =
		gpc_find_forwards(0, round.q->address[0], round.q->address[1], what, how);
	round.a->address_forwards =
		gpc_find_address_forwards(0, round.q->address[0], round.q->address[1], how);
	return XDP_PASS;
}

SEC("xdp")
int vip_listener(struct xdp_md *ctx __attribute__((unused)))
{
	struct round round;

	if (!next_round(&round))
		return XDP_ABORTED;
	round.a->listener = find_listener_at(round.view, round.q->address, round.q->port,
					     round.q->protocol, round.q->interface_bit);
	return XDP_PASS;
}

SEC("xdp")
int vip_empty(struct xdp_md *ctx __attribute__((unused)))
{
	struct round round;

	if (!next_round(&round))
		return XDP_ABORTED;
	round.a->listener = (__u32)round.q->address[1] ^ round.q->port;
	return XDP_PASS;
}

char vip_license[] SEC("license") = "Dual MIT/GPL";
