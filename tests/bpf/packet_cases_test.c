// SPDX-License-Identifier: MIT
/*
 * The packets of cases/packets.txt (tests/oracle/packet_cases.py says what its lines mean) through the
 * programs in the kernel and through the same programs as `gpc test` runs them: verdict, reason, bytes.
 */
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memfiles.h"
#include "image/image_file.h"
#include "loader/sim/sim.h"
#include "pipeline.h"
#include "policy_rig.h"
#include "tests/unit/unit.h"

#define FOLDER	   "tests/bpf/cases/"
#define PLANES_MAX 8u
#define BEFORE_MAX 8u
#define LEAST	   1200u

static const char *const devices[] = {"wan0", "dec0", "lan0"};
#define DEVICES (sizeof(devices) / sizeof(*devices))

struct packet {
	size_t device;
	enum gpc_direction direction;
	uint8_t bytes[4096];
	size_t size;
};

struct packet_case {
	char name[128], plane[32], verdict[16], reason[32];
	struct packet in, out, before[BEFORE_MAX];
	size_t befores;
	bool has_out;
	unsigned int line;
};

struct plane_of_cases {
	char name[32];
	struct gpc_image image;
	struct gpc_sim *sim;
};

/* ---- reading ---- */

static unsigned int digit(char c, unsigned int line)
{
	const char *found = c ? strchr("0123456789abcdef", c) : NULL;

	if (!found)
		errx(1, FOLDER "packets.txt:%u: not hex", line);
	return (unsigned int)(found - "0123456789abcdef");
}

/* Hex digits, and byte*count between commas. */
static void read_bytes(const char *text, struct packet *ret, unsigned int line)
{
	ret->size = 0;
	while (*text) {
		uint8_t byte;
		unsigned long count = 1;
		char *end;

		if (*text == ',') {
			text++;
			continue;
		}
		byte = (uint8_t)(digit(text[0], line) << 4 | digit(text[1], line));
		text += 2;
		if (*text == '*') {
			count = strtoul(text + 1, &end, 10);
			text = end;
		}
		if (count > sizeof(ret->bytes) - ret->size)
			errx(1, FOLDER "packets.txt:%u: too long", line);
		memset(ret->bytes + ret->size, byte, count);
		ret->size += count;
	}
}

/* `DEVICE BYTES`, of what leaves `DEVICE> BYTES`. */
static void read_packet(const char *text, struct packet *ret, unsigned int line)
{
	for (ret->device = 0; ret->device < DEVICES; ret->device++) {
		size_t length = strlen(devices[ret->device]);

		if (strncmp(text, devices[ret->device], length) != 0)
			continue;
		ret->direction = text[length] == '>' ? GPC_EGRESS : GPC_INGRESS;
		length += ret->direction == GPC_EGRESS;
		if (text[length] == ' ') {
			read_bytes(text + length + 1, ret, line);
			return;
		}
	}
	errx(1, FOLDER "packets.txt:%u: no such device", line);
}

static void read_line(struct packet_case *c, const char *key, const char *text, unsigned int line)
{
	if (strcmp(key, "plane") == 0) {
		snprintf(c->plane, sizeof(c->plane), "%s", text);
	} else if (strcmp(key, "before") == 0) {
		if (c->befores == BEFORE_MAX)
			errx(1, FOLDER "packets.txt:%u: too many", line);
		read_packet(text, &c->before[c->befores++], line);
	} else if (strcmp(key, "in") == 0) {
		read_packet(text, &c->in, line);
	} else if (strcmp(key, "is") == 0) {
		if (sscanf(text, "%15s %31s", c->verdict, c->reason) != 2)
			errx(1, FOLDER "packets.txt:%u: verdict and reason wanted", line);
	} else if (strcmp(key, "out") == 0) {
		read_bytes(text, &c->out, line);
		c->has_out = true;
	} else {
		errx(1, FOLDER "packets.txt:%u: '%s' is no line of a case", line, key);
	}
}

/* ---- running ---- */

static struct plane_of_cases planes[PLANES_MAX];
static enum gpc_sim_kind kind;

static void close_planes(void)
{
	for (size_t i = 0; i < PLANES_MAX && planes[i].name[0]; i++) {
		gpc_sim_close(planes[i].sim);
		gpc_image_release(&planes[i].image);
	}
	memset(planes, 0, sizeof(planes));
}

/* Of one image at a time in user space; in the kernel all stay loaded. */
static struct gpc_sim *sim_of(const char *name)
{
	struct gpc_failure failure = {0};
	char path[128], text[16384];
	size_t size, i = 0;
	FILE *file;

	while (i < PLANES_MAX && planes[i].name[0] && strcmp(planes[i].name, name) != 0)
		i++;
	if (i == PLANES_MAX)
		errx(1, "more than %u planes", PLANES_MAX);
	if (planes[i].name[0])
		return planes[i].sim;
	if (kind == GPC_SIM_USER) {
		close_planes();
		i = 0;
	}
	snprintf(path, sizeof(path), FOLDER "%s", name);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = 0;
	snprintf(planes[i].name, sizeof(planes[i].name), "%s", name);
	planes[i].image = policy_compile(text);
	if (gpc_sim_open(kind, &planes[i].image, devices, DEVICES, &planes[i].sim, &failure))
		errx(1, "%s: %s", path, failure.message);
	return planes[i].sim;
}

