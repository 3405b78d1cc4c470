/* SPDX-License-Identifier: MIT */
/* --probe: words -> a probe. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/utf8.h"
#include "../../compiler/intent/scalar.h"
#include "probe.h"

#define MOST_WORDS (GPC_MAX_PROBE_WORDS + 8u) /* settings and kind, too */

struct words {
	char *items[MOST_WORDS + 1]; /* ended by NULL; in `text` */
	size_t count;
	char *text;
};

struct parse {
	const char *whole;
	struct gpc_probe *probe;
	struct gpc_failure *failure;
};

static int refuse(const struct parse *parse, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int refuse(const struct parse *parse, const char *format, ...)
{
	char cause[256];
	va_list args;

	va_start(args, format);
	vsnprintf(cause, sizeof(cause), format, args);
	va_end(args);
	gpc_fail(parse->failure, GPC_EXIT_USAGE, 0, "no probe: '%s': %s", parse->whole, cause);
	return gpc_fail_hint(parse->failure,
			     "write 'tcp ADDRESS:PORT', 'http URL [STATUS]', 'udp ADDRESS:PORT SEND "
			     "[EXPECT]' or 'exec PROGRAM [ARGUMENT]...'");
}

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		abort();
	return made;
}

/* ---- words ---- */

/* Takes the quotes off the word that begins at *from; NULL when a quote is not closed. */
static char *next_word(char **from)
{
	char *read = *from + strspn(*from, " "), *start = read, *write = read, quote = 0;

	for (; *read && (quote || !strchr(" ", *read)); read++) {
		if (quote ? *read == quote : *read == '\'' || *read == '"')
			quote = quote ? '\0' : *read;
		else
			*write++ = *read;
	}
	if (quote)
		return NULL;
	*from = *read ? read + 1 : read;
	*write = '\0';
	return start;
}

static int split(const struct parse *parse, struct words *words)
{
	char *at = words->text;

	if (!gpc_utf8_is_printable(at, strlen(at)))
		return refuse(parse, "it holds what cannot be shown");
	while (at[strspn(at, " ")]) {
		char *word = next_word(&at);

		if (!word)
			return refuse(parse, "a quote is not closed");
		if (words->count == MOST_WORDS)
			return refuse(parse, "more than %u words", MOST_WORDS);
		words->items[words->count++] = word;
	}
	return 0;
}

/* ---- values ---- */

/* "203.0.113.10:443" or "[2001:db8::1]:443"; without a port *port stays, unless it must be there. */
static int parse_peer(const struct parse *parse, const char *text, bool port_needed)
{
	struct gpc_probe *probe = parse->probe;
	const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	const char *address = *text == '[' ? text + 1 : text;
	uint64_t port;

	if (!end || gpc_ip_parse(address, (size_t)(end - address), &probe->address) ||
	    gpc_ip_is_v4(&probe->address) != (*text != '['))
		return refuse(parse, "'%s' does not begin with an address (IPv6 in brackets)", text);
	end += *end == ']';
	if (!*end && !port_needed)
		return 0;
	if (*end != ':' || gpc_scalar_uint(end + 1, &port) || !port || port > UINT16_MAX)
		return refuse(parse, "'%s' has no port from 1 to 65535", text);
	probe->port = (uint16_t)port;
	return 0;
}

static int parse_url(const struct parse *parse, const char *text)
{
	static const char scheme[] = "http://";
	GPC_AUTO_FREE char *authority = NULL;
	const char *path;

	if (!strncmp(text, "https://", 8))
		return refuse(parse, "https is not spoken; run a program that does, by exec");
	if (strncmp(text, scheme, strlen(scheme)))
		return refuse(parse, "'%s' does not begin with http://", text);
	text += strlen(scheme);
	path = text + strcspn(text, "/?#");
	authority = strndup(text, (size_t)(path - text));
	if (!authority)
		abort();
	if (*path && !gpc_scalar_is_url_path(path))
		return refuse(parse, "'%s' is no path", path);
	parse->probe->path = copy(*path ? path : "/");
	return parse_peer(parse, authority, false);
}

static int parse_status(const struct parse *parse, const char *text)
{
	uint64_t first, last;

	if (gpc_scalar_status(text) || gpc_scalar_range(text, &first, &last))
		return refuse(parse, "'%s' is no status or range of 100 to 599", text);
	parse->probe->status_first = (uint16_t)first;
	parse->probe->status_last = (uint16_t)last;
	return 0;
}

static int parse_payload(const struct parse *parse, const char *text, uint8_t **ret,
			 size_t *ret_size)
{
	bool hex = !strncmp(text, "0x", 2);
	size_t length = strlen(text), size = hex ? (length - 2) / 2 : length;
	uint8_t *bytes;

	if (!size || size > GPC_MAX_PROBE_PAYLOAD)
		return refuse(parse, "'%s' is not of 1 to %u bytes", text, GPC_MAX_PROBE_PAYLOAD);
	bytes = malloc(size);
	if (!bytes)
		abort();
	*ret = bytes;
	*ret_size = size;
	if (!hex)
		memcpy(bytes, text, size);
	else if (gpc_scalar_hex(text + 2, bytes, size))
		return refuse(parse, "'%s' is not 0x and pairs of hexadecimal digits", text);
	return 0;
}

/* ---- KEY=VALUE ---- */

static int parse_time(const struct parse *parse, const char *text, uint32_t *ret)
{
	uint64_t ms;

	if (gpc_scalar_duration(text, &ms) || !ms || ms > GPC_MAX_PROBE_MS)
		return refuse(parse, "'%s' is no time from 1ms to 10m", text);
	*ret = (uint32_t)ms;
	return 0;
}

