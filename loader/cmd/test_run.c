// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/words.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/analyze/changes.h"
#include "../sim/frame.h"
#include "describe.h"
#include "rulebook.h"
#include "status.h"
#include "test.h"

#define NOBODY "-"

/* ---- devices: every one that a test names, once ---- */

struct devices {
	const char **names;
	size_t count;
};

static void release_devices(struct devices *devices)
{
	free(devices->names);
}

static const char *device_of(const struct gpc_send_intent *send)
{
	return send->in.text ? send->in.text : send->out.text;
}

static size_t device_index(const struct devices *devices, const struct gpc_send_intent *send)
{
	size_t i = 0;

	while (i < devices->count && strcmp(devices->names[i], device_of(send)))
		i++;
	return i;
}

static void add_device(struct devices *devices, const struct gpc_send_intent *send)
{
	if (device_index(devices, send) < devices->count)
		return;
	devices->names = reallocarray(devices->names, devices->count + 1, sizeof(*devices->names));
	if (!devices->names)
		abort();
	devices->names[devices->count++] = device_of(send);
}

static void find_devices(const struct gpc_model *model, struct devices *ret)
{
	for (size_t i = 0; i < model->test_count; i++) {
		const struct gpc_test_intent *test = &model->tests[i];

		for (size_t k = 0; k < test->before.n; k++)
			add_device(ret, &test->before.items[k]);
		add_device(ret, &test->send);
	}
}

/* ---- what was seen ---- */

static const char *name_of(const struct gpc_image *image, enum gpc_section_id id, uint32_t index)
{
	const void *record;

	if (index == GPC_NONE)
		return NOBODY;
	record = gpc_image_record(image, id, index);
	if (id == GPC_SEC_LISTENER)
		return gpc_image_name(image, ((const struct gpc_listener *)record)->name);
	if (id == GPC_SEC_ENDPOINT)
		return gpc_image_name(image, ((const struct gpc_endpoint *)record)->name);
	if (id == GPC_SEC_BACKEND)
		return gpc_image_name(image, ((const struct gpc_backend *)record)->name);
	return gpc_image_name(image, ((const struct gpc_rule *)record)->name);
}

/*
 * Policy and rule are those that decided. Where a test is about what audit would have done, or where
 * nobody decided, they are those of the audit policy.
 */
static struct gpc_test_seen describe(const struct gpc_image *image,
				     const struct gpc_sim_outcome *outcome, bool audit)
{
	uint32_t rule = audit || outcome->rule == GPC_NONE ? outcome->would : outcome->rule;
	struct gpc_test_seen seen = {
		.verdict = gpc_verdict_name(outcome->verdict),
		.policy = NOBODY,
		.rule = name_of(image, GPC_SEC_RULE, rule),
		.would = outcome->would == GPC_NONE ? NOBODY : gpc_action_name(outcome->would_action),
		.listener = name_of(image, GPC_SEC_LISTENER, outcome->listener),
		.endpoint = name_of(image, GPC_SEC_ENDPOINT, outcome->endpoint),
		.backend = NOBODY,
		.reason = outcome->reason == GPC_REASON_COUNT ? NOBODY
							      : gpc_reason_name(outcome->reason),
		.mark = outcome->mark,
	};

	if (rule != GPC_NONE)
		seen.policy = gpc_rule_owner(image, gpc_image_record(image, GPC_SEC_RULE, rule));
	if (outcome->endpoint != GPC_NONE) {
		const struct gpc_endpoint *endpoint =
			gpc_image_record(image, GPC_SEC_ENDPOINT, outcome->endpoint);

		seen.backend = name_of(image, GPC_SEC_BACKEND, endpoint->backend);
	}
	return seen;
}

/* ---- judgement ---- */

static void fail(struct gpc_test_result *result, const char *key, struct gpc_place at,
		 const char *expected, const char *seen)
{
	struct gpc_test_failure *added;

	result->failures = reallocarray(result->failures, result->failure_count + 1,
					sizeof(*result->failures));
	if (!result->failures)
		abort();
	added = &result->failures[result->failure_count++];
	*added = (struct gpc_test_failure){key, strdup(expected), strdup(seen), at};
	if (!added->expected || !added->seen)
		abort();
}

static void expect_text(struct gpc_test_result *result, const char *key,
			const struct gpc_text_value *expected, const char *seen)
{
	if (expected->text && strcmp(expected->text, seen))
		fail(result, key, expected->at, expected->text, seen);
}

