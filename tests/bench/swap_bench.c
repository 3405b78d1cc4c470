/* SPDX-License-Identifier: MIT */
/*
 * Swaps under packets. Two images, A and B, differ in everything that a packet can show: forwarding
 * family, endpoints, outer source, next hop, and the place of every table. What each of them makes of
 * each of FLOWS frames is recorded first, whole frames; then one thread sends frames through the pinned
 * XDP program without a pause while the other applies A and B in turn. Every frame that comes out must
 * equal A's or B's record of it, byte for byte: `lost` were not sent at all, `mixed` equal neither.
 *
 * That the detector sees a mix is shown first: a map of our own is made the active image and rewritten
 * in place, A over C over A, as a loader without slots would do. C is laid out like A, so that half of
 * each still makes frames: to C's endpoint by A's next hop, say.
 *
 *   swap_bench DEVICE BPFFS A.gpi B.gpi C.gpi SWAPS PACKETS      in the namespace of DEVICE
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <glob.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/image/image_file.h"
#include "loader/plane/plane.h"

#define FLOWS 1024u
#define FRAME_ROOM 256u
#define IN_PLACE_REWRITES 200u
#define VIP 0xc000020au /* 192.0.2.10 */

struct frame {
	uint32_t size;
	uint8_t bytes[FRAME_ROOM];
};

struct rig {
	const char *bpffs;
	uint32_t ifindex;
	struct gpc_image image[2];		/* the pair that is swapped */
	int program;				/* pinned XDP program of the plane */
	volatile uint64_t *control;		/* its control word */
	struct frame in[FLOWS];
	struct frame out[2][FLOWS];		/* what each image makes of it */
};

/* What the sending thread saw. */
struct tally {
	struct rig *rig;
	atomic_bool stop;
	atomic_ullong packets, of[2], lost, mixed;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "swap_bench: %s: %s\n", what, detail);
	exit(1);
}

static void fill_frame(struct frame *frame, uint32_t flow)
{
	struct ethhdr *eth = (void *)frame->bytes;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	uint32_t sum = 0;

	frame->size = sizeof(*eth) + sizeof(*ip) + sizeof(*tcp);
	memset(eth->h_dest, 2, ETH_ALEN);
	memset(eth->h_source, 4, ETH_ALEN);
	eth->h_proto = htobe16(ETH_P_IP);
	*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			     .tot_len = htobe16(sizeof(*ip) + sizeof(*tcp)),
			     .saddr = htobe32(0x0a4d0064), .daddr = htobe32(VIP)};
	for (unsigned int i = 0; i < sizeof(*ip) / 2; i++)
		sum += ((uint16_t *)ip)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (uint16_t)~(sum + (sum >> 16));
	*tcp = (struct tcphdr){.source = htobe16((uint16_t)(1024 + flow)), .dest = htobe16(80), .doff = 5, .ack = 1};
}

/* One frame through the program; what it returned. */
static uint32_t run_frame(const struct rig *rig, const struct frame *in, struct frame *out)
{
	struct xdp_md context = {.data_end = in->size, .ingress_ifindex = rig->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in->bytes, .data_size_in = in->size,
		    .data_out = out->bytes, .data_size_out = sizeof(out->bytes), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);

	if (bpf_prog_test_run_opts(rig->program, &run))
		die("test run", strerror(errno));
	out->size = run.data_size_out;
	return run.retval;
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

static void *send_frames(void *argument)
{
	struct tally *tally = argument;
	const struct rig *rig = tally->rig;
	struct frame out;

	for (uint32_t i = 0; !atomic_load_explicit(&tally->stop, memory_order_relaxed); i = (i + 1) % FLOWS) {
		uint32_t verdict = run_frame(rig, &rig->in[i], &out);

		if (verdict != XDP_TX)
			atomic_fetch_add_explicit(&tally->lost, 1, memory_order_relaxed);
		else if (same_frame(&out, &rig->out[0][i]))
			atomic_fetch_add_explicit(&tally->of[0], 1, memory_order_relaxed);
		else if (same_frame(&out, &rig->out[1][i]))
			atomic_fetch_add_explicit(&tally->of[1], 1, memory_order_relaxed);
		else
			atomic_fetch_add_explicit(&tally->mixed, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&tally->packets, 1, memory_order_relaxed);
	}
	return NULL;
}

/* ---- the plane and its pins ---- */

static void ignore_notice(void *context, bool warning, const char *text)
{
	(void)context, (void)warning, (void)text;
}
static const struct gpc_notice_sink quiet = {.say = ignore_notice};

static struct gpc_apply_outcome apply(struct rig *rig, unsigned int which, uint32_t generation)
{
	struct gpc_apply_outcome outcome;
	struct gpc_failure failure = {0};

	if (gpc_plane_apply(rig->bpffs, &rig->image[which], generation, GPC_STANCE_NONE, 0, NULL, &quiet, &outcome, &failure))
		die("apply", failure.message);
	if (outcome.unchanged)
		die("apply", "nothing was swapped");
	return outcome;
}

static int open_pin(const struct rig *rig, const char *name)
{
	char pattern[512];
	glob_t found;
	int fd;

	snprintf(pattern, sizeof(pattern), "%s/inst-*/%s", rig->bpffs, name);
	if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1)
		die(pattern, "not exactly one such pin");
	fd = bpf_obj_get(found.gl_pathv[0]);
	if (fd < 0)
		die(found.gl_pathv[0], strerror(errno));
	globfree(&found);
	return fd;
}

