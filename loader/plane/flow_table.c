/* SPDX-License-Identifier: MIT */
#include "flow_table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define SEEDS ".rodata.flows"

static const char *const heads_names[2] = {"gpc_heads4", "gpc_heads6"};

uint32_t gpc_flow_table_elements(uint32_t flows)
{
	return gpc_flow_sets(flows) * GPC_FLOW_WAYS;
}

uint32_t gpc_flow_table_heads(uint32_t flows)
{
	return 2 * gpc_flow_sets(flows) + GPC_FLOW_SECRET_WORDS;
}

uint32_t gpc_flow_table_flows(uint32_t heads)
{
	return (heads - GPC_FLOW_SECRET_WORDS) / 2 * GPC_FLOW_WAYS;
}

static struct gpc_flow_seed seed_of(const uint64_t secret[GPC_FLOW_SECRET_WORDS], uint32_t sets)
{
	const __u64 words[2] = {secret[0], secret[1]};
	struct gpc_flow_seed seed = {.mask = sets - 1};

	for (uint32_t i = 0; i < GPC_FLOW_SEED_WORDS; i++)
		seed.word[i] = gpc_flow_seed_word(words, i);
	return seed;
}

/* ---- secrets ---- */

/* Index of its first word. */
static uint32_t secret_at(const struct bpf_map *heads)
{
	return bpf_map__max_entries(heads) - GPC_FLOW_SECRET_WORDS;
}

static int read_secret(const struct bpf_map *heads, uint64_t ret[GPC_FLOW_SECRET_WORDS])
{
	for (uint32_t i = 0; i < GPC_FLOW_SECRET_WORDS; i++) {
		uint32_t at = secret_at(heads) + i;

		if (bpf_map_lookup_elem(bpf_map__fd(heads), &at, &ret[i]))
			return -errno;
	}
	return 0;
}

static int write_secret(const struct bpf_map *heads, const uint64_t secret[GPC_FLOW_SECRET_WORDS])
{
	for (uint32_t i = 0; i < GPC_FLOW_SECRET_WORDS; i++) {
		uint32_t at = secret_at(heads) + i;

		if (bpf_map_update_elem(bpf_map__fd(heads), &at, &secret[i], BPF_ANY))
			return -errno;
	}
	return 0;
}

static int make_secret(uint64_t ret[GPC_FLOW_SECRET_WORDS])
{
	const size_t size = GPC_FLOW_SECRET_WORDS * sizeof(*ret);
	ssize_t got = getrandom(ret, size, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EIO;
}

int gpc_flow_tables_tell(struct bpf_object *object, struct gpc_flow_secrets *ret)
{
	struct bpf_map *seeds = bpf_object__find_map_by_name(object, SEEDS);
	struct gpc_flow_secrets secrets = {0};
	struct gpc_flow_seed told[2];

	if (!seeds)
		return -ENOENT;
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		const struct bpf_map *heads =
			bpf_object__find_map_by_name(object, heads_names[family]);
		int r;

		if (!heads)
			return -ENOENT;
		secrets.fresh[family] = bpf_map__fd(heads) < 0;
		r = secrets.fresh[family] ? make_secret(secrets.word[family])
					  : read_secret(heads, secrets.word[family]);
		if (r)
			return r;
		told[family] = seed_of(secrets.word[family], secret_at(heads) / 2);
	}
	*ret = secrets;
	return bpf_map__set_initial_value(seeds, told, sizeof(told));
}

int gpc_flow_tables_keep(struct bpf_object *object, const struct gpc_flow_secrets *secrets)
{
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		const struct bpf_map *heads =
			bpf_object__find_map_by_name(object, heads_names[family]);
		int r = secrets->fresh[family] ? write_secret(heads, secrets->word[family]) : 0;

		if (r)
			return r;
	}
	return 0;
}

/* ---- mapped ---- */

static int map_array(int fd, size_t value_size, bool writable, void **ret, size_t *ret_size,
		     uint32_t *ret_entries)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	void *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.value_size != value_size || info.key_size != sizeof(uint32_t) ||
	    !(info.map_flags & BPF_F_MMAPABLE))
		return -EINVAL;
	p = mmap(NULL, value_size * info.max_entries, PROT_READ | (writable ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	*ret_size = value_size * info.max_entries;
	*ret_entries = info.max_entries;
	return 0;
}

int gpc_flow_table_map(int heads, int flows, enum gpc_family family, bool writable,
		       struct gpc_flow_table *ret)
{
	struct gpc_flow_table table = {
		.stride = family == GPC_V4 ? sizeof(struct gpc_flow_element4)
					   : sizeof(struct gpc_flow_element6),
		.value_at = family == GPC_V4 ? offsetof(struct gpc_flow_element4, flow)
					     : offsetof(struct gpc_flow_element6, flow)};
	uint32_t head_count, element_count;
	void *p;
	int r = map_array(heads, sizeof(__u64), writable, &p, &table.heads_size,
			  &head_count);

	if (r)
		return r;
	table.tags = p;
	table.sets = (head_count - GPC_FLOW_SECRET_WORDS) / 2;
	table.ages = table.tags + table.sets;
	r = map_array(flows, table.stride, writable, &p, &table.elements_size, &element_count);
	if (!r)
		table.elements = p;
	if (!r && element_count != table.sets * GPC_FLOW_WAYS)
		r = -EINVAL;
	if (r)
		gpc_flow_table_unmap(&table);
	else
		*ret = table;
	return r;
}

void gpc_flow_table_unmap(struct gpc_flow_table *table)
{
	if (table->tags)
		munmap(table->tags, table->heads_size);
	if (table->elements)
		munmap(table->elements, table->elements_size);
	*table = (struct gpc_flow_table){0};
}

const void *gpc_flow_table_key(const struct gpc_flow_table *table, uint32_t set, uint32_t way)
{
	__u64 tags = __atomic_load_n(&table->tags[set], __ATOMIC_ACQUIRE);

	if (!(gpc_flow_byte(tags, way) & ~GPC_FLOW_CLAIMED))
		return NULL;
	return table->elements + (size_t)gpc_flow_element(gpc_flow_at(set, way), table->sets - 1) * table->stride;
}

struct gpc_flow *gpc_flow_table_value(const struct gpc_flow_table *table, uint32_t set, uint32_t way)
{
	const void *key = gpc_flow_table_key(table, set, way);

	return key ? (struct gpc_flow *)((uintptr_t)key + table->value_at) : NULL;
}

void gpc_flow_table_empty(struct gpc_flow_table *table)
{
	memset(table->tags, 0, table->sets * sizeof(*table->tags));
}

struct gpc_flow_seed gpc_flow_table_seed(const struct gpc_flow_table *table)
{
	const __u64 *secret = table->ages + table->sets;

	return seed_of((uint64_t[GPC_FLOW_SECRET_WORDS]){secret[0], secret[1]}, table->sets);
}
