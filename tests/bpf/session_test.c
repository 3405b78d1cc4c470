/* SPDX-License-Identifier: MIT */
/*
 * Flows under swaps against tests/oracle/flow_session.py: eight planes (drains, a removed endpoint,
 * other weights, addresses and backends), swapped at random under packets of 60 flows at a time.
 * Each packet must reach the endpoint that the oracle names; endpoints are told by the MAC of their
 * next hop, which is made from their identity.
 */
#include <inttypes.h>
#include <linux/bpf.h>
#include <sched.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "kernel.h"
#include "linked.h"

#define STEPS 40000
#define HOPS 64u

/* Slots of gpc_next in the order in which endpoints are first seen. */
static uint64_t hops[HOPS];

static uint32_t hop_of(const struct gpc_endpoint *endpoint, uint32_t index, unsigned int family)
{
	uint32_t slot = 0;

	(void)index;
	(void)family;
	while (slot < HOPS && hops[slot] && hops[slot] != endpoint->id)
		slot++;
	if (slot == HOPS)
		abort();
	hops[slot] = endpoint->id;
	return slot;
}

/* Two low bits of the first byte: local, not a group; five bytes of the identity. */
static void hop_mac(uint64_t id, uint8_t mac[6])
{
	mac[0] = 0x02;
	for (int i = 0; i < 5; i++)
		mac[1 + i] = (uint8_t)(id >> 8 * i);
}

static void set_hops(struct kernel *kernel)
{
	for (uint32_t slot = 0; slot < HOPS && hops[slot]; slot++) {
		uint8_t hop[8] = {0};
		uint16_t here = HERE;
		struct gpc_next next = {0};

		hop_mac(hops[slot], hop);
		memcpy(hop + 6, &here, 2);
		memcpy(&next.hop, hop, 8);
		kernel_next(kernel, slot, next);
	}
}

static void install_plane(struct kernel *kernel, const char *folder, uint32_t number)
{
	char path[256], text[16384];
	struct gpc_image image;
	char *bytes;
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u.yaml", folder, number);
	f = fopen(path, "r");
	if (!f)
		abort();
	size = fread(text, 1, sizeof(text) - 1, f);
	text[size] = 0;
	fclose(f);
	unlink(path);
	image = linked_compile(text);
	bytes = linked_image(&image, "wan0", hop_of);
	kernel_install(kernel, number, bytes);
	free(bytes);
	gpc_image_release(&image);
}

struct tally {
	unsigned int frames, swaps, dropped, wrong;
};

static void run_frame(struct kernel *kernel, const char *hex, uint64_t want, struct tally *t)
{
	static uint8_t in[KERNEL_FRAME_MAX], out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = in, .out = out};
	uint8_t mac[6];
	unsigned int byte;
	bool right;

	for (; sscanf(hex + 2 * run.in_size, "%2x", &byte) == 1; run.in_size++)
		in[run.in_size] = (uint8_t)byte;
	kernel_run(kernel, KERNEL_XDP, &run);
	hop_mac(want, mac);
	right = want ? run.action == XDP_TX && memcmp(out, mac, 6) == 0 : run.action == XDP_DROP;
	t->frames++;
	t->dropped += want == 0;
	if (!right && t->wrong++ < 20)
		printf("session: frame %u after %u swaps: want endpoint %#" PRIx64
		       ", got action %d, MAC ..%02x%02x%02x%02x%02x\n  %s\n",
		       t->frames, t->swaps, want, run.action, out[5], out[4], out[3], out[2],
		       out[1], hex);
}

static void run_steps(struct kernel *kernel, FILE *steps, struct tally *t)
{
	char word[16], hex[1024];
	unsigned int number;
	uint64_t want;

	while (fscanf(steps, "%15s", word) == 1) {
		if (strcmp(word, "plane") == 0) {
			if (fscanf(steps, "%u", &number) != 1)
				break;
			kernel_control(kernel, (uint64_t)number << GPC_CTL_ACTIVE_SHIFT);
			t->swaps++;
		} else {
			if (fscanf(steps, "%1023s %" SCNu64, hex, &want) != 2)
				break;
			run_frame(kernel, hex, want, t);
		}
	}
}

static void flows_stay_where_the_oracle_says(void)
{
	const struct kernel_sizes sizes = {
		.flows = 65536, .next = HOPS, .counters = GPC_COUNTER_FIRST_OBJECT + 128};
	char folder[] = "/tmp/gpc-session-XXXXXX", command[256];
	struct tally t = {0};
	struct kernel kernel;
	unsigned int planes = 0;
	FILE *steps;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(command, sizeof(command), "tests/oracle/flow_session.py %s %d", folder, STEPS);
	steps = popen(command, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(steps);
	CU_ASSERT_EQUAL_FATAL(fscanf(steps, "planes %u", &planes), 1);
	CU_ASSERT_EQUAL_FATAL(unshare(CLONE_NEWNET), 0); /* no routes: hops stay as set */
	kernel_load(&kernel, GPC_IMAGE_MIN_LOG2, &sizes);
	for (uint32_t i = 0; i < planes; i++)
		install_plane(&kernel, folder, i);
	set_hops(&kernel);
	kernel_control(&kernel, 0);
	run_steps(&kernel, steps, &t);
	CU_ASSERT_EQUAL(pclose(steps), 0);
	printf("session: %u frames, %u swaps among %u planes, %u with nobody to take them; %u "
	       "wrong\n",
	       t.frames, t.swaps, planes, t.dropped, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT_EQUAL(t.frames + t.swaps, STEPS);
	CU_ASSERT(t.swaps > 500 && t.dropped > 0);
	kernel_unload(&kernel);
	rmdir(folder);
}

GPC_UNIT_MAIN("bpf/session", {"flows_stay_where_the_oracle_says", flows_stay_where_the_oracle_says})
