/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an image, in two ways: as they are, and (as such or as runs, see below) as the decision
 * and provenance part of an image
 * whose head and digests are made to fit, so that the rules of the records are reached. What must hold:
 * a refusal has one diagnostic; in an image that opens every lookup and every dump stays inside.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/chain.h"
#include "gpc/lookup/endpoint.h"
#include "gpc/lookup/quic.h"
#include "gpc/lookup/vip.h"
#include "image/compare.h"
#include "image/digest.h"
#include "image/dump.h"
#include "image/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "image_fuzz: %s\n", what);
	abort();
}

static uint32_t count_of(const struct gpc_image *image, enum gpc_section_id id)
{
	uint32_t count;

	gpc_image_section(image, id, &count);
	return count;
}

static void be_inside(uint32_t index, uint32_t count, const char *what)
{
	require(index == GPC_NONE || index < count, what);
}

/* All that is asked about a destination, on one interface and on all. */
static void ask_destination(const struct gpc_image *image, const uint64_t address[2], __be16 port,
			    uint8_t protocol, uint64_t interfaces)
{
	uint32_t listeners = count_of(image, GPC_SEC_LISTENER);
	uint64_t one = interfaces & -interfaces;

	be_inside(gpc_vip_listener(image->view, address[0], address[1], port, protocol, one),
		  listeners, "a listener's index is inside");
	be_inside(gpc_vip_listener(image->view, address[0], address[1], port, protocol, ~0ull),
		  listeners, "a listener's index is inside, on any interface");
	be_inside(gpc_vip_sole_listener(image->view, address[0], address[1], protocol, one),
		  listeners, "the only listener's index is inside");
	require(gpc_vip_ping(image->view, address[0], address[1], one) <= GPC_PING_DROP,
		"what to do with a ping is known");
	for (uint8_t forward = GPC_FORWARD_IPIP; forward <= GPC_FORWARD_PASS; forward++) {
		gpc_vip_forwards(image->view, address[0], address[1], port, protocol, forward, port);
		gpc_vip_address_forwards(image->view, address[0], address[1], forward, port);
	}
}

/* Keys of all entries, addresses inside their prefixes, ports around them. */
static void look_up_listeners(const struct gpc_image *image)
{
	uint32_t vip_count;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &vip_count);

	for (uint32_t i = 0; i < vip_count; i++) {
		uint64_t address[2] = {vips[i].address_be[0], vips[i].address_be[1]};
		uint64_t interfaces = gpc_vip_kind(&vips[i]) == GPC_VIP_PORTS ? 3 : vips[i].interfaces;
		uint8_t protocol = vips[i].protocol ? vips[i].protocol : IPPROTO_TCP;

		ask_destination(image, address, vips[i].port_be, protocol, interfaces);
		address[1] ^= (uint64_t)(i % 251) << 56;
		for (uint32_t port = 1; port < 65536; port += 4099)
			ask_destination(image, address, (__be16)port, protocol, interfaces);
	}
}

/* The pools that a flow may come to, and whom it gets there. */
static void look_up_pools(const struct gpc_image *image)
{
	uint32_t listener_count, pools = count_of(image, GPC_SEC_POOL);
	uint32_t endpoints = count_of(image, GPC_SEC_ENDPOINT);
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);

	for (uint32_t i = 0; i < listener_count; i++)
		for (uint64_t hash = 0; listeners[i].pools && hash <= UINT32_MAX; hash += 0x0fffffff) {
			uint32_t pool = listeners[i].pools < 2
						? listeners[i].first_pool
						: gpc_pool_by_hash(image->view, &listeners[i], hash);
			uint32_t depth = 0;

			for (; pool != GPC_NONE; depth++) {
				const struct gpc_pool *at = gpc_pool_at(image->view, pool);

				require(pool < pools, "a pool's index is inside");
				require(depth <= GPC_MAX_FAILOVER, "failover ends");
				for (int family = GPC_V4; family <= GPC_V6; family++)
					be_inside(gpc_endpoint_by_hash(image->view,
								       &at->table[family], hash),
						  endpoints, "a pool's endpoint is inside");
				pool = at->failover;
			}
		}
}

