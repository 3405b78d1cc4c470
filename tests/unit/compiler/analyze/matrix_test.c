/* SPDX-License-Identifier: MIT */
/*
 * The matrix against brute force: small planes with overlapping segments of a few addresses, where every packet
 * that can be told apart is asked about by gpc_explain().
 */
#include "analyze/matrix.h"

#include <string.h>

#include "../../unit.h"
#include "analyze/explain.h"
#include "analyze/packet.h"
#include "base/memfiles.h"
#include "pipeline.h"

#define ROUNDS 40u
#define ADDRESSES 6u	/* of each family; the last one is in no segment */
#define SEGMENTS 4u
#define KINDS 6u

struct plane {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image;
	struct gpc_matrix matrix;
	struct gpc_explain_point point;
};

static uint32_t seed = 7;

static uint32_t draw(uint32_t most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % most;
}

static const char *address(unsigned int family, unsigned int number, char out[32])
{
	snprintf(out, 32, family == GPC_V4 ? "10.0.0.%u" : "2001:db8::%u", number);
	return out;
}

static void print_segments(FILE *out)
{
	char text[32];

	fputs("segments:\n", out);
	for (unsigned int s = 0; s < SEGMENTS; s++) {
		fprintf(out, "  - {name: s%u, cidrs: [\"%s\"", s, address(GPC_V4, draw(ADDRESSES - 1), text));
		for (unsigned int n = draw(5); n; n--)
			fprintf(out, ", \"%s\"", address(draw(2), draw(ADDRESSES - 1), text));
		fputs("]}\n", out);
	}
}

static void print_plane(FILE *out)
{
	static const char *const ports[] = {"", ", ports: [tcp/1]", ", ports: [tcp/1-2, udp/1]", ", ports: [udp]",
					    ", ports: [proto/47, tcp/2]"};
	static const char *const actions[] = {"allow", "deny", "reject"};
	unsigned int rules = 1 + draw(5);

	fputs("apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"
	      "interfaces: [{name: lan0, mode: any, hooks: [xdp, tc-egress]}]\n",
	      out);
	print_segments(out);
	fputs("rules:\n", out);
	for (unsigned int r = 0; r < rules; r++) {
		fprintf(out, "  - {name: r%u, action: %s%s", r, actions[draw(3)], ports[draw(5)]);
		if (draw(4))
			fprintf(out, ", from: s%u", draw(SEGMENTS));
		if (draw(4))
			fprintf(out, ", to: s%u", draw(SEGMENTS));
		fputs("}\n", out);
	}
	fprintf(out, "policies:\n  - {name: in, interfaces: [lan0], direction: ingress, default: %s, rules: [",
		draw(2) ? "deny" : "allow");
	for (unsigned int r = 0; r < rules; r++)
		fprintf(out, "%sr%u", r ? ", " : "", r);
	fputs("]}\n", out);
}

