/* SPDX-License-Identifier: MIT */
/*
 * input.h: what a command works on, given as intent (compiled here) or as a finished image: in the
 * end a checked image, and the sources when there were any.
 */
#ifndef GPC_LOADER_CMD_INPUT_H
#define GPC_LOADER_CMD_INPUT_H

#include "../../compiler/diag/render.h"
#include "../../compiler/image/image_file.h"
#include "../../compiler/pipeline.h"
#include "command.h"
#include "project.h"

struct gpc_input {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_project project; /* empty when an image was given */
	struct gpc_compiled compiled;
	struct gpc_image image;
	bool has_image;
	struct gpc_image parent; /* of --parent, unlinked */
	bool has_parent;
	char *name; /* "web.yaml", "web.gpi": what the history calls the source */
	uint64_t today; /* UTC seconds by which `expires` is judged; 0: not judged */
	double compile_ms;
	struct gpc_failure failure; /* what went wrong beside diagnostics; message empty: nothing */
};

/* The options of commands that compile. */
#define GPC_OPTION_FILE                                                                            \
	{                                                                                          \
		'f', "file", "FILE...",                                                            \
			"compile this file; several are merged, the first gives the root"          \
	}
#define GPC_OPTION_ENV                                                                             \
	{                                                                                          \
		'e', "env", "ENV", "apply overlays/ENV.yaml"                                       \
	}
#define GPC_OPTION_STRICT                                                                          \
	{                                                                                          \
		0, "strict", NULL, "treat warnings as errors"                                      \
	}
#define GPC_OPTION_TODAY                                                                           \
	{                                                                                          \
		0, "today", "YYYY-MM-DD", "judge `expires` as on this day, not by the clock"       \
	}
#define GPC_OPTION_ALLOW_EXPIRED                                                                   \
	{                                                                                          \
		0, "allow-expired", NULL, "compile rules that have expired"                        \
	}
#define GPC_OPTION_PARENT                                                                          \
	{                                                                                          \
		0, "parent", "IMAGE",                                                              \
			"what `rebalance: minimal` starts from: a file, `live` or `generation:N`" \
	}
#define GPC_OPTION_FORMAT                                                                          \
	{                                                                                          \
		0, "format", "FORMAT", "diagnostics as text, json or github"                       \
	}

/*
 * Fills *ret from operand (NULL: none) and -f, -e, --parent, --strict, --format, --json of the call.
 * `expires` is judged for commands that have --today: by it, else by the clock.
 * Diagnostics go to stderr as text, to stdout in the other forms. `images`: an image will do too;
 * --parent was then not asked for it.
 * Not OK: the command ends with gpc_input_end(). OK: has_image is set. gpc_input_release() is due
 * in either case.
 */
enum gpc_exit gpc_input_load(const struct gpc_call *call, const char *operand, bool images,
			     struct gpc_input *ret);
/* Likewise where every operand is a file of the intent. */
enum gpc_exit gpc_input_files(const struct gpc_call *call, struct gpc_input *ret);
/* Likewise of `files` as written (none: the defaults), whatever -f and the operands say. */
enum gpc_exit gpc_input_written(const struct gpc_call *call, const char *const *files, size_t count,
				struct gpc_input *ret);
/*
 * Likewise of `project`, which is taken over, as `files` has it; `commit`: where that is, or NULL.
 * `expires` is judged with --today only.
 */
enum gpc_exit gpc_input_from(const struct gpc_call *call, const struct gpc_provider *files,
			     struct gpc_project *project, const char *commit, struct gpc_input *ret);
/* An input without anything, ready for an image to be opened with its diagnostics. */
enum gpc_exit gpc_input_begin(const struct gpc_call *call, struct gpc_input *ret);
/* Shows its diagnostics as the call wants them. */
void gpc_input_say(const struct gpc_call *call, const struct gpc_input *input);
/* Is it such a file, by its name or its first bytes? */
bool gpc_input_is(const char *path, const char *suffix, uint32_t magic);
bool gpc_input_is_image(const char *path);
/* Ends a command whose input is no good: says the failure, if there is one. */
enum gpc_exit gpc_input_end(const struct gpc_call *call, const struct gpc_input *input,
			    enum gpc_exit code);
void gpc_input_release(struct gpc_input *input);

/* How diagnostics are wanted, by --format and --json. */
enum gpc_exit gpc_input_format(const struct gpc_call *call, enum gpc_diag_format *ret,
			       struct gpc_failure *failure);

/* The checked image in a file (read once), else INVALID after diagnostics. */
enum gpc_exit gpc_input_image(const struct gpc_call *call, const char *path, struct gpc_input *ret);

#endif
