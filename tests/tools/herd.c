/* SPDX-License-Identifier: MIT */
/*
 * herd: very many flows through the XDP program that a device runs, by test run, each of which must stay with the
 * endpoint that it got. It runs in the device's network namespace and looks for the program anew with each command, so
 * that an apply may have replaced it.
 *
 *   herd DEVICE < COMMANDS                    every command but listener and here ends with a line out:
 *     listener ADDRESS PORT tcp|udp one|two   two: endpoints answer through here too (nat)
 *     here N...                               the endpoints that keep flows from now on
 *     open N RATE                             N more flows over the listeners in turn, at most RATE a second
 *     ask PERCENT                             a packet of so many flows, taken at random
 *     flood SECONDS SOURCES PERIOD            a packet of every flow each PERIOD seconds, while SOURCES packets, each
 *                                             from a source of its own, arrive on all CPUs
 *
 * The line is `asked N same N moved N lost N`. same: the packet went where the flow was; moved: that endpoint is not
 * here any more and it went to one that is; lost: all else, the first of them explained on stderr. With `two` the
 * endpoint answers, and a flow is lost whose answer does not come from the listener.
 *
 * Endpoint N has the addresses 10.77.1.N and fd77::1:N and the MAC address 06:00:00:00:00:N; clients are in
 * 198.18.0.0/15 and 2001:db8:10::/64, the flood's sources in 11.0.0.0/8 and 2001:db8:20::/64.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bpf/frame.h"

#define LISTENERS 64u
#define CPUS 256
#define ENDPOINTS 256
#define NOBODY 0
#define SHOWN 5u /* losses that are explained */
#define BURST 64u

struct listener {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	uint8_t protocol;
	bool two_sided;
};

struct flow {
	uint32_t listener;
	uint8_t endpoint;
};

struct tally {
	uint32_t asked, same, moved, lost;
};

