/* SPDX-License-Identifier: MIT */
#include "ip.h"

#include <stdio.h>
#include <string.h>

static const uint8_t mapped_head[12] = {[10] = 0xff, [11] = 0xff};

bool gpc_ip_is_v4(const struct gpc_ip *ip)
{
	return memcmp(ip->bytes, mapped_head, sizeof(mapped_head)) == 0;
}

int gpc_ip_compare(const struct gpc_ip *a, const struct gpc_ip *b)
{
	int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));

	return (order > 0) - (order < 0);
}

uint32_t gpc_ip_v4_be(const struct gpc_ip *ip)
{
	uint32_t value;

	memcpy(&value, ip->bytes + 12, sizeof(value));
	return value;
}

/* ---- parsing -------------------------------------------------------------------------------- */

struct span {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool take(struct span *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

/* A decimal of at most three digits without leading zero. */
static enum gpc_ip_error parse_decimal(struct span *text, unsigned int *ret)
{
	const char *start = text->at;
	unsigned int value = 0;

	while (text->at < text->end && is_digit(*text->at) && text->at - start < 4)
		value = value * 10 + (unsigned int)(*text->at++ - '0');
	if (text->at == start || text->at - start > 3)
		return GPC_IP_SYNTAX;
	if (*start == '0' && text->at - start > 1)
		return GPC_IP_LEADING_ZERO;
	*ret = value;
	return GPC_IP_OK;
}

/* Four octets up to the end of the text. A leading zero is told only if the rest is an address. */
static enum gpc_ip_error parse_octets(struct span text, uint8_t ret[4])
{
	enum gpc_ip_error result = GPC_IP_OK;

	for (int i = 0; i < 4; i++) {
		unsigned int octet = 0;
		enum gpc_ip_error error;

		if (i && !take(&text, '.'))
			return GPC_IP_SYNTAX;
		error = parse_decimal(&text, &octet);
		if (error == GPC_IP_SYNTAX || octet > 255)
			return GPC_IP_SYNTAX;
		if (error)
			result = error;
		ret[i] = (uint8_t)octet;
	}
	return text.at == text.end ? result : GPC_IP_SYNTAX;
}

/* One group of 1 to 4 hex digits. */
static bool parse_group(struct span *text, uint8_t ret[2])
{
	unsigned int value = 0, digits = 0;

	while (text->at < text->end && digits < 4 && hex_value(*text->at) >= 0) {
		value = value << 4 | (unsigned int)hex_value(*text->at++);
		digits++;
	}
	ret[0] = (uint8_t)(value >> 8);
	ret[1] = (uint8_t)value;
	return digits > 0;
}

/* RFC 4291 2.2: groups, one `::` for one or more zero groups, the last two groups maybe dotted. */
struct groups {
	uint8_t bytes[16];
	unsigned int used; /* bytes written */
	int gap;	   /* where `::` stands, -1 without */
};

static bool is_dotted(const struct span *text)
{
	const char *p = text->at;

	while (p < text->end && is_digit(*p))
		p++;
	return p < text->end && *p == '.';
}

static enum gpc_ip_error parse_groups(struct span *text, struct groups *groups)
{
	bool separated = true; /* a group may follow */

	if (text->end - text->at >= 2 && text->at[0] == ':' && text->at[1] == ':') {
		groups->gap = 0;
		text->at += 2;
	}
	while (text->at < text->end) {
		if (!separated || groups->used > 14)
			return GPC_IP_SYNTAX;
		if (is_dotted(text)) {
			enum gpc_ip_error error;

			if (groups->used > 12)
				return GPC_IP_SYNTAX;
			error = parse_octets(*text, groups->bytes + groups->used);
			groups->used += 4;
			text->at = text->end;
			return error;
		}
		if (!parse_group(text, groups->bytes + groups->used))
			return GPC_IP_SYNTAX;
		groups->used += 2;
		separated = take(text, ':');
		if (separated && text->at == text->end)
			return GPC_IP_SYNTAX;
		if (separated && take(text, ':')) {
			if (groups->gap >= 0)
				return GPC_IP_SYNTAX;
			groups->gap = (int)groups->used;
		}
	}
	return GPC_IP_OK;
}

static enum gpc_ip_error parse_v6(struct span text, struct gpc_ip *ret)
{
	struct groups groups = {.gap = -1};
	enum gpc_ip_error error = parse_groups(&text, &groups);
	struct gpc_ip ip = {0};
	unsigned int head;

	if (error == GPC_IP_SYNTAX || (groups.gap < 0 ? groups.used != 16 : groups.used > 14))
		return GPC_IP_SYNTAX;
	if (error)
		return error;
	head = groups.gap < 0 ? groups.used : (unsigned int)groups.gap;
	memcpy(ip.bytes, groups.bytes, head);
	memcpy(ip.bytes + 16 - (groups.used - head), groups.bytes + head, groups.used - head);
	if (gpc_ip_is_v4(&ip))
		return GPC_IP_MAPPED;
	*ret = ip;
	return GPC_IP_OK;
}

static enum gpc_ip_error parse_v4(struct span text, struct gpc_ip *ret)
{
	uint8_t octets[4];
	enum gpc_ip_error error = parse_octets(text, octets);

	if (error)
		return error;
	memcpy(ret->bytes, mapped_head, sizeof(mapped_head));
	memcpy(ret->bytes + 12, octets, sizeof(octets));
	return GPC_IP_OK;
}

enum gpc_ip_error gpc_ip_parse(const char *text, size_t len, struct gpc_ip *ret)
{
	const char *zone = memchr(text, '%', len);
	struct gpc_ip ignored;

	if (zone)
		return gpc_ip_parse(text, (size_t)(zone - text), &ignored) == GPC_IP_OK
			       ? GPC_IP_ZONE
			       : GPC_IP_SYNTAX;
	if (memchr(text, ':', len))
		return parse_v6((struct span){text, text + len}, ret);
	return parse_v4((struct span){text, text + len}, ret);
}

/* ---- prefixes ------------------------------------------------------------------------------- */

/* Clears the bits behind the prefix; true if any was set. */
static bool clear_host_bits(struct gpc_prefix *prefix)
{
	unsigned int kept = prefix->length + (prefix->v4 ? 96u : 0u);
	bool any = false;

	for (unsigned int i = kept / 8; i < 16; i++) {
		uint8_t mask = i == kept / 8 ? (uint8_t)(0xff00u >> (kept % 8)) : 0;

		any |= (prefix->ip.bytes[i] & ~mask) != 0;
		prefix->ip.bytes[i] &= mask;
	}
	return any;
}

static enum gpc_ip_error parse_length(struct span text, unsigned int most, uint8_t *ret)
{
	unsigned int length = 0;
	enum gpc_ip_error error;

	for (const char *p = text.at; p < text.end; p++)
		if (!is_digit(*p))
			return GPC_IP_SYNTAX;
	if (text.at < text.end && text.end - text.at > 3)
		return *text.at == '0' ? GPC_IP_LEADING_ZERO : GPC_IP_LENGTH;
	error = parse_decimal(&text, &length);
	if (error)
		return error;
	if (length > most)
		return GPC_IP_LENGTH;
	*ret = (uint8_t)length;
	return GPC_IP_OK;
}

enum gpc_ip_error gpc_prefix_parse(const char *text, size_t len, struct gpc_prefix *ret_prefix)
{
	const char *slash = memchr(text, '/', len);
	struct gpc_prefix prefix = {0};
	enum gpc_ip_error error;

	error = gpc_ip_parse(text, slash ? (size_t)(slash - text) : len, &prefix.ip);
	if (error)
		return error;
	prefix.v4 = gpc_ip_is_v4(&prefix.ip);
	prefix.length = prefix.v4 ? 32 : 128;
	if (slash) {
		error = parse_length((struct span){slash + 1, text + len}, prefix.length,
				     &prefix.length);
		if (error)
			return error;
	}
	error = clear_host_bits(&prefix) ? GPC_IP_HOST_BITS : GPC_IP_OK;
	*ret_prefix = prefix;
	return error;
}

/* ---- printing ------------------------------------------------------------------------------- */

static unsigned int group_at(const struct gpc_ip *ip, unsigned int i)
{
	return (unsigned int)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* RFC 5952 4.2: the first longest run of at least two zero groups. */
static unsigned int longest_zero_run(const struct gpc_ip *ip, unsigned int *ret_start)
{
	unsigned int best = 1;

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = 0;

		while (i + n < 8 && group_at(ip, i + n) == 0)
			n++;
		if (n > best) {
			best = n;
			*ret_start = i;
		}
	}
	return best > 1 ? best : 0;
}

char *gpc_ip_format(const struct gpc_ip *ip, char *out)
{
	unsigned int start = 8, zeros, used = 0;
	const uint8_t *b = ip->bytes + 12;

	if (gpc_ip_is_v4(ip)) {
		snprintf(out, GPC_IP_TEXT, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
		return out;
	}
	zeros = longest_zero_run(ip, &start);
	out[0] = '\0';
	for (unsigned int i = 0; i < 8; i++) {
		const char *separator = i && i != start + zeros ? ":" : "";

		if (zeros && i == start) {
			used += (unsigned int)snprintf(out + used, GPC_IP_TEXT - used, "::");
			i += zeros - 1;
			continue;
		}
		used += (unsigned int)snprintf(out + used, GPC_IP_TEXT - used, "%s%x", separator,
					       group_at(ip, i));
	}
	return out;
}

char *gpc_prefix_format(const struct gpc_prefix *prefix, char *out)
{
	gpc_ip_format(&prefix->ip, out);
	snprintf(out + strlen(out), GPC_PREFIX_TEXT - strlen(out), "/%u", prefix->length);
	return out;
}

char *gpc_address_format(const struct gpc_prefix *prefix, char *out)
{
	if (prefix->length == (prefix->v4 ? 32 : 128))
		return gpc_ip_format(&prefix->ip, out);
	return gpc_prefix_format(prefix, out);
}