static void open_plane(struct rig *rig)
{
	int control = open_pin(rig, "ctl");

	rig->program = open_pin(rig, "xdp");
	rig->control = mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
	if (rig->control == MAP_FAILED)
		die("mapping of the control word", strerror(errno));
	close(control);
}

static void close_plane(struct rig *rig)
{
	struct gpc_failure failure = {0};

	munmap((void *)rig->control, (size_t)getpagesize());
	close(rig->program);
	if (gpc_plane_detach(rig->bpffs, &quiet, &failure))
		die("detach", failure.message);
}

/* The linked bytes of the active image; the caller frees. */
static void *active_bytes(const struct rig *rig)
{
	size_t size = (size_t)1 << rig->image[0].log2;
	void *bytes = aligned_alloc(4096, size);
	uint32_t zero = 0;
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "slot-%u", gpc_ctl_active(*rig->control));
	fd = open_pin(rig, name);
	if (!bytes || bpf_map_lookup_elem(fd, &zero, bytes))
		die("reading the active image", strerror(errno));
	close(fd);
	return bytes;
}

/* What the active image makes of every frame. */
static void record(struct rig *rig, unsigned int which)
{
	for (uint32_t i = 0; i < FLOWS; i++)
		if (run_frame(rig, &rig->in[i], &rig->out[which][i]) != XDP_TX)
			die("recording", "a frame was not sent");
}

static void records_must_differ(const struct rig *rig)
{
	for (uint32_t i = 0; i < FLOWS; i++)
		if (same_frame(&rig->out[0][i], &rig->out[1][i]))
			die("recording", "a frame looks the same under both images");
}

/* ---- the detector proves itself ---- */

static pthread_t start(struct tally *tally)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, send_frames, tally))
		die("thread", "cannot be made");
	return thread;
}

static void finish(struct tally *tally, pthread_t thread)
{
	atomic_store(&tally->stop, true);
	pthread_join(thread, NULL);
}

/* A map of our own in a slot that the word does not name, holding `bytes`; made the active one. */
static int activate_own_map(struct rig *rig, const void *bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	uint32_t zero = 0, slot = GPC_IMAGE_SLOTS - 1;
	int images = open_pin(rig, "images");
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rewritten", 4, 1u << rig->image[0].log2, 1, &options);

	if (map < 0 || bpf_map_update_elem(map, &zero, bytes, 0) || bpf_map_update_elem(images, &slot, &map, 0))
		die("map to rewrite in place", strerror(errno));
	close(images);
	__atomic_store_n(rig->control,
			 (*rig->control & ~(GPC_CTL_SLOT_MASK << GPC_CTL_ACTIVE_SHIFT)) | slot << GPC_CTL_ACTIVE_SHIFT,
			 __ATOMIC_SEQ_CST);
	return map;
}

