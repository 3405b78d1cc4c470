/* SPDX-License-Identifier: MIT */
/*
 * The XDP programs against tests/oracle/packet_oracle.py: compiled planes, 24,000 generated frames
 * each, verdict, reason and every byte that leaves. The oracle is told what a host adds (MACs, next
 * hops, source addresses) and the plane's objects.
 */
#include <linux/bpf.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "kernel.h"
#include "linked.h"

#define FRAMES 24000
#define EDGE_SLOT 0u
#define DECAP_SLOT 1u

struct defaults {
	const char *malformed, *non_ip;
};

static const char intent[] =
	"apiVersion: gpc/v1\n"
	"kind: Plane\n"
	"metadata: {name: packet-oracle}\n"
	"defaults: {malformed: %s, non-ip: %s}\n"
	"interfaces:\n"
	"  - {name: wan0, hooks: [xdp]}\n"
	"  - {name: wan1, hooks: [xdp]}\n"
	"  - {name: dc0, role: decap, hooks: [xdp]}\n"
	"backends:\n"
	"  - name: both\n"
	"    endpoints:\n"
	"      - {name: a, address: [10.0.1.1, \"2001:db8:1::1\"]}\n"
	"      - {name: b, address: [10.0.1.2, \"2001:db8:1::2\"], weight: 3}\n"
	"      - {name: c, address: \"2001:db8:1::3\", weight: 2}\n"
	"      - {name: d, address: [10.0.1.4, \"2001:db8:1::4\"], state: drain}\n"
	"  - name: four\n"
	"    table-size: 11\n"
	"    endpoints: [{name: a, address: 10.0.2.1}, {name: b, address: 10.0.2.2}, {name: lost, "
	"address: 10.0.2.3}]\n"
	"  - {name: nobody, endpoints: [{name: a, address: 10.0.3.1, state: maint}]}\n"
	"listeners:\n"
	"  - {name: web, address: [203.0.113.10, \"2001:db8:ff::10\"], protocol: TCP, port: 443, "
	"backend: both}\n"
	"  - {name: dns, address: [203.0.113.10, \"2001:db8:ff::11\"], protocol: UDP, port: 53, "
	"backend: both}\n"
	"  - {name: old, address: 203.0.113.12, protocol: TCP, port: 80, backend: four}\n"
	"  - {name: dsr, address: [203.0.113.13, \"2001:db8:ff::13\"], protocol: UDP, port: 80, "
	"forward: dsr, backend: four}\n"
	"  - {name: near, address: [203.0.113.13, \"2001:db8:ff::13\"], protocol: TCP, port: 80, "
	"forward: dsr, backend: both}\n"
	"  - {name: empty, address: 203.0.113.14, protocol: TCP, port: 443, backend: nobody}\n"
	"  - {name: web-a, address: 203.0.113.20, protocol: TCP, port: 443, forward: dsr, "
	"backend: both, interfaces: [wan0]}\n"
	"  - {name: web-b, address: 203.0.113.20, protocol: TCP, port: 443, backend: both, "
	"interfaces: [wan1]}\n"
	"  - {name: far, address: [203.0.113.21, \"2001:db8:ff::21\"], protocol: UDP, port: 53, "
	"backend: both, interfaces: [wan1]}\n";

/* ---- the host: next hops, devices, source addresses ------------------------------------------ */

/* Endpoint i, family f: its next hop has slot 2 * i + f. Every third goes out by the other device.
 */
static uint32_t hop_slot(uint32_t endpoint, unsigned int family)
{
	return 2 * endpoint + family;
}

static bool hop_here(uint32_t endpoint, unsigned int family)
{
	return hop_slot(endpoint, family) % 3 != 2;
}

static bool hop_known(const struct gpc_image *image, const struct gpc_endpoint *e)
{
	return strcmp(gpc_image_name(image, e->name), "lost") != 0;
}

