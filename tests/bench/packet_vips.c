// SPDX-License-Identifier: MIT
#include "packet_vips.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tests/bpf/vip_rig.h"

#define REPEATS 25
#define ROUNDS 8u
#define RANGES 1000u
#define PORTS 32u /* of a range, and of the gap behind it */

/* What is asked: an address and a port for question i. */
struct asked {
	uint32_t address; /* host order */
	uint16_t port;
};

struct vip_case {
	const char *name;
	void (*listeners)(FILE *to);
	struct asked (*ask)(uint32_t i);
};

static void write_listener(FILE *to, uint32_t number, const char *address, const char *port)
{
	fprintf(to, "  - {name: l%u, address: %s, protocol: TCP, port: %s, backend: web}\n", number,
		address, port);
}

static void whole_addresses(FILE *to)
{
	char address[INET_ADDRSTRLEN];

	for (uint32_t i = 0; i < RANGES; i++) {
		snprintf(address, sizeof(address), "198.18.%u.%u", i >> 8, i & 255);
		write_listener(to, i, address, "443");
	}
}

static struct asked ask_whole(uint32_t i)
{
	return (struct asked){0xc6120000u + i % RANGES, 443};
}

static void ranges(FILE *to)
{
	char port[16];

	for (uint32_t i = 0; i < RANGES; i++) {
		snprintf(port, sizeof(port), "%u-%u", 1 + 2 * PORTS * i, 2 * PORTS * i + PORTS);
		write_listener(to, i, "198.18.0.1", port);
	}
}

static struct asked ask_ranges(uint32_t i)
{
	return (struct asked){0xc6120001u, (uint16_t)(1 + 2 * PORTS * (i * 7919 % RANGES) + i % PORTS)};
}

static void prefixes(FILE *to)
{
	write_listener(to, 0, "198.18.0.0/16", "any");
	write_listener(to, 1, "198.18.64.0/18", "any");
	write_listener(to, 2, "198.18.64.0/24", "1-1023");
}

/* A third each: of the longest prefix, of the next, of the shortest. */
static struct asked ask_prefixes(uint32_t i)
{
	static const uint32_t of[] = {0xc6124000u, 0xc6124100u, 0xc6128000u};

	return (struct asked){of[i % 3] + (i * 7919 & 0xff), 443};
}

static void ask(struct vip_rig *rig, const struct vip_case *c)
{
	for (uint32_t i = 0; i < VIP_QUESTIONS; i++) {
		struct asked a = c->ask(i);

		rig->questions[i] = (struct vip_question){
			.address = {0, 0xffff0000u | (uint64_t)htonl(a.address) << 32},
			.port = htons(a.port),
			.protocol = 6,
			.interface_bit = 1,
		};
	}
}

static void measure(const struct packet_rig *packets, struct vip_rig *rig, const struct vip_case *c)
{
	double net[REPEATS];
	struct gpc_image image;
	size_t size;
	char *text;
	FILE *to;

	if (!packet_wanted(packets, c->name))
		return;
	to = open_memstream(&text, &size);
	if (!to)
		err(1, "plane");
	fprintf(to, "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: vips}\n"
		    "interfaces: [{name: wan0}]\n"
		    "backends: [{name: web, endpoints: [{name: one, address: 10.0.0.1}]}]\n"
		    "listeners:\n");
	c->listeners(to);
	fclose(to);
	image = packet_compile(text);
	vip_rig_install(rig, &image);
	ask(rig, c);
	for (int i = 0; i < REPEATS; i++) {
		double empty = vip_rig_run(rig, VIP_EMPTY, VIP_QUESTIONS, ROUNDS);

		net[i] = vip_rig_run(rig, VIP_LISTENER, VIP_QUESTIONS, ROUNDS) - empty;
	}
	for (uint32_t i = 0; i < VIP_QUESTIONS; i++)
		if (rig->answers[i].listener == GPC_NONE)
			errx(1, "%s: question %u found no listener", c->name, i);
	printf("%s %.0f\n", c->name, bench_median(net, REPEATS));
	fprintf(stderr, "%s: differences %.0f..%.0f\n", c->name, net[0], net[REPEATS - 1]);
	gpc_image_release(&image);
	free(text);
}

void packet_vips_measure(const struct packet_rig *packets)
{
	static const struct vip_case cases[] = {
		{"packet.vip_1000_whole.ns", whole_addresses, ask_whole},
		{"packet.vip_1000_ranges.ns", ranges, ask_ranges},
		{"packet.vip_3_prefixes.ns", prefixes, ask_prefixes},
	};
	struct vip_rig rig;

	vip_rig_start(&rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		measure(packets, &rig, &cases[i]);
	vip_rig_stop(&rig);
}
