/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>

#include "../../unit.h"
#include "image_tools.h"

/* Opens the bytes; the code of the refusal, GPC_CODE_COUNT if there is none. */
static enum gpc_code open_bytes(const void *bytes, size_t size, bool linked,
				struct gpc_image *ret_image)
{
	enum gpc_code code = GPC_CODE_COUNT;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;

	gpc_diags_init(&diags, &arena, false);
	if (!gpc_image_open(&diags, "a.gpi", bytes, size, linked, ret_image)) {
		CU_ASSERT_EQUAL_FATAL(diags.records.n, 1);
		code = diags.records.items[0].code;
	} else {
		CU_ASSERT_EQUAL(diags.records.n, 0);
	}
	gpc_arena_release(&arena);
	return code;
}

static enum gpc_code refusal(const void *bytes, size_t size)
{
	struct gpc_image image;
	enum gpc_code code = open_bytes(bytes, size, false, &image);

	if (code == GPC_CODE_COUNT)
		gpc_image_release(&image);
	return code;
}

static void a_written_image_opens(void)
{
	struct gpc_image image;
	size_t size;
	uint8_t *bytes = small_image(&size);

	CU_ASSERT_EQUAL_FATAL(open_bytes(bytes, size, false, &image), GPC_CODE_COUNT);
	CU_ASSERT_EQUAL(image.size, size);
	CU_ASSERT_EQUAL(image.log2, GPC_IMAGE_MIN_LOG2);
	CU_ASSERT_STRING_EQUAL(gpc_image_name(&image, image.plane->name), "test");
	look_everything_up(&image);
	gpc_image_release(&image);
	free(bytes);
}

static void a_failed_open_leaves_the_result_alone(void)
{
	struct gpc_image image = {.size = 7};

	CU_ASSERT_EQUAL(open_bytes("GPI1", 4, false, &image), GPC_E0502);
	CU_ASSERT_EQUAL(image.size, 7);
}

static void every_truncation_is_refused(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);

	for (size_t n = 0; n < size; n += n < 1100 || n + 70 > size ? 1 : 61) {
		uint8_t *cut =
			malloc(n + 1); /* of the exact size, so that ASan sees a read behind it */

		memcpy(cut, bytes, n);
		cut = realloc(cut, n ? n : 1);
		CU_ASSERT_EQUAL_FATAL(refusal(cut, n), n < 4 ? GPC_E0501 : GPC_E0502);
		free(cut);
	}
	free(bytes);
}

static void bytes_behind_the_end_are_refused(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);

	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	CU_ASSERT_EQUAL(refusal(bytes, size + 1), GPC_E0502);
	free(bytes);
}

static void every_flipped_byte_is_refused(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);
	const struct gpc_image_head *head = (const struct gpc_image_head *)bytes;
	size_t link = head->link_offset;

	for (size_t i = 0; i < size; i += i < link ? 1 : 53) {
		bytes[i] ^= (uint8_t)(1 << i % 8);
		CU_ASSERT_NOT_EQUAL_FATAL(refusal(bytes, size), GPC_CODE_COUNT);
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_CODE_COUNT);
	free(bytes);
}

/*
 * With right digests a flip is refused by the rules of the records, or it made another image that means
 * something: then all lookups and dumps stay inside it.
 */
static void a_flipped_byte_under_right_digests_is_refused_or_harmless(void)
{
	FILE *nowhere = fopen("/dev/null", "w");
	size_t size, opened = 0, refused = 0;
	uint8_t *bytes = small_image(&size);
	size_t end = ((const struct gpc_image_head *)bytes)->link_offset;

	CU_ASSERT_PTR_NOT_NULL_FATAL(nowhere);
	for (size_t i = sizeof(struct gpc_image_head); i < end; i++) {
		static const uint8_t patterns[] = {0x01, 0x80, 0xff};
		uint8_t pattern = patterns[i % 3];
		struct gpc_image image;

		bytes[i] ^= pattern;
		fix_digests(bytes);
		if (open_bytes(bytes, size, false, &image) == GPC_CODE_COUNT) {
			opened++;
			look_everything_up(&image);
			if (opened % 16 == 0)
				dump_everything(&image, nowhere);
			gpc_image_release(&image);
		} else {
			refused++;
		}
		bytes[i] ^= pattern;
	}
	/* Both happen: a weight may be any number, an offset not. */
	CU_ASSERT(opened > 100);
	CU_ASSERT(refused > 1000);
	fclose(nowhere);
	free(bytes);
}

static void many_random_flips_under_right_digests_are_harmless(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size), *copy = malloc(size);
	size_t from = sizeof(struct gpc_image_head),
	       end = ((struct gpc_image_head *)bytes)->link_offset;
	uint64_t random = 42;

	for (int round = 0; round < 3000; round++) {
		struct gpc_image image;

		memcpy(copy, bytes, size);
		for (int flips = 1 + round % 4; flips; flips--) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			copy[from + (random >> 33) % (end - from)] = (uint8_t)(random >> 25);
		}
		fix_digests(copy);
		if (open_bytes(copy, size, false, &image) != GPC_CODE_COUNT)
			continue;
		look_everything_up(&image);
		gpc_image_release(&image);
	}
	free(copy);
	free(bytes);
}