static int parse_attempts(const struct parse *parse, const char *text)
{
	uint64_t count;

	if (gpc_scalar_uint(text, &count) || !count || count > GPC_MAX_PROBE_ATTEMPTS)
		return refuse(parse, "'%s' is no number from 1 to %u", text, GPC_MAX_PROBE_ATTEMPTS);
	parse->probe->attempts = (uint32_t)count;
	return 0;
}

static int parse_text(const struct parse *parse, const char *text, bool good, char **ret)
{
	if (!good)
		return refuse(parse, "'%s' cannot be such a name", text);
	free(*ret);
	*ret = copy(text);
	return 0;
}

static int parse_setting(const struct parse *parse, const char *key, const char *value)
{
	struct gpc_probe *probe = parse->probe;

	if (!strcmp(key, "timeout"))
		return parse_time(parse, value, &probe->timeout);
	if (!strcmp(key, "interval"))
		return parse_time(parse, value, &probe->interval);
	if (!strcmp(key, "attempts"))
		return parse_attempts(parse, value);
	if (!strcmp(key, "name"))
		return parse_text(parse, value, gpc_scalar_is_name(value), &probe->name);
	if (!strcmp(key, "netns"))
		return parse_text(parse, value, gpc_scalar_is_netns(value), &probe->netns);
	if (!strcmp(key, "interface"))
		return parse_text(parse, value, gpc_scalar_is_device(value), &probe->interface);
	if (!strcmp(key, "host"))
		return parse_text(parse, value, gpc_scalar_is_host(value), &probe->host);
	return refuse(parse, "'%s' is none of name, timeout, attempts, interval, netns, interface "
			     "and host", key);
}

/* Those before the kind; *ret_next: the first word that is none. */
static int parse_settings(const struct parse *parse, const struct words *words, size_t *ret_next)
{
	size_t next = 0;

	for (; next < words->count; next++) {
		char *equals = strchr(words->items[next], '=');

		if (!equals)
			break;
		*equals = '\0';
		if (parse_setting(parse, words->items[next], equals + 1))
			return -1;
	}
	*ret_next = next;
	return 0;
}

/* ---- kinds ---- */

static int parse_tcp(const struct parse *parse, char **words, size_t count)
{
	(void)count;
	return parse_peer(parse, words[0], true);
}

static int parse_http(const struct parse *parse, char **words, size_t count)
{
	if (parse_url(parse, words[0]))
		return -1;
	return count > 1 ? parse_status(parse, words[1]) : 0;
}

static int parse_udp(const struct parse *parse, char **words, size_t count)
{
	struct gpc_probe *probe = parse->probe;

	if (parse_peer(parse, words[0], true) ||
	    parse_payload(parse, words[1], &probe->send, &probe->send_size))
		return -1;
	return count > 2 ? parse_payload(parse, words[2], &probe->expect, &probe->expect_size) : 0;
}

static int parse_exec(const struct parse *parse, char **words, size_t count)
{
	if (!strchr(words[0], '/'))
		return refuse(parse, "'%s' is no path of a program: write at least one `/`",
			      words[0]);
	if (parse->probe->interface)
		return refuse(parse, "a program has no interface");
	parse->probe->command = calloc(count + 1, sizeof(char *));
	if (!parse->probe->command)
		abort();
	for (size_t i = 0; i < count; i++)
		parse->probe->command[i] = copy(words[i]);
	return 0;
}

static const struct kind {
	const char *word;
	size_t least, most; /* words behind it */
	int (*parse)(const struct parse *parse, char **words, size_t count);
} kinds[GPC_PROBE_KINDS] = {
	[GPC_PROBE_TCP] = {"tcp", 1, 1, parse_tcp},
	[GPC_PROBE_HTTP] = {"http", 1, 2, parse_http},
	[GPC_PROBE_UDP] = {"udp", 2, 3, parse_udp},
	[GPC_PROBE_EXEC] = {"exec", 1, GPC_MAX_PROBE_WORDS, parse_exec},
};

static int parse_question(const struct parse *parse, struct words *words, size_t at)
{
	size_t behind = words->count - at - 1;

	if (at == words->count)
		return refuse(parse, "it asks nothing");
	for (unsigned int i = 0; i < GPC_PROBE_KINDS; i++) {
		if (strcmp(words->items[at], kinds[i].word))
			continue;
		if (behind < kinds[i].least || behind > kinds[i].most)
			return refuse(parse, "too %s words behind '%s'",
				      behind < kinds[i].least ? "few" : "many", kinds[i].word);
		parse->probe->kind = (enum gpc_probe_kind)i;
		if (parse->probe->host && i != GPC_PROBE_HTTP)
			return refuse(parse, "only http has a host");
		return kinds[i].parse(parse, words->items + at + 1, behind);
	}
	return refuse(parse, "'%s' is none of tcp, http, udp and exec", words->items[at]);
}

int gpc_probe_parse(struct gpc_probes *probes, const char *text, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *own = copy(text);
	struct words words = {.text = own};
	struct parse parse = {text, gpc_probes_add(probes), failure};
	size_t at;

	parse.probe->given = true;
	if (split(&parse, &words) || parse_settings(&parse, &words, &at) ||
	    parse_question(&parse, &words, at))
		return -1;
	if (!parse.probe->name)
		parse.probe->name = gpc_probe_text(parse.probe);
	return 0;
}