static void hop_mac(uint32_t endpoint, unsigned int family, uint8_t mac[6])
{
	const uint8_t bytes[6] = {0x02, 0x30, 0, 0, (uint8_t)endpoint, (uint8_t)(4 + 2 * family)};

	memcpy(mac, bytes, 6);
}

static uint32_t endpoint_count(const struct gpc_image *image)
{
	uint32_t count;

	gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	return count;
}

static void set_hops(struct kernel *kernel, const struct gpc_image *image)
{
	uint32_t count;
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	for (uint32_t i = 0; i < count; i++)
		for (unsigned int f = 0; f < 2; f++) {
			uint8_t hop[8] = {0};
			uint16_t ifindex = (uint16_t)(hop_here(i, f) ? HERE : OUT);
			struct gpc_next next = {0};

			hop_mac(i, f, hop);
			memcpy(hop + 6, &ifindex, 2);
			memcpy(&next.hop, hop, 8);
			if (hop_known(image, &e[i]))
				kernel_next(kernel, hop_slot(i, f), next);
		}
}

/* ---- facts for the oracle -------------------------------------------------------------------- */

/* The listeners as the intent above has them; the endpoints' ids, states and weights from the
 * image. */
static const struct {
	const char *name, *addresses;
	int protocol, port;
	const char *forward, *backend;
	bool elsewhere; /* not on wan0 */
} listeners[] = {
	{"web", "\"203.0.113.10\", \"2001:db8:ff::10\"", 6, 443, "ipip", "both", false},
	{"dns", "\"203.0.113.10\", \"2001:db8:ff::11\"", 17, 53, "ipip", "both", false},
	{"old", "\"203.0.113.12\"", 6, 80, "ipip", "four", false},
	{"dsr", "\"203.0.113.13\", \"2001:db8:ff::13\"", 17, 80, "dsr", "four", false},
	{"near", "\"203.0.113.13\", \"2001:db8:ff::13\"", 6, 80, "dsr", "both", false},
	{"empty", "\"203.0.113.14\"", 6, 443, "ipip", "nobody", false},
	{"web-a", "\"203.0.113.20\"", 6, 443, "dsr", "both", false},
	{"web-b", "\"203.0.113.20\"", 6, 443, "ipip", "both", true},
	{"far", "\"203.0.113.21\", \"2001:db8:ff::21\"", 17, 53, "ipip", "both", true},
};

static void write_mac(FILE *f, const char *key, const uint8_t m[6])
{
	fprintf(f, "\"%s\": \"%02x:%02x:%02x:%02x:%02x:%02x\"", key, m[0], m[1], m[2], m[3], m[4],
		m[5]);
}

static void write_family(FILE *f, const struct gpc_image *image, const struct gpc_endpoint *e,
			 uint32_t index, unsigned int family)
{
	char text[INET6_ADDRSTRLEN], key[8];
	uint8_t mac[6];

	inet_ntop(family ? AF_INET6 : AF_INET,
		  family ? (const void *)e->address6_be : &e->address4_be, text, sizeof(text));
	fprintf(f, ", \"address%d\": \"%s\", \"source%d\": \"%s\", \"here%d\": %s, ",
		4 + 2 * family, text, 4 + 2 * family, family ? LINKED_SOURCE6 : LINKED_SOURCE4,
		4 + 2 * family, hop_here(index, family) ? "true" : "false");
	hop_mac(index, family, mac);
	snprintf(key, sizeof(key), "mac%u", 4 + 2 * family);
	if (hop_known(image, e))
		write_mac(f, key, mac);
	else
		fprintf(f, "\"%s\": null", key);
}

