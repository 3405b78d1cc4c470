/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "../base/utf8.h"
#include "intent.h"
#include "quote.h"
#include "scalar.h"
#include "slot.h"
#include "suggest.h"

#define MOST_WORDS 64u
#define MOST_TITLE 200u /* characters */
#define MOST_PACKETS UINT64_C(1000000000)
#define MOST_BYTES UINT64_C(1000000000000)
#define QUOTE(slot, scalar) gpc_quote((slot)->values->diags->arena, (scalar)->text)

static void set_uint(void *target, uint64_t value, struct gpc_place at)
{
	struct gpc_uint_value *field = target;

	if (field)
		*field = (struct gpc_uint_value){.value = value, .set = true, .at = at};
}

static void set_text(void *target, const struct gpc_scalar *scalar)
{
	struct gpc_text_value *field = target;

	if (field)
		*field = (struct gpc_text_value){.text = scalar->text, .at = scalar->at};
}

/* A limit as the author would write it. */
static const char *limit_text(const struct gpc_slot *slot, uint64_t limit)
{
	struct gpc_arena *arena = slot->values->diags->arena;
	unsigned long long number = limit;

	if (slot->key->type == GPC_TYPE_RATE)
		return gpc_arena_printf(arena, "%llu/s", number);
	if (slot->key->type == GPC_TYPE_PERCENT)
		return gpc_arena_printf(arena, "%llu%%", number / 100);
	if (slot->key->type != GPC_TYPE_DURATION && slot->key->type != GPC_TYPE_MILLISECONDS &&
	    slot->key->type != GPC_TYPE_PICKUP)
		return gpc_arena_printf(arena, "%llu", number);
	if (limit % GPC_DAY_MS && !(limit % 1000))
		return gpc_arena_printf(arena, "%llus", number / 1000);
	if (limit % GPC_DAY_MS)
		return gpc_arena_printf(arena, "%llums", number);
	return gpc_arena_printf(arena, "%llud", (unsigned long long)(limit / GPC_DAY_MS));
}

static void report_range(const struct gpc_slot *slot, const struct gpc_scalar *scalar)
{
	gpc_slot_scalar_fault(slot, GPC_E0110, scalar, "%s out of range %s to %s: `%s`",
			      gpc_type_name(slot->key->type), limit_text(slot, slot->key->min),
			      limit_text(slot, slot->key->max), QUOTE(slot, scalar));
}

/* Numbers with one grammar each. */
static const struct number_type {
	enum gpc_scalar_error (*parse)(const char *text, uint64_t *ret);
	enum gpc_code syntax;
	const char *hint;
} number_types[GPC_TYPE_COUNT] = {
	[GPC_TYPE_UINT] = {gpc_scalar_uint, GPC_E0108, "write decimal digits and nothing else"},
	[GPC_TYPE_PORT] = {gpc_scalar_uint, GPC_E0108, "write decimal digits and nothing else"},
	[GPC_TYPE_DSCP] = {gpc_scalar_uint, GPC_E0161, "write copy, or a number from 0 to 63"},
	[GPC_TYPE_PERCENT] = {gpc_scalar_percent, GPC_E0162,
			      "write a number with up to 2 decimals and %, such as 33.3%"},
	[GPC_TYPE_VLAN] = {gpc_scalar_uint, GPC_E0137, "write a number from 1 to 4094, or none"},
	[GPC_TYPE_MARK] = {gpc_scalar_mark, GPC_E0136,
			   "write a number, or 0x and hexadecimal digits"},
	[GPC_TYPE_SAMPLE] = {gpc_scalar_sample, GPC_E0135, "write 1/N, such as 1/1000"},
	[GPC_TYPE_SIZE] = {gpc_scalar_size, GPC_E0121, "write a number such as 1048576, or 1Mi"},
	[GPC_TYPE_RATE] = {gpc_scalar_rate, GPC_E0122,
			   "write a number with /s, /m or /h, such as 500/s"},
	[GPC_TYPE_DURATION] = {gpc_scalar_duration, GPC_E0123,
			       "write a number with ms, s, m, h or d, such as 500ms"},
	[GPC_TYPE_MILLISECONDS] = {gpc_scalar_duration, GPC_E0123,
				   "write a number with ms, s, m, h or d, such as 500ms"},
	[GPC_TYPE_PICKUP] = {gpc_scalar_duration, GPC_E0123,
			     "write a duration such as 5m, never or always"},
};

