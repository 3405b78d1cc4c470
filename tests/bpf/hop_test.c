// SPDX-License-Identifier: MIT
/*
 * Next hops against the kernel's own tables, and the metadata from XDP to TC on a real device: a
 * veth pair in the network namespace of this process.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "meta.skel.h"
#include "rig.h"
#include "tests/unit/unit.h"

#define A(n) "203.0.113." #n
#define B(n) "2001:db8:ff::" #n

static struct rig rig;
static uint32_t near_index, far_index; /* gpct0, by which the endpoints are reached, and its peer */

__attribute__((format(printf, 1, 2))) static void command(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (system(text))
		errx(1, "failed: %s", text);
}

static void write_sysctl(const char *path, const char *value)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(value, f) < 0 || fclose(f))
		err(1, "%s", path);
}

static void neighbour(const char *address, const char *mac)
{
	command("ip neigh replace %s lladdr %s dev gpct0 nud permanent", address, mac);
}

/* lo, where the frames arrive, forwards; the endpoints are behind gpct0. */
static void start(void)
{
	rig_start(&rig, 1024);
	command("ip link set lo up");
	command("ip link add gpct0 type veth peer name gpct1");
	command("ip link set gpct0 address 02:00:00:00:aa:01 up && ip link set gpct1 up");
	command("ip addr add 10.0.0.254/16 dev gpct0 && ip addr add 2001:db8:1::fe/64 dev gpct0 "
		"nodad");
	write_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	write_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	near_index = if_nametoindex("gpct0");
	far_index = if_nametoindex("gpct1");
	neighbour("10.0.1.1", "06:11:00:00:00:01");
	neighbour("2001:db8:1::1", "06:11:00:00:00:02");
	rig.devices[1].ifindex = near_index; /* the plane may send through it */
	rig_install(&rig, 0);
}

/* ---- next hops ---- */

struct sent {
	int action;
	uint8_t destination[6], source[6];
};

static struct sent to(const char *vip)
{
	struct frame_spec spec = {.to = vip};
	uint8_t out[KERNEL_FRAME_MAX] = {};
	struct kernel_run run = {.out = out};
	struct frame frame;
	struct sent sent;

	frame_build(&spec, &frame);
	run.in = frame.bytes;
	run.in_size = frame.size;
	kernel_run(&rig.kernel, KERNEL_XDP, &run);
	sent.action = run.action;
	memcpy(sent.destination, out, 6);
	memcpy(sent.source, out + 6, 6);
	return sent;
}

static bool goes(const char *vip, int action, const char *destination, const char *source)
{
	struct sent sent = to(vip);
	char got[2][18];

	for (int i = 0; i < 2; i++) {
		const uint8_t *m = i ? sent.source : sent.destination;

		snprintf(got[i], sizeof(got[i]), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
			 m[3], m[4], m[5]);
	}
	if (sent.action == action && !strcmp(got[0], destination) && !strcmp(got[1], source))
		return true;
	printf("%s: action %d to %s from %s; wanted %d to %s from %s\n", vip, sent.action, got[0],
	       got[1], action, destination, source);
	return false;
}

static uint64_t hop_of(const char *mac, uint64_t ifindex)
{
	unsigned int byte[6];
	uint64_t hop = ifindex << 48;

	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", byte, byte + 1, byte + 2, byte + 3, byte + 4,
		   byte + 5) != 6)
		errx(1, "not a MAC address: %s", mac);
	for (int i = 0; i < 6; i++)
		hop |= (uint64_t)byte[i] << 8 * i;
	return hop;
}

static uint64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

#define SLOT4 (2 * RIG_V4)
#define SLOT6 (2 * RIG_V6 + 1)
#define DEVICE "02:00:00:00:00:07" /* what the image says of gpct0 */
#define REAL "02:00:00:00:aa:01"   /* what it has */

/* The loader knew nothing, or what it knew has moved: the program asks, once, and stores what it
 * learns. */
