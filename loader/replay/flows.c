/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/intent.h"
#include "../sim/frame.h"
#include "record.h"

#define LINE_BYTES 8192u
#define WORD_BYTES 64u
#define COUNT_MOST (1ull << 53)	/* what JSON can say */

struct flows {
	struct gpc_records records;
	FILE *file;		/* closed unless it is standard input */
	const char *path;
	uint64_t line;
	char text[LINE_BYTES];
	uint8_t frame[GPC_FRAME_MAX];
};

static int wrong(struct flows *f, size_t column, struct gpc_failure *failure, const char *text)
{
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "%s:%llu:%zu: %s", f->path,
		 (unsigned long long)f->line, column + 1, text);
	return gpc_fail_hint(failure, "a line is 'tcp 10.0.1.5:40000 -> 10.0.9.3:5432 packets 12 bytes "
				      "3400', or an object of gpc events --json");
}

/* ---- frames ---- */

static void put_ip(const __u64 address[2], enum gpc_family family, struct gpc_prefix_value *ret)
{
	memcpy(ret->prefix.ip.bytes, address, sizeof(ret->prefix.ip.bytes));
	ret->prefix.v4 = family == GPC_V4;
	ret->prefix.length = family == GPC_V4 ? 32 : 128;
}

static struct gpc_uint_value given(uint64_t value)
{
	return (struct gpc_uint_value){.set = true, .value = value};
}

/* Writes the frame that the record's packet describes. */
static void build(struct flows *f, struct gpc_record *record)
{
	const struct gpc_question *packet = &record->packet;
	struct gpc_send_intent send = {
		.in.text = record->direction == GPC_INGRESS ? "in" : NULL,
		.protocol = given(packet->protocol),
		.dport = given(packet->destination_port & 0xffff),
		.sport = given(packet->source_port & 0xffff),
		.tcp_flags = given(packet->tcp_flags),
		.icmp_type = given(packet->destination_port >> 8 & 0xff),
		.icmp_code = given(packet->destination_port & 0xff),
		.vlan = given(packet->vlan),
		.dscp = given(packet->dscp),
		.fragment = given(packet->fragment),
	};

	put_ip(packet->source, (enum gpc_family)packet->family, &send.from);
	put_ip(packet->destination, (enum gpc_family)packet->family, &send.to);
	record->size = gpc_frame_build(&send, f->frame);
	record->frame = f->frame;
	record->ip = true;
}

/* ---- words at the end of a line ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes the last word off; false if there is none that short. */
static bool last_word(const char *text, size_t *size, char ret[WORD_BYTES])
{
	size_t end = *size, begin;

	while (end && is_space(text[end - 1]))
		end--;
	begin = end;
	while (begin && !is_space(text[begin - 1]))
		begin--;
	if (begin == end || end - begin >= WORD_BYTES)
		return false;
	memcpy(ret, text + begin, end - begin);
	ret[end - begin] = '\0';
	*size = begin;
	return true;
}

static bool parse_count(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > COUNT_MOST)
		return false;
	*ret = value;
	return true;
}

static bool put_device(struct gpc_record *record, const char *name, enum gpc_direction direction)
{
	if (!*name || strlen(name) >= sizeof(record->device))
		return false;
	memcpy(record->device, name, strlen(name) + 1);
	record->directed = true;
	record->direction = direction;
	return true;
}

/* `packets N`, `bytes N`, `in IF`, `out IF`; false: not one of these. */
static bool take_pair(struct gpc_record *record, const char *key, const char *value, bool *ret_good)
{
	if (!strcmp(key, "packets"))
		*ret_good = parse_count(value, &record->packets);
	else if (!strcmp(key, "bytes"))
		*ret_good = parse_count(value, &record->bytes);
	else if (!strcmp(key, "in") || !strcmp(key, "out"))
		*ret_good = put_device(record, value, *key == 'i' ? GPC_INGRESS : GPC_EGRESS);
	else
		return false;
	return true;
}

static int read_words(struct flows *f, size_t size, struct gpc_record *record,
		      struct gpc_failure *failure)
{
	struct gpc_packet_fault fault;
	char key[WORD_BYTES], value[WORD_BYTES];
	size_t left = size;
	bool good = true;

