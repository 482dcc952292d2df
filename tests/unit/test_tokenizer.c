/* The tokenizer's corners that the comparison with spm_encode does not reach: damaged and odd
 * vocabularies, plain encoding, long lines, the bytes of pieces, what a failure leaves behind. */
#include "tokenizer/proto.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train.h"

#include "base/reader.h"
#include "base/rng.h"
#include "tests/tap.h"

static ndl_error err;

static ndl_tok *open_vocab(void)
{
	ndl_tok *t = ndl_tok_load(NDL_SRCDIR "/testdata/vocab-512.model", &err);
	if (!t) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return t;
}

/* Ids as text, "1 2 3". */
static const char *ids_of(const ndl_tok *t, const char *text, size_t len, int flags)
{
	static char line[4096];
	ndl_ids ids = {NULL, 0, 0};
	size_t n = 0;
	line[0] = '\0';
	if (ndl_tok_encode(t, &ids, text, len, flags, &err) != NDL_OK)
		return err.text;
	for (size_t i = 0; i < ids.len && n + 16 < sizeof line; i++)
		n += (size_t)snprintf(line + n, sizeof line - n, "%s%d", i ? " " : "", (int)ids.id[i]);
	ndl_ids_clear(&ids);
	return line;
}

static void check_accessors(const ndl_tok *t)
{
	size_t len;
	CHECK_INT(ndl_tok_size(t), 512);
	CHECK_STR(ndl_tok_piece(t, NDL_TOOLS, &len), "<tools>");
	CHECK_INT(len, 7);
	CHECK_STR(ndl_tok_bytes(t, NDL_TOOLS, NULL), "<tools>");
	CHECK_STR(ndl_tok_bytes(t, NDL_EOS, &len), "");
	CHECK_INT(len, 0);
	CHECK_STR(ndl_tok_bytes(t, 6 + 0x41, NULL), "A");
	CHECK(ndl_tok_bytes(t, 6, &len)[0] == '\0' && len == 1);
	int32_t play = ndl_tok_id(t, "\xE2\x96\x81play", 7);
	CHECK(play > 261);
	CHECK_STR(ndl_tok_bytes(t, play, NULL), " play");
	CHECK_INT(ndl_tok_id(t, "no such piece", 13), -1);
	CHECK_INT(ndl_tok_id(t, "</s>", 4), NDL_EOS);
	CHECK_STR(ndl_tok_piece(t, 512, &len), "");
	CHECK_STR(ndl_tok_piece(t, -1, NULL), "");
	CHECK_STR(ndl_tok_bytes(t, INT32_MAX, NULL), "");
}

static void check_encode(const ndl_tok *t)
{
	CHECK_STR(ids_of(t, "", 0, 0), "");
	CHECK_STR(ids_of(t, "   ", 3, 0), "");
	char with_nul[] = "a\0b", want[64];
	snprintf(want, sizeof want, "%d 6 %d", (int)ndl_tok_id(t, "\xE2\x96\x81" "a", 4), (int)ndl_tok_id(t, "b", 1));
	CHECK_STR(ids_of(t, with_nul, 3, 0), want);
	CHECK(strstr(ids_of(t, "<tools>", 7, 0), " 5"));
	ndl_ids ids = {NULL, 0, 0};
	int symbols = 0;
	CHECK_INT(ndl_tok_encode(t, &ids, "<tools><tool_call>", 18, NDL_TOK_PLAIN, &err), 0);
	for (size_t i = 0; i < ids.len; i++)
		symbols += ids.id[i] == NDL_TOOLS || ids.id[i] == NDL_TOOL_CALL;
	CHECK(ids.len > 6 && symbols == 0);
	ids.len = 0; /* ids are appended to what is there */
	CHECK_INT(ndl_ids_push(&ids, 77, &err), 0);
	CHECK_INT(ndl_tok_encode(t, &ids, "play", 4, 0, &err), 0);
	CHECK(ids.len == 2 && ids.id[0] == 77);
	ndl_ids_clear(&ids);
}

