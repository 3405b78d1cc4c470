// SPDX-License-Identifier: MIT
/*
 * `forward: nat`: packets of both directions, and ICMP errors about them, against tests/oracle/nat_oracle.py, which
 * makes them, says which bytes must come out, and sums up every checksum from scratch. The plane is made here by
 * hand; what the oracle has to know of it stands at its head.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tests/unit/unit.h"

#define ROUNDS "600"
#define FEW 40u /* of the ports of `snat` */

static struct rig rig;
static uint32_t near_index; /* of gpct0, by which clients are reached */

#define ROW(i, to, p, proto, end, f)                                                               \
	{.index = i, .address = plane_address(to), .port = p, .protocol = proto,                   \
	 .forward = GPC_FORWARD_NAT, .backend = end, .interfaces = 1, .flags = f}

static void command(const char *text)
{
	if (system(text))
		errx(1, "failed: %s", text);
}

static void make_network(void)
{
	command("ip link set lo up");
	command("ip link add gpct0 address 02:00:00:00:aa:01 type veth peer name gpct1");
	command("ip link set gpct0 up && ip link set gpct1 up");
	command("ip addr add 10.9.0.254/24 dev gpct0 && ip addr add 2001:db8:9::fe/64 dev gpct0 nodad");
	command("ip route add default via 10.9.0.1 && ip -6 route add default via 2001:db8:9::1");
	command("ip neigh add 10.9.0.1 lladdr 06:00:00:00:cc:04 dev gpct0 nud permanent");
	command("ip neigh add 2001:db8:9::1 lladdr 06:00:00:00:cc:06 dev gpct0 nud permanent");
	command("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	command("ip route add unreachable 10.0.0.0/16");
	command("ip -6 route add unreachable 2001:db8:1::/64");
	near_index = if_nametoindex("gpct0");
}

/* The rig's next hops serve all along: the kernel, which forwards here, is not asked about them. */
static void keep_hops(void)
{
	for (uint32_t slot = 0; slot < 2 * rig.plane.endpoint_count; slot++) {
		struct gpc_next next = kernel_read_next(&rig.kernel, slot);

		next.checked = 1ull << 62; /* in a far future */
		kernel_next(&rig.kernel, slot, next);
	}
}

static void start(void)
{
	static struct plane_listener rows[10];
	const struct plane_listener all[] = {
		ROW(0, "203.0.113.1", 80, TCP, RIG_V4, 0),
		ROW(1, "203.0.113.1", 53, UDP, RIG_V4, 0),
		ROW(2, "203.0.113.2", 80, TCP, RIG_V4, GPC_LISTENER_SNAT),
		ROW(3, "203.0.113.2", 53, UDP, RIG_V4, GPC_LISTENER_SNAT),
		ROW(4, "2001:db8:ff::1", 80, TCP, RIG_V6, 0),
		ROW(5, "2001:db8:ff::1", 53, UDP, RIG_V6, 0),
		ROW(6, "2001:db8:ff::2", 80, TCP, RIG_V6, GPC_LISTENER_SNAT),
		ROW(7, "2001:db8:ff::2", 53, UDP, RIG_V6, GPC_LISTENER_SNAT),
		ROW(8, "203.0.113.3", 80, TCP, RIG_V4, GPC_LISTENER_MSS_CLAMP),
		ROW(9, "2001:db8:ff::3", 80, TCP, RIG_V6, GPC_LISTENER_MSS_CLAMP),
	};

	rig_start(&rig, 65536);
	make_network();
	keep_hops();
	memcpy(rows, all, sizeof(all));
	rig.plane.listeners = rows;
	rig.plane.listener_count = sizeof(all) / sizeof(*all);
	rig.plane.flags |= GPC_PLANE_NAT;
	rig.endpoints[RIG_V4].port = 8080;
	rig.devices[1].ifindex = near_index;
	rig.devices[1].interface = 0;
	rig_install(&rig, 0);
}

static void stop(void)
{
	rig_stop(&rig);
}

/* ---- against the oracle ---- */

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned int byte;

	while (n < FRAME_MAX && sscanf(text + 2 * n, "%2x", &byte) == 1)
		out[n++] = (uint8_t)byte;
	return n;
}

