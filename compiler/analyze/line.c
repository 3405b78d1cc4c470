/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <string.h>

#include "gpc/lookup/address.h"

#define STEPS_PER_INTERVAL 64u /* entries looked at, before it is too much */

struct walk {
	struct gpc_arena *arena;
	struct gpc_view view;
	uint32_t wide;
	size_t most, steps;
	bool failed;
	bool low;	   /* inside of one value of the high half */
	uint64_t high;	   /* that value */
	GPC_VEC(struct gpc_interval) found;
};

/* What begins here has this class. */
static void emit(struct walk *w, struct gpc_point at, uint32_t class)
{
	if (w->found.n && w->found.items[w->found.n - 1].class == class)
		return;
	if (w->found.n && !gpc_point_compare(w->found.items[w->found.n - 1].first, at)) {
		w->found.items[w->found.n - 1].class = class;
		return;
	}
	if (w->found.n >= w->most) {
		w->failed = true;
		return;
	}
	*GPC_PUSH(w->arena, &w->found) = (struct gpc_interval){at, class};
}

static bool step(struct walk *w)
{
	if (!w->steps)
		w->failed = true;
	else
		w->steps--;
	return !w->failed;
}

/* The keys of a piece, ascending as the compiler writes them, those that stand for none left out. */
static uint32_t keys_of(const struct walk *w, uint32_t entry, uint32_t keys[12])
{
	bool full = entry >> GPC_TRIE_KIND_SHIFT & 1;
	const __u64 *lanes = gpc_at(w->view, (__u64)(entry & GPC_TRIE_OFFSET) << 4, 32);
	uint32_t n = 0;

	for (uint32_t i = 0; i < (full ? 12u : 6u); i++) {
		uint32_t key = lanes[i / 3] >> i % 3 * 21 & 0x1fffff;

		if (key < GPC_PIECE_PAD)
			keys[n++] = key;
	}
	return n;
}

/* ---- v4 ---- */

static void walk4_piece(struct walk *w, uint32_t entry, uint32_t first, uint32_t last)
{
	uint32_t keys[12], n = keys_of(w, entry, keys), base = first & ~0xffffu;
	struct gpc_point at = GPC_LINE_V4_FIRST;

	at.low |= first;
	emit(w, at, gpc_entry_class(w->view, entry, first & 0xffff, w->wide));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t address = base | (keys[i] & 0xffff);

		if (keys[i] > 0xffff || address <= first || address > last)
			continue;
		at.low = GPC_LINE_V4_FIRST.low | address;
		emit(w, at, gpc_entry_class(w->view, entry, keys[i], w->wide));
	}
}

static void walk4(struct walk *w, uint32_t entry, uint32_t first, uint32_t last, uint32_t depth)
{
	uint32_t argument = entry >> GPC_TRIE_ARGUMENT_SHIFT & GPC_TRIE_ARGUMENT;
	uint32_t shift = argument >> 3, bits = (argument & 7) + 1, at;

	if (!step(w))
		return;
	if (entry & GPC_TRIE_LEAF) {
		emit(w, (struct gpc_point){0, GPC_LINE_V4_FIRST.low | first}, entry & GPC_TRIE_CLASS);
		return;
	}
	if (!gpc_entry_branches(entry)) {
		walk4_piece(w, entry, first, last);
		return;
	}
	at = (entry & GPC_TRIE_OFFSET) << 2;
	if (depth >= GPC_TRIE4_STEPS || (last - first) >> shift >> bits) {
		w->failed = true;
		return;
	}
	for (uint64_t part = first; part <= last && !w->failed;) {
		uint64_t next = ((part >> shift) + 1) << shift;
		uint32_t index = (uint32_t)part >> shift & ((1u << bits) - 1);

		walk4(w, gpc_word(w->view, at + index), (uint32_t)part,
		      next - 1 < last ? (uint32_t)(next - 1) : last, depth + 1);
		part = next;
	}
}

static void walk_v4(struct walk *w, uint32_t root)
{
	for (uint32_t i = 0; i < 65536 && !w->failed; i++)
		walk4(w, gpc_word(w->view, root + i), i << 16, i << 16 | 0xffff, 0);
}

/* ---- v6 ---- */

static struct gpc_point point6(const struct walk *w, uint64_t half)
{
	return w->low ? (struct gpc_point){w->high, half} : (struct gpc_point){half, 0};
}

static void walk6_piece(struct walk *w, uint32_t entry, uint64_t first, uint64_t last)
{
	uint32_t shift = entry >> GPC_TRIE_ARGUMENT_SHIFT & 63, keys[12], n = keys_of(w, entry, keys);
	uint32_t block = shift + GPC_PIECE_KEY_BITS;
	uint64_t base = block >= 64 ? 0 : first >> block << block;
	uint64_t mask = (1u << GPC_PIECE_KEY_BITS) - 1;

	if (block < 64 && (first ^ last) >> block) {
		w->failed = true;
		return;
	}
	emit(w, point6(w, first), gpc_entry_class(w->view, entry, first >> shift & mask, w->wide));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t half = base | (uint64_t)keys[i] << shift;

		if (half > first && half <= last)
			emit(w, point6(w, half), gpc_entry_class(w->view, entry, keys[i], w->wide));
	}
}