static void look_up_names(const struct gpc_image *image)
{
	uint32_t count, backend_count;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	const struct gpc_backend *backends =
		gpc_image_section(image, GPC_SEC_BACKEND, &backend_count);

	for (uint32_t i = 0; i < backend_count; i++)
		for (uint32_t k = 0; k < backends[i].endpoints; k++)
			require(gpc_endpoint_by_name(image->view, &backends[i], k) < count,
				"an endpoint in name order is inside");
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t bit = 0; bit <= 64; bit += 16) {
			__u64 id[2];

			memcpy(id, endpoints[i].quic_id, sizeof(id));
			id[0] ^= bit < 64 ? 1ull << bit : 0;
			be_inside(gpc_quic_endpoint(image->view, id, endpoints[i].backend), count,
				  "a server id's endpoint is inside");
		}
}

static void look_up_endpoints(const struct gpc_image *image)
{
	uint32_t endpoint_count, listener_count;
	const struct gpc_endpoint *endpoints =
		gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoint_count);
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);

	for (uint32_t i = 0; i < endpoint_count; i++)
		require(gpc_endpoint_by_id(image->view, endpoints[i].id) == i,
			"an endpoint is found by its id");
	for (uint32_t i = 0; i < listener_count; i++)
		for (uint64_t hash = 0; hash <= UINT32_MAX; hash += 0x03ffffff)
			for (int family = GPC_V4; family <= GPC_V6; family++) {
				uint32_t found = gpc_endpoint_by_hash(
					image->view, &listeners[i].table[family], hash);

				require(found == GPC_NONE || found < endpoint_count,
					"an endpoint's index is inside");
			}
}

/* Questions out of the image's own bytes, so that they hit something. */
static struct gpc_question question_of(const struct gpc_image *image, uint32_t number)
{
	struct gpc_question question = {
		.source_port = number * 8191 % (GPC_PORT_NONE + 1),
		.destination_port = number * 127 % (GPC_PORT_NONE + 1),
		.vlan = number % 3 ? GPC_VLAN_NONE : (uint16_t)(number % GPC_VLAN_NONE),
		.protocol = (uint8_t)(number % 2 ? IPPROTO_TCP : number * 11),
		.tcp_flags = (uint8_t)(number & 15),
		.dscp = (uint8_t)(number & 63),
		.fragment = (uint8_t)(number % 3),
		.family = (uint8_t)(number % 2),
	};
	size_t room = image->size - sizeof(question.source);

	memcpy(question.source, image->bytes + number * 4099ull % room, sizeof(question.source));
	memcpy(question.destination, image->bytes + number * 65537ull % room,
	       sizeof(question.destination));
	return question;
}

static void ask_chains(const struct gpc_image *image)
{
	uint32_t chain_count, rule_count;

	gpc_image_section(image, GPC_SEC_CHAIN, &chain_count);
	gpc_image_section(image, GPC_SEC_RULE, &rule_count);
	for (uint32_t i = 0; i < chain_count; i++)
		for (uint32_t number = 0; number < 64; number++) {
			struct gpc_question question = question_of(image, number);
			struct gpc_answer answer;

			gpc_chain_ask(image->view, gpc_chain_at(image->view, i), &question,
				      number % 4, &answer);
			for (uint32_t k = 0; k < answer.asked; k++)
				require(answer.rule[k] < rule_count, "a rule's index is inside");
		}
}