static void heals(void)
{
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:01", DEVICE));
	CU_ASSERT_EQUAL(kernel_read_next(&rig.kernel, SLOT4).hop,
			hop_of("06:11:00:00:00:01", near_index));
	CU_ASSERT(coarse_now() - kernel_read_next(&rig.kernel, SLOT4).checked < 1000000000ull);
	kernel_next(&rig.kernel, SLOT6,
		    (struct gpc_next){.hop = hop_of("06:99:00:00:00:99", RIG_HERE), .checked = 1});
	CU_ASSERT(goes(B(1), XDP_REDIRECT, "06:11:00:00:00:02", DEVICE));
	CU_ASSERT_EQUAL(kernel_read_next(&rig.kernel, SLOT6).hop,
			hop_of("06:11:00:00:00:02", near_index));
}

/* Not more than once a second and entry. */
static void asks_once_a_second(void)
{
	struct gpc_next next = {.hop = hop_of("06:22:00:00:00:01", near_index),
				.checked = coarse_now() & ~GPC_NEXT_REFUSED};

	kernel_next(&rig.kernel, SLOT4, next);
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:22:00:00:00:01", DEVICE));
	CU_ASSERT_EQUAL(kernel_read_next(&rig.kernel, SLOT4).checked, next.checked);
	next.checked -= 1100000000ull;
	kernel_next(&rig.kernel, SLOT4, next);
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:01", DEVICE));
	CU_ASSERT(kernel_read_next(&rig.kernel, SLOT4).checked > next.checked);
}

/* The kernel has no neighbour: what is known stays, and nothing known is a drop. */
static void keeps_what_it_knows(void)
{
	command("ip neigh del 10.0.1.1 dev gpct0");
	kernel_next(&rig.kernel, SLOT4,
		    (struct gpc_next){.hop = hop_of("06:22:00:00:00:02", near_index)});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:22:00:00:00:02", DEVICE));
	CU_ASSERT_EQUAL(kernel_read_next(&rig.kernel, SLOT4).hop,
			hop_of("06:22:00:00:00:02", near_index));
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){});
	CU_ASSERT_EQUAL(to(A(1)).action, XDP_DROP);
	neighbour("10.0.1.1", "06:11:00:00:00:01");
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){.checked = coarse_now() & ~GPC_NEXT_REFUSED});
	CU_ASSERT_EQUAL(to(A(1)).action, XDP_DROP); /* its second is not over */
}

/* An entry whose second is over. */
static struct gpc_next old_hop(const char *mac, uint64_t ifindex, uint64_t flags)
{
	uint64_t then = coarse_now() - 1100000000ull;

	return (struct gpc_next){hop_of(mac, ifindex), (then & ~GPC_NEXT_REFUSED) | flags};
}

/* Packets are dropped for want of a way, now and until the kernel is asked again; what was known is kept. */
static bool refused(const char *vip, uint32_t slot, const char *mac, uint32_t ifindex)
{
	uint64_t before = kernel_reason(&rig.kernel, GPC_HOOK_ID_XDP, GPC_REASON_NO_NEXT_HOP);
	struct gpc_next next;

	kernel_next(&rig.kernel, slot, old_hop(mac, ifindex, 0));
	for (int i = 0; i < 2; i++) {
		int action = to(vip).action;

		if (action == XDP_DROP)
			continue;
		printf("%s: packet %d: action %d\n", vip, i, action);
		return false;
	}
	next = kernel_read_next(&rig.kernel, slot);
	return next.hop == hop_of(mac, ifindex) && next.checked & GPC_NEXT_REFUSED &&
	       kernel_reason(&rig.kernel, GPC_HOOK_ID_XDP, GPC_REASON_NO_NEXT_HOP) == before + 2;
}

/* A way that is closed or gone is not gone by, nor one that leaves by another device than it did. */
static void refuses(void)
{
	static const char *const kinds[] = {"unreachable", "blackhole", "prohibit"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		command("ip route add %s 10.0.1.1/32", kinds[i]);
		command("ip -6 route add %s 2001:db8:1::1/128", kinds[i]);
		CU_ASSERT(refused(A(1), SLOT4, "06:22:00:00:00:05", near_index));
		CU_ASSERT(refused(B(1), SLOT6, "06:22:00:00:00:06", near_index));
		command("ip route del %s 10.0.1.1/32", kinds[i]);
		command("ip -6 route del %s 2001:db8:1::1/128", kinds[i]);
	}
	command("ip neigh del 10.0.1.1 dev gpct0 && ip neigh del 2001:db8:1::1 dev gpct0");
	CU_ASSERT(refused(A(1), SLOT4, "06:22:00:00:00:05", RIG_HERE));
	CU_ASSERT(refused(B(1), SLOT6, "06:22:00:00:00:06", RIG_HERE));
	command("ip route del 10.0.0.0/16 dev gpct0");
	command("ip -6 route del 2001:db8:1::/64 dev gpct0");
	CU_ASSERT(refused(A(1), SLOT4, "06:22:00:00:00:05", near_index));
	CU_ASSERT(refused(B(1), SLOT6, "06:22:00:00:00:06", near_index));
}