static struct gpc_sim_outcome send_packet(struct gpc_sim *sim, const struct packet *packet)
{
	const struct gpc_sim_send send = {.frame = packet->bytes,
					  .size = packet->size,
					  .device = packet->device,
					  .direction = packet->direction,
					  .repeat = 1};
	struct gpc_sim_outcome outcome;
	struct gpc_failure failure = {0};

	if (gpc_sim_send(sim, &send, &outcome, &failure))
		errx(1, "cannot run a packet: %s", failure.message);
	return outcome;
}

static bool run_case(const struct packet_case *c)
{
	static const char *const verdicts[] = {[GPC_VERDICT_PASS] = "pass",
					       [GPC_VERDICT_FORWARD] = "forward",
					       [GPC_VERDICT_DROP] = "drop",
					       [GPC_VERDICT_REJECT] = "reject",
					       [GPC_VERDICT_ANSWER] = "answer"};
	static const char *const reasons[] = {
#define X(id, text, meaning) text,
		GPC_REASONS(X)
#undef X
			"none"};
	const struct packet *want = c->has_out ? &c->out : &c->in;
	struct gpc_sim *sim = sim_of(c->plane);
	struct gpc_sim_outcome got;
	struct gpc_failure failure = {0};
	bool ok = true;

	if (gpc_sim_reset(sim, &failure))
		errx(1, "%s", failure.message);
	for (size_t i = 0; i < c->befores; i++)
		send_packet(sim, &c->before[i]);
	got = send_packet(sim, &c->in);
	if (strcmp(verdicts[got.verdict], c->verdict) != 0 ||
	    strcmp(reasons[got.reason], c->reason) != 0) {
		printf("%u: %s: %s %s; wanted %s %s\n", c->line, c->name, verdicts[got.verdict],
		       reasons[got.reason], c->verdict, c->reason);
		ok = false;
	}
	if (strcmp(c->verdict, "drop") != 0 &&
	    (got.out_size != want->size || memcmp(got.out, want->bytes, want->size) != 0)) {
		printf("%u: ", c->line);
		frame_show(c->name, got.out, got.out_size, want->bytes, want->size);
		ok = false;
	}
	return ok;
}

/* Runs the cases of the file, one at a time: the number of them. */
static unsigned int run_cases(void)
{
	static struct packet_case now;
	static char line[20000];
	FILE *file = fopen(FOLDER "packets.txt", "r");
	unsigned int count = 0, number = 0;

	if (!file)
		err(1, FOLDER "packets.txt (run it where the tree is)");
	for (;;) {
		bool more = fgets(line, sizeof(line), file) != NULL;
		char *text = line + strcspn(line, " ");

		number++;
		line[strcspn(line, "\n")] = 0;
		if (!more || strncmp(line, "case ", 5) == 0) {
			if (now.line) {
				CU_ASSERT(run_case(&now));
				count++;
			}
			memset(&now, 0, sizeof(now));
			if (!more)
				break;
			now.line = number;
			snprintf(now.name, sizeof(now.name), "%.100s", line + 5);
		} else if (line[0] && line[0] != '#') {
			if (*text)
				*text++ = 0;
			read_line(&now, line, text, number);
		}
	}
	fclose(file);
	return count;
}

static void command(const char *text)
{
	if (system(text))
		errx(1, "failed: %s", text);
}

/* What the kernel knows about ways is what user space makes up (loader/sim/host.h): one neighbour for all. */
static void make_network(void)
{
	static const char device[] =
		"ip link add near0 index 60000 mtu 1500 address 02:67:70:63:ea:60 type veth peer name far0";

	if (unshare(CLONE_NEWNET))
		err(1, "new network namespace");
	command("ip link set lo up");
	command(device);
	command("ip link set near0 up && ip link set far0 up");
	command("ip addr add 10.254.0.254/24 dev near0 && ip addr add fdfe::fe/64 dev near0 nodad");
	command("ip route add default via 10.254.0.1 && ip -6 route add default via fdfe::1");
	command("ip neigh add 10.254.0.1 lladdr 02:67:70:63:00:00 dev near0 nud permanent");
	command("ip neigh add fdfe::1 lladdr 02:67:70:63:00:00 dev near0 nud permanent");
	command("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
}

static void in_the_kernel(void)
{
	unsigned int count;

	make_network();
	kind = GPC_SIM_KERNEL;
	count = run_cases();
	close_planes();
	printf("packet cases in the kernel: %u\n", count);
	CU_ASSERT(count >= LEAST);
}

static void in_user_space(void)
{
	unsigned int count;

	kind = GPC_SIM_USER;
	count = run_cases();
	close_planes();
	printf("packet cases in user space: %u\n", count);
	CU_ASSERT(count >= LEAST);
}

/* Where there is a Python: the file is what its script writes. */
static void as_the_script_writes_them(void)
{
	static const char command[] =
		"/usr/bin/python3 tests/oracle/packet_cases.py | cmp - " FOLDER "packets.txt";

	if (access("/usr/bin/python3", X_OK)) {
		printf("no /usr/bin/python3: packets.txt is not compared with its script\n");
		return;
	}
	CU_ASSERT_EQUAL(system(command), 0);
}

GPC_UNIT_MAIN("bpf/packet_cases", {"as_the_script_writes_them", as_the_script_writes_them},
	      {"in_the_kernel", in_the_kernel}, {"in_user_space", in_user_space})
