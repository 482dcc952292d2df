/* record.h - one line of training data to one tokenised example.
 *
 * A record is {"query":"…","tools":…,"answers":[{"name":…,"arguments":{…}},…]}; tools (in any
 * dialect that lib/tools reads) and answers are JSON or a string that holds JSON; [] answers
 * mean that no tool fits. Other fields are ignored.
 *
 * The answer text is compact JSON in UTF-8, [{"name":"…","arguments":{…}},…]: calls in the given
 * order, names normalised as in the prompt, argument keys in the order of the (shuffled) schema,
 * which is the one order that the model can know. */
#ifndef NDL_DATA_RECORD_H
#define NDL_DATA_RECORD_H

#include "base/rng.h"
#include "checkpoint/checkpoint.h"
#include "data/heldout.h"
#include "json/json.h"
#include "tokenizer/tokenizer.h"
#include "tools/tools.h"

#include <stdbool.h>

/* A parsed and checked record. Zero-initialise; ndl_record_clear frees. */
typedef struct ndl_record {
	json_t *root;     /* owns query and keeps everything else alive */
	const char *query;
	size_t query_len;
	ndl_tools *tools; /* in prompt order */
	json_t *answers;  /* array of objects with "name" (string) and maybe "arguments" */
} ndl_record;

/* Parses and checks len bytes of JSON. rng not NULL: shuffles the order of tools and of the
 * parameters in each tool. Errors say where in the record ("answers[1].arguments.colour: not a
 * parameter of set_light"). On failure r is empty. */
ndl_status ndl_record_parse(ndl_record *r, const char *line, size_t len, ndl_rng *rng, ndl_error *err);
/* The same of JSON that is there already; root is taken over, also on failure, and what it holds may be changed. */
ndl_status ndl_record_take(ndl_record *r, json_t *root, ndl_rng *rng, ndl_error *err);
void ndl_record_clear(ndl_record *r);
/* Index in r->tools of the tool that answer i calls. */
size_t ndl_record_called(const ndl_record *r, size_t i);

/* Classes of target bytes and tokens (NDL_CLASS_ in batch.h).
 * Bytes: the name, key or value of a string is the text between its quotes and its closing
 * quote, for where a string ends is part of what it says (were the quote given less weight
 * than the text that might go on, values would come out too long); numbers, booleans and
 * null are values; brackets, commas, colons, opening quotes and the keys "name" and "arguments"
 * are structure. Keys inside nested objects are keys, what they hold are values.
 * Tokens: the class of the first byte in it that is not structure, else structure. */
typedef struct ndl_answer {
	ndl_buf text;   /* the compact JSON */
	ndl_buf byte_class; /* a NDL_CLASS_ for every byte of text */
} ndl_answer;
void ndl_answer_clear(ndl_answer *a);
/* Replaces *a by the answer of r. */
ndl_status ndl_answer_render(ndl_answer *a, const ndl_record *r, ndl_error *err);
/* cls[0..n) := classes of ids, the tokens of a->text alone. */
void ndl_answer_token_classes(const ndl_answer *a, const ndl_tok *tok, const int32_t *ids, size_t n,
                              uint8_t *cls);

/* A tokenised example; buffers are reused from one record to the next. */
typedef struct ndl_example {
	ndl_ids enc;          /* query, <tools>, tools */
	ndl_ids dec;          /* eos, <tool_call>, answer…, eos: in = [0, len-1), out = [1, len) */
	uint8_t *cls;         /* of dec.id[1..len): dec.len - 1 of them */
	size_t cls_cap;
	ndl_ids query, tool;  /* contrastive pair; both empty if no call or not wanted */
	uint64_t tool_key;    /* hash of the first called tool's name: equal keys, same tool */
	size_t calls;
	size_t tools_left_out; /* tools that had to go because the window is too small */
	bool query_cut;
	ndl_answer answer;    /* scratch, and useful in tests */
	ndl_buf text;
} ndl_example;
void ndl_example_clear(ndl_example *x);

typedef enum ndl_outcome {
	NDL_MADE,
	NDL_HELD_OUT,     /* the query is in the held-out set */
	NDL_TOO_LONG_DEC, /* the answer does not fit into max_dec_len */
	NDL_TOO_LONG_ENC, /* the called tools do not fit into max_enc_len behind the query */
	NDL_OUTCOME_COUNT
} ndl_outcome;

/* How examples are made; borrowed pointers. */
typedef struct ndl_example_options {
	const ndl_tok *tok;
	ndl_config config;          /* max_enc_len, max_dec_len and ascii_tools matter */
	bool pairs;                 /* make contrastive pairs */
	const ndl_heldout *heldout; /* or NULL */
	double loosen;              /* share of the examples, of those that are shuffled, for ndl_loosen_tools */
} ndl_example_options;

/* Line to example: parse (shuffled by rng unless NULL), render, tokenise. If the prompt is longer
 * than the window, whole tools are left out from the end, none that is called and never the
 * last one, rather than cutting one in the middle. Returns an ndl_outcome, or a negative
 * status for a bad record. */
int ndl_example_make(ndl_example *x, const ndl_example_options *o, const char *line, size_t len, ndl_rng *rng,
                     ndl_error *err);

#endif