/* One long run goes through the heap: the same as its parts, where the parts are independent. */
static void check_long(const ndl_tok *t)
{
	enum { N = 200000 };
	char *text = malloc(N);
	ndl_ids ids = {NULL, 0, 0};
	ndl_buf out = NDL_BUF_INIT;
	memset(text, 'o', N);
	CHECK_INT(ndl_tok_encode(t, &ids, text, N, 0, &err), 0);
	CHECK_INT(ndl_tok_decode(t, &out, ids.id, ids.len, &err), 0);
	CHECK(out.len == N && memcmp(out.data, text, N) == 0);
	memset(text, 0xFF, N);
	ids.len = 0;
	CHECK_INT(ndl_tok_encode(t, &ids, text, N, 0, &err), 0);
	CHECK_INT(ids.len, 3 * (size_t)N + 1);
	free(text);
	ndl_ids_clear(&ids);
	ndl_buf_clear(&out);
}

/* Who wants the first ids of a text gets these, and the rest of the text is not gone through. */
static void check_some(const ndl_tok *t)
{
	enum { WORDS = 1000, MOST = 40 };
	ndl_ids all = {NULL, 0, 0}, some = {NULL, 0, 0};
	ndl_buf text = NDL_BUF_INIT;
	for (int i = 0; i < WORDS; i++)
		ndl_buf_printf(&text, "play %d Z\xC3\xBCrich", i);
	CHECK_INT(ndl_tok_encode(t, &all, text.data, text.len, 0, &err), 0);
	for (size_t most = 0; most < MOST; most++) {
		some.len = 0;
		CHECK_INT(ndl_ids_push(&some, 77, &err), 0);
		CHECK_INT(ndl_tok_encode_some(t, &some, text.data, text.len, 0, most, &err), 0);
		CHECK(some.len > 1 + most && some.len < 1 + most + MOST && memcmp(some.id + 1, all.id, most * sizeof *all.id) == 0);
	}
	some.len = 0;
	CHECK_INT(ndl_tok_encode_some(t, &some, text.data, text.len, 0, all.len, &err), 0);
	CHECK(some.len == all.len && memcmp(some.id, all.id, all.len * sizeof *all.id) == 0);
	ndl_ids_clear(&all);
	ndl_ids_clear(&some);
	ndl_buf_clear(&text);
}

static void check_decode_errors(const ndl_tok *t)
{
	ndl_buf out = NDL_BUF_INIT;
	int32_t bad[] = {NDL_TOOLS, 512};
	ndl_buf_str(&out, "kept");
	CHECK_INT(ndl_tok_decode(t, &out, bad, 2, &err), NDL_EINVAL);
	CHECK_STR(err.text, "id 512 is not one of the 512 pieces");
	CHECK_INT(out.len, 4);
	bad[1] = -1;
	CHECK_INT(ndl_tok_decode(t, &out, bad, 2, &err), NDL_EINVAL);
	CHECK_INT(ndl_tok_decode(t, &out, bad, 1, &err), 0);
	CHECK_STR(ndl_buf_cstr(&out), "kept<tools>");
	ndl_buf_clear(&out);
}

/* Loads a copy on the heap of exactly this length, so that a sanitizer sees any overrun. */
static int try_model(const char *data, size_t len)
{
	ndl_error e = NDL_ERROR_INIT;
	char *copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	ndl_tok *t = ndl_tok_new(copy, len, &e);
	free(copy);
	if (!t)
		return e.code < 0 && e.text[0] ? 0 : -1;
	ndl_ids ids = {NULL, 0, 0};
	ndl_buf out = NDL_BUF_INIT;
	static const char text[] = "play <tools> {\"Z\xC3\xBC\":[1,\xFF]}";
	int ok = ndl_tok_encode(t, &ids, text, sizeof text, 0, &e) == NDL_OK &&
	         ndl_tok_decode(t, &out, ids.id, ids.len, &e) == NDL_OK;
	ndl_ids_clear(&ids);
	ndl_buf_clear(&out);
	ndl_tok_free(t);
	return ok ? 1 : -1;
}