static void open_plane(struct plane *plane, const char *text)
{
	const char *path = "gpc.yaml", *fault;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_matrix_options wanted = {.direction = GPC_INGRESS};
	struct gpc_compiled compiled;
	struct gpc_provider provider;
	struct gpc_memfiles files;

	*plane = (struct plane){0};
	gpc_diags_init(&plane->diags, &plane->arena, false);
	gpc_memfiles_init(&files, &plane->arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	CU_ASSERT_FATAL(gpc_compile(&plane->diags, &provider, &options, &compiled));
	CU_ASSERT_FATAL(gpc_image_open_written(&plane->diags, path, compiled.bytes, compiled.size, &plane->image));
	CU_ASSERT_FATAL(gpc_explain_point(&plane->image, "lan0", GPC_INGRESS, &plane->point));
	wanted.image = &plane->image;
	fault = gpc_matrix_make(&plane->arena, &wanted, &plane->matrix);
	CU_ASSERT_PTR_NULL_FATAL(fault);
}

static void close_plane(struct plane *plane)
{
	gpc_image_release(&plane->image);
	gpc_arena_release(&plane->arena);
}

/* Some packet of each kind that the rules tell apart, and one that they do not name. */
static struct gpc_question question(unsigned int family, unsigned int kind, unsigned int from, unsigned int to)
{
	static const struct {
		const char *protocol, *port;
	} kinds[KINDS] = {{"tcp", "1"}, {"tcp", "2"}, {"tcp", "3"}, {"udp", "1"}, {"udp", "9"}, {"47", NULL}};
	const char *port = kinds[kind].port, *open = port && family == GPC_V6 ? "[" : "";
	const char *close = *open ? "]" : "";
	struct gpc_packet_fault fault;
	struct gpc_question packet;
	char text[160], a[32], b[32];

	snprintf(text, sizeof(text), "%s %s -> %s%s%s%s%s", kinds[kind].protocol, address(family, from, a), open,
		 address(family, to, b), close, port ? ":" : "", port ? port : "");
	CU_ASSERT_FATAL(gpc_packet_parse(text, strlen(text), &packet, &fault));
	return packet;
}

static bool box_holds(const struct gpc_atlas_box *box, const struct gpc_question *q)
{
	return q->protocol >= box->item.protocol_first && q->protocol <= box->item.protocol_last &&
	       q->source_port >= box->item.source.first && q->source_port <= box->item.source.last &&
	       q->destination_port >= box->item.destination.first &&
	       q->destination_port <= box->item.destination.last && box->dscp >> q->dscp & 1 &&
	       box->tcp_flags >> q->tcp_flags & 1 && box->fragments >> q->fragment & 1 &&
	       (!box->vlans || box->vlans[q->vlan / 64] >> q->vlan % 64 & 1);
}

static bool region_holds(const struct plane *plane, uint32_t region, const struct gpc_question *q)
{
	size_t count;
	const struct gpc_atlas_box *boxes =
		gpc_atlas_boxes(plane->matrix.atlas, plane->matrix.place, region, &count);

	for (size_t i = 0; i < count; i++)
		if (box_holds(&boxes[i], q))
			return true;
	return false;
}

static bool is_member(const struct plane *plane, size_t segment, unsigned int family, unsigned int number)
{
	struct gpc_ip ip;
	char text[32];

	address(family, number, text);
	CU_ASSERT_FATAL(gpc_ip_parse(text, strlen(text), &ip) == GPC_IP_OK);
	return gpc_set_holds(plane->matrix.segments[segment].set, &ip);
}

struct truth {
	unsigned int pairs, passing;
};

static void count_pairs(const struct plane *plane, size_t from, size_t to, unsigned int kind, struct truth *ret)
{
	for (unsigned int family = GPC_V4; family <= GPC_V6; family++)
		for (unsigned int a = 0; a < ADDRESSES; a++)
			for (unsigned int b = 0; b < ADDRESSES; b++) {
				struct gpc_question q = question(family, kind, a, b);
				struct gpc_explanation e;

				if (!is_member(plane, from, family, a) || !is_member(plane, to, family, b))
					continue;
				gpc_explain(&plane->image, &plane->point, &q, false, &e);
				ret->pairs++;
				ret->passing += e.action == GPC_ACTION_ALLOW || e.action == GPC_ACTION_PASS;
			}
}

static void check_cell(const struct plane *plane, size_t from, size_t to)
{
	const struct gpc_matrix_cell *cell = &plane->matrix.cells[from * plane->matrix.count + to];

	for (unsigned int kind = 0; kind < KINDS; kind++) {
		struct gpc_question q = question(GPC_V4, kind, 0, 0);
		bool always = region_holds(plane, cell->always, &q), partly = region_holds(plane, cell->partly, &q);
		struct truth truth = {0};

		count_pairs(plane, from, to, kind, &truth);
		CU_ASSERT_EQUAL(cell->possible, truth.pairs > 0);
		if (!truth.pairs)
			return;
		CU_ASSERT_EQUAL(always, truth.passing == truth.pairs);
		CU_ASSERT_EQUAL(partly, truth.passing > 0 && truth.passing < truth.pairs);
		CU_ASSERT(!cell->all || truth.passing == truth.pairs);
		CU_ASSERT(!cell->none || !truth.passing);
	}
}

static void cells_say_what_every_packet_says(void)
{
	unsigned int some = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		static struct plane plane;
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(out);
		print_plane(out);
		fclose(out);
		open_plane(&plane, text);
		CU_ASSERT_EQUAL_FATAL(plane.matrix.count, SEGMENTS + 1);
		for (size_t from = 0; from < plane.matrix.count; from++)
			for (size_t to = 0; to < plane.matrix.count; to++) {
				const struct gpc_matrix_cell *cell = &plane.matrix.cells[from * plane.matrix.count + to];

				check_cell(&plane, from, to);
				some += cell->possible && !cell->all && !cell->none;
			}
		close_plane(&plane);
		free(text);
	}
	CU_ASSERT(some > 100); /* else nothing was tested */
}

static void words_of_cells(void)
{
	static const char text[] =
		"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"
		"interfaces: [{name: lan0, mode: any, hooks: [xdp, tc-egress]}]\n"
		"segments:\n  - {name: a, cidrs: [10.0.0.0/24]}\n  - {name: part, cidrs: [10.0.0.8/32]}\n"
		"  - {name: six, cidrs: [\"2001:db8::/64\"]}\n"
		"rules:\n  - {name: r, action: allow, from: a, to: a, ports: [tcp/80, udp/53]}\n"
		"  - {name: s, action: allow, from: part, to: a, ports: [tcp/22]}\n"
		"policies:\n  - {name: in, interfaces: [lan0], direction: ingress, rules: [r, s]}\n";
	static struct plane plane;
	static const char *const wanted[] = {"tcp/80, udp/53; partly tcp/22", "tcp/80, udp/53; partly tcp/22", "-", "none",
					     "tcp/22, tcp/80, udp/53", "tcp/22, tcp/80, udp/53", "-", "none"};

	open_plane(&plane, text);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		CU_ASSERT_STRING_EQUAL(gpc_matrix_text(&plane.arena, &plane.matrix, &plane.matrix.cells[i], 12), wanted[i]);
	CU_ASSERT_STRING_EQUAL(gpc_matrix_text(&plane.arena, &plane.matrix, &plane.matrix.cells[4], 1),
			       "tcp/22 and 2 more");
	close_plane(&plane);
}

GPC_UNIT_MAIN("analyze/matrix", {"cells_say_what_every_packet_says", cells_say_what_every_packet_says},
	      {"words_of_cells", words_of_cells})
