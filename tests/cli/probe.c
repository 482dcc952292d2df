/* probe.c - the smallest command there could be, to test what all commands share (cmd/cli*.c and
 * cmd/records.c) apart from any real one.
 *
 * Reads records; one with "fail" fails with that text, any other gets "seen":true. */
#include "cmd/records.h"

#include <string.h>

enum { KEY_COLOUR = 1000 + 1, KEY_STRICT };

static const cli_option options[] = {
	{'o', "output", "FILE", "name to print"},
	{'n', "count", "N", "a number from 1 to 9 [1]"},
	{KEY_COLOUR, "colour", "NAME", "red, green or blue [red]"},
	{KEY_STRICT, "strict", NULL, "stop at the first bad record"},
	{0, NULL, NULL, NULL},
};

static int handle(void *user, json_t *record, ndl_error *err)
{
	const char *why = json_string_value(json_object_get(record, "fail"));
	(void)user;
	if (why)
		return ndl_fail(err, NDL_EINVAL, "%s", why);
	json_object_set_new(record, "seen", json_true());
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const colours[] = {"red", "green", "blue", NULL};
	cli c = {
		.name = "probe", .usage = "probe [OPTION]... [FILE]\n", .summary = "Shows what it was given.",
		.examples = "  probe --count 3\n", .options = options, .flags = CLI_TAKES_MODEL,
	};
	const char *arg;
	bool strict = false, print = false;
	int first, key;
	cli_init(&c);
	while ((key = cli_next(&c, argc, argv, &arg, &first)) != 0) {
		print = print || key != KEY_STRICT;
		if (key == 'o')
			printf("output=%s\n", arg);
		else if (key == 'n')
			printf("count=%ld\n", cli_long(&c, "--count", arg, 1, 9));
		else if (key == KEY_COLOUR)
			printf("colour=%d\n", cli_choice(&c, "--colour", arg, colours));
		else
			strict = true;
	}
	if (print || c.common.threads || (first < argc && strcmp(argv[first], "args") == 0)) {
		printf("threads=%d model=%s\n", c.common.threads, c.common.model ? c.common.model : "-");
		for (int i = first; i < argc; i++)
			printf("operand=%s\n", argv[i]);
		return cli_finish(&c, CLI_OK);
	}
	records_stats stats = {0, 0};
	return cli_finish(&c, records_run(&c, argv[first], strict, handle, NULL, &stats));
}