static void check_damage(void)
{
	size_t len, loaded = 0;
	int silent = 0;
	char *data = ndl_read_all(NDL_SRCDIR "/testdata/vocab-512.model", &len, 1 << 20, &err);
	for (size_t n = 0; n < len; n++) {
		int rc = try_model(data, n);
		silent += rc < 0;
		loaded += rc > 0;
	}
	tap_ok(loaded == 0 && !silent, "all %zu truncations are refused with a message", len);
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	for (int i = 0; i < 3000; i++) {
		size_t at = ndl_rng_below(&r, len), at2 = ndl_rng_below(&r, len);
		char old = data[at], old2 = data[at2];
		data[at] = (char)(data[at] ^ 1 << ndl_rng_below(&r, 8));
		if (i & 1)
			data[at2] = (char)ndl_rng_u64(&r);
		silent += try_model(data, len) < 0;
		data[at2] = old2;
		data[at] = old;
	}
	tap_ok(!silent, "3000 damaged vocabularies load and work, or are refused with a message");
	free(data);
}

/* Small vocabularies made by hand ------------------------------------------------------ */

static void piece(ndl_buf *b, const char *text, float score, int type)
{
	ndl_buf p = NDL_BUF_INIT;
	pb_put_bytes(&p, 1, text, strlen(text));
	pb_put_float(&p, 2, score);
	pb_put_varint(&p, 3, (uint64_t)type);
	pb_put_bytes(b, 1, p.data, p.len);
	ndl_buf_clear(&p);
}

static void settings(ndl_buf *b, uint64_t model_type, const char *charsmap)
{
	ndl_buf p = NDL_BUF_INIT;
	pb_put_varint(&p, 3, model_type);
	pb_put_bytes(b, 2, p.data, p.len);
	ndl_buf_reset(&p);
	pb_put_bytes(&p, 1, "nmt_nfkc", 8);
	pb_put_bytes(&p, 2, charsmap, strlen(charsmap));
	pb_put_varint(&p, 3, 0);
	pb_put_bytes(b, 3, p.data, p.len);
	ndl_buf_clear(&p);
}

static void refused(const ndl_buf *b, ndl_status code, const char *text)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_tok *t = ndl_tok_new(b->data, b->len, &e);
	CHECK(!t);
	CHECK_INT(e.code, code);
	CHECK_STR(e.text, text);
	ndl_tok_free(t);
}

