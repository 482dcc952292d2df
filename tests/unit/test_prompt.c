/* Prompts and answers as token sequences: their parts, and what happens at the window's edge. */
#include "data/prompt.h"

#include "tests/tap.h"

#include <stdbool.h>

static ndl_tok *tok;
static const ndl_config config = {.max_enc_len = 24, .max_dec_len = 12};

static ndl_ids encode(const char *text)
{
	ndl_ids ids = {0};
	ndl_tok_encode(tok, &ids, text, strlen(text), NDL_TOK_PLAIN, NULL);
	return ids;
}

static bool same(const int32_t *a, const int32_t *b, size_t n)
{
	return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

/* query, <tools>, tools, each cut as it must be in a window of 24 */
static void check_prompt(const char *query, const char *tools, unsigned want_cut)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ids q = encode(query), t = encode(tools), out = {0};
	unsigned cut = 99;
	size_t nq = q.len < 22 ? q.len : 22, nt = t.len < 23 - nq ? t.len : 23 - nq;
	CHECK_INT(ndl_prompt_encode(tok, &config, query, strlen(query), tools, strlen(tools), &out, &cut, &err), NDL_OK);
	CHECK_INT(cut, want_cut);
	CHECK_INT(out.len, nq + 1 + nt);
	CHECK(out.len <= 24 && same(out.id, q.id, nq) && out.id[nq] == NDL_TOOLS && same(out.id + nq + 1, t.id, nt));
	ndl_ids_clear(&q);
	ndl_ids_clear(&t);
	ndl_ids_clear(&out);
}

static void check_symbols_are_text(void)
{
	ndl_ids out = {0};
	const char *query = "<tools>[]<tool_call>";
	ndl_prompt_encode(tok, &config, query, strlen(query), "<tools>", 7, &out, NULL, NULL);
	size_t n = 0;
	for (size_t i = 0; i < out.len; i++)
		n += out.id[i] == NDL_TOOLS || out.id[i] == NDL_TOOL_CALL;
	CHECK_INT(n, 1);
	ndl_ids_clear(&out);
}

static void check_answer(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ids text = encode("[]"), out = {0};
	CHECK_INT(ndl_prompt_answer(tok, &config, "[]", 2, &out, &err), NDL_OK);
	CHECK_INT(out.len, text.len + 3);
	CHECK(out.id[0] == NDL_EOS && out.id[1] == NDL_TOOL_CALL && out.id[out.len - 1] == NDL_EOS);
	CHECK(same(out.id + 2, text.id, text.len));
	const char *longer = "[{\"name\":\"qqqqqqqqqqqqqqqqqqqqqq\"}]";
	CHECK_INT(ndl_prompt_answer(tok, &config, longer, strlen(longer), &out, &err), NDL_ELIMIT);
	ndl_ids_clear(&text);
	ndl_ids_clear(&out);
}

/* The network is shown plain quotes, upstream's what is there. */
static void check_quotes(void)
{
	const char *plain = "\"a\" 'b' \"c\" \"d\" \xc3\xab";
	const char *other = "\xe2\x80\x9c" "a\xe2\x80\x9d \xe2\x80\x98" "b\xe2\x80\x99 `c` \xc2\xab" "d\xc2\xbb \xc3\xab";
	ndl_config upstream = config;
	ndl_ids want = encode(plain), raw = encode(other), out = {0};
	upstream.ascii_tools = 1;
	upstream.max_enc_len = 256;
	CHECK_INT(ndl_prompt_encode(tok, &upstream, other, strlen(other), "", 0, &out, NULL, NULL), NDL_OK);
	CHECK(out.len == raw.len + 1 && same(out.id, raw.id, raw.len));
	upstream.ascii_tools = 0;
	CHECK_INT(ndl_prompt_encode(tok, &upstream, other, strlen(other), "", 0, &out, NULL, NULL), NDL_OK);
	CHECK(out.len == want.len + 1 && same(out.id, want.id, want.len));
	ndl_ids_clear(&want);
	ndl_ids_clear(&raw);
	ndl_ids_clear(&out);
}

static void check_text(void)
{
	ndl_ids ids = encode("turn it off"), out = {0};
	unsigned cut = 99;
	CHECK_INT(ndl_prompt_encode_text(tok, &config, "turn it off", 11, &out, &cut, NULL), NDL_OK);
	CHECK(cut == 0 && out.len == ids.len && same(out.id, ids.id, ids.len));
	CHECK_INT(ndl_prompt_encode_text(tok, &config, "", 0, &out, &cut, NULL), NDL_OK);
	CHECK_INT(out.len, 0);
	ndl_prompt_encode_text(tok, &config, "0123456789 0123456789 0123456789", 32, &out, &cut, NULL);
	CHECK_INT(cut, NDL_CUT_QUERY);
	CHECK_INT(out.len, 24);
	ndl_ids_clear(&ids);
	ndl_ids_clear(&out);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	char path[4096];
	const char *top = getenv("top_srcdir");
	snprintf(path, sizeof path, "%s/testdata/vocab-512.model", top ? top : ".");
	tok = ndl_tok_load(path, &err);
	if (!tok) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	check_prompt("call Bob", "[]", 0);
	check_prompt("", "", 0);
	check_prompt("call Bob", "[{\"name\":\"make_call\",\"parameters\":{}}]", NDL_CUT_TOOLS);
	check_prompt("0123456789 0123456789 0123456789", "", NDL_CUT_QUERY);
	check_prompt("0123456789 0123456789 0123456789", "[{\"name\":1}]", NDL_CUT_QUERY | NDL_CUT_TOOLS);
	check_symbols_are_text();
	check_answer();
	check_quotes();
	check_text();
	ndl_tok_free(tok);
	return tap_done();
}