static void report_leading_zero(const struct gpc_slot *slot, const struct gpc_scalar *scalar)
{
	struct gpc_diags *diags = slot->values->diags;
	const char *rest = scalar->text + strspn(scalar->text, "0");
	struct gpc_diag *diag = gpc_slot_scalar_fault(
		slot, GPC_E0109, scalar, "number with a leading zero: `%s`", QUOTE(slot, scalar));

	gpc_diag_hint(diags, diag, "write `%s`; nothing is read as octal",
		      *rest ? gpc_quote(diags->arena, rest) : "0");
}

static void report_syntax(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			  enum gpc_code code, const char *hint)
{
	struct gpc_diag *diag =
		gpc_slot_scalar_fault(slot, code, scalar, "not a %s: `%s`",
				      gpc_type_name(slot->key->type), QUOTE(slot, scalar));

	gpc_diag_hint(slot->values->diags, diag, "%s", hint);
}

static bool in_range(const struct gpc_slot *slot, uint64_t value)
{
	return value >= slot->key->min && value <= slot->key->max;
}

static bool parse_number(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			 uint64_t *ret)
{
	const struct number_type *type = &number_types[slot->key->type];
	enum gpc_scalar_error error;
	uint64_t value = 0;

	error = type->parse(scalar->text, &value);
	if (error == GPC_SCALAR_LEADING_ZERO)
		report_leading_zero(slot, scalar);
	else if (error == GPC_SCALAR_SYNTAX)
		report_syntax(slot, scalar, type->syntax, type->hint);
	else if (error == GPC_SCALAR_RANGE || !in_range(slot, value))
		report_range(slot, scalar);
	else
		*ret = value;
	return !error && in_range(slot, value);
}

static void bind_number(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	uint64_t value;

	if (parse_number(slot, scalar, &value))
		set_uint(target, value, scalar->at);
}

/* Whole seconds. */
static void bind_duration(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			  void *target)
{
	uint64_t ms;

	if (parse_number(slot, scalar, &ms))
		set_uint(target, (ms + 999) / 1000, scalar->at);
}

static void bind_dscp(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	if (!strcmp(scalar->text, "copy"))
		set_uint(target, GPC_DSCP_COPY, scalar->at);
	else
		bind_number(slot, scalar, target);
}

static void bind_vlan(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	if (!strcmp(scalar->text, "none"))
		set_uint(target, GPC_VLAN_NONE, scalar->at);
	else
		bind_number(slot, scalar, target);
}

/* No duration becomes `never`. */
static void bind_pickup(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	if (!strcmp(scalar->text, "never"))
		set_uint(target, 0, scalar->at);
	else if (!strcmp(scalar->text, "always"))
		set_uint(target, GPC_NONE, scalar->at);
	else
		bind_duration(slot, scalar, target);
}

static void bind_sample(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			uint32_t *target)
{
	uint64_t value;

	if (parse_number(slot, scalar, &value))
		*target = (uint32_t)value;
}

/* An amount of packets or bytes: what `limit` and `burst` share. */
static bool check_amount(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			 enum gpc_scalar_error error, uint64_t value, bool bytes)
{
	bool burst = slot->key->type == GPC_TYPE_BURST;

	if (error == GPC_SCALAR_LEADING_ZERO)
		report_leading_zero(slot, scalar);
	else if (error == GPC_SCALAR_SYNTAX)
		report_syntax(slot, scalar, burst ? GPC_E0134 : GPC_E0122,
			      burst ? "write a number of packets, or of bytes such as 64KiB"
				    : "write packets such as 500/s, or bytes such as 10MB/s");
	else if (error || !value || value > (bytes ? MOST_BYTES : MOST_PACKETS))
		gpc_slot_scalar_fault(slot, GPC_E0110, scalar, "%s out of range 1 to %s: `%s`",
				      gpc_type_name(slot->key->type),
				      error   ? "1000000000000 bytes"
				      : bytes ? "1000000000000 bytes"
					      : "1000000000 packets",
				      QUOTE(slot, scalar));
	else
		return true;
	return false;
}

static void bind_limit(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		       struct gpc_rate_intent *rate)
{
	uint64_t value = 0;
	uint32_t period = 1;
	bool bytes = false;
	enum gpc_scalar_error error = gpc_scalar_limit(scalar->text, &value, &period, &bytes);

	if (!check_amount(slot, scalar, error, value, bytes))
		return;
	set_uint(&rate->limit, value, scalar->at);
	rate->period = period;
	rate->bytes = bytes;
}