	while (last_word(f->text, &left, value) && last_word(f->text, &left, key) &&
	       take_pair(record, key, value, &good)) {
		if (!good)
			return wrong(f, left, failure, "a count or a device's name is wrong");
		size = left;
	}
	if (!gpc_packet_parse(f->text, size, &record->packet, &fault))
		return wrong(f, fault.at, failure, fault.text);
	return 0;
}

/* ---- objects ---- */

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* False if it is there, but no number of that range. Absent: *ret stays. */
static bool number_of(struct json_object *object, const char *key, uint64_t most, uint64_t *ret)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(object, key, &value) || !value)
		return true;
	number = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int) || number < 0 || (uint64_t)number > most)
		return false;
	*ret = (uint64_t)number;
	return true;
}

/* Letters of gpc events: "SA" -> flags syn,ack */
static void print_flags(FILE *out, const char *letters)
{
	static const struct {
		char letter;
		const char *word;
	} rows[] = {{'S', "syn"}, {'A', "ack"}, {'F', "fin"}, {'R', "rst"}};
	const char *before = " flags ";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strchr(letters, rows[i].letter)) {
			fprintf(out, "%s%s", before, rows[i].word);
			before = ",";
		}
	if (*before == ' ')
		fputs(" flags none", out);
}

struct numbers {
	uint64_t protocol, source_port, destination_port, icmp_type, icmp_code, vlan, dscp, length;
};
#define ABSENT UINT64_MAX

static bool read_numbers(struct json_object *object, struct numbers *n, struct gpc_record *record)
{
	*n = (struct numbers){ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT};
	record->bytes = ABSENT;
	return number_of(object, "protocol_number", 255, &n->protocol) &&
	       number_of(object, "source_port", 65535, &n->source_port) &&
	       number_of(object, "destination_port", 65535, &n->destination_port) &&
	       number_of(object, "icmp_type", 255, &n->icmp_type) &&
	       number_of(object, "icmp_code", 255, &n->icmp_code) &&
	       number_of(object, "vlan", 4095, &n->vlan) && number_of(object, "dscp", 63, &n->dscp) &&
	       number_of(object, "length", UINT32_MAX, &n->length) &&
	       number_of(object, "packets", COUNT_MOST, &record->packets) &&
	       number_of(object, "bytes", COUNT_MOST, &record->bytes);
}

static void print_side(FILE *out, const char *address, uint64_t port)
{
	bool bracket = port != ABSENT && strchr(address, ':');

	fprintf(out, "%s%s%s", bracket ? "[" : "", address, bracket ? "]" : "");
	if (port != ABSENT)
		fprintf(out, ":%llu", (unsigned long long)port);
}

static void print_number(FILE *out, const char *word, uint64_t value)
{
	if (value != ABSENT)
		fprintf(out, " %s %llu", word, (unsigned long long)value);
}

/* The packet as gpc_packet_parse() takes it, which then checks it. malloc'ed. */
static char *packet_text(struct json_object *object, const struct numbers *n)
{
	const char *source = text_of(object, "source"), *destination = text_of(object, "destination");
	const char *flags = text_of(object, "tcp_flags"), *fragment = text_of(object, "fragment");
	const char *protocol = text_of(object, "protocol");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	if (n->protocol != ABSENT)
		fprintf(out, "%llu ", (unsigned long long)n->protocol);
	else
		fprintf(out, "%s ", protocol ? protocol : "");
	print_side(out, source ? source : "", n->source_port);
	fputs(" -> ", out);
	print_side(out, destination ? destination : "", n->destination_port);
	print_number(out, "type", n->icmp_type);
	print_number(out, "code", n->icmp_code);
	if (flags && (!fragment || strcmp(fragment, "later")))
		print_flags(out, flags);
	print_number(out, "vlan", n->vlan);
	print_number(out, "dscp", n->dscp);
	if (fragment)
		fprintf(out, " fragment %s", fragment);
	if (fclose(out))
		abort();
	return text;
}

