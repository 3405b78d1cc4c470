/* SPDX-License-Identifier: MIT */
/*
 * scalar.h: the grammars of SEMANTICS 2.1 as pure functions of a text. No diagnostics, no YAML: the
 * binder (bind_scalar.c) says what a failure means for the key at hand. *ret is untouched on
 * failure.
 */
#ifndef GPC_INTENT_SCALAR_H
#define GPC_INTENT_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gpc_scalar_error {
	GPC_SCALAR_OK,
	GPC_SCALAR_SYNTAX,
	GPC_SCALAR_LEADING_ZERO,
	GPC_SCALAR_RANGE, /* does not fit in 64 bits, or out of the type's own range */
};

/* N: decimal, no sign, no leading zero, no underscore. */
enum gpc_scalar_error gpc_scalar_uint(const char *text, uint64_t *ret);

/* N with Ki Mi Gi KiB MiB GiB KB MB GB. */
enum gpc_scalar_error gpc_scalar_size(const char *text, uint64_t *ret);

/* N/s N/m N/h, rounded down to whole numbers per second. */
enum gpc_scalar_error gpc_scalar_rate(const char *text, uint64_t *ret_per_second);

/* N with ms s m h d, in milliseconds. */
enum gpc_scalar_error gpc_scalar_duration(const char *text, uint64_t *ret_ms);

/* N, or N with B KB MB GB KiB MiB GiB: packets or bytes. */
enum gpc_scalar_error gpc_scalar_amount(const char *text, uint64_t *ret, bool *ret_bytes);

/* Packets: N/s N/m N/h, the period in seconds; bytes: an amount of them, then /s. */
enum gpc_scalar_error gpc_scalar_limit(const char *text, uint64_t *ret, uint32_t *ret_period,
				       bool *ret_bytes);

/* `1/N`: N. */
enum gpc_scalar_error gpc_scalar_sample(const char *text, uint64_t *ret);

/* N, or `0x` and up to 8 hexadecimal digits. */
enum gpc_scalar_error gpc_scalar_mark(const char *text, uint64_t *ret);

/*
 * `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`, years 1970 to 9999: UTC seconds of the first instant at
 * which it is over. GPC_SCALAR_RANGE: the right shape, but no such day or time.
 */
enum gpc_scalar_error gpc_scalar_date(const char *text, uint64_t *ret_seconds);

/* `200` or `200-399`, 100..599, low <= high. */
enum gpc_scalar_error gpc_scalar_status(const char *text);

/* N with up to 2 decimals and `%`, in hundredths of a percent. */
enum gpc_scalar_error gpc_scalar_percent(const char *text, uint64_t *ret_hundredths);

/* N or `lo-hi` of two N, whatever order they have. */
enum gpc_scalar_error gpc_scalar_range(const char *text, uint64_t *ret_low, uint64_t *ret_high);

/* `count` bytes in hexadecimal digits of either case, and nothing else. */
enum gpc_scalar_error gpc_scalar_hex(const char *text, uint8_t *ret, size_t count);

/* 32 hexadecimal digits of either case. */
enum gpc_scalar_error gpc_scalar_hex128(const char *text, uint8_t ret[16]);

/* 64 lower-case hexadecimal digits. */
enum gpc_scalar_error gpc_scalar_sha256(const char *text, uint8_t ret[32]);

/* Nothing, `~` or `null`, quoted or not: an error wherever a value is wanted. */
bool gpc_scalar_is_null(const char *text);

bool gpc_scalar_is_name(const char *text);
bool gpc_scalar_is_reserved_name(const char *text);
/* A device by its name, or a pattern; printable ASCII, as all names of an image. */
bool gpc_scalar_is_interface(const char *text);
/* What a device may be called: no pattern, but any bytes that the kernel takes. */
bool gpc_scalar_is_device(const char *text);
/* A name, or a head of one and a final `*`; `*` alone. */
bool gpc_scalar_is_name_pattern(const char *text);
bool gpc_scalar_is_label(const char *text);
bool gpc_scalar_is_url_path(const char *text);
/* A name in /run/netns that is neither hidden nor taken for an option. */
bool gpc_scalar_is_netns(const char *text);
/* What may stand in the header `Host` of HTTP. */
bool gpc_scalar_is_host(const char *text);

#endif
