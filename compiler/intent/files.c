/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <assert.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/utf8.h"
#include "gpc/limits.h"
#include "path.h"
#include "quote.h"

const char *gpc_files_resolve(struct gpc_files *files, const char *file,
			      const struct gpc_request *request)
{
	struct gpc_diags *diags = files->diags;
	const char *text = gpc_quote(diags->arena, request->text);
	struct gpc_diag *diag;
	const char *path;

	switch (gpc_path_resolve(diags->arena, file, request->text, &path)) {
	case GPC_PATH_OK:
		return path;
	case GPC_PATH_ABSOLUTE:
		diag = gpc_diag(diags, GPC_E0047, request->place, "absolute path `%s`", text);
		gpc_diag_hint(diags, diag, "write it relative to %s",
			      file ? "this file" : "the project root");
		return NULL;
	case GPC_PATH_ESCAPES:
		diag = gpc_diag(diags, GPC_E0047, request->place, "path with `..`: `%s`", text);
		gpc_diag_hint(diags, diag,
			      "files must lie below the folder of the first input file");
		return NULL;
	default:
		diag = gpc_diag(diags, GPC_E0048, request->place, "not a path: `%s`", text);
		gpc_diag_hint(diags, diag, "write the path of a file");
		return NULL;
	}
}

/* The place of `path` among the sorted ones; *ret_found: it stands there. */
static size_t search(const struct gpc_files *files, const char *path, bool *ret_found)
{
	size_t low = 0, high = files->sorted.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(files->sorted.items[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < files->sorted.n && !strcmp(files->sorted.items[low], path);
	return low;
}

/* The new file, NULL if it was asked for before or there is no room. */
static struct gpc_file *enter(struct gpc_files *files, const char *path,
			      const struct gpc_request *request)
{
	struct gpc_file *file;
	bool found;
	size_t at = search(files, path, &found);

	if (found || files->full)
		return NULL;
	if (files->files.n == GPC_MAX_FILES) {
		gpc_files_report_full(files, request);
		return NULL;
	}
	(void)GPC_PUSH(files->diags->arena, &files->sorted);
	memmove(&files->sorted.items[at + 1], &files->sorted.items[at],
		(files->sorted.n - 1 - at) * sizeof(*files->sorted.items));
	files->sorted.items[at] = path;
	file = GPC_PUSH(files->diags->arena, &files->files);
	*file = (struct gpc_file){.path = path, .depth = request->depth};
	return file;
}

void gpc_files_report_full(struct gpc_files *files, const struct gpc_request *request)
{
	if (!files->full)
		gpc_diag(
			files->diags, GPC_E0050, request->place,
			"too many files: a plane may have %u, and look for them in as many folders",
			GPC_MAX_FILES);
	files->full = true;
}

/* What each status of a provider means to the author. */
static const struct status_report {
	enum gpc_code code;
	const char *what, *hint;
} status_reports[] = {
	[GPC_READ_MISSING] = {GPC_E0041, "no such file",
			      "paths are relative to the file that they stand in"},
	[GPC_READ_SYMLINK] = {GPC_E0042, "symbolic link in the path", "put the file itself there"},
	[GPC_READ_NOT_REGULAR] = {GPC_E0043, "not a regular file",
				  "name a file, or a pattern that only files match"},
	[GPC_READ_TOO_LARGE] = {GPC_E0044, "file of more than 10000000 bytes", "split it"},
	[GPC_READ_DENIED] = {GPC_E0045, "file may not be read",
			     "check the permissions of it and of its folders"},
	[GPC_READ_FAILED] = {GPC_E0046, "file cannot be read", NULL},
};
static_assert(GPC_MAX_FILE_BYTES == 10000000, "the report of GPC_READ_TOO_LARGE says so");

void gpc_files_report(struct gpc_files *files, enum gpc_read_status status, int error,
		      const char *path, const struct gpc_request *request)
{
	const struct status_report *report = &status_reports[status];
	struct gpc_diags *diags = files->diags;
	const char *cause = status == GPC_READ_FAILED ? strerrordesc_np(error) : NULL;
	struct gpc_diag *diag =
		gpc_diag(diags, report->code, request->place, "%s: `%s`%s%s", report->what,
			 gpc_quote(diags->arena, path), cause ? ": " : "", cause ? cause : "");

	if (request->place.source == GPC_NO_SOURCE && status == GPC_READ_MISSING)
		gpc_diag_hint(diags, diag,
			      "paths are relative to the project root, the folder of the first "
			      "input file");
	else if (request->place.source == GPC_NO_SOURCE && status == GPC_READ_NOT_REGULAR)
		gpc_diag_hint(diags, diag, "give a regular file");
	else if (report->hint)
		gpc_diag_hint(diags, diag, "%s", report->hint);
}

/* Counts a text against what all files may have together. */
static bool has_room(struct gpc_files *files, size_t size, const char *path,
		     const struct gpc_request *request)
{
	struct gpc_diags *diags = files->diags;
	struct gpc_diag *diag;

	if (size <= GPC_MAX_TEXT_BYTES - files->text_bytes) {
		files->text_bytes += size;
		return true;
	}
	diag = gpc_diag(diags, GPC_E0053, request->place,
			"too much text: with `%s` the files of the plane have more than %u bytes",
			gpc_quote(diags->arena, path), GPC_MAX_TEXT_BYTES);
	gpc_diag_hint(diags, diag, "include what the plane needs and no more");
	files->full = true;
	return false;
}

/* A path goes into messages, the image's source map and the history: it must be fit to be shown. */
static bool has_printable_path(struct gpc_files *files, const char *path,
			       const struct gpc_request *request)
{
	struct gpc_diags *diags = files->diags;

	if (gpc_utf8_is_printable(path, strlen(path)))
		return true;
	gpc_diag_hint(diags,
		      gpc_diag(diags, GPC_E0054, request->place,
			       "file name with control characters, or not UTF-8: `%s`",
			       gpc_quote(diags->arena, path)),
		      "rename the file");
	return false;
}

void gpc_files_read(struct gpc_files *files, const char *path, const struct gpc_request *request)
{
	const struct gpc_provider *provider = files->provider;
	GPC_AUTO_FREE char *text = NULL;
	enum gpc_read_status status;
	struct gpc_file *file;
	size_t size = 0;
	int error = 0;

	if (!has_printable_path(files, path, request))
		return;
	file = enter(files, path, request);
	if (!file)
		return;
	status = provider->read(provider->context, path, GPC_MAX_FILE_BYTES, &text, &size, &error);
	if (status == GPC_READ_MISSING && request->may_be_missing)
		return;
	if (status != GPC_READ_OK) {
		gpc_files_report(files, status, error, path, request);
		return;
	}
	if (!has_room(files, size, path, request))
		return;
	file->was_read = true;
	gpc_yaml_parse(files->diags, files->tree,
		       gpc_diags_add_source(files->diags, path, text, size), &file->documents);
}

uint32_t gpc_files_read_feed(struct gpc_files *files, const char *path,
			     const struct gpc_request *request)
{
	const struct gpc_provider *provider = files->provider;
	struct gpc_diags *diags = files->diags;
	GPC_AUTO_FREE char *text = NULL;
	enum gpc_read_status status;
	size_t size = 0;
	int error = 0;

	if (!has_printable_path(files, path, request))
		return GPC_NO_SOURCE;
	status = provider->read(provider->context, path, GPC_MAX_FEED_BYTES, &text, &size, &error);
	if (status == GPC_READ_TOO_LARGE ||
	    (status == GPC_READ_OK && size > GPC_MAX_FEEDS_BYTES - files->feed_bytes)) {
		gpc_diag(diags, GPC_E0058, request->place,
			 status == GPC_READ_OK
				 ? "too much in feeds: with `%s` they have more than %u bytes"
				 : "feed `%s` has more than %u bytes",
			 gpc_quote(diags->arena, path),
			 status == GPC_READ_OK ? GPC_MAX_FEEDS_BYTES : GPC_MAX_FEED_BYTES);
		return GPC_NO_SOURCE;
	}
	if (status != GPC_READ_OK) {
		gpc_files_report(files, status, error, path, request);
		return GPC_NO_SOURCE;
	}
	files->feed_bytes += size;
	return gpc_diags_add_source(diags, path, text, size);
}
