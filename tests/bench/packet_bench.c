// SPDX-License-Identifier: MIT
/*
 * packet_bench: what gpc_xdp costs per packet, net of an empty program, for each way of forwarding and each
 * way a packet may take before. Figures on stdout, method on stderr.
 *
 *   packet_bench [PART-OF-A-NAME ...]	only the figures whose names hold one of these
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/sim/host.h"
#include "packet_rig.h"
#include "packet_vips.h"

static const char method[] =
	"packet: BPF_PROG_TEST_RUN with repeat 100000, duration as the kernel returns it, median of 25\n"
	"packet: differences. A wrapper program restores the frame, writes the next flow's addresses and\n"
	"packet: tail-calls gpc_xdp or, for the difference, an empty program. 64-byte frames (IPv6 74),\n"
	"packet: compiled planes, forward ipip where no other is named, action XDP_TX, backends of 100\n"
	"packet: endpoints in tables of 16381; flow table of 1048576 entries. `1flow`: one known flow, `64k`,\n"
	"packet: `512k`: that many in turn. `new`: no entry (flow-inserts 0), a new source in every packet,\n"
	"packet: 65536 other flows in the table; `101vip`: 101 VIPs with one backend of 100 endpoints,\n"
	"packet: `101backends`: a backend each, 10100 endpoints in all. `insert`: each packet enters a flow,\n"
	"packet: the table is full and its entries were made 20 s older before each run, as none is evicted that\n"
	"packet: was seen in the last 10. `lru`: the peer, a program that only finds or stores the same flows in an\n"
	"packet: LRU hash of the kernel with 1048576 entries of 48 bytes. `vip`: finding a listener, alone.\n"
	"packet: Other work on the machine shows: most of the large figures is cache misses.\n";

#define TCP4 {.to = "203.0.113.1", .port = 443, .payload = 10}
#define TCP6 {.to = "2001:db8:ff::1", .port = 443, .no_payload = true}
#define FORWARDED GPC_REASON_FORWARDED

static const struct frame_spec tcp4 = TCP4;

/* A plane, a frame, a figure. */
struct row {
	struct packet_plane plane;
	struct frame_spec frame;
	struct packet_case figure;
	bool whole; /* the program writes what the wrapper does not restore */
};

static bool any_wanted(const struct packet_rig *rig, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (packet_wanted(rig, rows[i].figure.name))
			return true;
	return false;
}

static void measure_row(struct packet_rig *rig, const struct row *row, uint32_t inserts)
{
	if (!any_wanted(rig, row, 1))
		return;
	packet_rig_use(rig, &row->plane, inserts);
	packet_rig_frame(rig, &row->frame);
	rig->state.whole = row->whole;
	packet_rig_measure(rig, &row->figure);
	rig->state.whole = 0;
}

/* ---- known flows ---- */

