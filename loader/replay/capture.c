/* SPDX-License-Identifier: MIT */
/*
 * capture.c: pcap and pcapng by libpcap, in any byte order and resolution; the only file that includes
 * it. Frames of other link types get an Ethernet header, so that the programs see what they know.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../sim/frame.h"
#include "../sim/host.h"
#include "record.h"

#define DEVICE_MAC 1u
#define SLL_SIZE 16u
#define SLL2_SIZE 20u
#define NS_PER_SECOND 1000000000ll

struct capture {
	struct gpc_records records;
	pcap_t *pcap;
	int link;
	bool has_own;
	uint8_t own[6];
	uint64_t number;
	uint8_t frame[GPC_FRAME_MAX];
};

/* What the link type says of a packet: bytes before its network header, EtherType (0: by IP version). */
struct link_header {
	size_t size;
	unsigned int type;
	bool directed, leaves;
};

static unsigned int read16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static bool is_link_known(int link)
{
	return link == DLT_EN10MB || link == DLT_RAW || link == DLT_IPV4 || link == DLT_IPV6 ||
	       link == DLT_LINUX_SLL || link == DLT_LINUX_SLL2;
}

/* False: it is shorter than that header. Not for Ethernet. */
static bool read_link(int link, const uint8_t *bytes, size_t size, struct link_header *ret)
{
	*ret = (struct link_header){0};
	if (link == DLT_LINUX_SLL && size >= SLL_SIZE)
		*ret = (struct link_header){SLL_SIZE, read16(bytes + 14), true,
					    read16(bytes) == PACKET_OUTGOING};
	else if (link == DLT_LINUX_SLL2 && size >= SLL2_SIZE)
		*ret = (struct link_header){SLL2_SIZE, read16(bytes), true,
					    bytes[10] == PACKET_OUTGOING};
	else if (link == DLT_LINUX_SLL || link == DLT_LINUX_SLL2 || !size)
		return false;
	if (!ret->type)
		ret->type = bytes[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
	return true;
}

static void put_ethernet(uint8_t *frame, unsigned int type, bool leaves)
{
	gpc_sim_mac(leaves ? GPC_SIM_NEIGHBOUR : DEVICE_MAC, frame);
	gpc_sim_mac(leaves ? DEVICE_MAC : GPC_SIM_NEIGHBOUR, frame + 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
}

/*
 * The frame at capture->frame, as far as it was captured, and how long it was; false: it is counted
 * among the losses.
 */
static bool frame_of(struct capture *c, const struct pcap_pkthdr *header, const uint8_t *bytes,
		     size_t *ret_captured, struct gpc_record *ret)
{
	struct link_header link = {0};
	size_t captured = header->caplen < header->len ? header->caplen : header->len;
	size_t added = 0;

	if (c->link != DLT_EN10MB) {
		if (!read_link(c->link, bytes, captured, &link)) {
			c->records.losses.headless++;
			return false;
		}
		added = ETH_HLEN;
	}
	if (header->len - link.size + added > sizeof(c->frame)) {
		c->records.losses.oversize++;
		return false;
	}
	if (added)
		put_ethernet(c->frame, link.type, link.leaves);
	memcpy(c->frame + added, bytes + link.size, captured - link.size);
	*ret_captured = captured - link.size + added;
	ret->frame = c->frame;
	ret->size = ret->bytes = header->len - link.size + added;
	ret->directed = link.directed || (c->has_own && c->link == DLT_EN10MB);
	ret->direction = link.leaves || (ret->directed && !link.directed && ret->size >= ETH_HLEN &&
					 !memcmp(c->frame + ETH_ALEN, c->own, ETH_ALEN))
				 ? GPC_EGRESS
				 : GPC_INGRESS;
	return true;
}

/* What was not captured becomes zeros: only headers decide, and these are there. */
static bool complete(struct capture *c, size_t captured, struct gpc_record *ret)
{
	struct gpc_dissected dissected;
	bool whole = gpc_dissect(c->frame, captured, &dissected);

	if (ret->size < ETH_HLEN || (captured < ret->size && !whole)) {
		c->records.losses.headless++;
		return false;
	}
	if (captured < ret->size) {
		memset(c->frame + captured, 0, ret->size - captured);
		c->records.losses.cut++;
	}
	ret->ip = whole && dissected.ip;
	ret->packet = dissected.packet;
	return true;
}

static int64_t time_of(const struct pcap_pkthdr *header)
{
	int64_t seconds = header->ts.tv_sec, ns = header->ts.tv_usec, all;

	if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &all) ||
	    __builtin_add_overflow(all, ns, &all))
		return seconds < 0 ? INT64_MIN : INT64_MAX;
	return all;
}

static int capture_next(struct gpc_records *records, struct gpc_record *ret,
			struct gpc_failure *failure)
{
	struct capture *c = (struct capture *)records;
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	size_t captured;
	int r;

	while ((r = pcap_next_ex(c->pcap, &header, &bytes)) == 1) {
		struct gpc_record record = {.packets = 1, .timed = true};

		record.number = ++c->number;
		record.time = time_of(header);
		if (!frame_of(c, header, bytes, &captured, &record) ||
		    !complete(c, captured, &record))
			continue;
		*ret = record;
		return 1;
	}
	if (r == PCAP_ERROR_BREAK)
		return 0;
	if (!c->number)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "cannot read the capture: %s",
				pcap_geterr(c->pcap));
	snprintf(records->losses.damage, sizeof(records->losses.damage), "%s", pcap_geterr(c->pcap));
	return 0;
}

static void capture_close(struct gpc_records *records)
{
	struct capture *c = (struct capture *)records;

	if (c->pcap)
		pcap_close(c->pcap);
	free(c);
}

static int open_file(struct capture *c, const char *path, struct gpc_failure *failure)
{
	char message[PCAP_ERRBUF_SIZE] = "";
	FILE *file = strcmp(path, "-") ? fopen(path, "rbe") : stdin;

	if (!file)
		return gpc_fail(failure, errno == ENOENT ? GPC_EXIT_INVALID : GPC_EXIT_FAILED, errno,
				"cannot open '%s'", path);
	c->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, message);
	if (!c->pcap) {
		if (file != stdin)
			fclose(file);
		gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' is no capture: %s", path, message);
		return gpc_fail_hint(failure, "write one with tcpdump -w FILE; lists of flows go with --flows");
	}
	c->link = pcap_datalink(c->pcap);
	if (is_link_known(c->link))
		return 0;
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' was captured on link type %d (%s)", path, c->link,
		 pcap_datalink_val_to_description_or_dlt(c->link));
	return gpc_fail_hint(failure, "known are Ethernet, raw IP and Linux cooked captures");
}

int gpc_capture_open(const char *path, const uint8_t own[6], struct gpc_records **ret,
		     struct gpc_failure *failure)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->records = (struct gpc_records){.next = capture_next, .close = capture_close};
	if (own) {
		c->has_own = true;
		memcpy(c->own, own, sizeof(c->own));
	}
	if (open_file(c, path, failure)) {
		capture_close(&c->records);
		return -1;
	}
	*ret = &c->records;
	return 0;
}