static void check_refusals(void)
{
	static const struct { const char *text[3]; int type[3]; uint64_t model; const char *map; ndl_status code; const char *want; } bad[] = {
		{{"a", "<unk>", "b"}, {1, 2, 1}, 1, "", NDL_EUNSUPPORTED, "this is a unigram model; only BPE is supported"},
		{{"a", "<unk>", "b"}, {1, 2, 1}, 2, "x", NDL_EUNSUPPORTED, "normaliser 'nmt_nfkc' is not supported, only 'identity'"},
		{{"a", "<unk>", "a"}, {1, 2, 4}, 2, "", NDL_EFORMAT, "pieces 0 and 2 are both 'a'"},
		{{"a", "<unk>", ""}, {1, 2, 1}, 2, "", NDL_EFORMAT, "piece 2 is empty"},
		{{"a", "<unk>", "\xFF"}, {1, 2, 1}, 2, "", NDL_EFORMAT, "piece 2 is not valid UTF-8"},
		{{"a", "<unk>", "<u>"}, {1, 2, 2}, 2, "", NDL_EFORMAT, "two unknown pieces, 1 and 2"},
		{{"a", "b", "c"}, {1, 1, 1}, 2, "", NDL_EFORMAT, "no unknown piece"},
		{{"a", "<unk>", "<0x41>"}, {1, 2, 6}, 2, "", NDL_EFORMAT, "byte piece <0x41> without byte fallback"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ndl_buf b = NDL_BUF_INIT;
		for (int k = 0; k < 3; k++)
			piece(&b, bad[i].text[k], 0, bad[i].type[k]);
		settings(&b, bad[i].model, bad[i].map);
		refused(&b, bad[i].code, bad[i].want);
		ndl_buf_clear(&b);
	}
	ndl_buf b = NDL_BUF_INIT;
	piece(&b, "<unk>", 0, 2);
	refused(&b, NDL_EFORMAT, "no trainer settings: not a SentencePiece .model, or truncated");
	ndl_buf_clear(&b);
}

/* UNUSED pieces are merged but come out as their parts; equal scores go left first; a single
 * character of a reserved name ends as that name. */
static void check_odd_vocabulary(void)
{
	ndl_buf b = NDL_BUF_INIT;
	piece(&b, "<unk>", 0, 2);     /* 0 */
	piece(&b, "ab", -1, 5);       /* 1: unused */
	piece(&b, "abc", -2, 1);      /* 2 */
	piece(&b, "bc", -3, 1);       /* 3 */
	piece(&b, "dd", -1, 1);       /* 4 */
	piece(&b, "a", -9, 1);        /* 5 */
	piece(&b, "b", -9, 1);        /* 6 */
	piece(&b, "c", -9, 1);        /* 7 */
	piece(&b, "Z", 0, 3);         /* 8: control */
	settings(&b, 2, "");
	ndl_tok *t = ndl_tok_new(b.data, b.len, &err);
	ndl_buf_clear(&b);
	if (!CHECK(t != NULL))
		return;
	CHECK_STR(ids_of(t, "ab", 2, 0), "5 6");
	CHECK_STR(ids_of(t, "abc", 3, 0), "2");
	CHECK_STR(ids_of(t, "bc", 2, 0), "3");
	CHECK_STR(ids_of(t, "ddd", 3, 0), "4 0"); /* d alone is unknown */
	CHECK_STR(ids_of(t, "dxyd", 4, 0), "0");  /* unknowns in a row are one */
	CHECK_STR(ids_of(t, "aZa", 3, 0), "5 8 5");
	ndl_tok_free(t);
}

/* Training ---------------------------------------------------------------------------- */

static void check_trainer(void)
{
	ndl_tok_train_options o = {.vocab_size = 262};
	CHECK(!ndl_tok_trainer_new(&o, &err));
	CHECK_INT(err.code, NDL_EINVAL);
	o = (ndl_tok_train_options){.coverage = 1.5};
	CHECK(!ndl_tok_trainer_new(&o, &err));
	o = (ndl_tok_train_options){.max_piece_chars = 65};
	CHECK(!ndl_tok_trainer_new(&o, &err));

	/* 262 fixed; letters U+2581 l o w e r n; lo 8, low 8, then U+2581 n 5 before U+2581 low 5 */
	o = (ndl_tok_train_options){.vocab_size = 262 + 7 + 4, .coverage = 1};
	ndl_tok_trainer *tr = ndl_tok_trainer_new(&o, &err);
	ndl_buf model = NDL_BUF_INIT;
	if (!CHECK(tr != NULL))
		return;
	for (int i = 0; i < 5; i++)
		CHECK_INT(ndl_tok_trainer_add(tr, "low", 3, &err), 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(ndl_tok_trainer_add(tr, " nlow ", 6, &err), 0);
	CHECK_INT(ndl_tok_trainer_add(tr, "er\tre<tools>er", 14, &err), 0);
	CHECK_INT(ndl_tok_trainer_finish(tr, &model, &err), 0);
	ndl_tok_trainer_free(tr);
	ndl_tok *t = ndl_tok_new(model.data, model.len, &err);
	ndl_buf_clear(&model);
	if (!CHECK(t != NULL))
		return;
	CHECK_STR(ndl_tok_piece(t, 262, NULL), "lo");
	CHECK_STR(ndl_tok_piece(t, 263, NULL), "low");
	CHECK_STR(ndl_tok_piece(t, 264, NULL), "\xE2\x96\x81low");
	CHECK_STR(ndl_tok_piece(t, 265, NULL), "\xE2\x96\x81n");
	CHECK_STR(ndl_tok_piece(t, 266, NULL), "\xE2\x96\x81"); /* 9 times, as often as no other */
	CHECK_INT(ndl_tok_id(t, "\t", 1), -1);
	ndl_tok_free(t);
}

int main(void)
{
	ndl_tok *t = open_vocab();
	check_accessors(t);
	check_encode(t);
	check_long(t);
	check_some(t);
	check_decode_errors(t);
	ndl_tok_free(t);
	check_damage();
	check_refusals();
	check_odd_vocabulary();
	check_trainer();
	return tap_done();
}