static void bind_burst(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		       struct gpc_rate_intent *rate)
{
	uint64_t value = 0;
	bool bytes = false;
	enum gpc_scalar_error error = gpc_scalar_amount(scalar->text, &value, &bytes);

	if (!check_amount(slot, scalar, error, value, bytes))
		return;
	set_uint(&rate->burst, value, scalar->at);
	rate->burst_bytes = bytes;
}

static void bind_date(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	uint64_t seconds = 0;
	enum gpc_scalar_error error = gpc_scalar_date(scalar->text, &seconds);

	if (error == GPC_SCALAR_RANGE)
		gpc_slot_scalar_fault(slot, GPC_E0138, scalar, "no such day or time: `%s`",
				      QUOTE(slot, scalar));
	else if (error)
		report_syntax(slot, scalar, GPC_E0138, "write 2026-12-31, or 2026-12-31T18:00:00Z");
	else
		set_uint(target, seconds, scalar->at);
}

static void bind_sha256(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			struct gpc_digest_value *target)
{
	if (gpc_scalar_sha256(scalar->text, target->bytes)) {
		report_syntax(slot, scalar, GPC_E0139,
			      "write 64 lower-case hexadecimal digits, as sha256sum prints them");
		return;
	}
	target->set = true;
	target->at = scalar->at;
}

static void bind_quic_id(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			 struct gpc_quic_id_value *target)
{
	size_t length = strlen(scalar->text) / 2;

	if (length < GPC_MIN_QUIC_ID || length > GPC_MAX_QUIC_ID ||
	    gpc_scalar_hex(scalar->text, target->bytes, length)) {
		report_syntax(slot, scalar, GPC_E0160,
			      "write 2 to 30 hexadecimal digits, two for each byte");
		return;
	}
	target->length = (uint8_t)length;
	target->at = scalar->at;
}

static void bind_title(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	size_t size = strlen(scalar->text);

	if (gpc_utf8_count(scalar->text, size) > MOST_TITLE ||
	    !gpc_utf8_is_printable(scalar->text, size))
		gpc_diag_hint(slot->values->diags,
			      gpc_slot_scalar_fault(slot, GPC_E0140, scalar, "not a title: `%s`",
						    QUOTE(slot, scalar)),
			      "write one line of 1 to %u characters", MOST_TITLE);
	else
		set_text(target, scalar);
}

static void bind_device(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	if (gpc_scalar_is_device(scalar->text) &&
	    gpc_utf8_is_printable(scalar->text, strlen(scalar->text)))
		set_text(target, scalar);
	else
		report_syntax(slot, scalar, GPC_E0113,
			      "a device has 1 to 15 bytes without `/`, space or `*`");
}

static void bind_one_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			     struct gpc_prefix_value *target)
{
	if (gpc_slot_address(slot, scalar, &target->prefix))
		target->at = scalar->at;
}

/* Text; with words only these. */
static void bind_text(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	uint64_t ignored;

	if (!slot->key->words || gpc_slot_word(slot, scalar, &ignored))
		set_text(target, scalar);
}

static void bind_port_range(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			    struct gpc_ports_value *target)
{
	uint64_t first = 0, last = 0;
	enum gpc_scalar_error error = gpc_scalar_range(scalar->text, &first, &last);

	if (error == GPC_SCALAR_LEADING_ZERO)
		report_leading_zero(slot, scalar);
	else if (error == GPC_SCALAR_SYNTAX)
		report_syntax(slot, scalar, GPC_E0177,
			      "write a port, a range such as 8000-8999, or any");
	else if (error || !in_range(slot, first) || !in_range(slot, last))
		report_range(slot, scalar);
	else if (first > last)
		report_syntax(slot, scalar, GPC_E0177, "write the lower port first");
	else
		*target = (struct gpc_ports_value){(uint16_t)first, (uint16_t)last, true,
						   scalar->at};
}

static void bind_listener_port(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			       struct gpc_ports_value *target)
{
	if (!strcmp(scalar->text, "any"))
		*target = (struct gpc_ports_value){0, UINT16_MAX, true, scalar->at};
	else
		bind_port_range(slot, scalar, target);
}

