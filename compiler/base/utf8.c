/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <string.h>

struct range {
	uint32_t first, last;
};

/* Sorted. Coarse on purpose: a caret off by one under a rare script does no harm. */
static const struct range zero_width[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},	  {0x064b, 0x065f},
	{0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},	  {0x1dc0, 0x1dff},
	{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0x33ff},   {0x3400, 0x4dbf},
	{0x4e00, 0x9fff},   {0xa000, 0xa4cf},	{0xac00, 0xd7a3},   {0xf900, 0xfaff},
	{0xfe30, 0xfe6f},   {0xff00, 0xff60},	{0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
static const struct range unsafe[] = {
	{0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x200b, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code_point)
{
	for (size_t i = 0; i < count && code_point >= ranges[i].first; i++)
		if (code_point <= ranges[i].last)
			return true;
	return false;
}

#define IN(ranges, code_point) in_ranges(ranges, sizeof(ranges) / sizeof((ranges)[0]), code_point)

static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead < 0xe0)
		return 2;
	if (lead >= 0xe0 && lead < 0xf0)
		return 3;
	if (lead >= 0xf0 && lead < 0xf5)
		return 4;
	return 0;
}

size_t gpc_utf8_decode(const char *text, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t n = sequence_length((unsigned char)text[0]);
	uint32_t code_point;

	if (!n || n > len)
		return 0;
	code_point = (unsigned char)text[0] & lead_mask[n];
	for (size_t i = 1; i < n; i++) {
		if (!gpc_utf8_is_continuation(text[i]))
			return 0;
		code_point = code_point << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (code_point < least[n] || code_point > 0x10ffff ||
	    (code_point >= 0xd800 && code_point <= 0xdfff))
		return 0;
	*ret = code_point;
	return n;
}

size_t gpc_utf8_count(const char *text, size_t len)
{
	size_t count = len, i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t word;

		memcpy(&word, text + i, sizeof(word));
		count -= (size_t)__builtin_popcountll(word >> 7 & ~word >> 6 &
						      0x0101010101010101ull);
	}
	for (; i < len; i++)
		count -= gpc_utf8_is_continuation(text[i]);
	return count;
}

unsigned int gpc_utf8_width(uint32_t code_point)
{
	if (code_point < 0x300)
		return 1;
	if (IN(zero_width, code_point))
		return 0;
	return IN(wide, code_point) ? 2 : 1;
}

bool gpc_utf8_is_unsafe(uint32_t code_point)
{
	return IN(unsafe, code_point);
}

bool gpc_utf8_is_printable(const char *text, size_t len)
{
	while (len) {
		uint32_t code_point = 0;
		size_t bytes = gpc_utf8_decode(text, len, &code_point);

		if (!bytes || gpc_utf8_is_unsafe(code_point))
			return false;
		text += bytes;
		len -= bytes;
	}
	return true;
}
