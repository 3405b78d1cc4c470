// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Asks a classifier an array of questions, one per iteration of a bounded loop, and writes the positions:
 * for tests that hold the kernel's answers against user space's, and for times. One object per size class.
 * The three programs differ only in what they do with a question.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "gpc/lookup/classify.h"
#include "tests/bpf/classify_job.h"

struct image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 1u << GPC_IMAGE_LOG2);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct image_map);
} images SEC(".maps");

struct questions {
	struct gpc_question each[CLASSIFY_QUESTIONS];
};
struct answers {
	__u32 each[CLASSIFY_QUESTIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct questions);
} questions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answers);
} answers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct classify_job);
} job SEC(".maps");

struct run {
	struct classify_job *job;
	const struct questions *questions;
	struct answers *answers;
	struct gpc_view view;
	__u32 next;
};

static __always_inline int find(struct run *run)
{
	__u32 zero = 0;
	void *inner;

	run->job = bpf_map_lookup_elem(&job, &zero);
	run->questions = bpf_map_lookup_elem(&questions, &zero);
	run->answers = bpf_map_lookup_elem(&answers, &zero);
	inner = bpf_map_lookup_elem(&images, &zero);
	if (!run->job || !run->questions || !run->answers || !inner)
		return 0;
	run->view.base = bpf_map_lookup_elem(inner, &zero);
	run->next = run->job->next & (CLASSIFY_QUESTIONS - 1);
	return run->view.base != 0;
}

/* One question of the round; the test run's repeat goes through them all. */
static __always_inline const struct gpc_question *question_of(const struct run *run)
{
	return &run->questions->each[run->next];
}

static __always_inline void answer(struct run *run, __u32 position)
{
	run->answers->each[run->next] = position;
	run->job->next = run->next + 1 >= run->job->count ? 0 : run->next + 1;
}

SEC("xdp")
int classify_all(struct xdp_md *ctx)
{
	const struct gpc_classifier *classifier;
	const struct gpc_question *question;
	struct run run;

	(void)ctx;
	if (!find(&run))
		return XDP_ABORTED;
	question = question_of(&run);
	classifier = gpc_at(run.view, run.job->classifier, sizeof(*classifier));
	answer(&run, gpc_classify(run.view, classifier, question,
				  gpc_address_classes(run.view, question)));
	return XDP_PASS;
}

SEC("xdp")
int classify_addresses(struct xdp_md *ctx)
{
	struct gpc_classes classes;
	struct run run;

	(void)ctx;
	if (!find(&run))
		return XDP_ABORTED;
	classes = gpc_address_classes(run.view, question_of(&run));
	answer(&run, classes.source ^ classes.destination);
	return XDP_PASS;
}

SEC("xdp")
int classify_empty(struct xdp_md *ctx)
{
	const struct gpc_question *question;
	struct run run;

	(void)ctx;
	if (!find(&run))
		return XDP_ABORTED;
	question = question_of(&run);
	answer(&run, (__u32)(question->source[1] ^ question->destination[1]) ^ question->protocol ^
			     question->source_port);
	return XDP_PASS;
}

char classify_license[] SEC("license") = "Dual MIT/GPL";