/* "xdp|tc DEVICE HEX": the frame goes through the program; the answer is "ACTION HEX". */
static void run_line(const char *line, FILE *to)
{
	uint8_t in[FRAME_MAX], out[KERNEL_FRAME_MAX] = {};
	static char hex[2 * FRAME_MAX + 1];
	char program[8], device[8];
	struct kernel_run run = {.in = in, .out = out};

	if (sscanf(line, "%7s %7s %4096s", program, device, hex) != 3)
		errx(1, "not a line of the oracle's: %s", line);
	run.in_size = (uint32_t)from_hex(hex, in);
	run.ifindex = strcmp(device, "near") ? 0 : near_index;
	kernel_run(&rig.kernel, strcmp(program, "tc") ? KERNEL_XDP : KERNEL_TC_INGRESS, &run);
	fprintf(to, "%d ", run.action);
	for (uint32_t i = 0; i < run.out_size; i++)
		fprintf(to, "%02x", out[i]);
	fprintf(to, "\n");
	fflush(to);
}

static void packets_become_what_the_oracle_says(void)
{
	static char line[2 * FRAME_MAX + 64];
	int there[2], back[2], status;
	FILE *from, *to;
	pid_t child;

	CU_ASSERT_FATAL(!pipe(there) && !pipe(back));
	child = fork();
	CU_ASSERT_FATAL(child >= 0);
	if (!child) {
		dup2(there[0], 0);
		dup2(back[1], 1);
		close(there[1]);
		close(back[0]);
		execl("tests/oracle/nat_oracle.py", "nat_oracle.py", ROUNDS, "1", (char *)NULL);
		_exit(127);
	}
	close(there[0]);
	close(back[1]);
	to = fdopen(there[1], "w");
	from = fdopen(back[0], "r");
	while (fgets(line, sizeof(line), from)) {
		if (line[0] == '#')
			fputs(line, stdout);
		else
			run_line(line, to);
	}
	fclose(to);
	fclose(from);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Without a chain they let all pass, and what passes is translated. */
static void errors_that_rules_judge_are_translated_too(void)
{
	rig.plane.builtin[GPC_BUILTIN_ICMP_ERROR] = GPC_BUILTIN_RULES;
	rig_install(&rig, 0);
	kernel_forget_flows(&rig.kernel);
	packets_become_what_the_oracle_says();
	rig.plane.builtin[GPC_BUILTIN_ICMP_ERROR] = GPC_BUILTIN_ALLOW;
	rig_install(&rig, 0);
}

/* ---- twins ---- */

static struct frame built(const struct frame_spec *spec)
{
	struct frame frame;

	frame_build(spec, &frame);
	return frame;
}

static bool sends(const char *name, const struct frame_spec *spec, int action,
		  enum gpc_reason reason)
{
	struct frame frame = built(spec);

	return rig_check(&rig, KERNEL_XDP, name, &frame, action, reason, NULL);
}

/* A reply finds its flow only while entry and twin are there; both are made anew by the client's next packet. */
static void a_lost_twin_is_made_again(void)
{
	const struct frame_spec out = {.to = "203.0.113.1", .flags = SYN},
				back = {.from = "10.0.1.1",
					.to = "198.51.100.7",
					.source_port = 8080,
					.port = 40000,
					.flags = SYN | ACK};

	kernel_forget_flows(&rig.kernel);
	CU_ASSERT(sends("no flow", &back, XDP_PASS, GPC_REASON_NO_LISTENER));
	CU_ASSERT(sends("opens", &out, XDP_TX, GPC_REASON_FORWARDED));
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 2);
	CU_ASSERT(sends("reply", &back, XDP_REDIRECT, GPC_REASON_TRANSLATED));
	kernel_forget_flows(&rig.kernel);
	CU_ASSERT(sends("forgotten", &back, XDP_PASS, GPC_REASON_NO_LISTENER));
	CU_ASSERT(sends("goes on",
			&(struct frame_spec){.to = "203.0.113.1", .flags = ACK}, XDP_TX,
			GPC_REASON_FORWARDED));
	CU_ASSERT(sends("reply again", &back, XDP_REDIRECT, GPC_REASON_TRANSLATED));
}