static void expect_mark(struct gpc_test_result *result, struct gpc_uint_value expected,
			uint32_t seen)
{
	char texts[2][16];

	if (!expected.set || expected.value == seen)
		return;
	snprintf(texts[0], sizeof(texts[0]), "0x%x", (unsigned int)expected.value);
	snprintf(texts[1], sizeof(texts[1]), "0x%x", seen);
	fail(result, "mark", expected.at, texts[0], seen ? texts[1] : NOBODY);
}

static void judge(struct gpc_test_result *result)
{
	const struct gpc_expect_intent *expect = &result->test->expect;
	const struct gpc_test_seen *seen = &result->seen;
	const char *verdict = gpc_verdict_name((enum gpc_verdict)expect->verdict.value);

	if (strcmp(verdict, seen->verdict))
		fail(result, "verdict", expect->verdict.at, verdict, seen->verdict);
	expect_text(result, "policy", &expect->policy, seen->policy);
	expect_text(result, "rule", &expect->rule, seen->rule);
	if (expect->would.set && strcmp(gpc_action_name((unsigned int)expect->would.value), seen->would))
		fail(result, "would", expect->would.at,
		     gpc_action_name((unsigned int)expect->would.value), seen->would);
	expect_text(result, "listener", &expect->listener, seen->listener);
	expect_text(result, "backend", &expect->backend, seen->backend);
	expect_text(result, "endpoint", &expect->endpoint, seen->endpoint);
	expect_text(result, "reason", &expect->reason, seen->reason);
	expect_mark(result, expect->mark, seen->mark);
}

/* ---- sending ---- */

struct runner {
	struct gpc_sim *sim;
	const struct devices *devices;
	const struct gpc_image *image;
	uint8_t frame[GPC_FRAME_MAX];
};

static int send_packet(struct runner *runner, const struct gpc_send_intent *send,
		       struct gpc_sim_outcome *ret, struct gpc_failure *failure)
{
	struct gpc_sim_send sent = {
		.frame = runner->frame,
		.size = gpc_frame_build(send, runner->frame),
		.device = device_index(runner->devices, send),
		.direction = send->in.text ? GPC_INGRESS : GPC_EGRESS,
		.repeat = send->repeat.set ? send->repeat.value : 1,
	};

	return gpc_sim_send(runner->sim, &sent, ret, failure);
}

static int run_test(struct runner *runner, struct gpc_test_result *result,
		    struct gpc_failure *failure)
{
	const struct gpc_test_intent *test = result->test;
	struct gpc_sim_outcome outcome;

	if (gpc_sim_reset(runner->sim, failure))
		return -1;
	for (size_t i = 0; i < test->before.n; i++)
		if (send_packet(runner, &test->before.items[i], &outcome, failure))
			return -1;
	if (send_packet(runner, &test->send, &outcome, failure))
		return -1;
	result->seen = describe(runner->image, &outcome, test->expect.would.set);
	judge(result);
	return 0;
}

static int run_all(struct runner *runner, const struct gpc_model *model,
		   struct gpc_test_results *ret, struct gpc_failure *failure)
{
	ret->items = calloc(model->test_count + 1, sizeof(*ret->items));
	if (!ret->items)
		abort();
	for (size_t i = 0; i < model->test_count; i++) {
		struct gpc_test_result *result = &ret->items[ret->count++];

		result->test = &model->tests[i];
		if (run_test(runner, result, failure))
			return -1;
		ret->failed += result->failure_count > 0;
	}
	return 0;
}

int gpc_tests_run(struct gpc_input *input, enum gpc_sim_kind kind, struct gpc_test_results *ret,
		  struct gpc_failure *failure)
{
	GPC_CLEANUP(release_devices) struct devices devices = {0};
	GPC_AUTO_FREE struct runner *runner = calloc(1, sizeof(*runner));
	int r;

	if (!runner)
		abort();
	find_devices(input->compiled.model, &devices);
	runner->devices = &devices;
	runner->image = &input->image;
	if (gpc_sim_open(kind, &input->image, devices.names, devices.count, &runner->sim, failure))
		return -1;
	r = run_all(runner, input->compiled.model, ret, failure);
	gpc_sim_close(runner->sim);
	return r;
}

void gpc_tests_release(struct gpc_test_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		for (size_t k = 0; k < results->items[i].failure_count; k++) {
			free(results->items[i].failures[k].expected);
			free(results->items[i].failures[k].seen);
		}
		free(results->items[i].failures);
	}
	free(results->items);
	*results = (struct gpc_test_results){0};
}
