/* SPDX-License-Identifier: MIT */
/*
 * record.h: recorded traffic, one record after the other, from a capture (capture.c: pcap, pcapng) or a
 * list of flows (flows.c: lines or JSON). What a file says is trusted in nothing; memory is bounded.
 */
#ifndef GPC_LOADER_REPLAY_RECORD_H
#define GPC_LOADER_REPLAY_RECORD_H

#include "../fail.h"
#include "dissect.h"
#include "gpc/abi.h"

#define GPC_RECORD_DEVICE 16	/* IFNAMSIZ */

/* What is sent through the images. */
struct gpc_record {
	const uint8_t *frame;	/* Ethernet, as long as it was on the wire; the source's, until its next record */
	size_t size;
	bool ip;
	struct gpc_question packet;	/* if ip */
	bool directed;		/* the record says which way it went */
	enum gpc_direction direction;
	char device[GPC_RECORD_DEVICE];	/* "": it does not say */
	uint64_t packets, bytes;	/* for how many it stands; a capture's: of Ethernet frames */
	uint64_t number;	/* packet of the capture, line of the list; from 1 */
	bool timed;
	int64_t time;		/* ns since 1970, if timed */
};

/* What a source gave no record for, or only a patched one. */
struct gpc_record_losses {
	uint64_t cut;		/* captured shorter than they were; filled up with zeros */
	uint64_t headless;	/* left out: captured so short that headers are missing */
	uint64_t oversize;	/* left out: longer than any frame */
	char damage[256];	/* why the capture ends before its end; "" */
};

struct gpc_records {
	/* 1: *ret is the next; 0: the end; -1. */
	int (*next)(struct gpc_records *records, struct gpc_record *ret, struct gpc_failure *failure);
	void (*close)(struct gpc_records *records);
	struct gpc_record_losses losses;
	bool alone;	/* each record is a flow of its own: it opens it, in a plane that knows nothing yet */
};

/*
 * `path` - is standard input. `own`: the device's MAC address, or NULL: Ethernet frames from it left. Of
 * cooked captures (Linux SLL) each packet says that itself.
 */
int gpc_capture_open(const char *path, const uint8_t own[6], struct gpc_records **ret,
		     struct gpc_failure *failure);

/*
 * A record a line, `#` begins a comment:
 *
 *   PACKET [packets N] [bytes N] [in IF | out IF]      PACKET as gpc explain has it
 *   {"protocol":"tcp","source":"10.0.1.5","source_port":40000,"destination":"10.0.9.3",...}
 *
 * A line of JSON is as gpc events --json writes it (destination_port, icmp_type, icmp_code, tcp_flags,
 * fragment, vlan, dscp, device, hook, packets, length); also taken are `bytes` and `protocol_number`.
 * Objects of another type (`notice`, `result`) are passed over.
 */
int gpc_flows_open(const char *path, struct gpc_records **ret, struct gpc_failure *failure);

void gpc_records_close(struct gpc_records **records);

#endif