static void write_endpoints(FILE *f, const struct gpc_image *image, const char *backend)
{
	static const char *const states[] = {"ready", "drain", "maint"};
	uint32_t endpoints, backends;
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoints);
	const struct gpc_backend *b = gpc_image_section(image, GPC_SEC_BACKEND, &backends);
	const char *comma = "";

	while (strcmp(gpc_image_name(image, b->name), backend) != 0)
		b++;
	fprintf(f, "\"table_size\": %u, \"endpoints\": [", b->table_size);
	for (uint32_t i = b->first_endpoint; i < b->first_endpoint + b->endpoints; i++) {
		fprintf(f,
			"%s{\"name\": \"%s\", \"id\": \"%llu\", \"weight\": %u, \"state\": \"%s\"",
			comma, gpc_image_name(image, e[i].name), e[i].id, e[i].weight,
			states[e[i].state]);
		for (unsigned int family = 0; family < 2; family++)
			if (e[i].flags & (family ? GPC_ENDPOINT_V6 : GPC_ENDPOINT_V4))
				write_family(f, image, &e[i], i, family);
		fprintf(f, "}");
		comma = ",\n   ";
	}
	fprintf(f, "]");
}

static void write_facts(const char *path, const struct gpc_image *image,
			const struct defaults *defaults)
{
	FILE *f = fopen(path, "w");
	const uint8_t *seed = (const uint8_t *)image->plane->hash_seed;

	if (!f)
		abort();
	fprintf(f, "{\"seed\": \"");
	for (int i = 0; i < 16; i++)
		fprintf(f, "%02x", seed[i]);
	fprintf(f, "\", \"malformed\": \"%s\", \"non_ip\": \"%s\", ", defaults->malformed,
		defaults->non_ip);
	write_mac(f, "mac", linked_mac_here);
	fprintf(f, ", ");
	write_mac(f, "mac_out", linked_mac_out);
	fprintf(f, ",\n \"listeners\": [");
	for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
		fprintf(f,
			"%s{\"name\": \"%s\", \"addresses\": [%s], \"protocol\": %d, \"port\": %d, "
			"\"forward\": \"%s\", \"elsewhere\": %s,\n  ",
			i ? ",\n " : "", listeners[i].name, listeners[i].addresses,
			listeners[i].protocol, listeners[i].port, listeners[i].forward,
			listeners[i].elsewhere ? "true" : "false");
		write_endpoints(f, image, listeners[i].backend);
		fprintf(f, "}");
	}
	fprintf(f, "]}\n");
	fclose(f);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct expectation {
	bool decap;
	bool tail;  /* bytes behind out_size do not matter */
	bool label; /* the outer IPv6 flow label does not */
	int action;
	int reason;
	uint8_t in[KERNEL_FRAME_MAX], out[KERNEL_FRAME_MAX];
	size_t in_size, out_size;
};

static const char *const reason_names[] = {
#define X(id, name, text) [GPC_REASON_##id] = name,
	GPC_REASONS(X)
#undef X
};

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t size = 0;
	unsigned int byte;

	for (; sscanf(hex + 2 * size, "%2x", &byte) == 1 && size < KERNEL_FRAME_MAX; size++)
		out[size] = (uint8_t)byte;
	return size;
}

static int action_of(const char *verdict)
{
	return strncmp(verdict, "pass", 4) == 0	  ? XDP_PASS
	       : strncmp(verdict, "drop", 4) == 0 ? XDP_DROP
	       : strncmp(verdict, "tx", 2) == 0	  ? XDP_TX
						  : XDP_REDIRECT;
}

/* ROLE VERDICT[+tail][+label] REASON FRAME-IN FRAME-OUT */
static bool next_expectation(FILE *lines, struct expectation *e)
{
	static char in[2 * KERNEL_FRAME_MAX + 1], out[2 * KERNEL_FRAME_MAX + 1];
	char role[16], verdict[32], reason[32];

	if (fscanf(lines, "%15s %31s %31s %4096s %4096s", role, verdict, reason, in, out) != 5)
		return false;
	e->decap = strcmp(role, "decap") == 0;
	e->tail = strstr(verdict, "+tail") != NULL;
	e->label = strstr(verdict, "+label") != NULL;
	e->action = action_of(verdict);
	e->reason = -1;
	for (int i = 0; i < GPC_REASON_COUNT; i++)
		if (strcmp(reason_names[i], reason) == 0)
			e->reason = i;
	e->in_size = from_hex(in, e->in);
	e->out_size = from_hex(out, e->out);
	return true;
}