/* ---- the envelope: each fault has its code ---- */

static void another_file_is_not_an_image(void)
{
	static const char yaml[2000] = "apiVersion: gpc/v1\n";

	CU_ASSERT_EQUAL(refusal(yaml, sizeof(yaml)), GPC_E0501);
	CU_ASSERT_EQUAL(refusal("", 0), GPC_E0501);
}

static void foreign_byte_order_is_told(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);
	uint32_t *words = (uint32_t *)bytes;

	for (size_t i = 0; i < size / 4; i++)
		words[i] = __builtin_bswap32(words[i]);
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0503);
	free(bytes);
}

static void another_version_is_told_in_words(void)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;
	size_t size;
	uint8_t *bytes = small_image(&size);
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;

	head->version = 2;
	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_FALSE_FATAL(gpc_image_open(&diags, "new.gpi", bytes, size, false, &image));
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0504);
	CU_ASSERT_STRING_EQUAL(diags.records.items[0].message,
			       "new.gpi: image needs gpc with image format 2; this gpc reads 1");
	gpc_arena_release(&arena);
	head->version = 0;
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0504);
	free(bytes);
}

static void another_abi_is_refused(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);

	((struct gpc_image_head *)bytes)->abi++;
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0505);
	free(bytes);
}

static void an_oversize_image_is_refused_before_memory_is_taken(void)
{
	size_t size = (size_t)GPC_MAX_IMAGE_BYTES + 1;
	uint32_t *bytes = calloc(1, size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	bytes[0] = GPC_IMAGE_MAGIC;
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0506);
	free(bytes);
}

static void each_digest_has_its_code(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;

	head->decision_digest[5] ^= 1;
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0507);
	gpc_file_digest(bytes, head->file_digest);
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0508);
	free(bytes);
}

/* ---- records: what a digest cannot catch, because whoever wrote the file wrote the digest too ---- */

static void plane_flag(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->flags |= 1u << 31;
}
static void section_moved(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->section[GPC_SEC_VIP].offset += 64;
}
static void section_count(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->section[GPC_SEC_MAGLEV].count = 0xffffffff;
}
static void section_entry_size(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->section[GPC_SEC_LISTENER].entry_size = 32;
}
static void section_unknown(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->section[GPC_SEC_COUNT].count = 1;
}
static void phash_mask(uint8_t *b)
{
	((struct gpc_plane *)(b + 256))->vip.slot_mask = 0xffffffff;
}
static void displacement(uint8_t *b)
{
	*(uint32_t *)section_of(b, GPC_SEC_VIP_DISP) = 0x10000;
}
static void name_without_end(uint8_t *b)
{
	struct gpc_plane *plane = (struct gpc_plane *)(b + 256);

	b[plane->section[GPC_SEC_NAMES].offset + plane->section[GPC_SEC_NAMES].size - 1] = 'x';
}
static void name_with_escape(uint8_t *b)
{
	*(uint8_t *)section_of(b, GPC_SEC_NAMES) = 0x1b;
}
static void name_elsewhere(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->name = 0xfffffff0;
}
static void listener_backend(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->backend = 7;
}
static void listener_forward(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->forward = 9;
}
static void listener_table_offset(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->table[0].offset += 2;
}
static void listener_table_size(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->table[0].size *= 2;
}
static void listener_first_endpoint(uint8_t *b)
{
	((struct gpc_listener *)section_of(b, GPC_SEC_LISTENER))->table[0].first_endpoint++;
}
static void maglev_value(uint8_t *b)
{
	((uint16_t *)section_of(b, GPC_SEC_MAGLEV))[17] = 4;
}
static void maglev_drained(uint8_t *b)
{
	struct gpc_endpoint *endpoints = section_of(b, GPC_SEC_ENDPOINT);
	uint16_t first = *(uint16_t *)section_of(b, GPC_SEC_MAGLEV);

	endpoints[first].weight = 0;
}
static void table_size(uint8_t *b)
{
	((struct gpc_table *)section_of(b, GPC_SEC_TABLE))->size = 0xffffffff;
}
static void table_endpoints(uint8_t *b)
{
	((struct gpc_table *)section_of(b, GPC_SEC_TABLE))->endpoints++;
}
static void backend_endpoints(uint8_t *b)
{
	((struct gpc_backend *)section_of(b, GPC_SEC_BACKEND))->endpoints = 60000;
}
static void endpoint_id(uint8_t *b)
{
	((struct gpc_endpoint *)section_of(b, GPC_SEC_ENDPOINT))->id ^= 1;
}
static void endpoint_pad(uint8_t *b)
{
	((struct gpc_endpoint *)section_of(b, GPC_SEC_ENDPOINT))->pad0 = 1;
}
static void endpoint_address(uint8_t *b)
{
	((struct gpc_endpoint *)section_of(b, GPC_SEC_ENDPOINT))->flags ^= GPC_ENDPOINT_V4;
}
static void index_entry(uint8_t *b)
{
	uint32_t *index = section_of(b, GPC_SEC_EP_INDEX);

	while (!*index)
		index++;
	*index = 0xfffffff;
}
static void interface_mode(uint8_t *b)
{
	((struct gpc_interface *)section_of(b, GPC_SEC_INTERFACE))->mode = 3;
}
static void choice_without_end(uint8_t *b)
{
	struct gpc_vip_choice *choices = section_of(b, GPC_SEC_VIP_CHOICE);

	choices[1].last = 0;
}
static void choice_listener(uint8_t *b)
{
	((struct gpc_vip_choice *)section_of(b, GPC_SEC_VIP_CHOICE))->listener = 0;
}
static void choice_overlap(uint8_t *b)
{
	struct gpc_vip_choice *choices = section_of(b, GPC_SEC_VIP_CHOICE);

	choices[0].interfaces = choices[1].interfaces;
}
static struct gpc_vip *used_vip(uint8_t *b, uint8_t flags)
{
	struct gpc_vip *vip = section_of(b, GPC_SEC_VIP);

