// SPDX-License-Identifier: MIT
#include "context.h"

#include <errno.h>
#include <string.h>

#define TAILROOM 512u
#define L2_SIZE 14u

static uint8_t buffer[GPC_SIM_HEADROOM + GPC_SIM_FRAME_MAX + TAILROOM];
static uint64_t now;
static long redirect_action;
static struct {
	uint8_t destination[6], source[6];
	uint32_t ifindex, mtu;
} neighbour;

void gpc_sim_context_set(struct gpc_sim_context *ctx, const void *frame, size_t size, uint32_t ifindex,
			 long redirects)
{
	redirect_action = redirects;
	memset(buffer, 0, GPC_SIM_HEADROOM);
	memcpy(buffer + GPC_SIM_HEADROOM, frame, size);
	*ctx = (struct gpc_sim_context){
		.data = (uintptr_t)buffer + GPC_SIM_HEADROOM,
		.data_meta = (uintptr_t)buffer + GPC_SIM_HEADROOM,
		.data_end = (uintptr_t)buffer + GPC_SIM_HEADROOM + size,
		.ingress_ifindex = ifindex,
		.ifindex = ifindex,
		.len = (uint32_t)size,
	};
}

void gpc_sim_context_meta(struct gpc_sim_context *ctx, const void *meta, size_t size)
{
	ctx->data_meta = ctx->data - size;
	if (size)
		memcpy((void *)(uintptr_t)ctx->data_meta, meta, size);
}

void gpc_sim_clock_set(uint64_t ns)
{
	now = ns;
}

__u64 gpc_sim_now(void)
{
	return now;
}

void gpc_sim_fib_set(const uint8_t destination[6], const uint8_t source[6], uint32_t ifindex,
		     uint32_t mtu)
{
	memcpy(neighbour.destination, destination, 6);
	memcpy(neighbour.source, source, 6);
	neighbour.ifindex = ifindex;
	neighbour.mtu = mtu;
}

long gpc_sim_fib(struct bpf_fib_lookup *fib)
{
	if (!neighbour.ifindex)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	memcpy(fib->dmac, neighbour.destination, 6);
	memcpy(fib->smac, neighbour.source, 6);
	fib->ifindex = neighbour.ifindex;
	fib->mtu_result = (__u16)neighbour.mtu;
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* ---- helpers on the frame ---- */

static uint32_t size_of(const struct gpc_sim_context *ctx)
{
	return (uint32_t)(ctx->data_end - ctx->data);
}

static uint8_t *at(const struct gpc_sim_context *ctx, uint32_t offset)
{
	return (uint8_t *)(uintptr_t)ctx->data + offset;
}

long gpc_sim_adjust_head(struct gpc_sim_context *ctx, int delta)
{
	__u64 data = ctx->data + (__u64)(__s64)delta;

	if (data < (uintptr_t)buffer || data + L2_SIZE > ctx->data_end)
		return -EINVAL;
	ctx->data = data;
	ctx->data_meta = data;
	return 0;
}

static long set_end(struct gpc_sim_context *ctx, uint64_t end)
{
	uint64_t was = ctx->data_end;

	if (end < ctx->data + L2_SIZE || end > (uintptr_t)buffer + sizeof(buffer))
		return -EINVAL;
	ctx->data_end = end;
	ctx->len = size_of(ctx);
	if (end > was)
		memset((void *)(uintptr_t)was, 0, end - was);
	return 0;
}

long gpc_sim_adjust_tail(struct gpc_sim_context *ctx, int delta)
{
	return set_end(ctx, ctx->data_end + (__u64)(__s64)delta);
}

long gpc_sim_adjust_meta(struct gpc_sim_context *ctx, int delta)
{
	__u64 meta = ctx->data_meta + (__u64)(__s64)delta;

	if (meta < (uintptr_t)buffer || meta > ctx->data || ctx->data - meta > 32)
		return -EINVAL;
	ctx->data_meta = meta;
	return 0;
}

long gpc_sim_load(const struct gpc_sim_context *ctx, __u32 offset, void *to, __u32 size)
{
	if ((uint64_t)offset + size > size_of(ctx))
		return -EFAULT;
	memcpy(to, at(ctx, offset), size);
	return 0;
}

long gpc_sim_store(const struct gpc_sim_context *ctx, __u32 offset, const void *from, __u32 size)
{
	if ((uint64_t)offset + size > size_of(ctx))
		return -EFAULT;
	memcpy(at(ctx, offset), from, size);
	return 0;
}

/* A checksum after `change` was added to what it sums up. Here all are whole, so what the sum is of does not matter. */
long gpc_sim_change_check(struct gpc_sim_context *ctx, __u32 offset, __u32 change, __u64 flags)
{
	uint64_t sum = change;
	uint16_t check;

	if (gpc_sim_load(ctx, offset, &check, sizeof(check)))
		return -EFAULT;
	if (!check && flags & BPF_F_MARK_MANGLED_0)
		return 0;
	sum += (uint16_t)~check;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t)~sum;
	if (!check && flags & BPF_F_MARK_MANGLED_0)
		check = 0xffff;
	return gpc_sim_store(ctx, offset, &check, sizeof(check));
}

/* The outermost tag, which stands in the frame. */
long gpc_sim_vlan_pop(struct gpc_sim_context *ctx)
{
	if (size_of(ctx) < L2_SIZE + 4)
		return -EINVAL;
	memmove(at(ctx, 4), at(ctx, 0), L2_SIZE - 2);
	ctx->data += 4;
	ctx->data_meta = ctx->data;
	ctx->len = size_of(ctx);
	return 0;
}

long gpc_sim_change_tail(struct gpc_sim_context *ctx, __u32 size)
{
	return set_end(ctx, ctx->data + size);
}

/* Takes bytes away behind the Ethernet header, which is all that programs of gpc ask for. */
long gpc_sim_adjust_room(struct gpc_sim_context *ctx, int delta)
{
	uint32_t less = (uint32_t)-delta;

	if (delta >= 0 || size_of(ctx) < L2_SIZE + less)
		return -EINVAL;
	memmove(at(ctx, less), at(ctx, 0), L2_SIZE);
	ctx->data += less;
	ctx->data_meta = ctx->data;
	ctx->len = size_of(ctx);
	return 0;
}

long gpc_sim_redirect(__u32 ifindex, __u64 flags)
{
	(void)ifindex;
	(void)flags;
	return redirect_action;
}

/* What bpf_csum_diff() gives of bytes that are only added. */
__u32 gpc_sim_checksum(const void *bytes, __u32 size, __u32 sum)
{
	uint64_t total = sum;

	for (__u32 i = 0; i + 4 <= size; i += 4) {
		uint32_t word;

		memcpy(&word, (const char *)bytes + i, sizeof(word));
		total += word;
	}
	while (total >> 32)
		total = (total & 0xffffffff) + (total >> 32);
	return (__u32)total;
}
