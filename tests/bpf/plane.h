/* SPDX-License-Identifier: MIT */
/*
 * plane.h: builds images for tests of the data plane by hand, link part included, with nothing of
 * the compiler or the loader. Fill the arrays, then plane_build(). Tables are filled by a fixed
 * permutation instead of Maglev: what stands in them is not what is tested here.
 */
#ifndef GPC_TESTS_BPF_PLANE_H
#define GPC_TESTS_BPF_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpc/abi.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "gpc/lookup/vip.h"

struct plane_address {
	uint8_t bytes[16]; /* v4 as ::ffff:a.b.c.d */
};

/* One address of a listener; rows with equal `index` are one listener. */
struct plane_listener {
	uint32_t index;
	struct plane_address address;
	uint16_t port;
	uint8_t protocol;
	uint8_t forward;
	uint32_t backend;
	uint64_t interfaces;
	uint16_t flags; /* GPC_LISTENER_* */
};

struct plane_endpoint {
	uint64_t id; /* endpoints must stand by backend */
	uint32_t backend;
	uint8_t state;
	bool has4, has6, fib;
	struct plane_address address4, address6;
	uint32_t counter;
	uint32_t next[2];
	uint32_t source4_be;
	struct plane_address source6;
	uint16_t port; /* 0: the packet's */
};

struct plane_device {
	uint32_t ifindex;
	uint16_t interface; /* GPC_NONE16: sent through only */
	uint16_t flags;
	uint8_t mac[6];
};

struct plane {
	uint32_t log2;
	uint32_t flags; /* GPC_PLANE_* */
	uint32_t flow_inserts;
	uint32_t timeout[GPC_TIMEOUT_COUNT];
	uint8_t builtin[GPC_BUILTIN_COUNT]; /* enum gpc_builtin_action */
	uint32_t generation;
	uint64_t nonce;
	uint32_t cpus;
	uint32_t table_size;
	struct plane_address gateway[2]; /* of backend 0 and 1; all zero: none */
	struct plane_listener *listeners;
	size_t listener_count;
	struct plane_endpoint *endpoints;
	size_t endpoint_count;
	struct plane_device *devices;
	size_t device_count;
};

struct plane_address plane_address(const char *text);

/* Counter slots of listeners: GPC_COUNTER_FIRST_OBJECT + index. */
uint32_t plane_listener_counter(uint32_t index);
/* Slots of gpc_backends, which nobody counts in: the index. */
uint32_t plane_backend_slot(uint32_t index);

/* An image of 2^log2 bytes, malloc'ed; exits with a message if it does not fit. */
char *plane_build(const struct plane *plane);

struct gpc_view plane_view(const struct plane *plane, const char *image);

#endif
