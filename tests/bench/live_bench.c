/* SPDX-License-Identifier: MIT */
/*
 * Sends frames of LIVE_FLOWS UDP flows into a veth and counts those that arrive at the other end of
 * whatever stands between, all on one CPU: frames leave the device by XDP_TX of a live test run, the
 * receivers' work is done by softirqs of the same CPU.
 *
 *   live_bench OBJECT CLIENT-NETNS CLIENT-DEVICE SINK-NETNS SINK-DEVICE MAC FROM TO PORT FRAMES
 *
 * prints "KPPS ARRIVED SENT".
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

static void die(const char *what)
{
	fprintf(stderr, "live_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned int enter(const char *netns, const char *device)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	unsigned int ifindex;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(netns);
	close(fd);
	ifindex = if_nametoindex(device);
	if (!ifindex)
		die(device);
	return ifindex;
}

static unsigned long long arrived(int map)
{
	unsigned long long value[256], sum = 0;
	unsigned int zero = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > 256 || bpf_map_lookup_elem(map, &zero, value))
		die("counter");
	for (int i = 0; i < cpus; i++)
		sum += value[i];
	return sum;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* `frames` frames out of the device; the time it took. */
static double send_frames(int program, unsigned int ifindex, unsigned int frames)
{
	unsigned char frame[60] = {0};
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	double begin = seconds();

	if (bpf_prog_test_run_opts(program, &run))
		die("live frames");
	return seconds() - begin;
}

static void set_traffic(int map, char **argv)
{
	struct live_traffic traffic = {.port_be = htons((unsigned short)strtoul(argv[9], NULL, 10))};
	struct ether_addr *mac = ether_aton(argv[6]);
	unsigned int zero = 0;

	if (!mac || inet_pton(AF_INET, argv[7], &traffic.from_be) != 1 ||
	    inet_pton(AF_INET, argv[8], &traffic.to_be) != 1)
		die("addresses");
	memcpy(traffic.destination, mac, 6);
	memset(traffic.source, 2, 6);
	if (bpf_map_update_elem(map, &zero, &traffic, 0))
		die("traffic");
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	unsigned int frames, client, sink;
	unsigned long long before, after;
	int generator, counter, map;
	double took;

	if (argc != 11)
		die("usage");
	frames = (unsigned int)strtoul(argv[10], NULL, 10);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		die(argv[1]);
	generator = bpf_program__fd(bpf_object__find_program_by_name(object, "generate"));
	counter = bpf_program__fd(bpf_object__find_program_by_name(object, "sink"));
	map = bpf_object__find_map_fd_by_name(object, "arrived");
	set_traffic(bpf_object__find_map_fd_by_name(object, "traffic"), argv);

	sink = enter(argv[4], argv[5]);
	if (bpf_link_create(counter, (int)sink, BPF_XDP, NULL) < 0)
		die("sink");
	client = enter(argv[2], argv[3]);
	send_frames(generator, client, frames / 10);	/* flows known, caches warm */
	before = arrived(map);
	took = send_frames(generator, client, frames);
	after = arrived(map);
	printf("%.1f %llu %u\n", (double)(after - before) / took / 1e3, after - before, frames);
	bpf_object__close(object);
	return 0;
}