/* The route is back, and no neighbour as yet, as after a link was down: what was known before serves again. */
static void takes_up_again(void)
{
	command("ip route add 10.0.0.0/16 dev gpct0");
	command("ip -6 route add 2001:db8:1::/64 dev gpct0");
	kernel_next(&rig.kernel, SLOT4,
		    old_hop("06:22:00:00:00:05", near_index, GPC_NEXT_REFUSED));
	kernel_next(&rig.kernel, SLOT6,
		    old_hop("06:22:00:00:00:06", near_index, GPC_NEXT_REFUSED));
	for (int i = 0; i < 2; i++) {
		CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:22:00:00:00:05", DEVICE));
		CU_ASSERT(goes(B(1), XDP_REDIRECT, "06:22:00:00:00:06", DEVICE));
	}
	CU_ASSERT(!(kernel_read_next(&rig.kernel, SLOT4).checked & GPC_NEXT_REFUSED));
	neighbour("10.0.1.1", "06:11:00:00:00:01");
	neighbour("2001:db8:1::1", "06:11:00:00:00:02");
	kernel_next(&rig.kernel, SLOT4,
		    old_hop("06:22:00:00:00:05", near_index, GPC_NEXT_REFUSED));
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:01", DEVICE));
}

/* Where the kernel does not forward it says nothing, and what was known is all there is. */
static void silent_kernel(void)
{
	write_sysctl("/proc/sys/net/ipv4/ip_forward", "0");
	kernel_next(&rig.kernel, SLOT4, old_hop("06:22:00:00:00:05", RIG_HERE, 0));
	CU_ASSERT(goes(A(1), XDP_TX, "06:22:00:00:00:05", "02:00:00:00:00:01"));
	CU_ASSERT(goes(A(1), XDP_TX, "06:22:00:00:00:05", "02:00:00:00:00:01"));
	write_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
}

/* A device that the image does not hold: the kernel says its MAC address, packet by packet. */
static void unknown_device(void)
{
	rig.plane.device_count = 1;
	rig_install(&rig, 0);
	kernel_next(&rig.kernel, SLOT4,
		    (struct gpc_next){.hop = hop_of("06:22:00:00:00:03", near_index)});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:01", REAL));
	neighbour("10.0.1.1", "06:11:00:00:00:77");
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:77", REAL));
	neighbour("10.0.1.1", "06:11:00:00:00:01");
	rig.plane.device_count = 2;
	rig_install(&rig, 0);
}

/* next-hop: fib asks for every packet and goes by gpc_next only where there is a route and no neighbour. */
static void fib_for_every_packet(void)
{
	rig.endpoints[RIG_V4].fib = rig.endpoints[RIG_V6].fib = true;
	rig_install(&rig, 0);
	kernel_next(&rig.kernel, SLOT4,
		    (struct gpc_next){.hop = hop_of("06:22:00:00:00:04", RIG_HERE),
				      .checked = coarse_now()});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:01", REAL));
	neighbour("10.0.1.1", "06:11:00:00:00:55");
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:55", REAL));
	CU_ASSERT(goes(B(1), XDP_REDIRECT, "06:11:00:00:00:02", REAL));
	CU_ASSERT(goes(A(3), XDP_REDIRECT, "06:11:00:00:00:55", REAL));
	command("ip neigh del 10.0.1.1 dev gpct0");
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:55", DEVICE));
	kernel_next(&rig.kernel, SLOT4,
		    (struct gpc_next){.hop = hop_of("06:22:00:00:00:04", RIG_HERE)});
	CU_ASSERT_EQUAL(to(A(1)).action, XDP_DROP); /* the route leaves by another device */
	kernel_next(&rig.kernel, SLOT4,
		    (struct gpc_next){.hop = hop_of("06:11:00:00:00:55", near_index)});
	command("ip route add unreachable 10.0.1.1/32");
	CU_ASSERT_EQUAL(to(A(1)).action, XDP_DROP);
	command("ip route del unreachable 10.0.1.1/32");
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){});
	CU_ASSERT_EQUAL(to(A(1)).action, XDP_DROP);
	neighbour("10.0.1.1", "06:11:00:00:00:01");
	rig.endpoints[RIG_V4].fib = rig.endpoints[RIG_V6].fib = false;
	rig_install(&rig, 0);
}

