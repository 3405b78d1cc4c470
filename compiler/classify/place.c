/* SPDX-License-Identifier: MIT */
/*
 * Row displacement: each row gets a number such that number + column (modulo the slots) is free for each of
 * its cells, and that no other row has. Large rows go first, columns that are met often have low numbers.
 */
#include <string.h>

#include "cells.h"

#define SMALL_ROW 3u	/* these fill the gaps from the beginning */
#define ROUNDS_MAX 40u

/* Bit i + slots of `used` is bit i again, so that nobody has to wrap around. */
struct table {
	uint64_t *used, *taken;	/* bits: slot is used, number is given out */
	uint32_t slots;
	uint32_t next_free;	/* no free slot is below it */
	uint32_t start;		/* number where large rows look first */
};

static bool bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= 1ull << i % 64;
}

/* 64 bits from bit i on. */
static uint64_t window(const uint64_t *bits, uint64_t i)
{
	uint64_t low = bits[i / 64] >> i % 64;

	return i % 64 ? low | bits[i / 64 + 1] << (64 - i % 64) : low;
}

/* Numbers by falling frequency; equal ones by their own order. */
static void number_columns(struct gpc_arena *scratch, struct gpc_cells *cells, uint32_t group)
{
	struct gpc_group_lines *lines = &cells->group[group];
	uint32_t *uses = GPC_NEW_ARRAY(scratch, uint32_t, lines->column_count), most = 0, *first;

	lines->number_of_column = GPC_NEW_ARRAY(scratch, uint32_t, lines->column_count);
	for (uint32_t r = 0; r < cells->row_count; r++)
		for (uint32_t i = 0; cells->rows[r].group == group && i < cells->rows[r].count; i++)
			uses[cells->cells[cells->rows[r].first + i].column]++;
	for (uint32_t c = 0; c < lines->column_count; c++)
		most = uses[c] > most ? uses[c] : most;
	first = GPC_NEW_ARRAY(scratch, uint32_t, most + 2);
	for (uint32_t c = 0; c < lines->column_count; c++)
		first[most - uses[c] + 1]++;
	for (uint32_t u = 0; u <= most; u++)
		first[u + 1] += first[u];
	for (uint32_t c = 0; c < lines->column_count; c++)
		lines->number_of_column[c] = uses[c] ? first[most - uses[c]]++ : UINT32_MAX;
}

/* Row indexes by falling size; equal ones in their order. */
static uint32_t *order_rows(struct gpc_arena *scratch, const struct gpc_cells *cells)
{
	uint32_t *order = GPC_NEW_ARRAY(scratch, uint32_t, cells->row_count), largest = 0, *first;

	for (uint32_t r = 0; r < cells->row_count; r++)
		largest = cells->rows[r].count > largest ? cells->rows[r].count : largest;
	first = GPC_NEW_ARRAY(scratch, uint32_t, largest + 2);
	for (uint32_t r = 0; r < cells->row_count; r++)
		first[largest - cells->rows[r].count + 1]++;
	for (uint32_t s = 0; s <= largest; s++)
		first[s + 1] += first[s];
	for (uint32_t r = 0; r < cells->row_count; r++)
		order[first[largest - cells->rows[r].count]++] = r;
	return order;
}

/* A number for the row in [from, to): 64 of them are tried at once. */
static bool find_number(const struct table *t, const struct gpc_cell *cells, uint32_t count, uint32_t from,
			uint32_t to, uint32_t *ret)
{
	for (uint32_t base = from; base < to; base += 64) {
		uint64_t fit = ~window(t->taken, base);

		for (uint32_t i = 0; fit && i < count; i++)
			fit &= ~window(t->used, (uint64_t)base + cells[i].column);
		if (fit && base + (uint32_t)__builtin_ctzll(fit) < to) {
			*ret = base + (uint32_t)__builtin_ctzll(fit);
			return true;
		}
	}
	return false;
}

static bool place_row(struct table *t, struct gpc_cell_row *row, const struct gpc_cell *cells)
{
	uint32_t number, from = t->start;

	while (t->next_free < t->slots && bit(t->used, t->next_free))
		t->next_free++;
	/* The first number that brings the first cell to a free slot. */
	if (row->count <= SMALL_ROW)
		from = t->next_free >= cells[0].column ? t->next_free - cells[0].column :
							 t->next_free + t->slots - cells[0].column;
	if (from >= t->slots)
		from = 0;
	if (!find_number(t, cells, row->count, from, t->slots, &number) &&
	    !find_number(t, cells, row->count, 0, from, &number))
		return false;
	if (row->count > SMALL_ROW)
		t->start = number;
	set_bit(t->taken, number);
	for (uint32_t i = 0; i < row->count; i++) {
		uint32_t slot = number + cells[i].column;

		set_bit(t->used, slot);
		set_bit(t->used, slot >= t->slots ? slot - t->slots : slot + t->slots);
	}
	row->number = number;
	return true;
}

static bool place_all(struct gpc_arena *scratch, struct gpc_cells *cells, const uint32_t *order)
{
	size_t words = cells->slots / 64 + 3;
	struct table t = {.used = GPC_NEW_ARRAY(scratch, uint64_t, 2 * words),
			  .taken = GPC_NEW_ARRAY(scratch, uint64_t, words),
			  .slots = cells->slots};

	for (uint32_t i = 0; i < cells->row_count; i++) {
		struct gpc_cell_row *row = &cells->rows[order[i]];

		if (!place_row(&t, row, cells->cells + row->first))
			return false;
	}
	return true;
}

bool gpc_cells_place(struct gpc_arena *scratch, struct gpc_cells *cells, uint32_t max_slots)
{
	uint32_t *order;
	uint64_t slots = cells->cell_count + cells->cell_count / 8ull + 1;

	for (uint32_t g = 0; g < cells->group_count; g++)
		number_columns(scratch, cells, g);
	for (uint32_t r = 0; r < cells->row_count; r++)
		for (uint32_t i = 0; i < cells->rows[r].count; i++) {
			struct gpc_cell *cell = &cells->cells[cells->rows[r].first + i];

			cell->column = cells->group[cells->rows[r].group].number_of_column[cell->column];
		}
	order = order_rows(scratch, cells);
	for (uint32_t round = 0; round < ROUNDS_MAX && slots <= max_slots; round++) {
		cells->slots = (uint32_t)slots;
		if (place_all(scratch, cells, order))
			return true;
		slots += slots / 6 + 1;
	}
	return false;
}