/* Takes the flow label out of an outer IPv6 header, behind at most two tags. */
static uint32_t take_label(uint8_t *frame)
{
	uint32_t label;
	size_t at = 12;

	while (frame[at] == 0x81 || frame[at] == 0x88)
		at += 4;
	label = (frame[at + 3] & 15u) << 16 | (uint32_t)frame[at + 4] << 8 | frame[at + 5];
	frame[at + 3] &= 0xf0;
	frame[at + 4] = frame[at + 5] = 0;
	return label;
}

/*
 * A flow must not change its label, or it is reordered where paths are chosen by it. The last byte
 * of a frame is never part of addresses or ports.
 */
static bool label_is_of_the_flow(struct kernel *kernel, const struct kernel_run *first,
				 uint32_t label)
{
	static uint8_t in[KERNEL_FRAME_MAX], out[KERNEL_FRAME_MAX];
	struct kernel_run again = {.in = in, .in_size = first->in_size, .out = out};

	memcpy(in, first->in, first->in_size);
	in[first->in_size - 1] ^= 0x5a;
	kernel_run(kernel, KERNEL_XDP, &again);
	return again.action == first->action && take_label(out) == label;
}

static const char *fault_of(const struct expectation *e, const struct kernel_run *run, int reason)
{
	if (run->action != e->action)
		return "verdict";
	if (e->action != XDP_DROP &&
	    ((e->tail ? run->out_size < e->out_size : run->out_size != e->out_size) ||
	     memcmp(run->out, e->out, e->out_size) != 0))
		return "bytes";
	return reason == e->reason ? NULL : "reason";
}

static void say_hex(const char *what, const uint8_t *bytes, size_t size)
{
	printf("  %s ", what);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void say_fault(const char *fault, const struct expectation *e, const struct kernel_run *run,
		      int reason)
{
	printf("packet oracle: %s: want action %d, %s; got action %d, %s (%s)\n", fault, e->action,
	       e->reason < 0 ? "a reason unknown to abi.h" : reason_names[e->reason], run->action,
	       reason < 0 ? "no reason counted" : reason_names[reason],
	       e->decap ? "decap" : "edge");
	say_hex("in  ", e->in, e->in_size);
	say_hex("want", e->out, e->out_size);
	say_hex("got ", run->out, run->out_size);
}

/* Which reason was counted since `before`; -1: none, or more than one. */
static int counted_reason(struct kernel *kernel, bool decap, uint64_t before[GPC_REASON_COUNT])
{
	int found = -1, changed = 0;

	for (int i = 0; i < GPC_REASON_COUNT; i++) {
		uint64_t now = kernel_reason(kernel, decap ? GPC_HOOK_ID_DECAP : GPC_HOOK_ID_XDP,
					     (enum gpc_reason)i);

		if (now != before[i]) {
			found = i;
			changed++;
		}
		before[i] = now;
	}
	return changed == 1 ? found : -1;
}

struct tally {
	unsigned int frames, wrong;
	unsigned int by_action[8];
};

static void run_one(struct kernel *kernel, const struct expectation *e,
		    uint64_t before[2][GPC_REASON_COUNT], struct tally *t)
{
	static uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = e->in, .in_size = (uint32_t)e->in_size, .out = out};
	const char *fault;
	bool label_kept = true;
	int reason;

	kernel_control(kernel, (uint64_t)(e->decap ? DECAP_SLOT : EDGE_SLOT)
				       << GPC_CTL_ACTIVE_SHIFT);
	kernel_run(kernel, e->decap ? KERNEL_DECAP : KERNEL_XDP, &run);
	reason = counted_reason(kernel, e->decap, before[e->decap]);
	if (e->label && run.action == e->action && run.out_size == e->out_size) {
		label_kept = label_is_of_the_flow(kernel, &run, take_label(out));
		counted_reason(kernel, e->decap, before[e->decap]);
	}
	fault = label_kept ? fault_of(e, &run, reason) : "label";
	t->frames++;
	t->by_action[e->action & 7]++;
	if (fault && t->wrong++ < 20)
		say_fault(fault, e, &run, reason);
}

