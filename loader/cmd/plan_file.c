/* SPDX-License-Identifier: MIT */
#include "plan_file.h"

#include <json-c/json.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/sha256.h"
#include "../file.h"
#include "gpc/limits.h"
#include "output.h"

/* An image, and sources of which each byte may be escaped. */
#define PLAN_MAX (GPC_MAX_IMAGE_BYTES + 2 * GPC_MAX_TEXT_BYTES + 2 * GPC_MAX_FEEDS_BYTES)

static void digest_of(const char *bytes, size_t size, uint8_t ret[32])
{
	struct gpc_plan_head head;
	struct gpc_sha256 sha;

	memcpy(&head, bytes, sizeof(head));
	memset(head.digest, 0, sizeof(head.digest));
	gpc_sha256_init(&sha);
	gpc_sha256_add(&sha, &head, sizeof(head));
	gpc_sha256_add(&sha, bytes + sizeof(head), size - sizeof(head));
	gpc_sha256_finish(&sha, ret);
}

/* The JSON text of the sources; "" if there are none, or they would not give this image again. */
static const char *sources_text(const struct gpc_input *input, const char *environment,
				struct json_object **ret_owner)
{
	struct json_object *object = json_object_new_object(), *inputs = json_object_new_array();
	struct json_object *sources = json_object_new_object();

	for (size_t i = 0; i < input->project.count; i++)
		json_object_array_add(inputs, json_object_new_string(input->project.paths[i]));
	for (size_t i = 0; i < input->diags.sources.n; i++) {
		const struct gpc_source *s = &input->diags.sources.items[i];

		json_object_object_add(sources, s->path,
				       json_object_new_string_len(s->text, (int)s->size));
	}
	json_object_object_add(object, "inputs", inputs);
	if (environment)
		json_object_object_add(object, "environment", json_object_new_string(environment));
	json_object_object_add(object, "sources", sources);
	*ret_owner = object;
	return input->project.count && !input->has_parent
		       ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN)
		       : "";
}

int gpc_plan_save(const char *path, const struct gpc_plan_basis *basis, bool enforce,
		  const struct gpc_input *input, const char *environment,
		  struct gpc_failure *failure)
{
	struct json_object *owner;
	const char *text = sources_text(input, environment, &owner);
	struct gpc_plan_head head = {.magic = GPC_PLAN_MAGIC,
				     .version = GPC_PLAN_VERSION,
				     .head_size = sizeof(head),
				     .flags = enforce ? GPC_PLAN_ENFORCE : 0,
				     .image_size = (uint32_t)input->image.size,
				     .basis = *basis};
	size_t size = sizeof(head) + input->image.size + strlen(text);
	GPC_AUTO_FREE char *bytes = malloc(size);

	if (!bytes)
		abort();
	head.size = (uint32_t)size;
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), input->image.bytes, input->image.size);
	memcpy(bytes + sizeof(head) + input->image.size, text, strlen(text));
	json_object_put(owner);
	digest_of(bytes, size, head.digest);
	memcpy(bytes, &head, sizeof(head));
	return gpc_file_save(path, bytes, size, 0644, failure);
}

bool gpc_plan_is_file(const char *path)
{
	return gpc_input_is(path, ".gpp", GPC_PLAN_MAGIC);
}

static int check_head(const char *path, const char *bytes, size_t size, struct gpc_plan_head *ret,
		      struct gpc_failure *failure)
{
	uint8_t digest[32];

	if (size < sizeof(*ret) || memcmp(bytes, "GPP1", 4))
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' is no plan", path);
	memcpy(ret, bytes, sizeof(*ret));
	if (ret->version != GPC_PLAN_VERSION || ret->head_size != sizeof(*ret))
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"plan '%s' has another version, %u; make it anew", path,
				ret->version);
	digest_of(bytes, size, digest);
	if (ret->size != size || ret->image_size > size - sizeof(*ret) || memcmp(digest, ret->digest, sizeof(digest)))
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"plan '%s' is damaged: its digest does not fit", path);
	return 0;
}