static void bind_name(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	bool interface = slot->key->type == GPC_TYPE_INTERFACE_NAME;
	struct gpc_diag *diag;

	if (gpc_values_mentioned(scalar->text)) {
		diag = gpc_slot_scalar_fault(slot, GPC_E0212, scalar, "`${...}` does not work");
		gpc_diag_hint(slot->values->diags, diag, "write the name out");
	} else if (interface ? !gpc_scalar_is_interface(scalar->text)
			     : !gpc_scalar_is_name(scalar->text)) {
		diag = gpc_slot_scalar_fault(slot, interface ? GPC_E0113 : GPC_E0111, scalar,
					     "not a name: `%s`", QUOTE(slot, scalar));
		gpc_diag_hint(slot->values->diags, diag, "%s",
			      interface ? "an interface has 1 to 15 printable ASCII characters without "
					  "`/` or `*`; a pattern ends with its only `*`"
					: "a name is a letter, then up to 62 letters, digits, `.`, "
					  "`_` or `-`");
	} else if (interface && !strcmp(scalar->text, "lo")) {
		gpc_slot_scalar_fault(slot, GPC_E0114, scalar,
				      "the loopback device `lo` is not covered");
	} else if (!interface && gpc_scalar_is_reserved_name(scalar->text)) {
		diag = gpc_slot_scalar_fault(slot, GPC_E0112, scalar, "reserved name `%s`",
					     scalar->text);
		gpc_diag_hint(slot->values->diags, diag, "choose another one");
	} else {
		set_text(target, scalar);
	}
}

/* "ipip, dsr": the words that are built. */
static const char *list_words(const struct gpc_slot *slot)
{
	struct gpc_arena *arena = slot->values->diags->arena;
	const struct gpc_words *words = slot->key->words;
	const char *list = "";

	for (size_t i = 0; i < words->count; i++) {
		if (words->words[i].feature == GPC_FEATURE_BUILT)
			list = gpc_arena_printf(arena, "%s%s%s", list, *list ? ", " : "",
						words->words[i].word);
	}
	return list;
}

static void report_unknown_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar)
{
	const struct gpc_words *words = slot->key->words;
	struct gpc_diag *diag = gpc_slot_scalar_fault(slot, GPC_E0106, scalar, "unknown word `%s`",
						      QUOTE(slot, scalar));
	const char *candidates[MOST_WORDS];
	const char *near;

	if (gpc_diags_full(slot->values->diags))
		return;
	assert(words->count <= MOST_WORDS);
	for (size_t i = 0; i < words->count; i++)
		candidates[i] = words->words[i].word;
	near = gpc_suggest(scalar->text, candidates, words->count);
	if (near)
		gpc_diag_hint(slot->values->diags, diag, "did you mean `%s`?", near);
	else
		gpc_diag_hint(slot->values->diags, diag, "write %s%s",
			      words->count > 1 ? "one of " : "", list_words(slot));
}

bool gpc_slot_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar, uint64_t *ret)
{
	const struct gpc_word *word = gpc_word_find(slot->key->words, scalar->text);

	if (!word) {
		report_unknown_word(slot, scalar);
		return false;
	}
	if (word->feature != GPC_FEATURE_BUILT) {
		struct gpc_diag *diag = gpc_slot_scalar_fault(slot, GPC_E0107, scalar,
							      "not built yet: `%s`", word->word);

		gpc_diag_hint(slot->values->diags, diag, "it comes with %s; built: %s",
			      gpc_feature_name(word->feature), list_words(slot));
		return false;
	}
	*ret = word->value;
	return true;
}

static void bind_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar, void *target)
{
	uint64_t value;

	if (gpc_slot_word(slot, scalar, &value))
		set_uint(target, value, scalar->at);
}

static void bind_seed(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_defaults_intent *defaults)
{
	if (gpc_scalar_hex128(scalar->text, defaults->hash_seed.bytes)) {
		report_syntax(slot, scalar, GPC_E0124, "write 32 hexadecimal digits");
		return;
	}
	defaults->hash_seed.set = true;
	defaults->hash_seed.at = scalar->at;
}

static void bind_status(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			struct gpc_ports_value *target)
{
	uint64_t first = 0, last = 0;

	if (gpc_scalar_status(scalar->text)) {
		report_syntax(slot, scalar, GPC_E0127, "write 200 or 200-399, within 100 to 599");
		return;
	}
	gpc_scalar_range(scalar->text, &first, &last);
	if (target)
		*target = (struct gpc_ports_value){(uint16_t)first, (uint16_t)last, true,
						   scalar->at};
}

