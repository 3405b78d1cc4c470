// SPDX-License-Identifier: MIT
/*
 * The VIP table asked in the kernel, on compiled images of planes whose listeners overlap: each answer is
 * that of going through the listeners (tests/oracle/vip_planes.h).
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/image/image_file.h"
#include "gpc/lookup/vip.h"
#include "linked.h"
#include "tests/oracle/vip_planes.h"
#include "tests/unit/unit.h"
#include "vip_rig.h"

#define PLANES 12u

static const enum gpc_forward forwards[] = {GPC_FORWARD_IPIP, GPC_FORWARD_DSR, GPC_FORWARD_GUE,
					    GPC_FORWARD_PASS};

static struct vip_rig rig;
static struct vip_query queries[VIP_QUESTIONS];
static unsigned int asked_forward[VIP_QUESTIONS];

static struct vip_question question_of(const struct vip_query *q, unsigned int forward)
{
	struct vip_question question = {
		.port = htons((uint16_t)q->port),
		.protocol = (uint8_t)q->protocol,
		.forward = (uint8_t)forwards[forward],
		.gue_port = htons(q->port & 1 ? 6080 : 6081),
		.interface_bit = 1ull << q->interface,
	};

	memcpy(question.address, q->address, 16);
	return question;
}

static bool is_named(const struct gpc_image *image, uint32_t index, const struct vip_listener *want)
{
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	if (!want || index >= count)
		return !want && index == GPC_NONE;
	return !strcmp(gpc_image_name(image, listeners[index].name), want->name);
}

/* Which of the answers is wrong, NULL if none. */
static const char *wrong_answer(const struct vip_plane *p, const struct gpc_image *image,
				uint32_t number)
{
	const struct vip_query *q = &queries[number];
	const struct vip_answer *a = &rig.answers[number];
	enum vip_forward forward = (enum vip_forward)asked_forward[number];
	unsigned int gue_port = q->port & 1 ? 6080 : 6081;
	int ping = vip_right_ping(p, q);

	if (!is_named(image, a->listener, vip_right(p, q)))
		return "the listener";
	if (!is_named(image, a->sole, vip_right_sole(p, q)))
		return "the only listener";
	if (ping < 0 ? a->address != GPC_NONE : GPC_VIP_ADDRESS_PING(a->address) != (uint32_t)ping)
		return "what the address says";
	if (a->forwards != vip_right_forwards(p, *q, forward, gue_port))
		return "whether decap takes it";
	if (a->address_forwards != vip_right_address_forwards(p, q, forward, gue_port))
		return "whether decap takes it without ports";
	return NULL;
}

static unsigned long ask_plane(struct random_source *r, unsigned int tries, unsigned long *ret_hits)
{
	struct vip_plane *p = malloc(sizeof(*p));
	struct gpc_image image;
	unsigned long wrong = 0;
	char *yaml;

	if (!p)
		abort();
	vip_random_plane(p, r, tries);
	yaml = vip_yaml(p);
	image = linked_compile(yaml);
	vip_rig_install(&rig, &image);
	for (uint32_t i = 0; i < VIP_QUESTIONS; i++) {
		queries[i] = vip_random_query(p, r);
		asked_forward[i] = (unsigned int)random_below(r, VIP_FORWARDS);
		rig.questions[i] = question_of(&queries[i], asked_forward[i]);
	}
	memset(rig.answers, 0xa5, VIP_QUESTIONS * sizeof(*rig.answers));
	vip_rig_run(&rig, VIP_ALL, VIP_QUESTIONS, 1);
	for (uint32_t i = 0; i < VIP_QUESTIONS; i++) {
		const char *what = wrong_answer(p, &image, i);

		*ret_hits += rig.answers[i].listener != GPC_NONE;
		if (what && wrong++ < 5)
			printf("question %u of a plane of %u listeners: %s\n", i, p->count, what);
	}
	gpc_image_release(&image);
	free(yaml);
	free(p);
	return wrong;
}

static void the_kernel_agrees_with_a_linear_scan(void)
{
	unsigned long wrong = 0, hits = 0;
	struct random_source r = {11};

	for (unsigned int i = 0; i < PLANES; i++)
		wrong += ask_plane(&r, i < 4 ? i + 1 : (unsigned int)random_scale(&r, 4, 300),
				   &hits);
	printf("%u questions, %lu for a listener, %lu wrong\n", PLANES * VIP_QUESTIONS, hits,
	       wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(hits > PLANES * VIP_QUESTIONS / 5 && hits < PLANES * VIP_QUESTIONS);
}

static void start(void)
{
	vip_rig_start(&rig);
}

static void stop(void)
{
	vip_rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/vip", {"start", start},
	      {"the_kernel_agrees_with_a_linear_scan", the_kernel_agrees_with_a_linear_scan},
	      {"stop", stop})