static void use(struct gpc_image *image, struct gpc_arena *arena)
{
	struct gpc_image_comparison comparison = {"image", "itself", NULL, 0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint32_t count, line, column;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	const char *path;

	require(out != NULL, "there is memory");
	look_up_listeners(image);
	look_up_endpoints(image);
	look_up_pools(image);
	look_up_names(image);
	ask_chains(image);
	gpc_image_dump(image, NULL, true, out);
	for (size_t i = 0; gpc_image_dump_sections[i]; i++)
		gpc_image_dump(image, gpc_image_dump_sections[i], i % 2, out);
	fclose(out);
	free(text);
	for (uint32_t i = 0; i < count; i++)
		gpc_image_place(image, arena, endpoints[i].id, &path, &line, &column);
	require(!gpc_image_compare(image, image->bytes, image->size, &comparison),
		"an image equals itself");
	gpc_image_release(image);
}

static bool open_image(const uint8_t *bytes, size_t size, bool linked)
{
	bool opened;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;

	gpc_diags_init(&diags, &arena, false);
	opened = gpc_image_open(&diags, "fuzz.gpi", bytes, size, linked, &image);
	if (opened)
		use(&image, &arena);
	else
		require(diags.errors == 1, "a refusal has one diagnostic");
	gpc_arena_release(&arena);
	return opened;
}

static uint32_t round_up(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

/* A head and a link part around the bytes, as the section directory in them wants. */
static uint8_t *wrap(const uint8_t *bytes, size_t size, size_t *ret_size)
{
	struct gpc_image_head head = {.magic = GPC_IMAGE_MAGIC,
				      .version = GPC_IMAGE_VERSION,
				      .head_size = sizeof(head),
				      .abi = GPC_ABI_HASH,
				      .decision_offset = sizeof(head)};
	const struct gpc_section *sections;
	struct gpc_plane plane;
	uint32_t last;
	uint8_t *image;

	memcpy(&plane, bytes, sizeof(plane));
	sections = plane.section;
	last = sections[GPC_SEC_NAMES].offset + sections[GPC_SEC_NAMES].size;
	if (last < sizeof(head) + sizeof(plane) || last > sizeof(head) + size)
		last = (uint32_t)(sizeof(head) + size);
	head.decision_size = last - (uint32_t)sizeof(head);
	head.provenance_offset = round_up(last, GPC_IMAGE_ALIGN);
	if (head.provenance_offset < sizeof(head) + size)
		head.provenance_size = (uint32_t)(sizeof(head) + size) - head.provenance_offset;
	head.link_offset = round_up(head.provenance_offset + head.provenance_size, GPC_PAGE);
	head.link_size = (uint32_t)GPC_LINK_SIZE(sections[GPC_SEC_LISTENER].count % 64,
						 sections[GPC_SEC_ENDPOINT].count % 4096,
						 sections[GPC_SEC_RULE].count % 4096,
						 sections[GPC_SEC_BACKEND].count % 64);
	head.size = head.link_offset + head.link_size;
	image = calloc(1, head.size);
	require(image != NULL, "there is memory");
	memcpy(image, &head, sizeof(head));
	memcpy(image + sizeof(head), bytes, size);
	gpc_decision_digest(image, ((struct gpc_image_head *)image)->decision_digest);
	gpc_file_digest(image, ((struct gpc_image_head *)image)->file_digest);
	*ret_size = head.size;
	return image;
}

/*
 * The tables of policies are half a megabyte, nearly all of it repetition, and inputs are at most 16 KB:
 * behind RUNS_MAGIC stand runs, {count | RUN, word} or {count, word...}.
 */
#define RUNS_MAGIC "RUNS"
#define RUN (1u << 31)
#define COUNT_MASK 0xffffu
#define WORDS_MOST (1u << 18)

static uint32_t word_at(const uint8_t *bytes, size_t at)
{
	uint32_t word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

static uint8_t *unroll(const uint8_t *bytes, size_t size, size_t *ret_size)
{
	uint32_t *words = calloc(WORDS_MOST + COUNT_MASK, sizeof(*words));
	size_t n = 0, at = strlen(RUNS_MAGIC);

	require(words != NULL, "there is memory");
	while (at + 8 <= size && n < WORDS_MOST) {
		uint32_t control = word_at(bytes, at), count = control & COUNT_MASK;

		at += 4;
		for (uint32_t i = 0; i < count && at + 4 <= size; i++) {
			words[n++] = word_at(bytes, at);
			at += control & RUN && i + 1 < count ? 0 : 4;
		}
	}
	*ret_size = n * sizeof(*words);
	return (uint8_t *)words;
}

static void open_wrapped(const uint8_t *bytes, size_t size)
{
	uint8_t *image;
	size_t image_size;

	if (size < sizeof(struct gpc_plane))
		return;
	image = wrap(bytes, size, &image_size);
	require(open_image(image, image_size, false) || !getenv("GPC_FUZZ_KEPT"),
		"kept inputs open (after a change of the layout: image_corpus.py)");
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > strlen(RUNS_MAGIC) && !memcmp(bytes, RUNS_MAGIC, strlen(RUNS_MAGIC))) {
		uint8_t *words = unroll(bytes, size, &size);

		open_wrapped(words, size);
		free(words);
		return 0;
	}
	open_image(bytes, size, size % 2);
	open_wrapped(bytes, size);
	return 0;
}
