/* SPDX-License-Identifier: MIT */
#include "scalar.h"

#include <stddef.h>
#include <string.h>

#include "gpc/limits.h"
#include "language.h"

#define DIGITS "0123456789"
#define MAX_INTERFACE_BYTES 15u
#define MAX_HOST_BYTES 255u

/* Not <ctype.h>: no locale may change what a name is. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* 1 to GPC_MAX_NAME_BYTES letters, digits and bytes of `others`. */
static bool is_word(const char *text, const char *others)
{
	size_t len = 0;

	while (is_letter(text[len]) || is_digit(text[len]) ||
	       (text[len] && strchr(others, text[len]))) {
		if (++len > GPC_MAX_NAME_BYTES)
			return false;
	}
	return len && !text[len];
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* The number at the head of `text`; *ret_rest is what stands behind it. */
static enum gpc_scalar_error leading_number(const char *text, uint64_t *ret, const char **ret_rest)
{
	size_t digits = strspn(text, DIGITS);
	uint64_t value = 0;

	if (digits == 0)
		return GPC_SCALAR_SYNTAX;
	if (digits > 1 && text[0] == '0')
		return GPC_SCALAR_LEADING_ZERO;
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return GPC_SCALAR_RANGE;
	}
	*ret = value;
	*ret_rest = text + digits;
	return GPC_SCALAR_OK;
}

enum gpc_scalar_error gpc_scalar_uint(const char *text, uint64_t *ret)
{
	const char *rest;
	uint64_t value;
	enum gpc_scalar_error error;

	if (text[strspn(text, DIGITS)])
		return GPC_SCALAR_SYNTAX;
	error = leading_number(text, &value, &rest);
	if (!error)
		*ret = value;
	return error;
}

static enum gpc_scalar_error number_with_unit(const char *text, const struct unit *units,
					      size_t count, uint64_t *ret)
{
	const char *rest;
	uint64_t value;
	enum gpc_scalar_error error = leading_number(text, &value, &rest);

	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rest, units[i].suffix))
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, &value))
			return GPC_SCALAR_RANGE;
		*ret = value;
		return GPC_SCALAR_OK;
	}
	return GPC_SCALAR_SYNTAX;
}

enum gpc_scalar_error gpc_scalar_size(const char *text, uint64_t *ret)
{
	static const struct unit units[] = {
		{"", 1},
		{"Ki", 1024},
		{"KiB", 1024},
		{"Mi", 1024 * 1024},
		{"MiB", 1024 * 1024},
		{"Gi", 1024 * 1024 * 1024},
		{"GiB", 1024 * 1024 * 1024},
		{"KB", 1000},
		{"MB", 1000 * 1000},
		{"GB", 1000 * 1000 * 1000},
	};

	return number_with_unit(text, units, sizeof(units) / sizeof(units[0]), ret);
}

enum gpc_scalar_error gpc_scalar_rate(const char *text, uint64_t *ret_per_second)
{
	static const struct unit units[] = {{"/s", 1}, {"/m", 60}, {"/h", 3600}};
	const char *rest;
	uint64_t value;
	enum gpc_scalar_error error = leading_number(text, &value, &rest);

	if (error)
		return error;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(rest, units[i].suffix))
			continue;
		*ret_per_second = value / units[i].factor;
		return GPC_SCALAR_OK;
	}
	return GPC_SCALAR_SYNTAX;
}

enum gpc_scalar_error gpc_scalar_duration(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", GPC_DAY_MS},
	};

	return number_with_unit(text, units, sizeof(units) / sizeof(units[0]), ret_ms);
}

enum gpc_scalar_error gpc_scalar_amount(const char *text, uint64_t *ret, bool *ret_bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"B", 1},
		{"KB", 1000},
		{"MB", 1000 * 1000},
		{"GB", 1000 * 1000 * 1000},
		{"KiB", 1024},
		{"MiB", 1024 * 1024},
		{"GiB", 1024 * 1024 * 1024},
	};
	enum gpc_scalar_error error =
		number_with_unit(text, units, sizeof(units) / sizeof(units[0]), ret);

	if (!error)
		*ret_bytes = text[strspn(text, DIGITS)] != '\0';
	return error;
}

enum gpc_scalar_error gpc_scalar_limit(const char *text, uint64_t *ret, uint32_t *ret_period,
				       bool *ret_bytes)
{
	const char *slash = strchr(text, '/');
	char head[32];
	uint64_t value;
	uint32_t period;
	bool bytes;
	enum gpc_scalar_error error;

	if (!slash || (size_t)(slash - text) >= sizeof(head))
		return GPC_SCALAR_SYNTAX;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	error = gpc_scalar_amount(head, &value, &bytes);
	if (error)
		return error;
	if (!strcmp(slash, "/s"))
		period = 1;
	else if (!bytes && !strcmp(slash, "/m"))
		period = 60;
	else if (!bytes && !strcmp(slash, "/h"))
		period = 60 * 60;
	else
		return GPC_SCALAR_SYNTAX;
	*ret = value;
	*ret_period = period;
	*ret_bytes = bytes;
	return GPC_SCALAR_OK;
}

enum gpc_scalar_error gpc_scalar_sample(const char *text, uint64_t *ret)
{
	return strncmp(text, "1/", 2) ? GPC_SCALAR_SYNTAX : gpc_scalar_uint(text + 2, ret);
}

