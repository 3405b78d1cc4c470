/* SPDX-License-Identifier: MIT */
#include "survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "kernel.h"

static int open_instances(const char *bpffs, struct gpc_survey *survey, struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_instance_id *ids = NULL;
	size_t count, i;

	if (gpc_instance_list(bpffs, &ids, &count, failure))
		return -1;
	survey->instances = calloc(count + 1, sizeof(*survey->instances));
	if (!survey->instances)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the plane");
	for (i = 0; i < count; i++) {
		char name[GPC_INSTANCE_NAME];

		gpc_instance_name(&ids[i], true, name);
		if (gpc_instance_open(bpffs, name, &survey->instances[i], failure))
			return -1;
		survey->count++;
	}
	survey->present = survey->count > 0;
	return 0;
}

static bool is_running(const struct gpc_survey *survey, const struct gpc_instance *instance)
{
	size_t i;

	for (i = 0; i < survey->links.count; i++)
		if (gpc_instance_program(instance, survey->links.items[i].program) !=
		    GPC_PROGRAM_COUNT)
			return true;
	return false;
}

static void put_current_first(struct gpc_survey *survey)
{
	size_t i;

	for (i = 0; i < survey->count; i++)
		if (is_running(survey, &survey->instances[i])) {
			struct gpc_instance current = survey->instances[i];

			survey->instances[i] = survey->instances[0];
			survey->instances[0] = current;
			return;
		}
}

static int is_used(const char *bpffs, bool *ret, struct gpc_failure *failure)
{
	char **names;
	size_t count;

	if (gpc_pin_list(bpffs, &names, &count, failure))
		return -1;
	gpc_pin_list_release(names, count);
	*ret = count > 0;
	return 0;
}

int gpc_survey_open(const char *bpffs, struct gpc_survey *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};

	gpc_kernel_listen();
	if (gpc_pin_check(bpffs, &survey.folder, failure) ||
	    gpc_netlink_open(&survey.netlink, failure) ||
	    gpc_devices_read(&survey.netlink, &survey.devices, failure))
		return -1;
	if (survey.folder) {
		if (is_used(bpffs, &survey.used, failure) ||
		    open_instances(bpffs, &survey, failure) ||
		    gpc_links_read(bpffs, &survey.devices, survey.instances, survey.count,
				   &survey.links, failure))
			return -1;
		put_current_first(&survey);
	}
	*ret = survey;
	survey = (struct gpc_survey){0};
	return 0;
}

void gpc_survey_close(struct gpc_survey *survey)
{
	size_t i;

	gpc_links_release(&survey->links);
	gpc_devices_release(&survey->devices);
	gpc_netlink_close(&survey->netlink);
	for (i = 0; i < survey->count; i++)
		gpc_instance_close(&survey->instances[i]);
	free(survey->instances);
	*survey = (struct gpc_survey){0};
}

int gpc_survey_bind(struct gpc_survey *survey, const char *bpffs, const struct gpc_instance *target,
		    const struct gpc_image *image, const struct gpc_notice_sink *notices,
		    struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_bindings_release) struct gpc_bindings bindings = {0};

	(void)gpc_devices_match(&survey->devices, image, NULL);
	if (gpc_bindings_plan(image, &survey->devices, &survey->links, &bindings, failure) ||
	    gpc_bindings_attach(bpffs, &bindings, target, survey->instances, survey->count,
				notices, failure))
		return -1;
	return gpc_links_prune(&survey->links, notices, failure);
}

uint32_t gpc_survey_last_number(const struct gpc_survey *survey)
{
	uint32_t last = 0;
	size_t i;

	for (i = 0; i < survey->count; i++)
		if (survey->instances[i].id.number > last)
			last = survey->instances[i].id.number;
	return last;
}