static void walk6_window(struct walk *w, uint32_t window, uint64_t first, uint64_t last, uint32_t depth);

static void walk6(struct walk *w, uint32_t entry, uint64_t first, uint64_t last, uint32_t depth)
{
	uint32_t at = (entry & GPC_TRIE_OFFSET) << 2;

	if (!step(w))
		return;
	if (entry & GPC_TRIE_LEAF) {
		emit(w, point6(w, first), entry & GPC_TRIE_CLASS);
	} else if (!gpc_entry_branches(entry)) {
		walk6_piece(w, entry, first, last);
	} else if (depth >= GPC_TRIE6_STEPS) {
		w->failed = true;
	} else if (w->low || !(entry >> GPC_TRIE_KIND_SHIFT & 1)) {
		walk6_window(w, at, first, last, depth + 1);
	} else if (first != last) {
		w->failed = true; /* the compiler gives low halves to one value of the high half */
	} else {
		w->low = true;
		w->high = first;
		walk6_window(w, at, 0, UINT64_MAX, depth + 1);
		w->low = false;
	}
}

/* The part of [first, last] in [from, to]. */
static void walk6_part(struct walk *w, uint32_t at, uint64_t from, uint64_t to, uint64_t first,
		       uint64_t last, uint32_t depth)
{
	uint64_t low = from > first ? from : first, high = to < last ? to : last;

	if (low <= high && !w->failed)
		walk6(w, gpc_word(w->view, at), low, high, depth);
}

static void walk6_window(struct walk *w, uint32_t window, uint64_t first, uint64_t last, uint32_t depth)
{
	const __u64 *head = gpc_at(w->view, (__u64)window << 2, 16);
	uint32_t shift = head[1] & 63, bits = head[1] >> 8 & 31, entries = window + GPC_WINDOW_HEAD;
	uint64_t base = head[0] >> shift >> bits << bits << shift, size, from = base;

	if (shift + bits >= 64)
		base = from = 0;
	size = 1ull << shift;
	if (base)
		walk6_part(w, entries, 0, base - 1, first, last, depth);
	if (first > from)
		from = first >> shift << shift;
	for (uint64_t i = (from - base) >> shift; i < 1ull << bits && !w->failed; i++) {
		from = base + (i << shift);
		if (from > last)
			return;
		walk6_part(w, entries + 2 + (uint32_t)i, from, from + (size - 1), first, last, depth);
	}
	from = base + (1ull << shift << bits);
	if (shift + bits < 64 && from)
		walk6_part(w, entries + 1, from, UINT64_MAX, first, last, depth);
}

/* ---- both ---- */

static void append(struct gpc_line *line, struct gpc_point at, uint32_t class)
{
	line->intervals[line->count++] = (struct gpc_interval){at, class};
}

/* v6 with its v4 block taken from the other trie. */
static void join(struct gpc_arena *arena, const struct walk *v4, const struct walk *v6, struct gpc_line *ret)
{
	struct gpc_line line = {GPC_NEW_ARRAY(arena, struct gpc_interval, v4->found.n + v6->found.n + 2), 0};
	const struct gpc_interval *item = v6->found.items;
	uint32_t class = 0;
	size_t i = 0;

	for (; i < v6->found.n && gpc_point_compare(item[i].first, GPC_LINE_V4_FIRST) < 0; i++)
		append(&line, item[i].first, class = item[i].class);
	for (size_t k = 0; k < v4->found.n; k++)
		append(&line, v4->found.items[k].first, v4->found.items[k].class);
	for (; i < v6->found.n && gpc_point_compare(item[i].first, GPC_LINE_V6_AGAIN) <= 0; i++)
		class = item[i].class;
	append(&line, GPC_LINE_V6_AGAIN, class);
	for (; i < v6->found.n; i++)
		append(&line, item[i].first, item[i].class);
	*ret = line;
}

bool gpc_line_of_tries(struct gpc_arena *arena, const struct gpc_image *image, uint32_t side, size_t most,
		       struct gpc_line *ret)
{
	const struct gpc_tries *tries = &image->plane->tries;
	struct walk v4 = {.arena = arena,
			  .view = image->view,
			  .wide = tries->wide[side],
			  .most = most,
			  .steps = (most + 65536) * STEPS_PER_INTERVAL};
	struct walk v6 = v4;

	if (tries->classes[side]) {
		walk_v4(&v4, tries->root4[side]);
		walk6_window(&v6, tries->root6[side], 0, UINT64_MAX, 0);
	} else {
		emit(&v4, GPC_LINE_V4_FIRST, 0);
		emit(&v6, (struct gpc_point){0, 0}, 0);
	}
	if (v4.failed || v6.failed)
		return false;
	join(arena, &v4, &v6, ret);
	return true;
}
