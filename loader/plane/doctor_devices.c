/* SPDX-License-Identifier: MIT */
/* Probes of the devices that an image would be bound to, and of the ways to its endpoints. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../link/hop.h"
#include "../link/link.h"
#include "../link/offload.h"
#include "gpc/lookup/endpoint.h"
#include "foreign.h"
#include "gpc/lookup/vip.h"
#include "merging.h"
#include "doctor.h"

#define OUTER_V4 20u
#define OUTER_V6 40u

/* ---- native XDP ---- */

/* XDP_PASS, the least program there is. */
static int load_pass(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "gpc_probe", "Dual MIT/GPL", pass,
			     sizeof(pass) / sizeof(*pass), NULL);
}

/* Attaches it for a moment; only where nothing is attached. -errno if the driver refuses. */
static int try_native(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	GPC_AUTO_CLOSE int program = load_pass();
	GPC_AUTO_CLOSE int link = -1;

	if (program < 0)
		return -errno;
	link = bpf_link_create(program, (int)ifindex, BPF_XDP, &options);
	return link < 0 ? -errno : 0;
}

static void probe_refused(struct gpc_doctor_probes *probes, const struct gpc_binding *binding, int error)
{
	bool needed = binding->mode == GPC_MODE_NATIVE;
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, needed ? GPC_HEALTH_FAIL : GPC_HEALTH_WARN,
						"native-xdp %s", binding->device->name);
	char driver[GPC_DRIVER_TEXT];

	gpc_device_driver(binding->device->name, driver);
	gpc_doctor_found(probe, "refused by the driver (%s): %s%s", driver, strerror(error),
			needed ? "" : "; generic mode would be used");
	if (error == ERANGE)
		gpc_doctor_fix(probe, "ip link set dev %s mtu 3498  # on both ends of a veth pair",
			      binding->device->name);
	else
		gpc_doctor_fix(probe, "ethtool -i %s  # and `mode: generic` for it in the intent",
			      binding->device->name);
}

static void probe_xdp(struct gpc_doctor_probes *probes, struct gpc_binding *binding)
{
	const struct gpc_device *device = binding->device;
	uint32_t there = device->xdp_native ? device->xdp_native : device->xdp_generic;
	bool ours = binding->link && binding->link->program == there;
	struct gpc_doctor_probe *probe;
	char driver[GPC_DRIVER_TEXT];
	int r = 0;

	if (there && !ours) {
		struct gpc_foreign foreign;

		gpc_foreign_describe(device->name, there, &foreign);
		probe = gpc_doctor_add(probes, GPC_HEALTH_FAIL, "xdp %s", device->name);
		gpc_doctor_found(probe, "%s", foreign.what);
		gpc_doctor_fix(probe, "%s", foreign.fix);
		return;
	}
	if (binding->mode != GPC_MODE_GENERIC && !there)
		r = try_native(device->ifindex);
	if (r) {
		probe_refused(probes, binding, -r);
		binding->generic = binding->mode == GPC_MODE_ANY;
		return;
	}
	gpc_device_driver(device->name, driver);
	probe = gpc_doctor_add(probes, GPC_HEALTH_OK, "xdp %s", device->name);
	gpc_doctor_found(probe, "%s (driver %s)",
			ours && device->xdp_generic	    ? "gpc's, generic mode"
			: ours				    ? "gpc's, native mode"
			: binding->mode == GPC_MODE_GENERIC ? "generic mode, as written"
							    : "native mode works",
			driver);
}

/* ---- offloads, forwarding, reverse path ---- */

static void probe_merging(struct gpc_doctor_probes *probes, const struct gpc_image *image,
			  const struct gpc_binding *binding)
{
	struct gpc_merging merging = gpc_merging_find(image, binding);
	struct gpc_doctor_probe *probe;

	if (!merging.concerned)
		return;
	probe = gpc_doctor_add(probes, merging.merges ? GPC_HEALTH_WARN : GPC_HEALTH_OK,
			      "offloads %s", binding->device->name);
	gpc_doctor_found(probe, "%s", merging.found);
	gpc_doctor_fix(probe, "%s", merging.fix);
}

/* Families of the addresses that frames are sent to. */
static void sends_to(const struct gpc_image *image, bool *ret_v4, bool *ret_v6)
{
	uint32_t count, i;
	const struct gpc_endpoint *endpoint = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	int family;

	*ret_v4 = *ret_v6 = false;
	for (i = 0; i < count; i++)
		for (family = GPC_V4; family <= GPC_V6; family++) {
			struct gpc_ip target;

			if (gpc_link_target(image->view, &endpoint[i], family, &target))
				*(gpc_ip_is_v4(&target) ? ret_v4 : ret_v6) = true;
		}
}

/* The program asks the kernel's routing table for moved gateways; it answers only where it
 * forwards. */
