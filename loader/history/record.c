/* SPDX-License-Identifier: MIT */
/* Writing a generation: image and objects first (prepare), then one rename of the branch (publish).
 */
#include "git.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../compiler/analyze/changes.h"
#include "store.h"

/* ---- the two JSON files ---- */

static void release_json(struct json_object **object)
{
	json_object_put(*object);
}
#define GPC_AUTO_JSON GPC_CLEANUP(release_json)

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static struct json_object *lines_to_array(const char *text)
{
	struct json_object *array = json_object_new_array();

	while (text && *text) {
		size_t length = strcspn(text, "\n");

		json_object_array_add(array, json_object_new_string_len(text, (int)length));
		text += length + (text[length] == '\n');
	}
	return array;
}

static void add_count(struct json_object *object, const struct gpc_image *image,
		      enum gpc_section_id section, const char *key)
{
	uint32_t count;

	gpc_image_section(image, section, &count);
	json_object_object_add(object, key, json_object_new_int64(count));
}

/* How the sources were compiled: as given, or as they were for the generation rolled back to. */
static int describe_inputs(struct gpc_history *history, const struct gpc_history_entry *entry,
			   struct json_object *object, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *text = NULL;
	struct json_object *old, *member;
	size_t size;

	if (!entry->rollback_of) {
		json_object_object_add(object, "inputs", lines_to_array(entry->inputs));
		add_text(object, "environment", entry->environment);
		return 0;
	}
	if (gpc_history_read(history, entry->rollback_of, "image.json", &text, &size, failure))
		return -1;
	old = json_tokener_parse(text);
	if (json_object_object_get_ex(old, "inputs", &member))
		json_object_object_add(object, "inputs", json_object_get(member));
	if (json_object_object_get_ex(old, "environment", &member))
		json_object_object_add(object, "environment", json_object_get(member));
	json_object_put(old);
	return 0;
}

/* The file digest of what the tables were made from; NULL: of nothing. */
static const char *parent_of(const struct gpc_history_entry *entry, char out[65])
{
	uint32_t count;
	const struct gpc_backend *backends =
		gpc_image_section(entry->image, GPC_SEC_BACKEND, &count);

	if (entry->rollback_of)
		return entry->rollback_of->parent[0] ? entry->rollback_of->parent : NULL;
	for (uint32_t i = 0; entry->parent && i < count; i++)
		if (backends[i].rebalance == GPC_REBALANCE_MINIMAL)
			return gpc_digest_format(entry->parent->head->file_digest, out);
	return NULL;
}

static struct json_object *describe_image(const struct gpc_history_entry *entry,
					  const struct gpc_generation *parent)
{
	const struct gpc_image *image = entry->image;
	struct json_object *object = json_object_new_object();
	char digest[65];

	add_text(object, "plane", gpc_image_name(image, image->plane->name));
	add_text(object, "decision", gpc_digest_format(image->head->decision_digest, digest));
	add_text(object, "file", gpc_digest_format(image->head->file_digest, digest));
	json_object_object_add(object, "size", json_object_new_int64(image->head->size));
	json_object_object_add(object, "size-class-log2", json_object_new_int64(image->log2));
	add_count(object, image, GPC_SEC_INTERFACE, "interfaces");
	add_count(object, image, GPC_SEC_BACKEND, "backends");
	add_count(object, image, GPC_SEC_ENDPOINT, "endpoints");
	add_count(object, image, GPC_SEC_LISTENER, "listeners");
	add_count(object, image, GPC_SEC_POLICY, "policies");
	add_text(object, "gpc", GPC_VERSION);
	add_text(object, "parent", parent ? parent->decision : NULL);
	add_text(object, "rebalanced-from", parent_of(entry, digest));
	return object;
}

static struct json_object *describe_changes(const struct gpc_changes *changes,
					    const struct gpc_generation *compared)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "compared-with",
			       compared ? json_object_new_int64(compared->number) : NULL);
	for (int i = 0; i < GPC_CHANGE_OBJECTS; i++) {
		struct json_object *counts = json_object_new_object();

		for (int k = GPC_CHANGE_ADDED; k <= GPC_CHANGE_CHANGED; k++)
			json_object_object_add(counts, gpc_change_kind_name(k),
					       json_object_new_int64(changes->counts[i][k]));
		json_object_object_add(object, gpc_change_object_name(i), counts);
	}
	json_object_object_add(object, "maglev-slots",
			       json_object_new_int64((int64_t)changes->slots));
	json_object_object_add(object, "maglev-slots-moved",
			       json_object_new_int64((int64_t)changes->slots_moved));
	return object;
}

