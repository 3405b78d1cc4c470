// SPDX-License-Identifier: MIT
/*
 * Images with flipped bytes whose digests are right: what the reader lets through is run with packets of all kinds.
 * No program may leave its maps, the frame or the image; the sanitizers say if one does.
 */
#include "base/memfiles.h"
#include "image/digest.h"
#include "sim_rig.h"
#include "tests/oracle/random.h"

#define ROUNDS 3000u
#define PACKETS 24u

static const char plane[] =
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: damaged}\n"
	"defaults: {on-fail: pass, fragments: first-l3-hash}\n"
	"interfaces: [{name: lan0, hooks: [xdp]}, {name: wan0, hooks: [xdp]}]\n"
	"backends:\n"
	"  - {name: four, table-size: 11, failover: both, endpoints: [{name: a, address: 10.0.0.3, port: 8080}]}\n"
	"  - {name: plain, table-size: 11, endpoints: [{name: a, address: 10.0.0.4}]}\n"
	"  - name: both\n"
	"    table-size: 11\n"
	"    endpoints:\n"
	"      - {name: a, address: [10.0.0.1, \"fd00::1\"], quic-id: \"01\"}\n"
	"      - {name: b, address: [10.0.0.2, \"fd00::2\"], quic-id: \"02\"}\n"
	"listeners:\n"
	"  - {name: gue, address: 203.0.113.9, protocol: TCP, port: 443, interfaces: [wan0], forward: gue,\n"
	"     split: [{backend: both, weight: 3}, {backend: plain, weight: 1}]}\n"
	"  - {name: inside, address: 203.0.113.9, protocol: TCP, port: 443, backend: both, interfaces: [lan0]}\n"
	"  - {name: nat, address: 203.0.113.7, protocol: TCP, port: 80, backend: four, forward: nat, snat: auto}\n"
	"  - {name: prefix, address: 203.0.113.0/24, protocol: TCP, port: any, backend: both,\n"
	"     rate: {limit: 5/s, per: source-ip, entries: 64}}\n"
	"  - {name: quic, address: \"2001:db8:f::/96\", protocol: UDP, port: 443, backend: both, affinity: quic-cid}\n";

static const struct packet packets[] = {
	{.to = "203.0.113.9", .dport = 443},
	{.to = "203.0.113.9", .dport = 443, .flags = GPC_ASK_ACK, .payload = 100},
	{.to = "203.0.113.9", .dport = 444},
	{.to = "203.0.113.7", .dport = 80},
	{.to = "203.0.113.7", .dport = 80, .flags = GPC_ASK_ACK},
	{.from = "10.0.0.3", .to = "10.255.255.254", .sport = 8080, .flags = GPC_ASK_ACK},
	{.to = "203.0.113.8", .dport = 9},
	{.to = "203.0.113.8", .protocol = IPPROTO_UDP, .dport = 53, .payload = 1480},
	{.from = "2001:db8::1", .to = "2001:db8:f::7", .protocol = IPPROTO_UDP, .dport = 443, .payload = 40},
	{.from = "2001:db8::1", .to = "2001:db8:f::7", .protocol = IPPROTO_UDP, .dport = 443},
	{.from = "2001:db8::1", .to = "2001:db8:e::7", .dport = 443},
	{.to = "203.0.113.9", .protocol = IPPROTO_ICMP},
	{.to = "203.0.113.9", .protocol = IPPROTO_SCTP},
};
#define KINDS (sizeof(packets) / sizeof(*packets))

/* By both devices, whole and cut. */
static void send_all(struct random_source *random)
{
	static uint8_t frame[GPC_FRAME_MAX];

	for (size_t i = 0; i < PACKETS; i++) {
		size_t size = build(&packets[i % KINDS], frame);
		const struct gpc_sim_send send = {
			.frame = frame,
			.size = random_chance(random, 80) ? size : 14 + random_below(random, size - 13),
			.device = random_below(random, DEVICES),
			.direction = GPC_INGRESS,
			.repeat = 1};
		struct gpc_sim_outcome outcome;

		if (random_chance(random, 30))
			frame[14 + random_below(random, size - 14)] ^= (uint8_t)random_u64(random);
		CU_ASSERT_FATAL(!gpc_sim_send(sim, &send, &outcome, &failure));
		CU_ASSERT_FATAL(outcome.listener == GPC_NONE ||
				outcome.listener < image.plane->section[GPC_SEC_LISTENER].count);
		CU_ASSERT_FATAL(outcome.endpoint == GPC_NONE ||
				outcome.endpoint < image.plane->section[GPC_SEC_ENDPOINT].count);
	}
}

static void flip(uint8_t *bytes, struct random_source *random)
{
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;
	uint32_t end = head->decision_offset + head->decision_size;

	bytes[random_between(random, head->decision_offset, end - 1)] = (uint8_t)random_u64(random);
	gpc_decision_digest(bytes, head->decision_digest);
	gpc_file_digest(bytes, head->file_digest);
}

/* The image of `bytes`, if the reader lets it through, instead of the one that is open. */
static bool open_bytes(const uint8_t *bytes, size_t size)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	bool opened;

	gpc_diags_init(&diags, &arena, false);
	opened = gpc_image_open(&diags, "a.gpi", bytes, size, false, &image);
	gpc_arena_release(&arena);
	if (opened)
		CU_ASSERT_FATAL(!gpc_sim_open(GPC_SIM_USER, &image, sim_devices, DEVICES, &sim,
					      &failure));
	return opened;
}

static void what_is_let_through_is_harmless(void)
{
	struct gpc_image whole = linked_compile(plane);
	uint8_t *copy = malloc(whole.size);
	struct random_source random = {7};
	unsigned int opened = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		memcpy(copy, whole.bytes, whole.size);
		if (round)
			flip(copy, &random);
		if (!open_bytes(copy, whole.size))
			continue;
		opened++;
		send_all(&random);
		close_plane();
	}
	printf("%u of %u images were let through\n", opened, ROUNDS);
	CU_ASSERT(opened > 20);
	free(copy);
	gpc_image_release(&whole);
}

GPC_UNIT_MAIN("sim/damage", {"what_is_let_through_is_harmless", what_is_let_through_is_harmless})
