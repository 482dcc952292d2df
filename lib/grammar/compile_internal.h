/* compile_internal.h - what the files that compile schemas share. */
#ifndef NDL_GRAMMAR_COMPILE_INTERNAL_H
#define NDL_GRAMMAR_COMPILE_INTERNAL_H

#include "grammar/grammar_internal.h"

struct compiler {
	ndl_grammar *g;
	ndl_buf path;  /* JSON Pointer of the schema at hand */
	bool lenient;  /* expressions that are not supported are left out */
	const json_t *lacks_nulls; /* the schema of a tool's arguments for which that holds (ndl_grammar_options); NULL: none */
	bool unique;   /* it is the one of items that must differ */
	json_t *made;  /* expressions and texts by what they were made from */
	ndl_error *err;
};

/* One text of a list before the list is sorted and stored. */
struct entry {
	const char *text; /* set for sorting only: the pool moves */
	uint32_t at, len, value;
	bool required;
};

ndl_status ndl_gc_nomem(struct compiler *c);
/* With the pointer of the schema at hand in front. */
ndl_status ndl_gc_fail(struct compiler *c, ndl_status code, const char *text);

/* ---- compile.c ---- */
/* Lengthens the pointer of the schema at hand by one or two keys; returns what ndl_gc_leave takes it back to. */
size_t ndl_gc_enter(struct compiler *c, const char *a, const char *b);
void ndl_gc_leave(struct compiler *c, size_t old);
/* Any schema as a node; depth: of the values around it. */
ndl_status ndl_gc_build(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index);
/* The value of a keyword that is a count. */
uint32_t ndl_gc_count_of(const json_t *schema, const char *key, uint32_t absent);

/* ---- compile_containers.c: that part of the node whose schema is at hand ---- */
ndl_status ndl_gc_object(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index);
ndl_status ndl_gc_array(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index);

/* ---- compile_texts.c ---- */
/* Sorts the entries and stores them; equal texts once. *first and *count tell where. */
ndl_status ndl_gc_store(struct compiler *c, struct entry *e, size_t n, uint32_t *first, uint32_t *count);
ndl_status ndl_gc_literal(struct compiler *c, const char *text);
/* enum and const of a schema: the values that its rest admits, as the texts of a node. */
ndl_status ndl_gc_enum(struct compiler *c, const json_t *schema, uint32_t index);
/* pattern and format of a schema as the text of a node, whose lengths are set. */
ndl_status ndl_gc_text(struct compiler *c, const json_t *schema, struct node *n);

#endif