/* ---- the tree ---- */

static int add_file(struct gpc_history *history, git_index *index, const char *folder,
		    const char *path, const void *bytes, size_t size, struct gpc_failure *failure)
{
	git_index_entry entry = {.mode = GIT_FILEMODE_BLOB};
	GPC_AUTO_FREE char *full = NULL;

	if (asprintf(&full, "%s%s", folder, path) < 0)
		abort();
	entry.path = full;
	if (git_blob_create_from_buffer(&entry.id, history->repo, bytes, size) ||
	    git_index_add(index, &entry))
		return gpc_git_fail(history, failure, "cannot record '%s'", full);
	return 0;
}

static int add_json(struct gpc_history *history, git_index *index, const char *path,
		    struct json_object *object, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *text = NULL;

	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(
			     object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		abort();
	return add_file(history, index, "", path, text, strlen(text), failure);
}

static int add_sources(struct gpc_history *history, const struct gpc_history_entry *entry,
		       git_index *index, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *tree = NULL;

	if (entry->rollback_of) {
		if (gpc_git_tree(history, entry->rollback_of, &tree, failure))
			return -1;
		if (git_index_read_tree(index, tree))
			return gpc_git_fail(history, failure,
					    "cannot take over the sources of generation %u",
					    entry->rollback_of->number);
		return 0;
	}
	for (size_t i = 0; i < entry->file_count; i++) {
		const struct gpc_history_file *file = &entry->files[i];

		if (add_file(history, index, "sources/", file->path, file->bytes, file->size,
			     failure))
			return -1;
	}
	return 0;
}

static int build_tree(struct gpc_history *history, const struct gpc_history_entry *entry,
		      const struct gpc_generation *parent, const struct gpc_changes *changes,
		      const struct gpc_generation *compared, git_oid *ret_tree,
		      struct gpc_failure *failure)
{
	GPC_AUTO_JSON struct json_object *image = describe_image(entry, parent);
	GPC_AUTO_JSON struct json_object *plan = describe_changes(changes, compared);
	GPC_AUTO_GIT(git_index) *index = NULL;

	if (describe_inputs(history, entry, image, failure))
		return -1;
	if (git_index_new(&index))
		return gpc_git_fail(history, failure, "cannot begin a tree");
	if (add_sources(history, entry, index, failure) ||
	    add_json(history, index, "image.json", image, failure) ||
	    add_json(history, index, "plan.json", plan, failure))
		return -1;
	if (git_index_write_tree_to(ret_tree, index, history->repo))
		return gpc_git_fail(history, failure, "cannot record the tree");
	return 0;
}

/* ---- the commit ---- */

/* Trailer values are one line of printable text, whatever the user's name or file is called. */
static void print_clean(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s: ", key);
	for (const char *p = value; *p; p++)
		fputc((unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p, out);
	fputc('\n', out);
}

static void print_change_line(FILE *out, const struct gpc_changes *changes)
{
	for (int i = 0; i < GPC_CHANGE_OBJECTS; i++)
		fprintf(out, "%s +%u -%u ~%u%s", gpc_change_object_names(i),
			changes->counts[i][GPC_CHANGE_ADDED],
			changes->counts[i][GPC_CHANGE_REMOVED],
			changes->counts[i][GPC_CHANGE_CHANGED],
			i + 1 < GPC_CHANGE_OBJECTS ? ", " : "\n");
}

/* malloc'ed. */
static char *commit_message(const struct gpc_history_entry *entry,
			    const struct gpc_changes *changes, uint32_t number)
{
	const struct gpc_image *image = entry->image;
	char *text = NULL, digest[65];
	const char *before;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "generation %u", number);
	print_clean(out, "", entry->source);
	fputc('\n', out);
	print_change_line(out, changes);
	fprintf(out, "\nGpc-Generation: %u\n", number);
	fprintf(out, "Gpc-Image: %s\n", gpc_digest_format(image->head->file_digest, digest));
	fprintf(out, "Gpc-Decision: %s\n", gpc_digest_format(image->head->decision_digest, digest));
	print_clean(out, "Gpc-Plane", gpc_image_name(image, image->plane->name));
	print_clean(out, "Gpc-Source", entry->source);
	print_clean(out, "Gpc-Actor", entry->actor);
	print_clean(out, "Gpc-Result",
		    entry->result    ? entry->result
		    : entry->pending ? "applied(pending)"
				     : "applied");
	if (entry->stance != GPC_STANCE_NONE)
		fprintf(out, "Gpc-Policies: %s\n", gpc_stance_name(entry->stance));
	fprintf(out, "Gpc-Layout: %08x\n", image->head->abi);
	before = parent_of(entry, digest);
	if (before)
		fprintf(out, "Gpc-Parent: %s\n", before);
	if (entry->rollback_of)
		fprintf(out, "%s: %u\n", entry->upgrade ? "Gpc-Upgrade-Of" : "Gpc-Rollback-Of",
			entry->rollback_of->number);
	if (fclose(out))
		abort();
	return text;
}

/* libgit2 1.5 says success when it could not write a commit; the cause is its last error all the same. */
static bool is_written(const struct gpc_history *history, const git_oid *oid)
{
	const git_error *error = git_error_last();
	GPC_AUTO_FREE char *cause = error && error->message ? strdup(error->message) : NULL;
	int class = error ? error->klass : GIT_ERROR_NONE;
	GPC_AUTO_GIT(git_odb) *odb = NULL;

	if (!git_repository_odb(&odb, history->repo) && git_odb_exists(odb, oid))
		return true;
	if (cause)
		git_error_set_str(class, cause);
	return false;
}

int gpc_git_commit(const struct gpc_history *history, const git_tree *tree, const git_commit *parent,
		   const char *message, git_oid *ret, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_signature) *who = NULL;
	char host[HOST_NAME_MAX + 1] = "localhost", email[HOST_NAME_MAX + 8];
	const git_commit *parents[1] = {parent};
	git_oid made;

	gethostname(host, sizeof(host) - 1);
	snprintf(email, sizeof(email), "gpc@%s", host);
	git_error_clear();
	if (git_signature_new(&who, "gpc", email, (git_time_t)time(NULL), 0) ||
	    git_commit_create(&made, history->repo, NULL, who, who, "UTF-8", message, tree,
			      parent ? 1 : 0, parents) ||
	    !is_written(history, &made))
		return gpc_git_fail(history, failure, "cannot record the commit");
	*ret = made;
	return 0;
}