static void probe_forwarding(struct gpc_doctor_probes *probes, const struct gpc_image *image,
			     const char *device)
{
	struct gpc_doctor_probe *probe;
	bool off4, off6;

	sends_to(image, &off4, &off6);
	off4 &= !gpc_doctor_number("/proc/sys/net/ipv4/conf/%s/forwarding", device);
	off6 &= !gpc_doctor_number("/proc/sys/net/ipv6/conf/%s/forwarding", device);
	probe = gpc_doctor_add(probes, off4 || off6 ? GPC_HEALTH_WARN : GPC_HEALTH_OK,
			      "forwarding %s", device);
	if (!off4 && !off6) {
		gpc_doctor_found(probe, "on");
		return;
	}
	gpc_doctor_found(probe, "off%s: moved next hops heal only at the next apply",
			!off6	? " for IPv4"
			: !off4 ? " for IPv6"
				: "");
	gpc_doctor_fix(probe, "sysctl -w%s%s%s%s%s%s", off4 ? " net/ipv4/conf/" : "",
		      off4 ? device : "", off4 ? "/forwarding=1" : "",
		      off6 ? " net/ipv6/conf/" : "", off6 ? device : "",
		      off6 ? "/forwarding=1" : "");
}

/* An unwrapped packet has a source that is routed elsewhere: strict checking drops it. */
static void probe_reverse_path(struct gpc_doctor_probes *probes, const char *device)
{
	long all = gpc_doctor_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	long own = gpc_doctor_number("/proc/sys/net/ipv4/conf/%s/rp_filter", device);
	bool strict = (all > own ? all : own) == 1;
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, strict ? GPC_HEALTH_WARN : GPC_HEALTH_OK,
						"rp_filter %s", device);

	gpc_doctor_found(probe,
			strict ? "strict: packets whose way back is another device are dropped"
			       : "not strict");
	if (strict)
		gpc_doctor_fix(probe, "sysctl -w net/ipv4/conf/%s/rp_filter=2", device);
}

/* ---- policies ---- */

static const struct gpc_chain *chain_of(const struct gpc_image *image,
					const struct gpc_device *device, int direction)
{
	uint16_t chain = gpc_link_chain(image, device->interface, direction);
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	return chain < count ? &chains[chain] : NULL;
}

static bool classifier_matches(const struct gpc_image *image, uint32_t index)
{
	uint32_t count;
	const struct gpc_classifier *classifiers =
		gpc_image_section(image, GPC_SEC_CLASSIFIER, &count);

	return index < count && classifiers[index].flags & GPC_CLASSIFIER_MATCH;
}

/* Does a rule of the chain look at more than addresses and ports, the tag perhaps? */
static bool has_match(const struct gpc_image *image, const struct gpc_chain *chain)
{
	uint32_t count;
	const struct gpc_policy *policies = gpc_image_section(image, GPC_SEC_POLICY, &count);
	int i;

	for (i = 0; chain && i < chain->policies; i++) {
		const struct gpc_policy *policy = &policies[chain->policy[i]];

		if (classifier_matches(image, policy->decide) ||
		    classifier_matches(image, policy->log) ||
		    classifier_matches(image, policy->mark))
			return true;
	}
	return false;
}

static bool carries_tags(const struct gpc_devices *devices, const struct gpc_device *device)
{
	size_t i;

	for (i = 0; i < devices->count; i++)
		if (devices->items[i].below == device->ifindex)
			return true;
	return false;
}

/* What XDP sends on leaves as it came: nobody fills in a checksum any more. */
static void probe_checksums(struct gpc_doctor_probes *probes, const struct gpc_image *image,
			    const struct gpc_binding *binding)
{
	const char *device = binding->device->name;
	struct gpc_doctor_probe *probe;
	uint32_t endpoints;

	gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoints);
	if (!endpoints || binding->program != GPC_PROGRAM_XDP ||
	    !gpc_device_leaves_checksums(device))
		return;
	probe = gpc_doctor_add(probes, GPC_HEALTH_WARN, "checksums %s", device);
	gpc_doctor_found(probe, "a veth with tx-checksumming: packets of its other end may have no "
			       "checksums yet, and what is sent on never gets them");
	gpc_doctor_fix(probe, "ethtool -K %s tx off  # on both ends of the veth pair", device);
}

