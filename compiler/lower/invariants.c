/* SPDX-License-Identifier: MIT */
/* INVARIANT, and the words behind it: sets, services, boxes (image.h has the layout). */
#include <assert.h>
#include <string.h>

#include "steps.h"

#define HEAD_WORDS 2u
#define RANGE_WORDS (sizeof(struct gpc_range) / sizeof(uint32_t))
#define ITEM_WORDS 3u
#define BOX_WORDS 3u

struct word_writer {
	uint32_t *words;
	size_t used;
	uint32_t *sets, *services;	/* number -> word */
};

static size_t count_words(const struct gpc_model *model)
{
	const struct gpc_space *space = &model->invariant_space;
	size_t count = HEAD_WORDS;

	for (size_t i = 0; i < space->set_count; i++)
		count += 1 + space->sets[i].count * RANGE_WORDS;
	for (size_t i = 0; i < space->service_count; i++)
		count += 1 + space->services[i].count * ITEM_WORDS;
	for (size_t i = 0; i < model->invariant_count; i++)
		count += (model->invariants[i].box_count + model->invariants[i].allowed_count) *
			 BOX_WORDS;
	return count;
}

static void put(struct word_writer *writer, uint32_t word)
{
	writer->words[writer->used++] = word;
}

static void put_set(struct word_writer *writer, struct gpc_set set)
{
	put(writer, (uint32_t)set.count);
	if (set.count)
		memcpy(writer->words + writer->used, set.ranges, set.count * sizeof(*set.ranges));
	writer->used += set.count * RANGE_WORDS;
}

/* An invariant has no `match` and no source ports. */
static void put_service(struct word_writer *writer, const struct gpc_service *service)
{
	put(writer, (uint32_t)service->count);
	for (size_t i = 0; i < service->count; i++) {
		const struct gpc_service_item *item = &service->items[i];

		assert(!item->source.first && item->source.last == GPC_PORT_NONE);
		put(writer, item->protocol_first | (uint32_t)item->protocol_last << 8);
		put(writer, item->destination.first);
		put(writer, item->destination.last);
	}
}

/* The word that the boxes start at. */
static uint32_t put_boxes(struct word_writer *writer, const struct gpc_box *boxes, size_t count)
{
	uint32_t start = (uint32_t)writer->used;

	for (size_t i = 0; i < count; i++) {
		put(writer, writer->sets[boxes[i].source]);
		put(writer, writer->sets[boxes[i].destination]);
		put(writer, writer->services[boxes[i].service]);
	}
	return start;
}

static void put_space(struct word_writer *writer, const struct gpc_space *space)
{
	put(writer, (uint32_t)space->set_count);
	put(writer, (uint32_t)space->service_count);
	for (size_t i = 0; i < space->set_count; i++) {
		writer->sets[i] = (uint32_t)writer->used;
		put_set(writer, space->sets[i]);
	}
	for (size_t i = 0; i < space->service_count; i++) {
		writer->services[i] = (uint32_t)writer->used;
		put_service(writer, &space->services[i]);
	}
}

static void lower_invariant(struct word_writer *writer, const struct gpc_model_invariant *from,
			    struct gpc_invariant *to)
{
	to->id = from->id;
	to->form = (uint8_t)from->form;
	to->flags = (from->direction == GPC_EGRESS ? GPC_INVARIANT_EGRESS : 0) |
		    (from->enforced ? GPC_INVARIANT_ENFORCED : 0);
	to->max = from->max;
	to->interface = from->interface;
	to->boxes = put_boxes(writer, from->boxes, from->box_count);
	to->box_count = (uint32_t)from->box_count;
	to->allowed = put_boxes(writer, from->allowed, from->allowed_count);
	to->allowed_count = (uint32_t)from->allowed_count;
	to->backend = from->backend;
	to->memory = from->memory;
	to->max_lookups = from->max_lookups;
}

void gpc_lower_invariants(struct gpc_arena *arena, const struct gpc_model *model,
			  struct gpc_tables *tables)
{
	const struct gpc_space *space = &model->invariant_space;
	struct word_writer writer = {
		.sets = GPC_NEW_ARRAY(arena, uint32_t, space->set_count),
		.services = GPC_NEW_ARRAY(arena, uint32_t, space->service_count),
	};

	if (!model->invariant_count)
		return;
	tables->invariant_word_count = count_words(model);
	tables->invariant_words = GPC_NEW_ARRAY(arena, uint32_t, tables->invariant_word_count);
	writer.words = tables->invariant_words;
	put_space(&writer, space);
	for (size_t i = 0; i < model->invariant_count; i++)
		lower_invariant(&writer, &model->invariants[i], &tables->invariants[i]);
	assert(writer.used == tables->invariant_word_count);
}