/* A backend's gateway is asked for instead of the endpoint, whatever family it has. */
static void gateway(void)
{
	neighbour("10.0.200.1", "06:11:00:00:00:c8");
	neighbour("2001:db8:1::c8", "06:11:00:00:00:c9");
	rig.plane.gateway[RIG_V4] = plane_address("10.0.200.1");
	rig.plane.gateway[RIG_V6] = plane_address("2001:db8:1::c8");
	rig_install(&rig, 0);
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){});
	kernel_next(&rig.kernel, SLOT6, (struct gpc_next){});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:c8", DEVICE));
	CU_ASSERT(goes(B(1), XDP_REDIRECT, "06:11:00:00:00:c9", DEVICE));
	rig.plane.gateway[RIG_V4] = plane_address("2001:db8:1::c8");
	rig_install(&rig, 0);
	kernel_next(&rig.kernel, SLOT4, (struct gpc_next){});
	CU_ASSERT(goes(A(1), XDP_REDIRECT, "06:11:00:00:00:c9", DEVICE));
	memset(rig.plane.gateway, 0, sizeof(rig.plane.gateway));
	rig_install(&rig, 0);
}

/* ---- metadata: frames that really arrive at gpct1 ---- */

static int open_sender(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)near_index};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "packet socket");
	return fd;
}

static uint64_t tc_counts(uint64_t counts[3])
{
	static const enum gpc_reason reasons[3] = {GPC_REASON_COUNTED, GPC_REASON_STALE_META,
						   GPC_REASON_ON_FAIL};
	uint64_t sum = 0;

	for (int i = 0; i < 3; i++)
		sum += counts[i] = kernel_reason(&rig.kernel, GPC_HOOK_ID_TC_INGRESS, reasons[i]);
	return sum;
}

/* How TC at gpct1 counts a frame that arrives there: 0 counted, 1 stale-meta, 2 on-fail; -1 not at
 * all. */
static int tc_counts_as(int sender)
{
	struct frame_spec spec = {.to = "192.0.2.77", .protocol = UDP, .port = 9};
	uint64_t before[3], after[3], sum = tc_counts(before);
	struct frame frame;

	frame_build(&spec, &frame);
	memset(frame.bytes, 0xff, 6);
	if (send(sender, frame.bytes, frame.size, 0) != (ssize_t)frame.size)
		err(1, "send");
	for (int i = 0; i < 2000 && tc_counts(after) == sum; i++)
		usleep(1000);
	for (int i = 0; i < 3; i++)
		if (after[i] != before[i])
			return i;
	return -1;
}

static int attach_xdp(int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	int fd = bpf_link_create(program, (int)far_index, BPF_XDP, &options);

	if (fd < 0)
		err(1, "attach XDP");
	return fd;
}

static void attach_tc(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)far_index, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = rig.kernel.program[KERNEL_TC_INGRESS]);

	if (bpf_tc_hook_create(&hook) || bpf_tc_attach(&hook, &options))
		errx(1, "attach TC");
}

/* What the frame carries is believed only if plane, slot and generation are those of the control
 * word. */
