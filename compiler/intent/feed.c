/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <string.h>

#include "../base/sha256.h"
#include "../syntax/text.h"
#include "address.h"
#include "gpc/limits.h"
#include "quote.h"
#include "suggest.h"

/* One file, however many segments name it. */
struct feed {
	const char *path;
	uint32_t source; /* GPC_NO_SOURCE: could not be read */
	uint8_t digest[GPC_SHA256_BYTES];
	bool parsed;
	struct gpc_prefix *prefixes; /* the first GPC_MAX_FEED_PREFIXES of them */
	size_t count;
	struct gpc_source text; /* a copy: the vector of sources may move */
};

struct feeds {
	struct gpc_files *files;
	struct gpc_diags *diags;
	GPC_VEC(struct feed *) sorted; /* by path */
};

/* ---- lines ---- */

struct line {
	const char *start, *end; /* of what is not blank and no comment */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct line content(const char *at, const char *end)
{
	struct line line = {at, end};

	while (line.start < end && is_blank(*line.start))
		line.start++;
	for (const char *p = line.start; p < end; p++) {
		if (*p == '#' || *p == ';') {
			line.end = p;
			break;
		}
	}
	while (line.end > line.start && is_blank(line.end[-1]))
		line.end--;
	return line;
}

static struct gpc_place place_of(const struct feed *feed, struct line line)
{
	return (struct gpc_place){feed->source, (uint32_t)(line.start - feed->text.text),
				  (uint32_t)(line.end - feed->text.text)};
}

static void report_line(struct feeds *feeds, const struct feed *feed, struct line line,
			enum gpc_ip_error error, const struct gpc_prefix *masked)
{
	struct gpc_arena *arena = feeds->diags->arena;
	struct gpc_address_fault fault;
	struct gpc_diag *diag;

	if (gpc_diags_full(feeds->diags))
		fault = (struct gpc_address_fault){.what = ""};
	else
		fault = gpc_address_fault(
			arena, error,
			gpc_arena_strndup(arena, line.start, (size_t)(line.end - line.start)),
			masked);
	diag = gpc_diag(feeds->diags, GPC_E0056, place_of(feed, line), "%s in a feed", fault.what);
	gpc_diag_hint(feeds->diags, diag, "%s",
		      fault.hint ? fault.hint
				 : "a line has one prefix or address; `#` starts a comment");
}

static void parse_line(struct feeds *feeds, struct feed *feed, struct line line)
{
	struct gpc_prefix prefix = {0};
	enum gpc_ip_error error =
		gpc_prefix_parse(line.start, (size_t)(line.end - line.start), &prefix);

	if (error)
		report_line(feeds, feed, line, error, &prefix);
	else if (feed->count++ < GPC_MAX_FEED_PREFIXES)
		feed->prefixes[feed->count - 1] = prefix;
}

static void parse(struct feeds *feeds, struct feed *feed)
{
	const struct gpc_source *text = &feed->text;
	const char *end = text->text + text->size;
	size_t most =
		text->line_count < GPC_MAX_FEED_PREFIXES ? text->line_count : GPC_MAX_FEED_PREFIXES;
	bool ascii;

	feed->parsed = true;
	feed->prefixes = GPC_NEW_ARRAY(feeds->diags->arena, struct gpc_prefix, most);
	if (!gpc_text_check(feeds->diags, feed->source, &ascii))
		return;
	for (const char *at = text->text; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct line line = content(at, newline ? newline : end);

		if (line.start < line.end)
			parse_line(feeds, feed, line);
		at = newline ? newline + 1 : end;
	}
}

/* ---- files ---- */

/* The place of `path` among the feeds; *ret_found: it stands there. */
static size_t search(const struct feeds *feeds, const char *path, bool *ret_found)
{
	size_t low = 0, high = feeds->sorted.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(feeds->sorted.items[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < feeds->sorted.n && !strcmp(feeds->sorted.items[low]->path, path);
	return low;
}

static struct feed *enter(struct feeds *feeds, const char *path, size_t at)
{
	struct feed *feed = GPC_NEW(feeds->diags->arena, struct feed);

	(void)GPC_PUSH(feeds->diags->arena, &feeds->sorted);
	memmove(&feeds->sorted.items[at + 1], &feeds->sorted.items[at],
		(feeds->sorted.n - 1 - at) * sizeof(feeds->sorted.items[0]));
	feeds->sorted.items[at] = feed;
	feed->path = path;
	return feed;
}

/* The feed, read if nobody asked for it before; NULL with a diagnostic if it is one too many. */
static struct feed *feed_of(struct feeds *feeds, const char *path,
			    const struct gpc_request *request)
{
	bool found;
	size_t at = search(feeds, path, &found);
	struct feed *feed;

	if (found)
		return feeds->sorted.items[at];
	if (feeds->sorted.n == GPC_MAX_FEEDS) {
		gpc_diag(feeds->diags, GPC_E0059, request->place, "more than %u feeds",
			 GPC_MAX_FEEDS);
		return NULL;
	}
	feed = enter(feeds, path, at);
	feed->source = gpc_files_read_feed(feeds->files, path, request);
	if (feed->source == GPC_NO_SOURCE)
		return feed;
	feed->text = feeds->diags->sources.items[feed->source];
	gpc_sha256(feed->text.text, feed->text.size, feed->digest);
	return feed;
}

static bool has_digest(struct feeds *feeds, const struct feed *feed,
		       const struct gpc_feed_intent *intent)
{
	char hex[GPC_SHA256_TEXT];

	if (!memcmp(feed->digest, intent->sha256.bytes, sizeof(feed->digest)))
		return true;
	gpc_diag_hint(feeds->diags,
		      gpc_diag(feeds->diags, GPC_E0055, intent->sha256.at,
			       "feed `%s` is not the one that `sha256` names",
			       gpc_quote(feeds->diags->arena, feed->path)),
		      "look at what changed; it has %s now", gpc_sha256_format(feed->digest, hex));
	return false;
}

static void read_one(struct feeds *feeds, struct gpc_feed_intent *intent)
{
	struct gpc_diags *diags = feeds->diags;
	const struct gpc_request request = {.text = intent->file.text, .place = intent->file.at};
	const char *path = gpc_files_resolve(
		feeds->files, diags->sources.items[intent->file.at.source].path, &request);
	struct feed *feed = path ? feed_of(feeds, path, &request) : NULL;

	if (!feed || feed->source == GPC_NO_SOURCE || !has_digest(feeds, feed, intent))
		return;
	if (!feed->parsed)
		parse(feeds, feed);
	if (feed->count <= intent->max.value) {
		intent->prefixes = feed->prefixes;
		intent->prefix_count = feed->count;
		return;
	}
	gpc_diag_hint(diags,
		      gpc_diag(diags, GPC_E0057, intent->max.at,
			       "feed `%s` has %zu prefixes, more than `max`",
			       gpc_quote(diags->arena, feed->path), feed->count),
		      "look at what came in; raise `max` if it is right");
}

void gpc_feeds_read(struct gpc_files *files, struct gpc_intent *intent)
{
	struct feeds feeds = {.files = files, .diags = files->diags};

	for (size_t i = 0; i < intent->segments.n; i++) {
		struct gpc_feed_intent *from = intent->segments.items[i].from;

		/* Else something was wrong with it. */
		if (from && from->file.text && from->max.set && from->sha256.set)
			read_one(&feeds, from);
	}
}
