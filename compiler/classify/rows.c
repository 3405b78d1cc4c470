/* SPDX-License-Identifier: MIT */
#include "rows.h"

void gpc_rows_init(struct gpc_arena *arena, struct gpc_rows *rows, const struct gpc_partition *partition)
{
	*rows = (struct gpc_rows){
		.partition = partition,
		.touched = GPC_NEW_ARRAY(arena, uint32_t, partition->class_count),
		.row_stamp = GPC_NEW_ARRAY(arena, uint32_t, partition->class_count + 2),
	};
	gpc_refinement_init(arena, &rows->refinement, partition->class_count);
}

void gpc_rows_clear(struct gpc_rows *rows)
{
	struct gpc_refinement *r = &rows->refinement;

	for (uint32_t i = 0; i < rows->touched_count; i++)
		r->class[rows->touched[i]] = 0;
	for (uint32_t c = 0; c < r->next; c++)
		r->part_of[c] = 0;
	r->members[0] = rows->partition->class_count + 1;
	r->next = 1;
	r->free_count = 0;
	rows->touched_count = 0;
}

void gpc_rows_add(struct gpc_rows *rows, uint32_t object)
{
	const struct gpc_partition *p = rows->partition;

	for (uint32_t i = p->class_first[object]; i < p->class_first[object + 1]; i++) {
		uint32_t class = p->classes[i];

		if (!rows->refinement.class[class])
			rows->touched[rows->touched_count++] = class;
		gpc_refinement_split(&rows->refinement, object, class);
	}
}

uint32_t gpc_rows_of(struct gpc_rows *rows, uint32_t object, uint32_t *ret)
{
	const struct gpc_partition *p = rows->partition;
	uint32_t n = 0;

	rows->stamp++;
	for (uint32_t i = p->class_first[object]; i < p->class_first[object + 1]; i++) {
		uint32_t row = rows->refinement.class[p->classes[i]];

		if (rows->row_stamp[row] == rows->stamp)
			continue;
		rows->row_stamp[row] = rows->stamp;
		if (ret)
			ret[n] = row;
		n++;
	}
	return n;
}