	while (!vip->interfaces || vip->flags != flags)
		vip++;
	return vip;
}
static void vip_listener(uint8_t *b)
{
	used_vip(b, 0)->listener = 3;
}
static void vip_port(uint8_t *b)
{
	used_vip(b, 0)->port_be ^= 1;
}
static void vip_interfaces(uint8_t *b)
{
	used_vip(b, 0)->interfaces |= 4;
}
static void vip_address_entry_missing(uint8_t *b)
{
	memset(used_vip(b, GPC_VIP_ADDRESS), 0, sizeof(struct gpc_vip));
}
static void vip_choice_start(uint8_t *b)
{
	used_vip(b, GPC_VIP_CHOICE)->listener = 1;
}
static void padding(uint8_t *b)
{
	struct gpc_section *names = &((struct gpc_plane *)(b + 256))->section[GPC_SEC_NAMES];

	b[names->offset - 1] = 1;
}

static void every_record_is_distrusted(void)
{
	static void (*const damages[])(uint8_t *) = {
		plane_flag,
		section_moved,
		section_count,
		section_entry_size,
		section_unknown,
		phash_mask,
		displacement,
		name_without_end,
		name_with_escape,
		name_elsewhere,
		listener_backend,
		listener_forward,
		listener_table_offset,
		listener_table_size,
		listener_first_endpoint,
		maglev_value,
		maglev_drained,
		table_size,
		table_endpoints,
		backend_endpoints,
		endpoint_id,
		endpoint_pad,
		endpoint_address,
		index_entry,
		interface_mode,
		choice_without_end,
		choice_listener,
		choice_overlap,
		vip_listener,
		vip_port,
		vip_interfaces,
		vip_address_entry_missing,
		vip_choice_start,
		padding,
	};
	size_t size;
	uint8_t *bytes = small_image(&size), *copy = malloc(size);

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		memcpy(copy, bytes, size);
		damages[i](copy);
		fix_digests(copy);
		if (refusal(copy, size) != GPC_E0509) {
			printf("damage %zu is not refused\n", i);
			CU_FAIL("damage is not refused");
		}
	}
	free(copy);
	free(bytes);
}

GPC_UNIT_MAIN("image/read", {"a_written_image_opens", a_written_image_opens},
	      {"a_failed_open_leaves_the_result_alone", a_failed_open_leaves_the_result_alone},
	      {"every_truncation_is_refused", every_truncation_is_refused},
	      {"bytes_behind_the_end_are_refused", bytes_behind_the_end_are_refused},
	      {"every_flipped_byte_is_refused", every_flipped_byte_is_refused},
	      {"a_flipped_byte_under_right_digests_is_refused_or_harmless",
	       a_flipped_byte_under_right_digests_is_refused_or_harmless},
	      {"many_random_flips_under_right_digests_are_harmless",
	       many_random_flips_under_right_digests_are_harmless},
	      {"another_file_is_not_an_image", another_file_is_not_an_image},
	      {"foreign_byte_order_is_told", foreign_byte_order_is_told},
	      {"another_version_is_told_in_words", another_version_is_told_in_words},
	      {"another_abi_is_refused", another_abi_is_refused},
	      {"an_oversize_image_is_refused_before_memory_is_taken",
	       an_oversize_image_is_refused_before_memory_is_taken},
	      {"each_digest_has_its_code", each_digest_has_its_code},
	      {"every_record_is_distrusted", every_record_is_distrusted})