struct herd {
	int ifindex, program;
	struct listener listeners[LISTENERS];
	uint32_t listener_count, flow_count;
	struct flow *flows;
	bool here[ENDPOINTS];
	uint64_t random;
	uint32_t shown;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until the i-th of things that come `rate` a second, the first at `start`. */
static void wait_for_turn(double start, double i, double rate)
{
	double left = start + i / rate - now();
	struct timespec t = {.tv_sec = (time_t)left, .tv_nsec = (long)((left - (time_t)left) * 1e9)};

	if (left > 0)
		nanosleep(&t, NULL);
}

static uint64_t draw(struct herd *herd)
{
	herd->random ^= herd->random << 13;
	herd->random ^= herd->random >> 7;
	herd->random ^= herd->random << 17;
	return herd->random;
}

static void find_program(struct herd *herd)
{
	uint32_t id = 0;

	if (herd->program >= 0)
		close(herd->program);
	if (bpf_xdp_query_id(herd->ifindex, 0, &id) || !id)
		errx(1, "the device runs no program");
	herd->program = bpf_prog_get_fd_by_id(id);
	if (herd->program < 0)
		err(1, "program %u", id);
}

/* The frame goes through the program; what comes out is *out. */
static int run(const struct herd *herd, const struct frame *in, struct frame *out)
{
	struct xdp_md context = {.data_end = in->size, .ingress_ifindex = (uint32_t)herd->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in->bytes, .data_size_in = in->size,
		    .data_out = out->bytes, .data_size_out = sizeof(out->bytes), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(herd->program, &options))
		err(1, "test run");
	out->size = options.data_size_out;
	return (int)options.retval;
}

/* ---- frames ---- */

static bool is_v6(const struct listener *l)
{
	return strchr(l->address, ':');
}

static void build(const struct herd *herd, uint32_t number, uint8_t flags, struct frame *ret)
{
	const struct listener *l = &herd->listeners[herd->flows[number].listener];
	char from[INET6_ADDRSTRLEN];
	struct frame_spec spec = {.from = from,
				  .to = l->address,
				  .source_port = (uint16_t)(1024 + number * 7919ull % 60000),
				  .port = l->port,
				  .protocol = l->protocol,
				  .flags = flags};

	if (is_v6(l))
		snprintf(from, sizeof(from), "2001:db8:10::%x:%x", number >> 16, number & 0xffff);
	else
		snprintf(from, sizeof(from), "198.%u.%u.%u", 18 + (number >> 16), number >> 8 & 255,
			 number & 255);
	frame_build(&spec, ret);
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* Where addresses and ports stand: no options, no tags. */
struct places {
	uint32_t source, destination, address, ports;
};

static struct places places_of(const struct frame *f)
{
	return f->bytes[14] >> 4 == 6 ? (struct places){22, 38, 16, 54} : (struct places){26, 30, 4, 34};
}

/* What the other end answers to `f`. */
static void turn_round(const struct frame *f, uint8_t flags, struct frame *ret)
{
	struct places p = places_of(f);

	*ret = *f;
	swap_bytes(ret->bytes, ret->bytes + 6, 6);
	swap_bytes(ret->bytes + p.source, ret->bytes + p.destination, p.address);
	swap_bytes(ret->bytes + p.ports, ret->bytes + p.ports + 2, 2);
	if (flags)
		ret->bytes[p.ports + 13] = flags;
}

/* Who gets the frame; NOBODY also if its addresses do not agree. */
static uint8_t endpoint_of(const struct listener *l, const struct frame *in, const struct frame *out)
{
	static const uint8_t mac[5] = {6}, net4[3] = {10, 77, 1};
	static const uint8_t net6[15] = {0xfd, 0x77, [13] = 1};
	uint8_t number = out->bytes[5];
	struct places p = places_of(out);
	const uint8_t *to = out->bytes + p.destination;

	if (memcmp(out->bytes, mac, sizeof(mac)))
		return NOBODY;
	if (out->size == in->size && !l->two_sided) /* only the MAC addresses change */
		return number;
	if (p.address == 4 ? memcmp(to, net4, sizeof(net4)) : memcmp(to, net6, sizeof(net6)))
		return NOBODY;
	return to[p.address - 1] == number ? number : NOBODY;
}

/* ---- one packet of a flow ---- */

static void explain(struct herd *herd, uint32_t number, const char *why, int action, uint8_t got)
{
	const struct listener *l = &herd->listeners[herd->flows[number].listener];

	if (herd->shown++ >= SHOWN)
		return;
	fprintf(stderr, "flow %u to %s %s %u, of endpoint %u: %s: action %d, endpoint %u\n", number,
		l->protocol == TCP ? "tcp" : "udp", l->address, l->port,
		herd->flows[number].endpoint, why, action, got);
}

/* Does the endpoint's answer to `sent` get back to who sent `in`? */
static bool answers(struct herd *herd, uint32_t number, const struct frame *in,
		    const struct frame *sent, uint8_t flags)
{
	struct frame answer, wanted, got;
	struct places p = places_of(in);
	int action;

	turn_round(sent, flags, &answer);
	action = run(herd, &answer, &got);
	turn_round(in, 0, &wanted);
	if (memcmp(got.bytes + p.source, wanted.bytes + p.source, 2 * p.address) ||
	    memcmp(got.bytes + p.ports, wanted.bytes + p.ports, 4)) {
		explain(herd, number, "the answer", action, NOBODY);
		return false;
	}
	return true;
}

/* Who gets the flow's packet; NOBODY also if the answer does not come back. answer: its TCP flags. */
static uint8_t send_one(struct herd *herd, uint32_t number, uint8_t flags, uint8_t answer)
{
	const struct listener *l = &herd->listeners[herd->flows[number].listener];
	struct frame in, out;
	uint8_t got = NOBODY;
	int action;

	build(herd, number, flags, &in);
	action = run(herd, &in, &out);
	if (action == XDP_TX || action == XDP_REDIRECT || action == XDP_PASS)
		got = endpoint_of(l, &in, &out);
	if (got == NOBODY)
		explain(herd, number, "the packet", action, out.bytes[5]);
	else if (l->two_sided && answer &&
		 !answers(herd, number, &in, &out, l->protocol == TCP ? answer : 0))
		got = NOBODY;
	return got;
}

static void ask(struct herd *herd, uint32_t number, struct tally *tally)
{
	struct flow *flow = &herd->flows[number];
	uint8_t got = send_one(herd, number, ACK, draw(herd) & 1 ? ACK : 0);

	tally->asked++;
	if (got != NOBODY && got == flow->endpoint) {
		tally->same++;
	} else if (got != NOBODY && herd->here[got] && !herd->here[flow->endpoint]) {
		tally->moved++;
		flow->endpoint = got;
	} else {
		explain(herd, number, "elsewhere", -1, got);
		tally->lost++;
	}
}

static void say(const struct tally *tally)
{
	printf("asked %u same %u moved %u lost %u\n", tally->asked, tally->same, tally->moved,
	       tally->lost);
}

/* ---- commands ---- */

static void add_listener(struct herd *herd, char *words)
{
	struct listener *l = &herd->listeners[herd->listener_count++];
	char protocol[4], sides[4];

	if (herd->listener_count > LISTENERS ||
	    sscanf(words, "%45s %hu %3s %3s", l->address, &l->port, protocol, sides) != 4)
		errx(1, "listener: %s", words);
	l->protocol = strcmp(protocol, "tcp") ? UDP : TCP;
	l->two_sided = !strcmp(sides, "two");
}

static void set_here(struct herd *herd, char *words)
{
	char *rest = NULL;

	memset(herd->here, 0, sizeof(herd->here));
	for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		herd->here[strtoul(w, NULL, 10) % ENDPOINTS] = true;
}

static bool open_one(struct herd *herd, uint32_t number)
{
	struct flow *flow = &herd->flows[number];
	bool tcp = herd->listeners[flow->listener].protocol == TCP;

	flow->endpoint = send_one(herd, number, SYN, SYN | ACK);
	if (flow->endpoint == NOBODY || !herd->here[flow->endpoint])
		return false;
	return !tcp || send_one(herd, number, ACK, ACK) == flow->endpoint;
}

static void open_flows(struct herd *herd, uint32_t count, double rate)
{
	uint32_t first = herd->flow_count;
	struct tally tally = {};
	double start = now();

	herd->flow_count += count;
	herd->flows = realloc(herd->flows, herd->flow_count * sizeof(*herd->flows));
	if (!herd->flows || herd->flow_count > 1u << 17)
		errx(1, "too many flows");
	for (uint32_t i = first; i < herd->flow_count; i++) {
		if (!((i - first) % BURST))
			wait_for_turn(start, i - first, rate);
		herd->flows[i] = (struct flow){.listener = i % herd->listener_count};
		tally.asked++;
		if (open_one(herd, i))
			tally.same++;
		else
			tally.lost++;
	}
	say(&tally);
}

static void ask_some(struct herd *herd, double percent)
{
	struct tally tally = {};

	for (uint32_t i = 0; i < herd->flow_count; i++)
		if ((double)(draw(herd) >> 32) < percent / 100 * 4294967296.0)
			ask(herd, i, &tally);
	say(&tally);
}

/* ---- the flood ---- */

struct flood {
	const struct herd *herd;
	uint64_t sources;
	double seconds;
	uint32_t threads;
	atomic_uint next; /* thread */
	_Atomic uint64_t sent;
};

static void build_flood(const struct listener *l, uint8_t flags, struct frame *ret)
{
	frame_build(&(struct frame_spec){.from = is_v6(l) ? "2001:db8:20::" : "11.0.0.0",
					 .to = l->address,
					 .port = l->port,
					 .protocol = l->protocol,
					 .flags = flags},
		    ret);
}

/* Source i of all; SYNs and what looks like the middle of a connection in turn. */
static void flood_one(const struct flood *flood, struct frame (*frames)[2], uint64_t i)
{
	const struct herd *herd = flood->herd;
	uint32_t listener = (uint32_t)(i % herd->listener_count), source = (uint32_t)i;
	struct frame *f = &frames[listener][i / herd->listener_count % 2], out;
	struct places p = places_of(f);

	source = htonl(p.address == 4 ? 0x0b000000u + source : source);
	memcpy(f->bytes + p.source + p.address - 4, &source, 4);
	run(herd, f, &out);
}

static int cpu_number(uint32_t i)
{
	static cpu_set_t all;
	uint32_t seen = 0;

	if (sched_getaffinity(getpid(), sizeof(all), &all))
		err(1, "CPUs");
	for (int cpu = 0; cpu < CPUS; cpu++)
		if (CPU_ISSET(cpu, &all) && seen++ == i)
			return cpu;
	errx(1, "CPU %u", i);
}

static void *flood_thread(void *of)
{
	struct flood *flood = of;
	uint32_t me = atomic_fetch_add(&flood->next, 1);
	uint64_t mine = flood->sources / flood->threads, sent = 0;
	struct frame(*frames)[2] = calloc(flood->herd->listener_count, sizeof(*frames));
	double start = now();
	cpu_set_t cpu;

	if (!frames)
		err(1, "memory");
	CPU_ZERO(&cpu);
	CPU_SET(cpu_number(me), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		err(1, "affinity");
	for (uint32_t l = 0; l < flood->herd->listener_count; l++)
		for (int ack = 0; ack < 2; ack++)
			build_flood(&flood->herd->listeners[l], ack ? ACK : SYN, &frames[l][ack]);
	while (sent < mine) {
		wait_for_turn(start, (double)sent, (double)mine / flood->seconds);
		for (uint32_t i = 0; i < BURST && sent < mine; i++)
			flood_one(flood, frames, sent++ * flood->threads + me);
	}
	atomic_fetch_add(&flood->sent, sent);
	free(frames);
	return NULL;
}

static void flood(struct herd *herd, double seconds, uint64_t sources, double period)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct flood flood = {.herd = herd,
			      .sources = sources,
			      .seconds = seconds,
			      .threads = cpus < CPUS ? (uint32_t)cpus : CPUS};
	double *last = calloc(herd->flow_count, sizeof(*last)), start = now(), gap = 0;
	struct tally tally = {};
	pthread_t threads[CPUS];

	if (!last)
		err(1, "memory");
	for (uint32_t i = 0; i < flood.threads; i++)
		if (pthread_create(&threads[i], NULL, flood_thread, &flood))
			errx(1, "no thread");
	for (uint64_t n = 0; now() < start + seconds || n % herd->flow_count; n++) {
		uint32_t i = (uint32_t)(n % herd->flow_count);
		double t;

		if (!(n % 8))
			wait_for_turn(start, (double)n, herd->flow_count / period);
		t = now();
		if (last[i] && t - last[i] > gap)
			gap = t - last[i];
		last[i] = t;
		ask(herd, i, &tally);
	}
	for (uint32_t i = 0; i < flood.threads; i++)
		pthread_join(threads[i], NULL);
	fprintf(stderr, "%llu sources in %.1f s; no flow was silent for more than %.1f s\n",
		(unsigned long long)flood.sent, now() - start, gap);
	free(last);
	say(&tally);
}

int main(int argc, char **argv)
{
	struct herd herd = {.program = -1, .random = 0x9e3779b97f4a7c15ull};
	unsigned long long sources;
	double seconds, period;
	uint32_t count;
	char line[4096];

	if (argc != 2 || !(herd.ifindex = (int)if_nametoindex(argv[1])))
		errx(64, "see the head of herd.c");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "listener ", 9)) {
			add_listener(&herd, line + 9);
			continue;
		}
		if (!strncmp(line, "here ", 5)) {
			set_here(&herd, line + 5);
			continue;
		}
		find_program(&herd);
		if (sscanf(line, "open %u %lf", &count, &seconds) == 2)
			open_flows(&herd, count, seconds);
		else if (sscanf(line, "ask %lf", &seconds) == 1)
			ask_some(&herd, seconds);
		else if (sscanf(line, "flood %lf %llu %lf", &seconds, &sources, &period) == 3)
			flood(&herd, seconds, sources, period);
		else
			errx(1, "what is '%s'?", line);
		fflush(stdout);
	}
	free(herd.flows);
	return 0;
}