static int write_commit(struct gpc_history *history, const git_oid *tree_oid, const char *message,
			struct gpc_pending *pending, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *parent = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;

	if (pending->has_parent && git_commit_lookup(&parent, history->repo, &pending->parent))
		return gpc_git_fail_object(history, failure, "commit", &pending->parent);
	if (git_tree_lookup(&tree, history->repo, tree_oid))
		return gpc_git_fail_object(history, failure, "tree", tree_oid);
	return gpc_git_commit(history, tree, parent, message, &pending->commit, failure);
}

/* ---- prepare and publish ---- */

void gpc_git_unlock(const struct gpc_history *history)
{
	GPC_AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/" GPC_HISTORY_REF ".lock", history->repo_path) < 0)
		abort();
	unlink(path);
}

/* The newest generation, and the one that stands; number 0 where there is none. */
static int newest(struct gpc_history *history, struct gpc_generation *ret,
		  struct gpc_generation *ret_stands, struct gpc_pending *pending,
		  struct gpc_failure *failure)
{
	bool stands;

	*ret = *ret_stands = (struct gpc_generation){0};
	if (gpc_git_head(history, &pending->parent, &pending->has_parent, failure))
		return -1;
	if (pending->has_parent && gpc_history_find(history, 0, ret, failure))
		return -1;
	return gpc_history_standing(history, 0, ret_stands, &stands, failure);
}

static int record(struct gpc_history *history, const struct gpc_history_entry *entry,
		  uint32_t number, const struct gpc_generation *parent, struct gpc_pending *pending,
		  struct gpc_failure *failure)
{
	const struct gpc_generation *compared = NULL;
	GPC_AUTO_FREE char *message = NULL;
	struct gpc_image before = {0};
	struct gpc_changes changes;
	struct gpc_failure unread;
	git_oid tree;
	int rc;

	/* An unreadable old image must not stop a new generation; plan.json says what it compared.
	 */
	if (parent &&
	    gpc_store_get(history->store_path, parent->image, &before, &unread) == GPC_STORE_OK)
		compared = parent;
	gpc_changes_compare(compared ? &before : NULL, entry->image, &changes);
	message = commit_message(entry, &changes, number);
	rc = build_tree(history, entry, parent, &changes, compared, &tree, failure);
	if (!rc)
		rc = write_commit(history, &tree, message, pending, failure);
	gpc_changes_release(&changes);
	if (compared)
		gpc_image_release(&before);
	return rc;
}

static int keep_parent(struct gpc_history *history, const struct gpc_history_entry *entry,
		       struct gpc_failure *failure)
{
	char digest[65];