/* Tags that the driver takes off are invisible to XDP, and frames sent back out have none. */
static void probe_vlan(struct gpc_doctor_probes *probes, const struct gpc_survey *survey,
		       const struct gpc_image *image, const struct gpc_binding *binding)
{
	const struct gpc_device *device = binding->device;
	bool concerned = carries_tags(&survey->devices, device) ||
			 has_match(image, chain_of(image, device, GPC_INGRESS));
	bool takes = concerned && gpc_device_takes_tags(device->name);
	struct gpc_doctor_probe *probe;

	if (device->below) {
		probe = gpc_doctor_add(probes, GPC_HEALTH_WARN, "vlan %s", device->name);
		gpc_doctor_found(probe, "a VLAN device: XDP runs there in generic mode only");
		gpc_doctor_fix(probe, "ip -d link show dev %s  # bind the device below it, or hooks: "
				     "[tc-ingress, tc-egress]",
			      device->name);
	} else if (concerned) {
		probe = gpc_doctor_add(probes, takes ? GPC_HEALTH_WARN : GPC_HEALTH_OK, "vlan %s",
				      device->name);
		gpc_doctor_found(probe, takes ? "rxvlan is on: XDP sees no VLAN tags, rules with "
					       "`vlan` take all frames for untagged"
					     : "XDP sees the tags");
		if (takes)
			gpc_doctor_fix(probe, "ethtool -K %s rxvlan off", device->name);
	}
}

static bool is_bound(const struct gpc_bindings *bindings, const struct gpc_device *device,
		     uint8_t hooks)
{
	size_t i;

	for (i = 0; i < bindings->count; i++)
		if (bindings->items[i].device == device && bindings->items[i].hook & hooks &&
		    bindings->items[i].link)
			return true;
	return false;
}

/* State needs both ways: what leaves unseen makes no entry, and its replies are strangers. */
static void probe_state(struct gpc_doctor_probes *probes, const struct gpc_image *image,
			const struct gpc_bindings *bindings, const struct gpc_device *device)
{
	const struct gpc_chain *in = chain_of(image, device, GPC_INGRESS);
	const struct gpc_chain *out = chain_of(image, device, GPC_EGRESS);
	bool sees_in = is_bound(bindings, device, GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS);
	bool sees_out = is_bound(bindings, device, GPC_HOOK_TC_EGRESS);
	struct gpc_doctor_probe *probe;

	if (!((in && in->flags & GPC_CHAIN_STATEFUL) || (out && out->flags & GPC_CHAIN_STATEFUL)))
		return;
	probe = gpc_doctor_add(probes, sees_in && sees_out ? GPC_HEALTH_OK : GPC_HEALTH_WARN,
			      "state %s", device->name);
	gpc_doctor_found(probe, sees_in && sees_out ? "seen both ways"
			       : sees_in	   ? "what leaves is not seen: its replies would be "
						     "denied"
			       : sees_out	   ? "what comes in is not seen"
						   : "not bound yet");
	if (!sees_in || !sees_out)
		gpc_doctor_fix(probe, "gpc apply");
}

static void probe_states(struct gpc_doctor_probes *probes, const struct gpc_survey *survey,
			 const struct gpc_image *image, const struct gpc_bindings *bindings)
{
	size_t i;

	for (i = 0; survey->present && i < survey->devices.count; i++)
		if (survey->devices.items[i].interface != GPC_NONE16)
			probe_state(probes, image, bindings, &survey->devices.items[i]);
}

/* ---- ways to the endpoints ---- */

struct ways {
	struct gpc_hop *hops;
	uint8_t *outer; /* by hop: bytes that encapsulation adds, 0: none */
	size_t count;
};

static void release_ways(struct ways *ways)
{
	free(ways->hops);
	free(ways->outer);
}

/* Bytes that listeners of an endpoint's backend put in front of packets sent to it by this family.
 */
static uint8_t outer_bytes(const struct gpc_image *image, uint32_t backend, int family)
{
	uint32_t count, i;
	const struct gpc_listener *listener = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (i = 0; i < count; i++)
		if (listener[i].backend == backend && listener[i].forward == GPC_FORWARD_IPIP)
			return family == GPC_V4 ? OUTER_V4 : OUTER_V6;
	return 0;
}

static void add_way(struct ways *ways, const struct gpc_image *image,
		    const struct gpc_endpoint *endpoint, int family)
{
	if (!gpc_link_target(image->view, endpoint, family, &ways->hops[ways->count].target))
		return;
	ways->outer[ways->count++] = outer_bytes(image, endpoint->backend, family);
}

static int find_ways(const struct gpc_image *image, struct gpc_netlink *netlink, struct ways *ret,
		     struct gpc_failure *failure)
{
	uint32_t count, i;
	const struct gpc_endpoint *endpoint = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	ret->hops = calloc(2 * (size_t)count + 1, sizeof(*ret->hops));
	ret->outer = calloc(2 * (size_t)count + 1, 1);
	if (!ret->hops || !ret->outer)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot look for next hops");
	for (i = 0; i < count; i++) {
		add_way(ret, image, &endpoint[i], GPC_V4);
		add_way(ret, image, &endpoint[i], GPC_V6);
	}
	return gpc_hops_resolve(netlink, ret->hops, ret->count, 200, failure);
}

