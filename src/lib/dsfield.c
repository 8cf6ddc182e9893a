/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table is filled at the first question and stays: a command asks a few
 * times and ends. The first file that can be opened is the whole database, as
 * in iproute2.
 */
#include "lib/dsfield.h"

#include <stdio.h>
#include <string.h>

#include "lib/num.h"
#include "lib/text.h"

enum { DSFIELD_NAME = 32 };

static const struct {
	u8 value;
	const char *name;
} dsfield_stock[] = {
	{0x00, "default"}, {0x28, "AF11"}, {0x30, "AF12"}, {0x38, "AF13"}, {0x48, "AF21"},
	{0x50, "AF22"},	   {0x58, "AF23"}, {0x68, "AF31"}, {0x70, "AF32"}, {0x78, "AF33"},
	{0x88, "AF41"},	   {0x90, "AF42"}, {0x98, "AF43"}, {0x20, "CS1"},  {0x40, "CS2"},
	{0x60, "CS3"},	   {0x80, "CS4"},  {0xa0, "CS5"},  {0xc0, "CS6"},  {0xe0, "CS7"},
	{0xb8, "EF"},
};

static char dsfield_names[256][DSFIELD_NAME]; /* "": none */
static bool dsfield_known;

/* "VALUE NAME", the value hexadecimal after 0x, else decimal; `#` begins a comment. */
static void dsfield_line(char *line)
{
	char *words[3];
	u32 value;

	line[strcspn(line, "#")] = '\0';
	if (text_split(line, words, 3) == 2 && num_u32(words[0], 255, &value))
		text_copy(dsfield_names[value], DSFIELD_NAME, words[1]);
}

static bool dsfield_file(const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		dsfield_line(line);
	fclose(f);
	return true;
}

static void dsfield_load(void)
{
	if (dsfield_known)
		return;
	dsfield_known = true;
	if (dsfield_file("/etc/iproute2/rt_dsfield") ||
	    dsfield_file("/usr/share/iproute2/rt_dsfield"))
		return;
	for (u32 i = 0; i < countof(dsfield_stock); i++)
		text_copy(dsfield_names[dsfield_stock[i].value], DSFIELD_NAME,
			  dsfield_stock[i].name);
}

bool dsfield_parse(const char *word, u8 *out)
{
	u32 value;

	dsfield_load();
	for (u32 i = 0; *word && i < 256; i++)
		if (!strcmp(dsfield_names[i], word)) {
			*out = (u8)i;
			return true;
		}
	if (!num_hex(word, 255, &value))
		return false;
	*out = (u8)value;
	return true;
}

const char *dsfield_name(u8 value)
{
	dsfield_load();
	return dsfield_names[value][0] ? dsfield_names[value] : NULL;
}