/* A path below the root, as the compiler names its sources. */
static bool is_path(const char *path)
{
	for (const char *at = path;; at++) {
		size_t length = strcspn(at, "/");

		if (!length || (at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.'))) ||
		    (length == 4 && !strncasecmp(at, ".git", 4)))
			return false;
		at += length;
		if (!*at)
			return true;
	}
}

/* Fills in project and sources as if they had been compiled here; false if the text is odd. */
static bool take_sources(struct json_object *object, struct gpc_input *input,
			 const char **ret_environment)
{
	struct json_object *inputs = NULL, *sources = NULL, *environment = NULL;
	size_t count;

	if (!json_object_object_get_ex(object, "inputs", &inputs) ||
	    !json_object_is_type(inputs, json_type_array) ||
	    !json_object_object_get_ex(object, "sources", &sources) ||
	    !json_object_is_type(sources, json_type_object))
		return false;
	json_object_object_foreach(sources, path, text) {
		if (!json_object_is_type(text, json_type_string) || !is_path(path))
			return false;
		gpc_diags_add_source(&input->diags, path, json_object_get_string(text),
				     (size_t)json_object_get_string_len(text));
	}
	count = json_object_array_length(inputs);
	input->project.paths = calloc(count + 1, sizeof(*input->project.paths));
	if (!input->project.paths)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(inputs, i);

		if (!json_object_is_type(item, json_type_string) ||
		    !is_path(json_object_get_string(item)))
			return false;
		input->project.paths[i] = strdup(json_object_get_string(item));
		if (!input->project.paths[i])
			abort();
		input->project.count++;
	}
	if (!json_object_object_get_ex(object, "environment", &environment))
		return true;
	if (!json_object_is_type(environment, json_type_string))
		return false;
	*ret_environment = gpc_arena_strdup(&input->arena, json_object_get_string(environment));
	return true;
}

static int read_sources(const char *path, const char *text, struct gpc_input *input,
			const char **ret_environment)
{
	struct json_object *object;
	bool good;

	*ret_environment = NULL;
	if (!*text)
		return 0;
	object = json_tokener_parse(text);
	good = take_sources(object, input, ret_environment);
	json_object_put(object);
	return good ? 0
		    : gpc_fail(&input->failure, GPC_EXIT_INVALID, 0,
			       "plan '%s' holds sources that are none", path);
}

enum gpc_exit gpc_plan_open(const struct gpc_call *call, const char *path,
			    struct gpc_input *ret_input, struct gpc_plan_head *ret,
			    const char **ret_environment)
{
	const char *slash = strrchr(path, '/');
	struct gpc_input *input = ret_input;
	GPC_AUTO_FREE char *bytes = NULL;
	size_t size;

	if (gpc_input_begin(call, input) ||
	    gpc_file_load(path, PLAN_MAX, &bytes, &size, &input->failure) ||
	    check_head(path, bytes, size, ret, &input->failure))
		return input->failure.code;
	input->name = strdup(slash ? slash + 1 : path);
	if (!input->name)
		abort();
	input->has_image = gpc_image_open(&input->diags, path, bytes + sizeof(*ret),
					  ret->image_size, false, &input->image);
	gpc_input_say(call, input);
	if (!input->has_image)
		return GPC_EXIT_INVALID;
	return read_sources(path, bytes + sizeof(*ret) + ret->image_size, input, ret_environment)
		       ? input->failure.code
		       : GPC_EXIT_OK;
}

/* What went into a plan cannot be said again. */
static int refuse_options(const struct gpc_call *call, const char *path,
			  struct gpc_failure *failure)
{
	static const char *const options[] = {"file", "env", "parent", "today", "allow-expired"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (gpc_call_has(call, options[i]))
			return gpc_fail(failure, GPC_EXIT_USAGE, 0,
					"'%s' is a finished plan: -f, -e, --parent, --today and "
					"--allow-expired have no meaning for it",
					path);
	return 0;
}

static int check_enforce(const struct gpc_call *call, const struct gpc_plan_head *plan,
			 struct gpc_failure *failure)
{
	bool enforce = plan->flags & GPC_PLAN_ENFORCE;

	if (enforce == gpc_call_has(call, "enforce"))
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "the plan was made %s --enforce",
		 enforce ? "with" : "without");
	return gpc_fail_hint(failure, "give it as it was made, or plan anew");
}

enum gpc_exit gpc_plan_load(const struct gpc_call *call, const char *path,
			    struct gpc_input *ret_input, struct gpc_plan_head *ret,
			    const char **ret_environment)
{
	enum gpc_exit rc = gpc_plan_open(call, path, ret_input, ret, ret_environment);

	if (rc)
		return rc;
	return refuse_options(call, path, &ret_input->failure) ||
			       check_enforce(call, ret, &ret_input->failure)
		       ? ret_input->failure.code
		       : GPC_EXIT_OK;
}

int gpc_plan_check(const struct gpc_call *call, const struct gpc_plan_head *plan,
		   const struct gpc_image *image, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	struct gpc_plan_basis now;

	return gpc_plane_read(gpc_bpffs(), &plane, failure) ||
			       gpc_plan_basis_read(call, &plane, image, &now, failure) ||
			       gpc_plan_basis_compare(&plan->basis, &now, failure)
		       ? -1
		       : 0;
}