static bool put_hook(struct json_object *object, struct gpc_record *record)
{
	const char *device = text_of(object, "device"), *hook = text_of(object, "hook");
	bool leaves = hook && !strcmp(hook, "tc-egress");

	if (device)
		return put_device(record, device, leaves ? GPC_EGRESS : GPC_INGRESS);
	record->directed = hook;
	record->direction = leaves ? GPC_EGRESS : GPC_INGRESS;
	return true;
}

static int read_members(struct flows *f, struct json_object *object, struct gpc_record *record,
			struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *text = NULL;
	struct gpc_packet_fault fault;
	struct numbers n;

	if (!read_numbers(object, &n, record))
		return wrong(f, 0, failure, "a number is none, or out of its range");
	if (!put_hook(object, record))
		return wrong(f, 0, failure, "`device` is no device's name");
	text = packet_text(object, &n);
	if (!gpc_packet_parse(text, strlen(text), &record->packet, &fault))
		return wrong(f, 0, failure, fault.text);
	if (record->bytes != ABSENT)
		return 0;
	record->bytes = 0;
	if (n.length != ABSENT && __builtin_mul_overflow(n.length, record->packets, &record->bytes))
		return wrong(f, 0, failure, "`length` times `packets` is more than can be counted");
	return 0;
}

/* 1: a record; 0: an object that is none. */
static int read_object(struct flows *f, struct gpc_record *record, struct gpc_failure *failure)
{
	struct json_object *object = json_tokener_parse(f->text);
	const char *type;
	int r;

	if (!object || !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return wrong(f, 0, failure, "this is no object of JSON");
	}
	type = text_of(object, "type");
	r = type && strcmp(type, "event") ? 0 : read_members(f, object, record, failure) ? -1 : 1;
	json_object_put(object);
	return r;
}

/* ---- lines ---- */

/* 1: a line at f->text, *ret_size bytes without comment; 0: the end. */
static int read_line(struct flows *f, size_t *ret_size, struct gpc_failure *failure)
{
	size_t size;
	char *comment;

	if (!fgets(f->text, sizeof(f->text), f->file))
		return ferror(f->file) ? gpc_fail(failure, GPC_EXIT_FAILED, errno,
						  "cannot read '%s'", f->path)
				       : 0;
	f->line++;
	size = strlen(f->text);
	if (size + 1 == sizeof(f->text) && f->text[size - 1] != '\n')
		return wrong(f, 0, failure, "the line is too long");
	f->text[strcspn(f->text, "\r\n")] = '\0';
	comment = *f->text == '{' ? NULL : strchr(f->text, '#');
	if (comment)
		*comment = '\0';
	*ret_size = strlen(f->text);
	return 1;
}

static bool is_blank(const char *text)
{
	while (is_space(*text))
		text++;
	return !*text;
}

static int flows_next(struct gpc_records *records, struct gpc_record *ret,
		      struct gpc_failure *failure)
{
	struct flows *f = (struct flows *)records;
	size_t size = 0;
	int r;

	while ((r = read_line(f, &size, failure)) == 1) {
		struct gpc_record record = {.packets = 1, .number = f->line};

		if (is_blank(f->text))
			continue;
		if (*f->text == '{')
			r = read_object(f, &record, failure);
		else
			r = read_words(f, size, &record, failure) ? -1 : 1;
		if (r < 0)
			return -1;
		if (!r)
			continue;
		build(f, &record);
		*ret = record;
		return 1;
	}
	return r;
}

static void flows_close(struct gpc_records *records)
{
	struct flows *f = (struct flows *)records;

	if (f->file && f->file != stdin)
		fclose(f->file);
	free(f);
}

int gpc_flows_open(const char *path, struct gpc_records **ret, struct gpc_failure *failure)
{
	struct flows *f = calloc(1, sizeof(*f));
	bool standard = !strcmp(path, "-");

	if (!f)
		abort();
	f->records = (struct gpc_records){.next = flows_next, .close = flows_close, .alone = true};
	f->path = standard ? "standard input" : path;
	f->file = standard ? stdin : fopen(path, "rbe");
	if (!f->file) {
		gpc_fail(failure, errno == ENOENT ? GPC_EXIT_INVALID : GPC_EXIT_FAILED, errno,
			 "cannot open '%s'", path);
		flows_close(&f->records);
		return -1;
	}
	*ret = &f->records;
	return 0;
}
