/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/json_check.h"
#include "../../compiler/base/json_text.h"
#include "../../compiler/base/sha256.h"
#include "../../compiler/intent/scalar.h"
#include "../file.h"

#define NAME "overrides.jsonl"
#define VERSION 1
#define MAX_BYTES (8u << 20)

static void release_json(struct json_object **object)
{
	json_object_put(*object);
}
#define GPC_AUTO_JSON GPC_CLEANUP(release_json)

/* ---- times ---- */

char *gpc_journal_time(int64_t utc_ms, char out[GPC_JOURNAL_TIME])
{
	time_t seconds = (time_t)(utc_ms / 1000);
	size_t used = 0;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		used = strftime(out, GPC_JOURNAL_TIME, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + used, GPC_JOURNAL_TIME - used, ".%03uZ", (unsigned int)(utc_ms % 1000));
	return out;
}

bool gpc_journal_time_parse(const char *text, int64_t *ret_utc_ms)
{
	struct tm tm = {0};
	int ms, used = 0;
	char again[GPC_JOURNAL_TIME];
	int64_t value;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms, &used) != 7 ||
	    (size_t)used != strlen(text))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	value = (int64_t)timegm(&tm) * 1000 + ms;
	if (value < 0 || strcmp(gpc_journal_time(value, again), text))
		return false;
	*ret_utc_ms = value;
	return true;
}

/* ---- out ---- */

static void put_text(FILE *out, const char *key, const char *value)
{
	fprintf(out, ",\"%s\":", key);
	if (value && *value)
		gpc_json_put(out, value);
	else
		fputs("null", out);
}

static void put_time(FILE *out, const char *key, int64_t time)
{
	char text[GPC_JOURNAL_TIME];

	put_text(out, key, time ? gpc_journal_time(time, text) : NULL);
}

static void put(FILE *out, const struct gpc_override *o)
{
	fputs("{\"backend\":", out);
	gpc_json_put(out, o->backend);
	put_text(out, "endpoint", o->endpoint);
	put_text(out, "override", gpc_override_kind_name(o->kind));
	if (o->kind == GPC_OVERRIDE_WEIGHT)
		fprintf(out, ",\"weight\":%u", o->weight);
	put_time(out, "since", o->since);
	put_time(out, "until", o->until);
	put_text(out, "by", o->actor);
	put_text(out, "reason", o->reason);
	put_text(out, "end", gpc_override_end_name(o->end));
	put_time(out, "ended", o->ended);
	put_text(out, "ended_by", o->ended_by);
	fputs("}\n", out);
}

/* How many of the oldest ended ones are forgotten. */
static size_t surplus(const struct gpc_overrides *overrides)
{
	size_t ended = 0;

	for (size_t i = 0; i < overrides->count; i++)
		ended += overrides->items[i].end != GPC_END_NONE;
	return ended > GPC_JOURNAL_ENDED ? ended - GPC_JOURNAL_ENDED : 0;
}

/* The lines behind the head, malloc'ed. */
static char *format_lines(const struct gpc_overrides *overrides, size_t *ret_size,
			  size_t *ret_count)
{
	size_t forget = surplus(overrides), count = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		abort();
	for (size_t i = 0; i < overrides->count; i++) {
		if (overrides->items[i].end != GPC_END_NONE && forget) {
			forget--;
			continue;
		}
		put(out, &overrides->items[i]);
		count++;
	}
	if (fclose(out))
		abort();
	*ret_count = count;
	return text;
}

static char *path_of(const char *state_dir)
{
	char *path;

	if (asprintf(&path, "%s/" NAME, state_dir) < 0)
		abort();
	return path;
}

static char *digest_of(const void *bytes, size_t size, char out[GPC_SHA256_TEXT])
{
	uint8_t digest[GPC_SHA256_BYTES];

	gpc_sha256(bytes, size, digest);
	return gpc_sha256_format(digest, out);
}

int gpc_journal_save(const char *state_dir, const struct gpc_overrides *overrides,
		     struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *path = path_of(state_dir);
	GPC_AUTO_FREE char *lines = NULL;
	GPC_AUTO_FREE char *text = NULL;
	char digest[GPC_SHA256_TEXT];
	size_t size, count;
	int length;

	lines = format_lines(overrides, &size, &count);
	length = asprintf(&text,
			  "{\"type\":\"overrides\",\"version\":%d,\"count\":%zu,\"sha256\":\"%s\"}\n%s",
			  VERSION, count, digest_of(lines, size, digest), lines);
	if (length < 0)
		abort();
	return gpc_file_save(path, text, (size_t)length, 0600, failure);
}

/* ---- in ---- */

static const char *member_text(const struct json_object *object, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) &&
			       json_object_is_type(member, json_type_string)
		       ? json_object_get_string(member)
		       : NULL;
}

static bool copy_text(const struct json_object *object, const char *key, char *out, size_t size)
{
	const char *text = member_text(object, key);

	return !text || snprintf(out, size, "%s", text) < (int)size;
}

