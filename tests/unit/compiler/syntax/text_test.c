/* SPDX-License-Identifier: MIT */
#include "syntax/text.h"

#include "tests/unit/unit.h"

#define LENGTH 40u

static struct gpc_arena arena;
static struct gpc_diags diags;

/* What becomes of a text of `a` with that byte in one place. */
static bool is_text(unsigned char byte, size_t at, bool *ret_ascii)
{
	char text[LENGTH];

	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	memset(text, 'a', sizeof(text));
	text[at] = (char)byte;
	return gpc_text_check(&diags, gpc_diags_add_source(&diags, "a.yaml", text, sizeof(text)),
			      ret_ascii);
}

static void every_byte_is_judged_alike_wherever_it_stands(void)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		bool plain = (byte >= 0x20 && byte <= 0x7e) || byte == '\t' || byte == '\n' ||
			     byte == '\r';

		/* The first four bytes may look like UTF-16. */
		for (size_t at = 4; at < LENGTH; at++) {
			bool ascii = false;
			bool good = is_text((unsigned char)byte, at, &ascii);

			CU_ASSERT_EQUAL(good, plain);
			CU_ASSERT_EQUAL(ascii, plain);
			if (!good)
				CU_ASSERT_EQUAL(diags.records.items[0].places[0].place.start, at);
		}
	}
}

static void characters_of_several_bytes_are_text_and_not_ascii(void)
{
	static const char text[] = "aaaaaaa\xc3\xa4"
				   "aaaaaaaaaaaaaaa\xe2\x82\xac"
				   "aaaaa";
	bool ascii = true;

	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_TRUE(gpc_text_check(
		&diags, gpc_diags_add_source(&diags, "a.yaml", text, strlen(text)), &ascii));
	CU_ASSERT_FALSE(ascii);
}

static void directives_are_lines_that_start_with_a_percent_sign(void)
{
	static const char fine[] = "a: 5%\nb: % c\n", bad[] = "a: 5%\n%b\n";

	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_TRUE(gpc_text_check_directives(
		&diags, gpc_diags_add_source(&diags, "a.yaml", fine, strlen(fine))));
	CU_ASSERT_FALSE(gpc_text_check_directives(
		&diags, gpc_diags_add_source(&diags, "b.yaml", bad, strlen(bad))));
	CU_ASSERT_EQUAL(diags.records.items[0].places[0].place.start, 6);
}

GPC_UNIT_MAIN("syntax/text",
	      {"every_byte_is_judged_alike_wherever_it_stands",
	       every_byte_is_judged_alike_wherever_it_stands},
	      {"characters_of_several_bytes_are_text_and_not_ascii",
	       characters_of_several_bytes_are_text_and_not_ascii},
	      {"directives_are_lines_that_start_with_a_percent_sign",
	       directives_are_lines_that_start_with_a_percent_sign})
