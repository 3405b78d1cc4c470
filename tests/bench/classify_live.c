/* SPDX-License-Identifier: MIT */
#include "classify_live.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "classify_live_frame.h"

static void set_ip_checksum(unsigned char *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	ip[10] = (unsigned char)(sum >> 8);
	ip[11] = (unsigned char)sum;
}

static void make_frame(const struct gpc_question *q, const unsigned char mac[6], struct classify_live_frame *ret)
{
	bool v4 = q->family == GPC_V4;
	unsigned char *f = (unsigned char *)ret, *ip = f + 14, *l4 = ip + (v4 ? 20 : 40);

	memset(ret, 0, sizeof(*ret));
	memcpy(f, mac, 6);
	memset(f + 6, 2, 6);
	memcpy(f + 12, v4 ? "\x08\x00" : "\x86\xdd", 2);
	if (v4) {
		memcpy(ip, "\x45\x00\x00\x28\x00\x00\x40\x00\x40", 9);
		ip[9] = q->protocol;
		memcpy(ip + 12, (const char *)q->source + 12, 4);
		memcpy(ip + 16, (const char *)q->destination + 12, 4);
		set_ip_checksum(ip); /* br_netfilter, where it is loaded, looks at it */
	} else {
		memcpy(ip, "\x60\x00\x00\x00\x00\x14", 6);
		ip[6] = q->protocol;
		ip[7] = 64;
		memcpy(ip + 8, q->source, 16);
		memcpy(ip + 24, q->destination, 16);
	}
	if (q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6) {
		l4[0] = (unsigned char)(q->destination_port >> 8);
		l4[1] = (unsigned char)q->destination_port;
		return;
	}
	l4[0] = (unsigned char)(q->source_port >> 8);
	l4[1] = (unsigned char)q->source_port;
	l4[2] = (unsigned char)(q->destination_port >> 8);
	l4[3] = (unsigned char)q->destination_port;
	if (q->protocol == IPPROTO_TCP) {
		l4[12] = 0x50;
		l4[13] = 0x02;
	} else if (q->protocol == IPPROTO_UDP) {
		l4[5] = 20;
	}
}

static bool fill(int map, const char *mac_text, const struct gpc_question *questions, size_t count)
{
	const struct ether_addr *mac = ether_aton(mac_text);
	struct classify_live_frame frame;

	for (unsigned int i = 0; mac && i < CLASSIFY_LIVE_FRAMES; i++) {
		make_frame(&questions[i % count], mac->ether_addr_octet, &frame);
		if (bpf_map_update_elem(map, &i, &frame, BPF_ANY))
			return false;
	}
	return mac != NULL;
}

static unsigned int enter(struct live_place place)
{
	int fd = open(place.netns, O_RDONLY | O_CLOEXEC);
	bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;

	if (fd >= 0)
		close(fd);
	return entered ? if_nametoindex(place.device) : 0;
}

static unsigned long long arrived(int map)
{
	unsigned long long value[256], sum = 0;
	unsigned int zero = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > 256 || bpf_map_lookup_elem(map, &zero, value))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += value[i];
	return sum;
}

/* Seconds that it took; negative: it failed. */
static double send_frames(int program, unsigned int ifindex, unsigned int frames)
{
	unsigned char frame[CLASSIFY_LIVE_BYTES] = {0};
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	double begin = bench_now_ms();

	return bpf_prog_test_run_opts(program, &run) ? -1 : (bench_now_ms() - begin) / 1e3;
}

#define PROBE 2048u

/* How many frames take about so many seconds; 0: sending failed. */
static unsigned int frames_of(int generator, unsigned int ifindex, double seconds)
{
	double took = 0;
	unsigned int frames = PROBE;

	for (; took < seconds / 8; frames *= 2) {
		took = send_frames(generator, ifindex, frames);
		if (took <= 0)
			return 0;
	}
	took = frames / 2 / took * seconds;
	return took > 1 << 26 ? 1 << 26 : (unsigned int)took;
}

static bool measure(struct bpf_object *object, unsigned int ifindex, double seconds)
{
	int generator = bpf_program__fd(bpf_object__find_program_by_name(object, "generate"));
	int counter = bpf_object__find_map_fd_by_name(object, "arrived");
	unsigned int frames = frames_of(generator, ifindex, seconds);
	unsigned long long before = arrived(counter);
	double took = frames ? send_frames(generator, ifindex, frames) : -1;

	if (took <= 0)
		return false;
	before = arrived(counter) - before;
	printf("%.1f %llu %u\n", (double)before / took / 1e3, before, frames);
	return true;
}

bool classify_live(const char *path, struct live_place from, struct live_place to, const char *destination_mac,
		   const struct gpc_question *questions, size_t count, double seconds)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	bool ok = object && !bpf_object__load(object) &&
		  fill(bpf_object__find_map_fd_by_name(object, "frames"), destination_mac, questions, count);
	unsigned int ifindex = ok ? enter(to) : 0;
	int sink = -1;

	if (ifindex)
		sink = bpf_link_create(bpf_program__fd(bpf_object__find_program_by_name(object, "sink")), (int)ifindex,
				       BPF_XDP, NULL);
	ifindex = sink >= 0 ? enter(from) : 0;
	ok = ifindex && measure(object, ifindex, seconds);
	if (!ok)
		fprintf(stderr, "classify: frames could not be sent: %m\n");
	if (sink >= 0)
		close(sink);
	bpf_object__close(object);
	return ok;
}