/* Later fragments become what the first one became; one whose first is not known is dropped. */
static void fragments_of_a_reply_follow_the_first(void)
{
	const uint8_t as_the_vip[8] = {203, 0, 113, 1, 198, 51, 100, 7};
	struct frame_spec back = {.from = "10.0.1.1",
				  .to = "198.51.100.7",
				  .source_port = 8080,
				  .port = 40000,
				  .protocol = UDP,
				  .fragment = 0x2000,
				  .may_fragment = true,
				  .payload = 16,
				  .id = 77};
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.out = out};
	struct frame later;

	CU_ASSERT(sends("opens", &(struct frame_spec){.to = "203.0.113.1", .protocol = UDP, .port = 53},
			XDP_TX, GPC_REASON_FORWARDED));
	CU_ASSERT(sends("first", &back, XDP_REDIRECT, GPC_REASON_TRANSLATED));
	back.fragment = 3;
	later = built(&back);
	run.in = later.bytes;
	run.in_size = later.size;
	kernel_run(&rig.kernel, KERNEL_XDP, &run);
	CU_ASSERT_EQUAL(run.action, XDP_REDIRECT);
	CU_ASSERT_EQUAL(run.out_size, later.size);
	CU_ASSERT(!memcmp(out + 26, as_the_vip, sizeof(as_the_vip)));
	CU_ASSERT_EQUAL(frame_checksum(out + 14, 20), 0);
	CU_ASSERT(!memcmp(out + 34, later.bytes + 34, later.size - 34));
	back.id = 78;
	CU_ASSERT(sends("of another packet", &back, XDP_DROP, GPC_REASON_FRAGMENT));
	later = built(&back);
	CU_ASSERT(rig_check(&rig, KERNEL_TC_INGRESS, "at TC", &later, TC_ACT_SHOT,
			    GPC_REASON_FRAGMENT, NULL));
	back.from = "10.0.77.7";
	CU_ASSERT(sends("of somebody else", &back, XDP_PASS, GPC_REASON_NO_LISTENER));
}

/* Nobody can say which endpoint the first one will get. */
static void a_later_fragment_before_its_first_is_dropped(void)
{
	struct frame_spec spec = {.to = "203.0.113.1",
				  .protocol = UDP,
				  .port = 53,
				  .fragment = 3,
				  .may_fragment = true,
				  .payload = 16,
				  .id = 99};

	const uint32_t flags = rig.plane.flags;

	CU_ASSERT(sends("fragments are not balanced", &spec, XDP_PASS, GPC_REASON_FRAGMENT));
	rig.plane.flags &= ~(3u << GPC_PLANE_FRAGMENTS_SHIFT);
	rig_install(&rig, 0);
	CU_ASSERT(sends("before", &spec, XDP_DROP, GPC_REASON_FRAGMENT));
	spec.fragment = 0x2000;
	CU_ASSERT(sends("first", &spec, XDP_TX, GPC_REASON_FORWARDED));
	spec.fragment = 3;
	/* The kernel has no way there in this test, so the stack is asked. */
	CU_ASSERT(sends("behind", &spec, XDP_PASS, GPC_REASON_FORWARDED));
	rig.plane.flags = flags;
	rig_install(&rig, 0);
}

/* What is no reply, and whose first fragment was seen, follows it as of anybody else. */
static void fragments_of_an_endpoints_own_pass(void)
{
	struct frame_spec own = {.from = "10.0.1.1",
				 .to = "198.51.100.9",
				 .protocol = UDP,
				 .fragment = 3,
				 .may_fragment = true,
				 .payload = 16,
				 .id = 501};
	struct frame frame;

	CU_ASSERT(sends("opens", &(struct frame_spec){.to = "203.0.113.1", .protocol = UDP, .port = 53},
			XDP_TX, GPC_REASON_FORWARDED));
	CU_ASSERT(sends("before", &own, XDP_DROP, GPC_REASON_FRAGMENT));
	own.fragment = 0x2000;
	CU_ASSERT(sends("first", &own, XDP_PASS, GPC_REASON_NO_LISTENER));
	own.fragment = 3;
	CU_ASSERT(sends("behind", &own, XDP_PASS, GPC_REASON_NO_LISTENER));
	frame = built(&own);
	CU_ASSERT(rig_check(&rig, KERNEL_TC_INGRESS, "at TC", &frame, TC_ACT_UNSPEC,
			    GPC_REASON_COUNTED, NULL));
	own.id = 502;
	CU_ASSERT(sends("of another packet", &own, XDP_DROP, GPC_REASON_FRAGMENT));
}

/* ---- what the stack sends on ---- */

/* Seen at egress, a translated packet opens no flow of its own, whose entry would take the twin's place. */
static void what_the_stack_routes_leaves_the_twin(void)
{
	const struct frame_spec there = {.to = "10.0.1.1", .port = 8080, .protocol = UDP},
				other = {.to = "10.0.1.1", .port = 8081, .protocol = UDP},
				back = {.from = "10.0.1.1",
					.to = "198.51.100.7",
					.source_port = 8080,
					.port = 40000,
					.protocol = UDP};
	struct frame frame = built(&there);

	rig.plane.flags |= GPC_PLANE_STATEFUL;
	rig_install(&rig, 0);
	kernel_forget_flows(&rig.kernel);
	CU_ASSERT(sends("opens", &(struct frame_spec){.to = "203.0.113.1", .protocol = UDP, .port = 53},
			XDP_TX, GPC_REASON_FORWARDED));
	CU_ASSERT(rig_check(&rig, KERNEL_TC_EGRESS, "routed", &frame, TC_ACT_UNSPEC,
			    GPC_REASON_COUNTED, NULL));
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 2);
	CU_ASSERT(sends("reply", &back, XDP_REDIRECT, GPC_REASON_TRANSLATED));
	frame = built(&other);
	CU_ASSERT(rig_check(&rig, KERNEL_TC_EGRESS, "of another flow", &frame, TC_ACT_UNSPEC,
			    GPC_REASON_COUNTED, NULL));
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 3);
	rig.plane.flags &= ~GPC_PLANE_STATEFUL;
	rig_install(&rig, 0);
}