	if (entry->rollback_of || !parent_of(entry, digest))
		return 0;
	return gpc_store_put(history->parents_path, entry->parent, failure);
}

int gpc_history_prepare(struct gpc_history *history, const struct gpc_history_entry *entry,
			uint32_t *ret_number, struct gpc_failure *failure)
{
	struct gpc_pending pending = {.set = true};
	struct gpc_generation last, parent;
	uint32_t number;

	history->pending.set = false;
	gpc_git_unlock(history);
	if (newest(history, &last, &parent, &pending, failure))
		return -1;
	number = last.number + 1;
	if (number < entry->at_least)
		number = entry->at_least;
	if (gpc_store_put(history->store_path, entry->image, failure) ||
	    keep_parent(history, entry, failure))
		return -1;
	if (record(history, entry, number, parent.number ? &parent : NULL, &pending, failure))
		return -1;
	if (entry->running)
		gpc_digest_format(entry->running->head->file_digest, pending.running);
	history->pending = pending;
	*ret_number = number;
	return 0;
}

/* Digests of images that stay. */
struct kept {
	char (*digests)[65];
	size_t count;
};

static bool is_kept(const struct kept *kept, const char *digest)
{
	for (size_t i = 0; i < kept->count; i++)
		if (!strcmp(kept->digests[i], digest))
			return true;
	return false;
}

static void keep(struct kept *kept, const char *digest)
{
	if (*digest && !is_kept(kept, digest))
		memcpy(kept->digests[kept->count++], digest, sizeof(kept->digests[0]));
}

static void keep_newest(const struct gpc_generation *list, size_t count, struct kept *kept)
{
	for (size_t i = 0; i < count && kept->count < GPC_HISTORY_IMAGES; i++)
		keep(kept, list[i].image);
}

/* The parents of generations whose images stay, as many generations as share one. */
static void prune_parents(struct gpc_history *history, const struct gpc_generation *list,
			  size_t count, const struct kept *images)
{
	struct kept parents = {.digests = calloc(count + 1, sizeof(*parents.digests))};

	if (!parents.digests)
		return;
	for (size_t i = 0; i < count; i++)
		if (is_kept(images, list[i].image))
			keep(&parents, list[i].parent);
	gpc_store_prune(history->parents_path, parents.digests, parents.count);
	free(parents.digests);
}

/*
 * The images of the newest generations stay, with what they were made from; older ones are rebuilt when
 * somebody asks. What ran until now stays even if nobody could record it, and so does what should run.
 */
static void prune(struct gpc_history *history)
{
	char digests[GPC_HISTORY_IMAGES + 2][65];
	struct kept kept = {.digests = digests};
	size_t limit = GPC_HISTORY_IMAGES, count;
	struct gpc_generation current;
	struct gpc_failure ignored;
	bool enough;

	do { /* rollbacks share images, so that twenty of them may reach further back */
		GPC_AUTO_FREE struct gpc_generation *list = NULL;

		limit *= 4;
		if (gpc_history_list(history, limit, &list, &count, &ignored))
			return;
		kept.count = 0;
		keep_newest(list, count, &kept);
		enough = kept.count == GPC_HISTORY_IMAGES || count < limit;
		if (enough)
			prune_parents(history, list, count, &kept);
	} while (!enough);
	keep(&kept, history->pending.running);
	if (!gpc_history_standing(history, 0, &current, &enough, &ignored) && enough)
		keep(&kept, current.image);
	gpc_store_prune(history->store_path, kept.digests, kept.count);
}

int gpc_git_publish(struct gpc_history *history, struct gpc_failure *failure)
{
	const struct gpc_pending *pending = &history->pending;
	GPC_AUTO_GIT(git_reference) *ref = NULL;
	int rc;

	if (!pending->set)
		return gpc_fail(failure, GPC_EXIT_FAILED, EINVAL, "no generation is prepared");
	/* Moves only from the parent that prepare saw. */
	if (pending->has_parent)
		rc = git_reference_create_matching(&ref, history->repo, GPC_HISTORY_REF,
						   &pending->commit, 1, &pending->parent, NULL);
	else
		rc = git_reference_create(&ref, history->repo, GPC_HISTORY_REF, &pending->commit, 0,
					  NULL);
	if (rc)
		return gpc_git_fail(history, failure, "cannot move '%s/" GPC_HISTORY_REF "'",
				    history->repo_path);
	history->pending.set = false;
	return 0;
}

int gpc_history_publish(struct gpc_history *history, struct gpc_failure *failure)
{
	if (gpc_git_publish(history, failure))
		return -1;
	prune(history);
	return 0;
}
