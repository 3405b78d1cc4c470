/* SPDX-License-Identifier: MIT */
/* The probes that stand in an image's provenance. It is JSON, the reader has seen to that; nothing more is known. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "probe.h"

#define JSON_DEPTH 8

static void release_json(struct json_object **object)
{
	json_object_put(*object);
}
#define GPC_AUTO_JSON GPC_CLEANUP(release_json)

/* ---- members; false when it is not there or of another kind ---- */

static bool get_number(struct json_object *object, const char *key, int64_t least, int64_t most,
		       uint32_t *ret)
{
	struct json_object *member;
	int64_t number;

	if (!json_object_object_get_ex(object, key, &member) ||
	    !json_object_is_type(member, json_type_int))
		return false;
	number = json_object_get_int64(member);
	if (number < least || number > most)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool get_port(struct json_object *object, uint16_t *ret)
{
	uint32_t port;

	if (!get_number(object, "port", 1, UINT16_MAX, &port))
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* A text that `is_good`; *ret is the caller's. */
static bool get_text(struct json_object *object, const char *key, bool (*is_good)(const char *),
		     char **ret)
{
	struct json_object *member;
	const char *text;

	if (!json_object_object_get_ex(object, key, &member) ||
	    !json_object_is_type(member, json_type_string))
		return false;
	text = json_object_get_string(member);
	if (strlen(text) != (size_t)json_object_get_string_len(member) || !is_good(text))
		return false;
	*ret = strdup(text);
	if (!*ret)
		abort();
	return true;
}

static bool get_text_or_null(struct json_object *object, const char *key,
			     bool (*is_good)(const char *), char **ret)
{
	struct json_object *member;

	if (json_object_object_get_ex(object, key, &member) && !member)
		return true;
	return get_text(object, key, is_good, ret);
}

static bool is_any(const char *text)
{
	(void)text;
	return true;
}

static bool get_bytes(struct json_object *object, const char *key, uint8_t **ret, size_t *ret_size)
{
	GPC_AUTO_FREE char *text = NULL;
	size_t size;

	if (!get_text(object, key, is_any, &text))
		return false;
	size = strlen(text) / 2;
	if (!size || size > GPC_MAX_PROBE_PAYLOAD)
		return false;
	*ret = malloc(size);
	if (!*ret)
		abort();
	*ret_size = size;
	return !gpc_scalar_hex(text, *ret, size);
}

/* ---- kinds ---- */

static bool read_peer(struct json_object *object, struct gpc_probe *probe)
{
	GPC_AUTO_FREE char *address = NULL;

	return json_object_is_type(object, json_type_object) &&
	       get_text(object, "address", is_any, &address) &&
	       !gpc_ip_parse(address, strlen(address), &probe->address) &&
	       get_port(object, &probe->port);
}

static bool read_status(struct json_object *object, struct gpc_probe *probe)
{
	struct json_object *range;
	int64_t first, last;

	if (!json_object_object_get_ex(object, "status", &range) ||
	    !json_object_is_type(range, json_type_array) || json_object_array_length(range) != 2)
		return false;
	first = json_object_get_int64(json_object_array_get_idx(range, 0));
	last = json_object_get_int64(json_object_array_get_idx(range, 1));
	probe->status_first = (uint16_t)first;
	probe->status_last = (uint16_t)last;
	return first >= 100 && first <= last && last <= 599;
}

static bool read_http(struct json_object *object, struct gpc_probe *probe)
{
	return read_peer(object, probe) &&
	       get_text(object, "path", gpc_scalar_is_url_path, &probe->path) &&
	       get_text_or_null(object, "host", gpc_scalar_is_host, &probe->host) &&
	       read_status(object, probe);
}

static bool read_udp(struct json_object *object, struct gpc_probe *probe)
{
	struct json_object *expect;

	if (!read_peer(object, probe) ||
	    !get_bytes(object, "send", &probe->send, &probe->send_size) ||
	    !json_object_object_get_ex(object, "expect", &expect))
		return false;
	return !expect || get_bytes(object, "expect", &probe->expect, &probe->expect_size);
}

static bool read_exec(struct json_object *object, struct gpc_probe *probe)
{
	size_t count;

	if (!json_object_is_type(object, json_type_array))
		return false;
	count = json_object_array_length(object);
	if (!count || count > GPC_MAX_PROBE_WORDS)
		return false;
	probe->command = calloc(count + 1, sizeof(char *));
	if (!probe->command)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct json_object *word = json_object_array_get_idx(object, i);

		if (!json_object_is_type(word, json_type_string))
			return false;
		probe->command[i] = strdup(json_object_get_string(word));
		if (!probe->command[i])
			abort();
	}
	return probe->command[0][0] == '/';
}

static bool read_question(struct json_object *object, struct gpc_probe *probe)
{
	static const struct {
		const char *key;
		bool (*read)(struct json_object *object, struct gpc_probe *probe);
	} kinds[GPC_PROBE_KINDS] = {
		[GPC_PROBE_TCP] = {"tcp", read_peer},
		[GPC_PROBE_HTTP] = {"http", read_http},
		[GPC_PROBE_UDP] = {"udp", read_udp},
		[GPC_PROBE_EXEC] = {"exec", read_exec},
	};
	struct json_object *question;

	for (unsigned int i = 0; i < GPC_PROBE_KINDS; i++)
		if (json_object_object_get_ex(object, kinds[i].key, &question)) {
			probe->kind = (enum gpc_probe_kind)i;
			return kinds[i].read(question, probe);
		}
	return false;
}

static bool read_one(struct json_object *object, struct gpc_probe *probe)
{
	return json_object_is_type(object, json_type_object) &&
	       get_text(object, "name", gpc_scalar_is_name, &probe->name) &&
	       get_number(object, "timeout", 1, GPC_MAX_PROBE_MS, &probe->timeout) &&
	       get_number(object, "attempts", 1, GPC_MAX_PROBE_ATTEMPTS, &probe->attempts) &&
	       get_number(object, "interval", 1, GPC_MAX_PROBE_MS, &probe->interval) &&
	       get_text_or_null(object, "netns", gpc_scalar_is_netns, &probe->netns) &&
	       get_text_or_null(object, "interface", gpc_scalar_is_device, &probe->interface) &&
	       read_question(object, probe);
}

static bool read_all(struct json_object *list, struct gpc_probes *probes)
{
	size_t count;

	if (!json_object_is_type(list, json_type_array))
		return false;
	count = json_object_array_length(list);
	for (size_t i = 0; i < count && i < GPC_MAX_PROBES; i++)
		if (!read_one(json_object_array_get_idx(list, i), gpc_probes_add(probes)))
			return false;
	return count <= GPC_MAX_PROBES;
}

/* The whole provenance may be megabytes of places, so it is parsed only where the word stands. */
static struct json_object *provenance_of(const struct gpc_image *image)
{
	static const char key[] = "\"probes\"";
	size_t size;
	const char *text = gpc_image_provenance(image, &size);
	struct json_tokener *tokener;
	struct json_object *value;

	if (!text || size > INT32_MAX || !memmem(text, size, key, strlen(key)))
		return NULL;
	tokener = json_tokener_new_ex(JSON_DEPTH);
	if (!tokener)
		abort();
	value = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	return value;
}

int gpc_probes_of_image(struct gpc_probes *probes, const struct gpc_image *image,
			struct gpc_failure *failure)
{
	GPC_AUTO_JSON struct json_object *provenance = provenance_of(image);
	struct json_object *list;

	if (!json_object_is_type(provenance, json_type_object) ||
	    !json_object_object_get_ex(provenance, "probes", &list) || read_all(list, probes))
		return 0;
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "the image's probes cannot be read");
	return gpc_fail_hint(failure,
			     "compile it anew by this gpc, or apply it with --no-probes");
}
