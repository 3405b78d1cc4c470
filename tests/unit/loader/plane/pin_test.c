/* SPDX-License-Identifier: MIT */
#include "../../../../loader/plane/pin.h"

#include <string.h>

#include "../../../../loader/plane/instance.h"
#include "../../unit.h"

static void device_names_survive_escaping(void)
{
	static const char *const names[] = {"eth0", "eth0.100", "br-lan",
					    "a:b",  "veth%x",	"\xc3\xbc"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char escaped[64], back[16];

		gpc_pin_escape(names[i], escaped, sizeof(escaped));
		CU_ASSERT_PTR_NULL(strpbrk(escaped, "./: "));
		CU_ASSERT_TRUE(gpc_pin_unescape(escaped, back, sizeof(back)));
		CU_ASSERT_STRING_EQUAL(back, names[i]);
	}
}

static void wrong_escapes_are_refused(void)
{
	char out[16];

	CU_ASSERT_FALSE(gpc_pin_unescape("%", out, sizeof(out)));
	CU_ASSERT_FALSE(gpc_pin_unescape("%2", out, sizeof(out)));
	CU_ASSERT_FALSE(gpc_pin_unescape("%zz", out, sizeof(out)));
	CU_ASSERT_FALSE(gpc_pin_unescape("a-name-that-is-too-long", out, sizeof(out)));
}

static void instance_names_are_parsed_strictly(void)
{
	static const char *const wrong[] = {
		"inst-1-22-0123456789abcde",
		"inst-01-22-0123456789abcdef",
		"inst-1-22-0123456789abcdef0",
		"tmp-1-22-0123456789abcdef",
		"inst-1-22",
		"inst",
		"links",
		"netns-1",
	};
	const struct gpc_instance_id id = {.number = 17, .log2 = 23, .build = "0123456789abcdef"};
	struct gpc_instance_id back;
	char name[GPC_INSTANCE_NAME];
	size_t i;

	gpc_instance_name(&id, true, name);
	CU_ASSERT_STRING_EQUAL(name, "inst-17-23-0123456789abcdef");
	CU_ASSERT_TRUE(gpc_instance_parse(name, &back));
	CU_ASSERT_EQUAL(back.number, 17);
	CU_ASSERT_EQUAL(back.log2, 23);
	CU_ASSERT_STRING_EQUAL(back.build, id.build);
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_FALSE(gpc_instance_parse(wrong[i], &back));
}

static void a_folder_off_bpffs_is_refused_with_a_command(void)
{
	struct gpc_failure failure;
	bool present;

	CU_ASSERT_EQUAL(gpc_pin_check("/tmp", &present, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.hint, "mount -t bpf"));
	CU_ASSERT_EQUAL(gpc_pin_check("relative", &present, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_USAGE);
}

static void a_folder_that_is_not_there_is_no_failure(void)
{
	struct gpc_failure failure;
	char **names = NULL;
	size_t count = 1;
	bool present = true;

	CU_ASSERT_EQUAL(gpc_pin_check("/sys/fs/bpf/gpc-plane-never/there", &present, &failure), 0);
	CU_ASSERT_FALSE(present);
	CU_ASSERT_EQUAL(gpc_pin_list("/sys/fs/bpf/gpc-plane-never", &names, &count, &failure), 0);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_EQUAL(gpc_pin_remove("/sys/fs/bpf/gpc-plane-never", &failure), 0);
	gpc_pin_list_release(names, count);
}

GPC_UNIT_MAIN("plane/pin", {"device_names_survive_escaping", device_names_survive_escaping},
	      {"wrong_escapes_are_refused", wrong_escapes_are_refused},
	      {"instance_names_are_parsed_strictly", instance_names_are_parsed_strictly},
	      {"a_folder_off_bpffs_is_refused_with_a_command",
	       a_folder_off_bpffs_is_refused_with_a_command},
	      {"a_folder_that_is_not_there_is_no_failure",
	       a_folder_that_is_not_there_is_no_failure})
