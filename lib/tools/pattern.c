/* pattern.c - what "pattern" and "format" say, judged by PCRE2. The grammar has a matcher of its
 * own, which must know all ways on from a prefix; this one sees whole texts only. */
#include "tools/tools_internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

enum { MATCH_LIMIT = 200000, HEAP_KIB = 4096 };

static pcre2_code *compile(const char *pattern, int *error, size_t *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (context)
		pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX); /* \u{…} */
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C, error, offset, context);
	pcre2_compile_context_free(context);
	return code;
}

bool ndl_tools_check_pattern(const char *pattern, char *why, size_t size)
{
	int error;
	size_t offset;
	char text[120];
	pcre2_code *code = compile(pattern, &error, &offset);
	if (!code) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
		snprintf(why, size, "%s at byte %zu", text, offset + 1);
		return false;
	}
	pcre2_code_free(code);
	return true;
}

int ndl_tools_matches(const char *pattern, const char *text, size_t len)
{
	int error, result = -1;
	size_t offset;
	pcre2_code *code = compile(pattern, &error, &offset);
	pcre2_match_data *data = code ? pcre2_match_data_create(1, NULL) : NULL;
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	if (data && context) {
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_KIB);
		int n = pcre2_match(code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, data, context);
		result = n >= 0 ? 1 : n == PCRE2_ERROR_NOMATCH ? 0 : -1;
	}
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return result;
}

/* ---- formats ---- */

#define DATE "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))" \
	"|((\\d\\d([2468][048]|0[48]|[13579][26]))|([02468][048]|[13579][26])00)-02-29)"
#define TIME "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define ATEXT "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define OCTET "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define PCHAR "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
#define HOST "([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"

const char *ndl_tools_format_pattern(const char *format)
{
	static const struct { const char *name, *pattern; } formats[] = {
		{"date", "^(?!0000)" DATE "$"}, {"time", "^" TIME "$"}, {"date-time", "^(?!0000)" DATE "[Tt]" TIME "$"},
		{"email", "^" ATEXT "(\\." ATEXT ")*@" LABEL "(\\." LABEL ")*$"},
		{"ipv4", "^" OCTET "(\\." OCTET "){3}$"},
		{"uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
		/* RFC 3986 with a scheme; of hosts in brackets only IPv6 in plain digits */
		{"uri", "^[A-Za-z][A-Za-z0-9+.-]*:(//(([A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
			"(" HOST "*|\\[([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\\])(:\\d*)?(/" PCHAR "*)*"
			"|/(" PCHAR "+(/" PCHAR "*)*)?|" PCHAR "+(/" PCHAR "*)*)(\\?(" PCHAR "|[/?])*)?(#(" PCHAR "|[/?])*)?$"},
	};
	for (size_t i = 0; format && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, format) == 0)
			return formats[i].pattern;
	return NULL;
}