/* Is a rewrite in place seen? */
static bool rewrite_in_place(struct rig *rig, void *const bytes[2])
{
	struct tally tally = {.rig = rig};
	int map = activate_own_map(rig, bytes[0]);
	pthread_t thread = start(&tally);
	uint32_t zero = 0;

	for (unsigned int i = 1; i <= IN_PLACE_REWRITES; i++)
		if (bpf_map_update_elem(map, &zero, bytes[i % 2], 0))
			die("rewriting in place", strerror(errno));
	finish(&tally, thread);
	close(map);
	fprintf(stderr, "in place: %u rewrites under %llu frames: %llu lost, %llu mixed (so the detector detects)\n",
		IN_PLACE_REWRITES, tally.packets, tally.lost, tally.mixed);
	return tally.mixed > 0;
}

/* ---- the measurement ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

static bool swap_under_packets(struct rig *rig, uint32_t swaps, uint64_t packets)
{
	struct tally tally = {.rig = rig};
	double *flip = calloc(swaps, sizeof(*flip)), *total = calloc(swaps, sizeof(*total));
	pthread_t thread = start(&tally);

	if (!flip || !total)
		die("memory", strerror(errno));
	for (uint32_t i = 0; i < swaps; i++) {
		struct gpc_apply_outcome outcome = apply(rig, i % 2, 3 + i);

		flip[i] = outcome.flip_us;
		total[i] = outcome.total_ms;
	}
	while (atomic_load(&tally.packets) < packets)
		usleep(1000);
	finish(&tally, thread);
	fprintf(stderr, "swaps: %u applies of %zu-byte images under %llu frames, %llu by A, %llu by B; medians\n",
		swaps, rig->image[0].size, tally.packets, tally.of[0], tally.of[1]);
	printf("swap.swaps.count %u\nswap.packets.count %llu\nswap.lost.count %llu\nswap.mixed.count %llu\n", swaps,
	       tally.packets, tally.lost, tally.mixed);
	printf("swap.flip.us %.2f\nswap.apply_4mb.ms %.2f\n", median(flip, swaps), median(total, swaps));
	free(flip);
	free(total);
	return !tally.lost && !tally.mixed && tally.of[0] && tally.of[1];
}

static void open_image(const char *path, struct gpc_image *image)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(GPC_MAX_IMAGE_BYTES);
	size_t size = file && bytes ? fread(bytes, 1, GPC_MAX_IMAGE_BYTES, file) : 0;

	gpc_diags_init(&diags, &arena, false);
	if (!size || !gpc_image_open(&diags, path, bytes, size, false, image))
		die(path, "cannot be opened as an image");
	if (image->log2 != GPC_IMAGE_MIN_LOG2 || image->size < 3500000)
		die(path, "does not fill the 4 MiB class");
	fclose(file);
	free(bytes);
	gpc_arena_release(&arena);
}

/* Applies both images of the pair and records what they do; bytes[]: what the kernel then holds. */
static void learn(struct rig *rig, const struct gpc_image *first, const struct gpc_image *second, void *bytes[2])
{
	rig->image[0] = *first;
	rig->image[1] = *second;
	for (unsigned int which = 0; which < 2; which++) {
		apply(rig, which, 1 + which);
		if (which == 0)
			open_plane(rig);
		record(rig, which);
		bytes[which] = active_bytes(rig);
	}
	records_must_differ(rig);
}

int main(int argc, char **argv)
{
	static struct rig rig;
	struct gpc_image a, b, c;
	void *bytes[2];
	bool detects, clean;

	if (argc != 8)
		die("usage", "swap_bench DEVICE BPFFS A.gpi B.gpi C.gpi SWAPS PACKETS");
	rig.ifindex = if_nametoindex(argv[1]);
	rig.bpffs = argv[2];
	open_image(argv[3], &a);
	open_image(argv[4], &b);
	open_image(argv[5], &c);
	for (uint32_t i = 0; i < FLOWS; i++)
		fill_frame(&rig.in[i], i);

	learn(&rig, &a, &c, bytes);
	detects = rewrite_in_place(&rig, bytes);
	close_plane(&rig);

	learn(&rig, &a, &b, bytes);
	clean = swap_under_packets(&rig, (uint32_t)strtoul(argv[6], NULL, 10), strtoull(argv[7], NULL, 10));
	close_plane(&rig);
	printf("swap: %d passed, %d failed\n", detects + clean, !detects + !clean);
	return !(detects && clean);
}