/* Each client gets a port of its own; none is taken away from a flow that lives. */
static void ports_of_snat_are_each_flows_own(void)
{
	static uint8_t taken[65536];
	struct frame_spec spec = {.to = "203.0.113.2", .flags = SYN};
	uint8_t out[KERNEL_FRAME_MAX];

	memset(taken, 0, sizeof(taken));
	kernel_forget_flows(&rig.kernel);
	for (uint32_t i = 0; i < 2 * FEW; i++) {
		struct frame frame;
		struct kernel_run run = {.out = out};
		uint32_t port;

		spec.source_port = (uint16_t)(20000 + i % FEW);
		frame = built(&spec);
		run.in = frame.bytes;
		run.in_size = frame.size;
		kernel_run(&rig.kernel, KERNEL_XDP, &run);
		port = (uint32_t)out[34] << 8 | out[35];
		CU_ASSERT_EQUAL(run.action, XDP_TX);
		CU_ASSERT(port >= 1024 && port < 32768);
		taken[port]++;
	}
	for (uint32_t port = 0; port < 65536; port++)
		CU_ASSERT(taken[port] == 0 || taken[port] == 2);
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 2 * FEW);
}

static void the_last_hop_is_not_passed(void)
{
	struct frame_spec spec = {.to = "203.0.113.1", .hops = 1};

	CU_ASSERT(sends("ttl 1", &spec, XDP_TX, GPC_REASON_TTL));
	spec.hops = 2;
	CU_ASSERT(sends("ttl 2", &spec, XDP_TX, GPC_REASON_FORWARDED));
}

static void what_does_not_fit_is_told(void)
{
	struct frame_spec spec = {.to = "203.0.113.1", .payload = 1461};

	CU_ASSERT(sends("1501 with DF", &spec, XDP_TX, GPC_REASON_TOO_BIG));
	spec.may_fragment = true;
	CU_ASSERT(sends("1501 without DF", &spec, XDP_PASS, GPC_REASON_FORWARDED));
}

/* Nothing is looked for where no listener translates. */
static void without_nat_nothing_is_a_reply(void)
{
	const struct frame_spec back = {.from = "10.0.1.1",
					.to = "198.51.100.7",
					.source_port = 8080,
					.port = 40000,
					.flags = ACK};

	kernel_forget_flows(&rig.kernel);
	CU_ASSERT(sends("opens", &(struct frame_spec){.to = "203.0.113.1", .flags = SYN}, XDP_TX,
			GPC_REASON_FORWARDED));
	rig.plane.flags &= ~GPC_PLANE_NAT;
	rig_install(&rig, 1);
	kernel_control(&rig.kernel, 1);
	CU_ASSERT(sends("no reply", &back, XDP_PASS, GPC_REASON_NO_LISTENER));
	kernel_control(&rig.kernel, 0);
	rig.plane.flags |= GPC_PLANE_NAT;
	CU_ASSERT(sends("reply", &back, XDP_REDIRECT, GPC_REASON_TRANSLATED));
}

GPC_UNIT_MAIN("bpf/nat", {"start", start},
	      {"packets_become_what_the_oracle_says", packets_become_what_the_oracle_says},
	      {"errors_that_rules_judge_are_translated_too",
	       errors_that_rules_judge_are_translated_too},
	      {"a_lost_twin_is_made_again", a_lost_twin_is_made_again},
	      {"fragments_of_a_reply_follow_the_first", fragments_of_a_reply_follow_the_first},
	      {"a_later_fragment_before_its_first_is_dropped",
	       a_later_fragment_before_its_first_is_dropped},
	      {"fragments_of_an_endpoints_own_pass", fragments_of_an_endpoints_own_pass},
	      {"what_the_stack_routes_leaves_the_twin", what_the_stack_routes_leaves_the_twin},
	      {"ports_of_snat_are_each_flows_own", ports_of_snat_are_each_flows_own},
	      {"the_last_hop_is_not_passed", the_last_hop_is_not_passed},
	      {"what_does_not_fit_is_told", what_does_not_fit_is_told},
	      {"without_nat_nothing_is_a_reply", without_nat_nothing_is_a_reply}, {"stop", stop})