static bool take_name(const struct json_object *object, const char *key, bool required, char *out)
{
	const char *text = member_text(object, key);

	if (!text)
		return !required;
	return gpc_scalar_is_name(text) &&
	       copy_text(object, key, out, GPC_MAX_NAME_BYTES + 1);
}

static bool take_time(const struct json_object *object, const char *key, int64_t *ret)
{
	const char *text = member_text(object, key);

	return !text || gpc_journal_time_parse(text, ret);
}

static bool take_weight(const struct json_object *object, struct gpc_override *o)
{
	struct json_object *member;
	int64_t value;

	if (o->kind != GPC_OVERRIDE_WEIGHT)
		return true;
	if (!*o->endpoint || !json_object_object_get_ex(object, "weight", &member) ||
	    !json_object_is_type(member, json_type_int))
		return false;
	value = json_object_get_int64(member);
	o->weight = (uint32_t)value;
	return value >= 0 && value <= GPC_MAX_WEIGHT;
}

static bool take_end(const struct json_object *object, struct gpc_override *o)
{
	const char *text = member_text(object, "end");

	return (!text || gpc_override_end_parse(text, &o->end)) &&
	       take_time(object, "ended", &o->ended) && (o->end == GPC_END_NONE) == !o->ended;
}

static bool take(const char *line, size_t size, struct gpc_override *ret)
{
	GPC_AUTO_JSON struct json_object *object = NULL;
	GPC_AUTO_FREE char *text = strndup(line, size);
	struct gpc_override o = {0};
	const char *kind;

	if (!text)
		abort();
	if (!gpc_json_is_clean(text, size))
		return false;
	object = json_tokener_parse(text);
	kind = member_text(object, "override");
	if (!kind || !gpc_override_kind_parse(kind, &o.kind) ||
	    !take_name(object, "backend", true, o.backend) ||
	    !take_name(object, "endpoint", false, o.endpoint) || !take_weight(object, &o) ||
	    !take_time(object, "since", &o.since) || !o.since ||
	    !take_time(object, "until", &o.until) || !take_end(object, &o) ||
	    !copy_text(object, "by", o.actor, sizeof(o.actor)) ||
	    !copy_text(object, "reason", o.reason, sizeof(o.reason)) ||
	    !copy_text(object, "ended_by", o.ended_by, sizeof(o.ended_by)))
		return false;
	*ret = o;
	return true;
}

static bool take_lines(const char *text, size_t size, size_t count, struct gpc_overrides *ret)
{
	const char *end = text + size;

	ret->items = calloc(count + 1, sizeof(*ret->items));
	if (!ret->items)
		abort();
	for (; text < end; text++) {
		const char *line = text;

		text = memchr(line, '\n', (size_t)(end - line));
		if (!text || ret->count == count ||
		    !take(line, (size_t)(text - line), &ret->items[ret->count]))
			return false;
		ret->count++;
	}
	return ret->count == count;
}

/* What the head says of the rest; false if it is not one of this version. */
static bool take_head(const char *text, const char *rest, size_t rest_size, size_t *ret_count)
{
	GPC_AUTO_JSON struct json_object *head = NULL;
	GPC_AUTO_FREE char *line = strndup(text, (size_t)(rest - 1 - text));
	struct json_object *version, *count;
	char digest[GPC_SHA256_TEXT];
	const char *type, *said;

	if (!line)
		abort();
	if (!gpc_json_is_clean(line, strlen(line)))
		return false;
	head = json_tokener_parse(line);
	type = member_text(head, "type");
	said = member_text(head, "sha256");
	if (!type || strcmp(type, "overrides") || !said ||
	    strcmp(said, digest_of(rest, rest_size, digest)) ||
	    !json_object_object_get_ex(head, "version", &version) ||
	    json_object_get_int64(version) != VERSION ||
	    !json_object_object_get_ex(head, "count", &count) ||
	    json_object_get_int64(count) < 0 || json_object_get_int64(count) > MAX_BYTES)
		return false;
	*ret_count = (size_t)json_object_get_int64(count);
	return true;
}

int gpc_journal_load(const char *state_dir, struct gpc_overrides *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_overrides_release) struct gpc_overrides overrides = {0};
	GPC_AUTO_FREE char *path = path_of(state_dir);
	GPC_AUTO_FREE char *text = NULL;
	const char *rest;
	size_t size, count;

	if (gpc_file_load(path, MAX_BYTES, &text, &size, failure)) {
		if (failure->error != ENOENT) {
			failure->code = GPC_EXIT_FAILED;
			return -1;
		}
		*ret = overrides;
		return 0;
	}
	rest = memchr(text, '\n', size);
	if (!rest || !take_head(text, rest + 1, size - (size_t)(rest + 1 - text), &count) ||
	    !take_lines(rest + 1, size - (size_t)(rest + 1 - text), count, &overrides)) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "'%s' is damaged or not gpc's", path);
		return gpc_fail_hint(failure,
				     "look at what it says, then move it away; what it held is then "
				     "to be set again");
	}
	*ret = overrides;
	overrides = (struct gpc_overrides){0};
	return 0;
}
