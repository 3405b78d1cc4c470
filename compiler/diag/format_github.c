/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

/* A workflow command is one line: what would end it, or end a property, is percent-encoded. */
static void put_encoded(FILE *out, const char *text, const char *reserved)
{
	size_t len = strlen(text);
	unsigned int width;

	for (size_t i = 0; i < len;) {
		if (strchr(reserved, text[i]))
			fprintf(out, "%%%02X", (unsigned char)text[i++]);
		else
			i += gpc_put_code_point(out, text + i, len - i, &width);
	}
}

static void put_property(FILE *out, const char *text)
{
	put_encoded(out, text, "%\r\n:,");
}

static void put_data(FILE *out, const char *text)
{
	put_encoded(out, text, "%\r\n");
}

static void put_further_place(const struct gpc_diags *diags, struct gpc_place place,
			      const char *label, FILE *out)
{
	struct gpc_line_column position = gpc_place_position(diags, place);

	fputs("%0A", out);
	put_data(out, gpc_diags_path(diags, place.source));
	fprintf(out, ":%u:%u: ", position.line, position.column);
	put_data(out, label ? label : "see here");
}

static void put_record(const struct gpc_diags *diags, const struct gpc_diag *diag, FILE *out)
{
	static const char *const commands[] = {
		[GPC_ERROR] = "error", [GPC_WARNING] = "warning", [GPC_NOTE] = "notice"};

	fprintf(out, "::%s ", commands[diag->severity]);
	if (diag->place_count) {
		struct gpc_place place = diag->places[0].place;
		struct gpc_line_column position = gpc_place_position(diags, place);

		fputs("file=", out);
		put_property(out, gpc_diags_path(diags, place.source));
		fprintf(out, ",line=%u,col=%u,", position.line, position.column);
	}
	fprintf(out, "title=%s ", gpc_code_text(diag->code));
	put_property(out, gpc_code_title(diag->code));
	fputs("::", out);
	put_data(out, diag->message);
	for (unsigned int i = 1; i < diag->place_count; i++)
		put_further_place(diags, diag->places[i].place, diag->places[i].label, out);
	if (diag->hint) {
		fputs("%0A", out);
		put_data(out, diag->hint);
	}
	fputc('\n', out);
}

void gpc_diags_write_github(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			    size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		put_record(diags, records[i], out);
	if (gpc_diags_lost(diags))
		fprintf(out, "::notice ::%zu further errors and warnings are not shown\n",
			gpc_diags_lost(diags));
}
