/* pickle.h - Python pickles of NumPy arrays, read as data (private to this room).
 *
 * A pickle is a program for a stack machine. This one knows the opcodes that dictionaries of arrays need
 * and calls nothing: a global is a word from a short list, and REDUCE and BUILD understand the few
 * things that NumPy writes with them. Everything else is an error with the opcode's or the global's
 * name and its offset. Memory is bounded by constants and by the size of the file. */
#ifndef NDL_CHECKPOINT_PICKLE_H
#define NDL_CHECKPOINT_PICKLE_H

#include "checkpoint/checkpoint.h"

enum {
	PK_VALUES_MAX = 1 << 16, /* values, stack slots, memo slots, items of all containers */
	PK_DEPTH_MAX = 16,       /* dictionaries in dictionaries */
};

typedef enum pk_kind { PK_NONE, PK_BOOL, PK_INT, PK_FLOAT, PK_STR, PK_BYTES, PK_TUPLE, PK_LIST, PK_DICT, PK_GLOBAL,
	PK_DTYPE, PK_ARRAY } pk_kind;

/* The words that a pickle may use. */
typedef enum pk_global { PK_RECONSTRUCT, PK_SCALAR, PK_FROMBUFFER, PK_NDARRAY, PK_DTYPE_TYPE, PK_ENCODE, PK_BYTES_TYPE,
	PK_BFLOAT16, PK_GLOBAL_COUNT } pk_global;

typedef uint32_t pk_ref; /* index of a value */

typedef struct pk_value {
	pk_kind kind;
	size_t at;              /* offset of the opcode that made it */
	union {
		int64_t integer;    /* also of a BOOL */
		double real;
		struct { const char *data; size_t len; } text; /* STR (UTF-8), BYTES; borrowed from the file or p->made */
		struct { uint32_t first, last, n; } items;     /* links; a DICT has two for each pair */
		pk_global global;
		struct { ndl_dtype type; bool swap; } dtype;
		struct pk_array *array; /* owned by the pickle; NULL until it is built */
	} u;
} pk_value;

typedef struct pk_link {
	pk_ref value;
	uint32_t next; /* 0: the last */
} pk_link;

/* An array wherever it lies: element i of axis a is stride[a] * i elements further. */
typedef struct pk_array {
	ndl_dtype type;
	bool swap; /* big-endian */
	int rank;
	size_t shape[NDL_MAX_RANK], stride[NDL_MAX_RANK], elements;
	const char *data; /* borrowed like text */
	void *plain;      /* made by pk_array_plain */
} pk_array;

typedef struct pk_pickle {
	const unsigned char *data, *at, *end;
	size_t op; /* offset of the opcode at work */
	pk_value *value;
	size_t n, cap;
	pk_link *link; /* link[0] is unused */
	size_t n_links, cap_links;
	pk_ref *stack;
	size_t depth, cap_stack;
	uint32_t *mark; /* stack depths */
	size_t marks, cap_marks;
	pk_ref *memo; /* value + 1; 0: unset */
	size_t cap_memo, n_memo;
	void **made; /* owned blocks: decoded text, arrays, converted data */
	size_t n_made, cap_made, made_bytes;
	ndl_error *err;
} pk_pickle;

/* Runs the whole pickle of size bytes (borrowed); *root is what it leaves. pk_clear in either case. */
ndl_status pk_load(pk_pickle *p, const void *data, size_t size, pk_ref *root, ndl_error *err);
void pk_clear(pk_pickle *p);

/* What the files of the reader share ------------------------------------------------------ */

/* An error at the opcode at work: "byte N: ...". */
ndl_status pk_fail(pk_pickle *p, ndl_status code, const char *fmt, ...) NDL_PRINTF(3, 4);
/* pickle_values.c: room for `need` elements in an array of the pickle's, at most PK_VALUES_MAX; an error names `what` they are. */
ndl_status pk_grow(pk_pickle *p, void *array, size_t *cap, size_t need, size_t size, const char *what);
/* n bytes that live as long as the pickle; all of them together are bounded by the file's size. NULL with p->err. */
void *pk_make(pk_pickle *p, size_t n);
/* A new value of that kind, in *v until the next one is made; NULL with p->err. */
pk_value *pk_new(pk_pickle *p, pk_kind kind, pk_ref *ref);
/* Item i of a tuple or list; NULL past the end. */
const pk_value *pk_item(const pk_pickle *p, const pk_value *v, size_t i);
/* One item more, at the end of a tuple, list or dictionary. */
ndl_status pk_add_item(pk_pickle *p, pk_ref container, pk_ref item);
const char *pk_kind_name(pk_kind kind);

/* pickle_numpy.c: a global by name (PK_GLOBAL_COUNT if it is not among them), a call, a setstate.
 * call: *result is a new value. build changes `object`. */
pk_global pk_find_global(const char *module, size_t module_len, const char *name, size_t name_len);
ndl_status pk_call(pk_pickle *p, pk_ref callable, pk_ref args, pk_ref *result);
ndl_status pk_build(pk_pickle *p, pk_ref object, pk_ref state);
/* The elements in row-major order and this machine's byte order; NULL with p->err. */
const void *pk_array_plain(pk_pickle *p, pk_array *a);

#endif