static void probe_next_hops(struct gpc_doctor_probes *probes, const struct ways *ways)
{
	const struct gpc_hop *first = NULL;
	char address[GPC_IP_TEXT], why[160];
	struct gpc_doctor_probe *probe;
	size_t known = 0, i;

	for (i = 0; i < ways->count; i++) {
		known += ways->hops[i].state == GPC_HOP_KNOWN;
		if (!first && ways->hops[i].state != GPC_HOP_KNOWN)
			first = &ways->hops[i];
	}
	probe = gpc_doctor_add(probes, first ? GPC_HEALTH_WARN : GPC_HEALTH_OK, "next-hops");
	gpc_doctor_found(probe, "%zu of %zu endpoint addresses have one", known, ways->count);
	if (!first)
		return;
	gpc_ip_format(&first->target, address);
	gpc_doctor_found(probe, "%zu of %zu endpoint addresses have one; %s: %s", known, ways->count,
			address, gpc_hop_explain(first, why, sizeof(why)));
	gpc_doctor_fix(probe, "ip route get %s", address);
}

/* Does the largest packet that comes in fit out again with its outer header? */
static void probe_mtu(struct gpc_doctor_probes *probes, const struct gpc_device *out, uint8_t outer,
		      uint32_t mtu_in)
{
	bool narrow = out->mtu < mtu_in + outer;
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, narrow ? GPC_HEALTH_WARN : GPC_HEALTH_OK,
						"mtu %s", out->name);

	gpc_doctor_found(probe, "%u; packets of %u bytes leave with %u more", out->mtu, mtu_in,
			outer);
	if (narrow)
		gpc_doctor_fix(probe,
			      "ip link set dev %s mtu %u  # or, on the endpoints: ip route change "
			      "default ... advmss %u",
			      out->name, mtu_in + outer,
			      out->mtu - outer - (outer == OUTER_V4 ? 40u : 60u));
}

static void probe_mtus(struct gpc_doctor_probes *probes, const struct gpc_survey *survey,
		       const struct ways *ways, uint32_t mtu_in)
{
	size_t d, i;

	for (d = 0; d < survey->devices.count; d++) {
		uint8_t outer = 0;

		for (i = 0; i < ways->count; i++)
			if (ways->hops[i].ifindex == survey->devices.items[d].ifindex &&
			    ways->outer[i] > outer)
				outer = ways->outer[i];
		if (outer)
			probe_mtu(probes, &survey->devices.items[d], outer, mtu_in);
	}
}

/* ---- all ---- */

/* Probes one binding; returns the MTU of a device that balances, 0 of others. */
static uint32_t probe_binding(struct gpc_doctor_probes *probes, const struct gpc_survey *survey,
			      const struct gpc_image *image, struct gpc_binding *binding)
{
	if (binding->hook != GPC_HOOK_XDP)
		return 0;
	probe_xdp(probes, binding);
	probe_merging(probes, image, binding);
	probe_checksums(probes, image, binding);
	probe_vlan(probes, survey, image, binding);
	if (binding->program == GPC_PROGRAM_DECAP) {
		probe_reverse_path(probes, binding->device->name);
		return 0;
	}
	if (!image->plane->section[GPC_SEC_ENDPOINT].count)
		return 0;
	probe_forwarding(probes, image, binding->device->name);
	return binding->device->mtu;
}

static void probe_no_device(struct gpc_doctor_probes *probes)
{
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, GPC_HEALTH_FAIL, "devices");

	gpc_doctor_found(probe, "no device of this host matches any of the plane's interfaces");
	gpc_doctor_fix(probe, "ip -br link");
}

int gpc_doctor_devices(struct gpc_doctor_probes *probes, struct gpc_survey *survey,
		      const struct gpc_image *image, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_bindings_release) struct gpc_bindings bindings = {0};
	GPC_CLEANUP(release_ways) struct ways ways = {0};
	uint32_t mtu_in = 0;
	size_t i;

	if (!gpc_devices_match(&survey->devices, image, NULL)) {
		probe_no_device(probes);
		return 0;
	}
	if (gpc_bindings_plan(image, &survey->devices, &survey->links, &bindings, failure))
		return -1;
	for (i = 0; i < bindings.count; i++) {
		uint32_t mtu = probe_binding(probes, survey, image, &bindings.items[i]);

		mtu_in = mtu > mtu_in ? mtu : mtu_in;
	}
	probe_states(probes, survey, image, &bindings);
	if (!mtu_in)
		return 0;
	if (find_ways(image, &survey->netlink, &ways, failure))
		return -1;
	probe_next_hops(probes, &ways);
	probe_mtus(probes, survey, &ways, mtu_in);
	return 0;
}