static void bind_url_path(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			  void *target)
{
	if (!gpc_scalar_is_url_path(scalar->text) ||
	    !gpc_utf8_is_printable(scalar->text, strlen(scalar->text)))
		report_syntax(slot, scalar, GPC_E0126, "a path begins with `/` and has no spaces");
	else
		set_text(target, scalar);
}

/* Checked by one predicate, kept as text. */
static void bind_word_like(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			   void *target)
{
	bool host = slot->key->type == GPC_TYPE_HOST;

	if (host ? gpc_scalar_is_host(scalar->text) : gpc_scalar_is_netns(scalar->text))
		set_text(target, scalar);
	else
		report_syntax(slot, scalar, host ? GPC_E0490 : GPC_E0493,
			      host ? "write a name or address as in a URL, such as www.example.org"
				   : "write its name in /run/netns, not a path");
}

static void bind_next_hop(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			  struct gpc_backend_intent *backend)
{
	enum gpc_next_hop kind = GPC_NEXT_HOP_ADDRESS;

	if (!strcmp(scalar->text, "auto"))
		kind = GPC_NEXT_HOP_AUTO;
	else if (!strcmp(scalar->text, "fib"))
		kind = GPC_NEXT_HOP_FIB;
	else if (!gpc_slot_address(slot, scalar, &backend->next_hop_address.prefix))
		return;
	else
		backend->next_hop_address.at = scalar->at;
	set_uint(&backend->next_hop, kind, scalar->at);
}

void gpc_bind_scalar(const struct gpc_slot *slot, const struct gpc_node *node, void *target,
		     void *object)
{
	struct gpc_scalar scalar;

	if (!gpc_slot_scalar(slot, node, &scalar))
		return;
	switch (slot->key->type) {
	case GPC_TYPE_NAME:
	case GPC_TYPE_INTERFACE_NAME:
		bind_name(slot, &scalar, target);
		break;
	case GPC_TYPE_LISTENER_PORT:
		bind_listener_port(slot, &scalar, target);
		break;
	case GPC_TYPE_ENUM:
	case GPC_TYPE_BOOL:
		bind_word(slot, &scalar, target);
		break;
	case GPC_TYPE_TEXT:
		bind_text(slot, &scalar, target);
		break;
	case GPC_TYPE_TITLE:
		bind_title(slot, &scalar, target);
		break;
	case GPC_TYPE_DEVICE:
		bind_device(slot, &scalar, target);
		break;
	case GPC_TYPE_ADDRESS:
		bind_one_address(slot, &scalar, target);
		break;
	case GPC_TYPE_VLAN:
		bind_vlan(slot, &scalar, target);
		break;
	case GPC_TYPE_DSCP:
		bind_dscp(slot, &scalar, target);
		break;
	case GPC_TYPE_DURATION:
		bind_duration(slot, &scalar, target);
		break;
	case GPC_TYPE_PICKUP:
		bind_pickup(slot, &scalar, target);
		break;
	case GPC_TYPE_SAMPLE:
		bind_sample(slot, &scalar, target);
		break;
	case GPC_TYPE_LIMIT:
		bind_limit(slot, &scalar, object);
		break;
	case GPC_TYPE_BURST:
		bind_burst(slot, &scalar, object);
		break;
	case GPC_TYPE_DATE:
		bind_date(slot, &scalar, target);
		break;
	case GPC_TYPE_SHA256:
		bind_sha256(slot, &scalar, target);
		break;
	case GPC_TYPE_PROTOCOL:
		gpc_bind_protocol(slot, &scalar, target);
		break;
	case GPC_TYPE_REFERENCE:
		set_text(target, &scalar);
		break;
	case GPC_TYPE_QUIC_ID:
		bind_quic_id(slot, &scalar, target);
		break;
	case GPC_TYPE_HEX128:
		bind_seed(slot, &scalar, object);
		break;
	case GPC_TYPE_NEXT_HOP:
		bind_next_hop(slot, &scalar, object);
		break;
	case GPC_TYPE_STATUS:
		bind_status(slot, &scalar, target);
		break;
	case GPC_TYPE_URL_PATH:
		bind_url_path(slot, &scalar, target);
		break;
	case GPC_TYPE_HOST:
	case GPC_TYPE_NETNS:
		bind_word_like(slot, &scalar, target);
		break;
	case GPC_TYPE_PAYLOAD:
		gpc_bind_payload(slot, &scalar, target);
		break;
	default:
		bind_number(slot, &scalar, target);
	}
}
