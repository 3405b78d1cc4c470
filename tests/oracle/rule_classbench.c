/* SPDX-License-Identifier: MIT */
/* Reads ClassBench's filter sets and header traces. */
#include "rule_sets.h"

#include <stdlib.h>
#include <string.h>

const char *rule_sets_classbench_folder(void)
{
	const char *folder = getenv("GPC_CLASSBENCH");

	return folder && *folder ? folder : "../shared/classbench";
}

/* What `xz -dc` says of the file; NULL: it is not there. */
static FILE *unpacked(const char *name, const char *kind)
{
	char path[512], command[600];
	FILE *there;

	snprintf(path, sizeof(path), "%s/%s.%s.xz", rule_sets_classbench_folder(), name, kind);
	there = fopen(path, "re");
	if (!there || strpbrk(path, "'\n")) {
		if (there)
			fclose(there);
		return NULL;
	}
	fclose(there);
	snprintf(command, sizeof(command), "xz -dc '%s'", path);
	return popen(command, "re");
}

/* @src/len  dst/len  lo : hi  lo : hi  proto/mask ... */
static bool add_rule_line(struct rule_set *set, const char *line)
{
	unsigned int s[5], d[5], source[2], destination[2], protocol, mask;
	struct rule_item item;

	if (sscanf(line, "@%u.%u.%u.%u/%u %u.%u.%u.%u/%u %u : %u %u : %u %x/%x", &s[0], &s[1], &s[2], &s[3], &s[4],
		   &d[0], &d[1], &d[2], &d[3], &d[4], &source[0], &source[1], &destination[0], &destination[1], &protocol,
		   &mask) != 16)
		return false;
	item = (struct rule_item){
		mask ? (uint8_t)protocol : 0,
		mask ? (uint8_t)protocol : 255,
		source[0],
		source[0] == 0 && source[1] == 65535 ? GPC_PORT_NONE : source[1],
		destination[0],
		destination[0] == 0 && destination[1] == 65535 ? GPC_PORT_NONE : destination[1],
	};
	rule_set_add_rule(set, rule_set_add_prefix(set, rule_prefix4(s[0] << 24 | s[1] << 16 | s[2] << 8 | s[3], s[4])),
			  rule_set_add_prefix(set, rule_prefix4(d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3], d[4])),
			  rule_set_add_service(set, &item, 1, GPC_MATCH_ANY));
	return true;
}

/* src dst sport dport proto ... */
static bool add_header_line(struct rule_set *set, const char *line)
{
	unsigned int source, destination, source_port, destination_port, protocol;
	struct gpc_question q = {.vlan = GPC_VLAN_NONE};

	if (sscanf(line, "%u %u %u %u %u", &source, &destination, &source_port, &destination_port, &protocol) != 5)
		return false;
	rule_question_between(&q, rule_v4(source), rule_v4(destination));
	q.protocol = (uint8_t)protocol;
	q.source_port = source_port;
	q.destination_port = destination_port;
	rule_question_settle(&q);
	rule_set_add_header(set, q);
	return true;
}

static bool read_lines(struct rule_set *set, const char *name, const char *kind,
		       bool (*add)(struct rule_set *set, const char *line))
{
	FILE *in = unpacked(name, kind);
	char line[256];
	size_t lines = 0;
	bool ok = in != NULL;

	while (ok && fgets(line, sizeof(line), in)) {
		ok = add(set, line);
		lines++;
	}
	return in && pclose(in) == 0 && ok && lines;
}

bool rule_sets_classbench(struct rule_set *ret, const char *name)
{
	struct rule_set set;

	rule_set_init(&set, name);
	if (!read_lines(&set, name, "rules", add_rule_line) || !read_lines(&set, name, "trace", add_header_line)) {
		rule_set_release(&set);
		return false;
	}
	*ret = set;
	return true;
}