static void tc_believes(struct meta *meta, int sender)
{
	const uint64_t nonce = rig.plane.nonce & 0xffffffff, word = 0 | 1 << 3 | 2 << 6,
		       here = 5ull << 35, there = 6ull << 35 | 1ull << 32;
	const uint64_t past = 1ull << GPC_CTL_DEADLINE_SHIFT, future = ~0ull << GPC_CTL_DEADLINE_SHIFT;
	const struct {
		const char *name;
		uint64_t word, meta;
		int counts;
	} cases[] = {
		{"active", word, nonce | here, 0},
		{"fallback", 1 | 0 << 3 | 1 << 6, nonce | here, 0},
		{"previous", 1 | 1 << 3 | 0 << 6, nonce | here, 0},
		{"fallback, another image", word, nonce | there, 0},
		{"another plane", word, (nonce ^ 1) | here, 1},
		{"another generation", word, nonce | 4ull << 35, 1},
		{"generation of another slot", word, nonce | here | 1ull << 32, 1},
		{"slot that the word does not name", word, nonce | here | 4ull << 32, 1},
		{"slot named but empty", word, nonce | here | 2ull << 32, 1},
		{"all zero", word, 0, 1},
		{"believed though the active slot is empty", 2 | 0 << 3 | 0 << 6, nonce | here, 0},
		{"not believed, and the active slot is empty", 2 | 0 << 3 | 0 << 6, nonce, 2},
		{"before a deadline, of the active one", 0 | 1 << 3 | 1 << 6 | future, nonce | here, 0},
		{"past it, of what was active", 0 | 1 << 3 | 1 << 6 | past, nonce | here, 0},
		{"past it, of the fallback", 0 | 1 << 3 | 1 << 6 | past, nonce | there, 0},
		{"past it, of what was active in a new instance", 0 | 1 << 3 | 0 << 6 | past, nonce | here, 0},
		{"past it, of what was before both", 2 | 0 << 3 | 1 << 6 | past, nonce | there, 1},
		{"before it, not believed, active is empty", 2 | 0 << 3 | 0 << 6 | future, nonce, 2},
		{"past it, not believed, active is empty", 2 | 0 << 3 | 0 << 6 | past, nonce, 1},
	};
	uint32_t zero = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int got;

		bpf_map_update_elem(bpf_map__fd(meta->maps.meta_value), &zero, &cases[i].meta,
				    BPF_ANY);
		kernel_control(&rig.kernel, cases[i].word);
		got = tc_counts_as(sender);
		if (got != cases[i].counts)
			printf("metadata, %s: counted as %d\n", cases[i].name, got);
		CU_ASSERT_EQUAL(got, cases[i].counts);
	}
	kernel_control(&rig.kernel, word);
}

static void metadata(void)
{
	struct meta *meta = meta__open_and_load();
	int sender = open_sender(), link;

	if (!meta)
		err(1, "load meta");
	rig.plane.generation = 6;
	rig_install(&rig, 1);
	rig.plane.generation = 5;
	rig.devices[0].ifindex = far_index;
	rig.devices[0].flags = GPC_DEVICE_META;
	rig_install(&rig, 0);
	kernel_control(&rig.kernel, 0 | 1 << 3 | 2 << 6);
	attach_tc();
	CU_ASSERT_EQUAL(tc_counts_as(sender), 0); /* no XDP, no metadata */
	link = attach_xdp(bpf_program__fd(meta->progs.meta_writer));
	tc_believes(meta, sender);
	close(link);
	/* gpc_xdp's own; that it is there, and what it is, bpf/verdict says */
	link = attach_xdp(rig.kernel.program[KERNEL_XDP]);
	uint64_t passed = kernel_reason(&rig.kernel, GPC_HOOK_ID_XDP, GPC_REASON_NO_LISTENER);

	CU_ASSERT_EQUAL(tc_counts_as(sender), 0);
	CU_ASSERT(kernel_reason(&rig.kernel, GPC_HOOK_ID_XDP, GPC_REASON_NO_LISTENER) > passed);
	close(link);
	close(sender);
	meta__destroy(meta);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/hop", {"start", start}, {"heals", heals},
	      {"asks_once_a_second", asks_once_a_second},
	      {"keeps_what_it_knows", keeps_what_it_knows}, {"refuses", refuses},
	      {"takes_up_again", takes_up_again}, {"silent_kernel", silent_kernel},
	      {"unknown_device", unknown_device},
	      {"fib_for_every_packet", fib_for_every_packet}, {"gateway", gateway},
	      {"metadata", metadata}, {"stop", stop})