static void measure_forwarding(struct packet_rig *rig)
{
	static const struct row rows[] = {
		{{}, TCP4, {"packet.v4_tcp_hit_1flow.ns", .reason = FORWARDED}, false},
		{{}, TCP4, {"packet.v4_tcp_hit_64k.ns", 16, 1u << 17, FORWARDED, 0}, false},
		{{}, TCP6, {"packet.v6_tcp_hit_1flow.ns", .reason = FORWARDED}, false},
		{{}, TCP6, {"packet.v6_tcp_hit_64k.ns", 16, 1u << 17, FORWARDED, 0}, false},
		{{}, {.to = "203.0.113.254", .port = 443, .payload = 10},
		 {"packet.not_for_vip.ns", 16, 0, GPC_REASON_NO_LISTENER, 0}, false},
		{{.only = "v6"}, TCP4, {"packet.v4in6_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.listener = "forward: gue"}, TCP4,
		 {"packet.gue_v4_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.listener = "forward: gue"}, TCP6,
		 {"packet.gue_v6_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.listener = "forward: dsr"}, TCP4,
		 {"packet.dsr_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.listener = "forward: nat"}, TCP4,
		 {"packet.nat_hit_1flow.ns", .reason = FORWARDED}, true},
		{{.listener = "forward: nat"}, TCP4,
		 {"packet.nat_hit_64k.ns", 16, 1u << 17, FORWARDED, 0}, true},
		{{.listener = "forward: pass"}, TCP4,
		 {"packet.pass_hit_1flow.ns", .reason = GPC_REASON_LOCAL}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure_row(rig, &rows[i], PACKET_UNLIMITED);
}

static void command(const char *text)
{
	if (system(text))
		errx(1, "failed: %s", text);
}

/*
 * The way back to clients, which the program asks the kernel for. From then on the kernel answers about
 * endpoints as well; it must not know of other next hops than the rig's.
 */
static void make_client_route(void)
{
	command("ip link set lo up && sysctl -qw net.ipv4.ip_forward=1");
	command("ip link add gpcb0 type veth peer name gpcb1");
	command("ip link set gpcb0 up && ip link set gpcb1 up && ip addr add 10.9.0.254/24 dev gpcb0");
	command("ip route add default via 10.9.0.1 && ip route add unreachable 10.0.0.0/16");
	command("ip neigh add 10.9.0.1 lladdr 06:00:00:00:cc:04 dev gpcb0 nud permanent");
}

/* The reply of a `nat` flow: its endpoint is where the flow's own packet went. */
static void measure_reply(struct packet_rig *rig)
{
	static const struct packet_plane plane = {.listener = "forward: nat"};
	static const struct packet_case figure = {"packet.nat_reply_1flow.ns",
						  .reason = GPC_REASON_TRANSLATED};
	uint8_t out[KERNEL_FRAME_MAX];
	char endpoint[INET_ADDRSTRLEN];
	struct frame_spec reply = {.from = endpoint, .to = "198.51.100.7", .source_port = 443,
				   .port = 40000, .payload = 10};

	if (!packet_wanted(rig, figure.name))
		return;
	packet_rig_use(rig, &plane, PACKET_UNLIMITED);
	packet_rig_frame(rig, &tcp4);
	packet_rig_once(rig, out);
	make_client_route(); /* after the flow's own packet, which would ask the kernel for its way once a second */
	inet_ntop(AF_INET, out + 30, endpoint, sizeof(endpoint));
	packet_rig_frame(rig, &reply);
	rig->state.whole = 1;
	packet_rig_measure(rig, &figure);
	rig->state.whole = 0;
}

/* ---- other ways to an endpoint ---- */

#define QUIC_FRAME {.to = "203.0.113.1", .port = 443, .protocol = UDP, .payload = 22}
#define QUIC {.quic = true, .listener = "affinity: quic-cid"}

/* A short header with the server id of endpoint 5. */
static void name_server(struct packet_rig *rig)
{
	static const uint8_t bytes[] = {0x40, 0x00, 0, 0, 0, 5};

	memcpy(rig->frame.bytes + 42, bytes, sizeof(bytes));
}

static void measure_quic(struct packet_rig *rig)
{
	static const struct row rows[] = {
		{QUIC, QUIC_FRAME, {"packet.quic_cid_hit_1flow.ns", .reason = FORWARDED}, false},
		{QUIC, QUIC_FRAME, {"packet.quic_cid_new.ns", 32, 0, FORWARDED, 0}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!any_wanted(rig, &rows[i], 1))
			continue;
		packet_rig_use(rig, &rows[i].plane, i ? 0 : PACKET_UNLIMITED);
		packet_rig_frame(rig, &rows[i].frame);
		name_server(rig);
		packet_rig_measure(rig, &rows[i].figure);
	}
}

#define RULES                                                                                      \
	"segments: [{name: world, cidrs: [0.0.0.0/0, \"::/0\"]}]\n"                                  \
	"rules:\n"                                                                                 \
	"  - {name: ssh, from: world, to: {listeners: \"*\"}, ports: [tcp/22], action: deny}\n"       \
	"  - {name: vips, from: world, to: {listeners: \"*\"}, action: allow}\n"
#define POLICY(stateful)                                                                           \
	RULES "policies:\n"                                                                        \
	      "  - {name: in, interfaces: [wan0], direction: ingress, stateful: " stateful ", "      \
	      "default: deny, rules: [ssh, vips]}\n"

static void measure_others(struct packet_rig *rig)
{
	static const struct row rows[] = {
		{{.port = "400-499"}, TCP4, {"packet.range_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.listener = "affinity: source-ip"}, TCP4,
		 {"packet.affinity_hit_1flow.ns", .reason = FORWARDED}, false},
		{{.policies = POLICY("false")}, TCP4,
		 {"packet.stateless_hit_1flow.ns", .reason = FORWARDED}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure_row(rig, &rows[i], PACKET_UNLIMITED);
}

/* The policy lets the flow's SYN in, and knows its other packets by the entry. */
static void measure_stateful(struct packet_rig *rig)
{
	static const struct packet_plane plane = {.policies = POLICY("true")};
	static const struct packet_case figure = {"packet.stateful_hit_1flow.ns",
						  .reason = FORWARDED};
	struct frame_spec spec = TCP4;
	uint8_t out[KERNEL_FRAME_MAX];

	if (!packet_wanted(rig, figure.name))
		return;
	packet_rig_use(rig, &plane, PACKET_UNLIMITED);
	spec.from = "198.51.100.99";
	spec.flags = SYN;
	packet_rig_frame(rig, &spec);
	packet_rig_once(rig, out);
	spec.flags = ACK;
	packet_rig_frame(rig, &spec);
	packet_rig_measure(rig, &figure);
}

/* An operator halves the weight of one endpoint: every draw of the backend asks for states. */
static void measure_override(struct packet_rig *rig)
{
	struct gpc_backend_state backend = {.flags = GPC_BACKEND_ACTIVE, .step = {{0, 65536}}};
	struct gpc_endpoint_state endpoint = {.flags = GPC_STATE_WEIGHTED, .ratio = 32768};
	static const struct packet_plane plane = {};
	uint32_t slots[2];

	packet_rig_use(rig, &plane, PACKET_UNLIMITED);
	slots[0] = gpc_sim_backend_counter(&rig->image, 0);
	slots[1] = gpc_sim_endpoint_counter(&rig->image, 0);
	kernel_backend_state(&rig->kernel, slots[0], &backend);
	kernel_endpoint_state(&rig->kernel, slots[1], &endpoint);
	packet_rig_frame(rig, &tcp4);
	packet_rig_measure(rig, &(struct packet_case){"packet.override_hit_1flow.ns",
						      .reason = FORWARDED});
	packet_rig_use(rig, &plane, 0);
	packet_rig_measure(rig, &(struct packet_case){"packet.override_new.ns", 32, 0, FORWARDED, 0});
	backend = (struct gpc_backend_state){};
	endpoint = (struct gpc_endpoint_state){};
	kernel_backend_state(&rig->kernel, slots[0], &backend);
	kernel_endpoint_state(&rig->kernel, slots[1], &endpoint);
}

/* ---- new flows, and many ---- */

static void measure_new(struct packet_rig *rig)
{
	static const struct row rows[] = {
		{{}, TCP4, {"packet.v4_tcp_new_1vip.ns", 32, 0, FORWARDED, 0}, false},
		{{.vips = PACKET_VIPS}, TCP4, {"packet.v4_tcp_new_101vip.ns", 32, 0, FORWARDED, 0},
		 false},
		{{.vips = PACKET_VIPS, .backends = PACKET_VIPS}, TCP4,
		 {"packet.v4_tcp_new_101backends.ns", 32, 0, FORWARDED, 0}, false},
		{{}, TCP6, {"packet.v6_tcp_new_1vip.ns", 32, 0, FORWARDED, 0}, false},
		{{.listener = "hash: source-ip"}, TCP4,
		 {"packet.hash_source_new.ns", 32, 0, FORWARDED, 0}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure_row(rig, &rows[i], 0);
}

static void measure_many(struct packet_rig *rig)
{
	static const struct row rows[] = {
		{{}, TCP4, {"packet.v4_tcp_hit_512k.ns", 19, 1u << 20, FORWARDED, 0}, false},
		{{}, TCP4, {"packet.v4_tcp_new_insert.ns", 32, 2 * PACKET_FLOWS, FORWARDED, 0},
		 false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rig->full = rows[i].figure.log2_sources == 32;
		measure_row(rig, &rows[i], PACKET_UNLIMITED);
	}
	rig->full = false;
}

/* Right beside the figures that they are the peers of. */
static void measure_peer(struct packet_rig *rig)
{
	static const struct {
		const char *name;
		uint32_t log2;
		enum packet_wrapper_program program;
	} finds[] = {{"packet.lru_find_1flow.ns", 0, PACKET_WRAPPER_FIND},
		     {"packet.lru_find_64k.ns", 16, PACKET_WRAPPER_FIND},
		     {"packet.lru_find_512k.ns", 19, PACKET_WRAPPER_FIND},
		     {"packet.lru_find_1m.ns", 20, PACKET_WRAPPER_FIND},
		     {"packet.line_1flow.ns", 0, PACKET_WRAPPER_LINE},
		     {"packet.line_64k.ns", 16, PACKET_WRAPPER_LINE},
		     {"packet.line_512k.ns", 19, PACKET_WRAPPER_LINE}};
	struct packet_case insert = {.name = "packet.lru_insert.ns", .log2_sources = 32,
				     .warm_up = 2 * PACKET_FLOWS,
				     .program = PACKET_WRAPPER_INSERT};

	packet_rig_frame(rig, &tcp4);
	rig->state.vips = 1;
	for (size_t i = 0; i < sizeof(finds) / sizeof(*finds); i++) {
		struct packet_case find = {.name = finds[i].name, .log2_sources = finds[i].log2,
					   .program = finds[i].program};

		if (!packet_wanted(rig, find.name))
			continue;
		if (find.program == PACKET_WRAPPER_FIND)
			packet_rig_fill_peer(rig, find.log2_sources);
		packet_rig_measure(rig, &find);
	}
	packet_rig_measure(rig, &insert);
}

/* ---- sizes ---- */

static void print_size(const char *program, const char *what, uint32_t value)
{
	printf("program.%s.%s %u\n", program, what, value);
}

static void print_sizes(const struct packet_rig *rig)
{
	for (int i = 0; i < KERNEL_PROGRAMS; i++) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(rig->kernel.program[i], &info, &size))
			err(1, "program info");
		print_size(info.name, "verified.count", info.verified_insns);
		print_size(info.name, "xlated.bytes", info.xlated_prog_len);
		print_size(info.name, "jited.bytes", info.jited_prog_len);
	}
}

int main(int argc, char **argv)
{
	struct packet_rig rig = {.wanted = argc > 1 ? argv + 1 : NULL};

	fputs(method, stderr);
	packet_rig_start(&rig);
	measure_forwarding(&rig);
	measure_quic(&rig);
	measure_others(&rig);
	measure_stateful(&rig);
	measure_override(&rig);
	measure_new(&rig);
	measure_many(&rig);
	measure_peer(&rig);
	measure_reply(&rig);
	packet_vips_measure(&rig);
	if (packet_wanted(&rig, "program."))
		print_sizes(&rig);
	packet_rig_stop(&rig);
	return 0;
}