static struct gpc_image compile_plane(const struct defaults *defaults)
{
	struct gpc_arena arena = {0};
	struct gpc_image image = linked_compile(
		gpc_arena_printf(&arena, intent, defaults->malformed, defaults->non_ip));

	gpc_arena_release(&arena);
	return image;
}

static uint32_t hop_of(const struct gpc_endpoint *endpoint, uint32_t index, unsigned int family)
{
	(void)endpoint;
	return hop_slot(index, family);
}

static void start_kernel(struct kernel *kernel, const struct gpc_image *image)
{
	const struct kernel_sizes sizes = {.flows = 65536,
					   .next = 2 * endpoint_count(image),
					   .counters = GPC_COUNTER_FIRST_OBJECT + 128};
	char *edge = linked_image(image, "wan0", hop_of),
	     *decap = linked_image(image, "dc0", hop_of);

	kernel_alone(); /* no next hop may heal itself */
	kernel_load(kernel, image->log2, &sizes);
	kernel_install(kernel, EDGE_SLOT, edge);
	kernel_install(kernel, DECAP_SLOT, decap);
	set_hops(kernel, image);
	free(edge);
	free(decap);
}

static struct tally compare(const struct defaults *defaults, unsigned int seed)
{
	static struct expectation e;
	uint64_t before[2][GPC_REASON_COUNT] = {0};
	struct gpc_image image = compile_plane(defaults);
	char facts[] = "/tmp/gpc-oracle-XXXXXX", command[256];
	struct tally t = {0};
	struct kernel kernel;
	FILE *lines;
	int fd = mkstemp(facts);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_facts(facts, &image, defaults);
	start_kernel(&kernel, &image);
	snprintf(command, sizeof(command), "tests/oracle/packet_oracle.py %s --frames %d %u", facts,
		 FRAMES, seed);
	lines = popen(command, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
	while (next_expectation(lines, &e))
		run_one(&kernel, &e, before, &t);
	CU_ASSERT_EQUAL(pclose(lines), 0);
	printf("packet oracle: %u frames: %u pass, %u drop, %u sent back, %u sent elsewhere; %u "
	       "wrong\n",
	       t.frames, t.by_action[XDP_PASS], t.by_action[XDP_DROP], t.by_action[XDP_TX],
	       t.by_action[XDP_REDIRECT], t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT_EQUAL(t.frames, FRAMES);
	kernel_unload(&kernel);
	gpc_image_release(&image);
	unlink(facts);
	return t;
}

static void frames_leave_as_the_oracle_says(void)
{
	const struct defaults defaults = {.malformed = "drop", .non_ip = "pass"};
	struct tally t = compare(&defaults, 7);

	CU_ASSERT(t.by_action[XDP_TX] > 1000 && t.by_action[XDP_REDIRECT] > 1000);
	CU_ASSERT(t.by_action[XDP_PASS] > 1000 && t.by_action[XDP_DROP] > 1000);
}

static void other_defaults_are_obeyed(void)
{
	const struct defaults defaults = {.malformed = "pass", .non_ip = "drop"};
	struct tally t = compare(&defaults, 8);

	CU_ASSERT(t.by_action[XDP_DROP] > 1000);
}

GPC_UNIT_MAIN("bpf/oracle", {"frames_leave_as_the_oracle_says", frames_leave_as_the_oracle_says},
	      {"other_defaults_are_obeyed", other_defaults_are_obeyed})