enum gpc_scalar_error gpc_scalar_range(const char *text, uint64_t *ret_low, uint64_t *ret_high)
{
	const char *rest;
	uint64_t low, high;
	enum gpc_scalar_error error = leading_number(text, &low, &rest);

	if (error)
		return error;
	high = low;
	if (*rest) {
		if (*rest != '-')
			return GPC_SCALAR_SYNTAX;
		error = gpc_scalar_uint(rest + 1, &high);
		if (error)
			return error;
	}
	*ret_low = low;
	*ret_high = high;
	return GPC_SCALAR_OK;
}

enum gpc_scalar_error gpc_scalar_percent(const char *text, uint64_t *ret_hundredths)
{
	const char *rest;
	uint64_t value;
	enum gpc_scalar_error error = leading_number(text, &value, &rest);
	size_t decimals = 0;

	if (error)
		return error;
	if (value > 1000)
		return GPC_SCALAR_RANGE;
	if (*rest == '.') {
		decimals = strspn(++rest, DIGITS);
		if (decimals < 1 || decimals > 2)
			return GPC_SCALAR_SYNTAX;
	}
	for (size_t i = 0; i < 2; i++)
		value = 10 * value + (uint64_t)(i < decimals ? rest[i] - '0' : 0);
	if (strcmp(rest + decimals, "%") != 0)
		return GPC_SCALAR_SYNTAX;
	*ret_hundredths = value;
	return GPC_SCALAR_OK;
}

enum gpc_scalar_error gpc_scalar_status(const char *text)
{
	uint64_t low, high;
	enum gpc_scalar_error error = gpc_scalar_range(text, &low, &high);

	if (error)
		return error;
	return low < 100 || high > 599 || low > high ? GPC_SCALAR_RANGE : GPC_SCALAR_OK;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)((found - digits) % 16) : -1;
}

enum gpc_scalar_error gpc_scalar_hex(const char *text, uint8_t *ret, size_t count)
{
	if (strlen(text) != 2 * count)
		return GPC_SCALAR_SYNTAX;
	for (size_t i = 0; i < 2 * count; i++) {
		if (hex_digit(text[i]) < 0)
			return GPC_SCALAR_SYNTAX;
	}
	for (size_t i = 0; i < count; i++)
		ret[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return GPC_SCALAR_OK;
}

enum gpc_scalar_error gpc_scalar_hex128(const char *text, uint8_t ret[16])
{
	return gpc_scalar_hex(text, ret, 16);
}

enum gpc_scalar_error gpc_scalar_sha256(const char *text, uint8_t ret[32])
{
	return strpbrk(text, "ABCDEF") ? GPC_SCALAR_SYNTAX : gpc_scalar_hex(text, ret, 32);
}

enum gpc_scalar_error gpc_scalar_mark(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	size_t digits;

	if (strncmp(text, "0x", 2))
		return gpc_scalar_uint(text, ret);
	for (digits = 0; hex_digit(text[2 + digits]) >= 0; digits++) {
		if (digits == 16)
			return GPC_SCALAR_RANGE;
		value = value << 4 | (uint64_t)hex_digit(text[2 + digits]);
	}
	if (!digits || text[2 + digits])
		return GPC_SCALAR_SYNTAX;
	*ret = value;
	return GPC_SCALAR_OK;
}

bool gpc_scalar_is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

bool gpc_scalar_is_name(const char *text)
{
	return is_letter(text[0]) && is_word(text, "._-");
}

bool gpc_scalar_is_reserved_name(const char *text)
{
	static const char *const reserved[] = {"any",	  "all",     "none", "default",
					       "builtin", "protect", "host"};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (!strcmp(text, reserved[i]))
			return true;
	}
	return false;
}

static bool is_device_or_pattern(const char *text)
{
	size_t len = strlen(text);
	size_t head = 0;

	while ((unsigned char)text[head] > ' ' && !strchr("/*\x7f", text[head]))
		head++;
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	if (head == len)
		return len >= 1 && len <= MAX_INTERFACE_BYTES;
	/* A pattern: its head must leave room for at least one byte of a device's name. */
	return text[head] == '*' && head + 1 == len && head >= 1 && head < MAX_INTERFACE_BYTES;
}

bool gpc_scalar_is_interface(const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if ((unsigned char)text[i] > '~')
			return false;
	return is_device_or_pattern(text);
}

bool gpc_scalar_is_device(const char *text)
{
	return is_device_or_pattern(text) && !strchr(text, '*');
}

bool gpc_scalar_is_name_pattern(const char *text)
{
	size_t len = strlen(text);
	char head[GPC_MAX_NAME_BYTES + 1];

	if (!len || text[len - 1] != '*')
		return gpc_scalar_is_name(text);
	if (len > sizeof(head))
		return false;
	memcpy(head, text, len - 1);
	head[len - 1] = '\0';
	return len == 1 || gpc_scalar_is_name(head);
}

bool gpc_scalar_is_label(const char *text)
{
	return (is_letter(text[0]) || is_digit(text[0])) && is_word(text, "._/-");
}

bool gpc_scalar_is_netns(const char *text)
{
	return text[0] != '.' && text[0] != '-' && is_word(text, "._-");
}

bool gpc_scalar_is_host(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");

	return len && len <= MAX_HOST_BYTES && !text[len];
}

bool gpc_scalar_is_url_path(const char *text)
{
	if (text[0] != '/')
		return false;
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	}
	return true;
}
