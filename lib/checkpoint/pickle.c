/* pickle.c - the stack machine. */
#include "checkpoint/pickle.h"

#include "base/utf8.h"

#include <string.h>

/* Names of all opcodes, so that what is refused can be named. */
static const struct { unsigned char code; const char *name; } names[] = {
	{'(', "MARK"}, {'.', "STOP"}, {'0', "POP"}, {'1', "POP_MARK"}, {'2', "DUP"}, {'F', "FLOAT"}, {'I', "INT"},
	{'J', "BININT"}, {'K', "BININT1"}, {'L', "LONG"}, {'M', "BININT2"}, {'N', "NONE"}, {'P', "PERSID"},
	{'Q', "BINPERSID"}, {'R', "REDUCE"}, {'S', "STRING"}, {'T', "BINSTRING"}, {'U', "SHORT_BINSTRING"},
	{'V', "UNICODE"}, {'X', "BINUNICODE"}, {'a', "APPEND"}, {'b', "BUILD"}, {'c', "GLOBAL"}, {'d', "DICT"},
	{'}', "EMPTY_DICT"}, {'e', "APPENDS"}, {'g', "GET"}, {'h', "BINGET"}, {'i', "INST"}, {'j', "LONG_BINGET"},
	{'l', "LIST"}, {']', "EMPTY_LIST"}, {'o', "OBJ"}, {'p', "PUT"}, {'q', "BINPUT"}, {'r', "LONG_BINPUT"},
	{'s', "SETITEM"}, {'t', "TUPLE"}, {')', "EMPTY_TUPLE"}, {'u', "SETITEMS"}, {'G', "BINFLOAT"}, {0x80, "PROTO"},
	{0x81, "NEWOBJ"}, {0x82, "EXT1"}, {0x83, "EXT2"}, {0x84, "EXT4"}, {0x85, "TUPLE1"}, {0x86, "TUPLE2"},
	{0x87, "TUPLE3"}, {0x88, "NEWTRUE"}, {0x89, "NEWFALSE"}, {0x8a, "LONG1"}, {0x8b, "LONG4"}, {'B', "BINBYTES"},
	{'C', "SHORT_BINBYTES"}, {0x8c, "SHORT_BINUNICODE"}, {0x8d, "BINUNICODE8"}, {0x8e, "BINBYTES8"},
	{0x8f, "EMPTY_SET"}, {0x90, "ADDITEMS"}, {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"}, {0x93, "STACK_GLOBAL"},
	{0x94, "MEMOIZE"}, {0x95, "FRAME"}, {0x96, "BYTEARRAY8"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
};

/* Stack ----------------------------------------------------------------------------------- */

static ndl_status push(pk_pickle *p, pk_ref ref)
{
	ndl_status s = pk_grow(p, &p->stack, &p->cap_stack, p->depth + 1, sizeof *p->stack, "values on the stack");
	if (s == NDL_OK)
		p->stack[p->depth++] = ref;
	return s;
}

static size_t floor_of(const pk_pickle *p)
{
	return p->marks ? p->mark[p->marks - 1] : 0;
}

/* The value n below the top must be there, above the last mark. */
static ndl_status need(pk_pickle *p, size_t n)
{
	return p->depth - floor_of(p) >= n ? NDL_OK : pk_fail(p, NDL_EFORMAT, "the stack is empty");
}

static ndl_status push_mark(pk_pickle *p)
{
	ndl_status s = pk_grow(p, &p->mark, &p->cap_marks, p->marks + 1, sizeof *p->mark, "marks");
	if (s == NDL_OK)
		p->mark[p->marks++] = (uint32_t)p->depth;
	return s;
}

/* *from = the stack slot after the last mark, which is taken away. */
static ndl_status pop_mark(pk_pickle *p, size_t *from)
{
	if (!p->marks)
		return pk_fail(p, NDL_EFORMAT, "no mark on the stack");
	*from = p->mark[--p->marks];
	return NDL_OK;
}

/* A value made and pushed. */
static ndl_status push_new(pk_pickle *p, pk_kind kind, pk_value **v)
{
	pk_ref ref;
	ndl_status s;
	pk_value *made = pk_new(p, kind, &ref);
	if (!made)
		return NDL_ELIMIT;
	s = push(p, ref);
	*v = made;
	return s;
}

static ndl_status push_integer(pk_pickle *p, pk_kind kind, int64_t x)
{
	pk_value *v;
	ndl_status s = push_new(p, kind, &v);
	if (s == NDL_OK)
		v->u.integer = x;
	return s;
}

/* Arguments of opcodes -------------------------------------------------------------------- */

/* n bytes at the cursor, or NULL. */
static const unsigned char *take(pk_pickle *p, uint64_t n)
{
	if (n > (uint64_t)(p->end - p->at)) {
		pk_fail(p, NDL_EFORMAT, "truncated: %llu needed here, the file has %zu more", (unsigned long long)n,
		        (size_t)(p->end - p->at));
		return NULL;
	}
	p->at += n;
	return p->at - n;
}

/* An unsigned little-endian number of n bytes. */
static ndl_status take_size(pk_pickle *p, size_t n, uint64_t *out)
{
	const unsigned char *b = take(p, n);
	if (!b)
		return NDL_EFORMAT;
	*out = 0;
	while (n-- > 0)
		*out = *out << 8 | b[n];
	return NDL_OK;
}

/* Text or bytes behind a length of n bytes. */
static ndl_status op_text(pk_pickle *p, pk_kind kind, size_t n)
{
	uint64_t len;
	pk_value *v;
	ndl_status s = take_size(p, n, &len);
	if (s != NDL_OK)
		return s;
	const unsigned char *b = take(p, len);
	if (!b)
		return NDL_EFORMAT;
	if (kind == PK_STR && ndl_utf8_check((const char *)b, (size_t)len) != len)
		return pk_fail(p, NDL_EFORMAT, "a string that is not UTF-8");
	s = push_new(p, kind, &v);
	if (s == NDL_OK) {
		v->u.text.data = (const char *)b;
		v->u.text.len = (size_t)len;
	}
	return s;
}

/* A signed little-endian number of n bytes. */
static ndl_status op_signed(pk_pickle *p, uint64_t n)
{
	uint64_t x = 0;
	if (n > 8)
		return pk_fail(p, NDL_ELIMIT, "an integer of %llu bytes", (unsigned long long)n);
	ndl_status s = take_size(p, (size_t)n, &x);
	if (s != NDL_OK)
		return s;
	if (n && n < 8 && x >> (8 * n - 1))
		x |= ~(uint64_t)0 << (8 * n);
	int64_t value;
	memcpy(&value, &x, sizeof value);
	return push_integer(p, PK_INT, value);
}

static ndl_status op_float(pk_pickle *p)
{
	const unsigned char *b = take(p, 8);
	pk_value *v;
	uint64_t bits = 0;
	if (!b)
		return NDL_EFORMAT;
	for (int i = 0; i < 8; i++) /* big-endian, alone among the numbers */
		bits = bits << 8 | b[i];
	ndl_status s = push_new(p, PK_FLOAT, &v);
	if (s == NDL_OK)
		memcpy(&v->u.real, &bits, sizeof bits);
	return s;
}

/* Containers ------------------------------------------------------------------------------ */

static ndl_status op_tuple(pk_pickle *p, size_t from)
{
	pk_ref tuple;
	ndl_status s = pk_new(p, PK_TUPLE, &tuple) ? NDL_OK : NDL_ELIMIT;
	for (size_t i = from; s == NDL_OK && i < p->depth; i++)
		s = pk_add_item(p, tuple, p->stack[i]);
	if (s != NDL_OK)
		return s;
	p->depth = from;
	return push(p, tuple);
}

static ndl_status op_tuple_n(pk_pickle *p, size_t n)
{
	ndl_status s = need(p, n);
	return s == NDL_OK ? op_tuple(p, p->depth - n) : s;
}

/* The stack from `from` on into the list or dictionary below it. */
static ndl_status add_items(pk_pickle *p, pk_kind kind, size_t from)
{
	if (from <= floor_of(p))
		return pk_fail(p, NDL_EFORMAT, "the stack is empty");
	pk_ref container = p->stack[from - 1];
	if (p->value[container].kind != kind)
		return pk_fail(p, NDL_EFORMAT, "items for %s", pk_kind_name(p->value[container].kind));
	if (kind == PK_DICT && (p->depth - from) % 2)
		return pk_fail(p, NDL_EFORMAT, "a key without a value");
	ndl_status s = NDL_OK;
	for (size_t i = from; s == NDL_OK && i < p->depth; i++)
		s = pk_add_item(p, container, p->stack[i]);
	p->depth = from;
	return s;
}

static ndl_status op_add(pk_pickle *p, pk_kind kind, size_t n)
{
	ndl_status s = need(p, n + 1);
	return s == NDL_OK ? add_items(p, kind, p->depth - n) : s;
}

static ndl_status op_add_marked(pk_pickle *p, pk_kind kind)
{
	size_t from = 0;
	ndl_status s = pop_mark(p, &from);
	return s == NDL_OK ? add_items(p, kind, from) : s;
}

/* Memo ------------------------------------------------------------------------------------ */

static ndl_status op_put(pk_pickle *p, uint64_t index)
{
	size_t before = p->cap_memo;
	ndl_status s = need(p, 1);
	if (s == NDL_OK && index >= PK_VALUES_MAX)
		s = pk_fail(p, NDL_ELIMIT, "memo slot %llu", (unsigned long long)index);
	if (s == NDL_OK)
		s = pk_grow(p, &p->memo, &p->cap_memo, (size_t)index + 1, sizeof *p->memo, "memo slots");
	if (s != NDL_OK)
		return s;
	if (p->cap_memo > before)
		memset(p->memo + before, 0, (p->cap_memo - before) * sizeof *p->memo);
	p->n_memo += p->memo[index] == 0;
	p->memo[index] = p->stack[p->depth - 1] + 1;
	return NDL_OK;
}

static ndl_status op_get(pk_pickle *p, uint64_t index)
{
	if (index >= p->cap_memo || !p->memo[index])
		return pk_fail(p, NDL_EFORMAT, "memo slot %llu is empty", (unsigned long long)index);
	return push(p, p->memo[index] - 1);
}

/* PUT or GET with an index of n bytes. */
static ndl_status op_memo(pk_pickle *p, size_t n, ndl_status (*op)(pk_pickle *, uint64_t))
{
	uint64_t index;
	ndl_status s = take_size(p, n, &index);
	return s == NDL_OK ? op(p, index) : s;
}

/* Globals and calls ----------------------------------------------------------------------- */

static ndl_status push_global(pk_pickle *p, const char *module, size_t module_len, const char *name, size_t name_len)
{
	pk_value *v;
	pk_global g = pk_find_global(module, module_len, name, name_len);
	if (g == PK_GLOBAL_COUNT)
		return pk_fail(p, NDL_EUNSUPPORTED, "the global '%.*s.%.*s' is refused: only those of NumPy arrays are read, "
		               "and none is executed", (int)(module_len < 80 ? module_len : 80), module,
		               (int)(name_len < 80 ? name_len : 80), name);
	ndl_status s = push_new(p, PK_GLOBAL, &v);
	if (s == NDL_OK)
		v->u.global = g;
	return s;
}

/* A line of the text form. */
static const char *take_line(pk_pickle *p, size_t *len)
{
	const unsigned char *nl = p->at < p->end ? memchr(p->at, '\n', (size_t)(p->end - p->at)) : NULL;
	if (!nl) {
		pk_fail(p, NDL_EFORMAT, "truncated: a name without an end");
		return NULL;
	}
	const char *line = (const char *)p->at;
	*len = (size_t)(nl - p->at);
	p->at = nl + 1;
	return line;
}

static ndl_status op_global(pk_pickle *p)
{
	size_t module_len, name_len;
	const char *module = take_line(p, &module_len);
	const char *name = module ? take_line(p, &name_len) : NULL;
	return name ? push_global(p, module, module_len, name, name_len) : NDL_EFORMAT;
}

static ndl_status op_stack_global(pk_pickle *p)
{
	ndl_status s = need(p, 2);
	if (s != NDL_OK)
		return s;
	p->depth -= 2;
	const pk_value *module = &p->value[p->stack[p->depth]], *name = &p->value[p->stack[p->depth + 1]];
	if (module->kind != PK_STR || name->kind != PK_STR)
		return pk_fail(p, NDL_EFORMAT, "a global whose name is not text");
	return push_global(p, module->u.text.data, module->u.text.len, name->u.text.data, name->u.text.len);
}

static ndl_status op_reduce(pk_pickle *p)
{
	pk_ref result;
	ndl_status s = need(p, 2);
	if (s != NDL_OK)
		return s;
	p->depth -= 2;
	s = pk_call(p, p->stack[p->depth], p->stack[p->depth + 1], &result);
	return s == NDL_OK ? push(p, result) : s;
}

static ndl_status op_build(pk_pickle *p)
{
	ndl_status s = need(p, 2);
	if (s != NDL_OK)
		return s;
	p->depth--;
	return pk_build(p, p->stack[p->depth - 1], p->stack[p->depth]);
}

/* The machine ----------------------------------------------------------------------------- */

static ndl_status refuse(pk_pickle *p, unsigned char code)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].code == code)
			return pk_fail(p, NDL_EUNSUPPORTED, "the opcode %s is refused: files of arrays do not need it", names[i].name);
	return pk_fail(p, NDL_EFORMAT, "0x%02x is not an opcode", code);
}

static ndl_status op_pop(pk_pickle *p)
{
	ndl_status s = need(p, 1);
	p->depth -= s == NDL_OK;
	return s;
}

static ndl_status op_tuple_marked(pk_pickle *p)
{
	size_t from = 0;
	ndl_status s = pop_mark(p, &from);
	return s == NDL_OK ? op_tuple(p, from) : s;
}

static ndl_status op_long(pk_pickle *p)
{
	uint64_t n;
	ndl_status s = take_size(p, 1, &n);
	return s == NDL_OK ? op_signed(p, n) : s;
}

/* Frames are a hint for buffered reading: large byte strings lie between them. */
static ndl_status op_frame(pk_pickle *p)
{
	uint64_t n;
	ndl_status s = take_size(p, 8, &n);
	if (s == NDL_OK && n > (uint64_t)(p->end - p->at))
		s = pk_fail(p, NDL_EFORMAT, "truncated: a frame of %llu, the file has %zu more", (unsigned long long)n,
		            (size_t)(p->end - p->at));
	return s;
}

static ndl_status op_unsigned(pk_pickle *p, size_t n)
{
	uint64_t x;
	ndl_status s = take_size(p, n, &x);
	return s == NDL_OK ? push_integer(p, PK_INT, (int64_t)x) : s;
}

static ndl_status step(pk_pickle *p, unsigned char code)
{
	pk_value *v;
	switch (code) {
	case 0x95: return op_frame(p);
	case '(': return push_mark(p);
	case '0': return op_pop(p);
	case 'N': return push_new(p, PK_NONE, &v);
	case 0x88: return push_integer(p, PK_BOOL, 1);
	case 0x89: return push_integer(p, PK_BOOL, 0);
	case 'J': return op_signed(p, 4);
	case 'K': return op_unsigned(p, 1);
	case 'M': return op_unsigned(p, 2);
	case 0x8a: return op_long(p);
	case 'G': return op_float(p);
	case 0x8c: return op_text(p, PK_STR, 1);
	case 'X': return op_text(p, PK_STR, 4);
	case 0x8d: return op_text(p, PK_STR, 8);
	case 'C': return op_text(p, PK_BYTES, 1);
	case 'B': return op_text(p, PK_BYTES, 4);
	case 0x8e:
	case 0x96: return op_text(p, PK_BYTES, 8);
	case ')': return op_tuple_n(p, 0);
	case 0x85: return op_tuple_n(p, 1);
	case 0x86: return op_tuple_n(p, 2);
	case 0x87: return op_tuple_n(p, 3);
	case 't': return op_tuple_marked(p);
	case ']': return push_new(p, PK_LIST, &v);
	case '}': return push_new(p, PK_DICT, &v);
	case 'a': return op_add(p, PK_LIST, 1);
	case 's': return op_add(p, PK_DICT, 2);
	case 'e': return op_add_marked(p, PK_LIST);
	case 'u': return op_add_marked(p, PK_DICT);
	case 'q': return op_memo(p, 1, op_put);
	case 'r': return op_memo(p, 4, op_put);
	case 0x94: return op_put(p, p->n_memo);
	case 'h': return op_memo(p, 1, op_get);
	case 'j': return op_memo(p, 4, op_get);
	case 'c': return op_global(p);
	case 0x93: return op_stack_global(p);
	case 'R': return op_reduce(p);
	case 'b': return op_build(p);
	default: return refuse(p, code);
	}
}

/* PROTO and its number. */
static ndl_status begin(pk_pickle *p)
{
	const unsigned char *b = take(p, 2);
	if (!b)
		return NDL_EFORMAT;
	if (b[0] != 0x80)
		return pk_fail(p, NDL_EUNSUPPORTED, "a pickle of protocol 0 or 1, or none at all");
	if (b[1] < 2 || b[1] > 5)
		return pk_fail(p, NDL_EUNSUPPORTED, "pickle protocol %d, supported are 2 to 5", b[1]);
	return NDL_OK;
}

ndl_status pk_load(pk_pickle *p, const void *data, size_t size, pk_ref *root, ndl_error *err)
{
	const unsigned char *bytes = data;
	*p = (pk_pickle){.data = bytes, .at = bytes, .end = bytes + size, .err = err};
	ndl_status s = begin(p);
	while (s == NDL_OK) {
		p->op = (size_t)(p->at - p->data);
		const unsigned char *code = take(p, 1);
		if (!code)
			return NDL_EFORMAT;
		if (*code == '.')
			break;
		s = step(p, *code);
	}
	if (s == NDL_OK && (p->depth != 1 || p->marks))
		s = pk_fail(p, NDL_EFORMAT, "the end, with %zu values on the stack, not 1", p->depth);
	if (s == NDL_OK && p->at != p->end)
		s = pk_fail(p, NDL_EFORMAT, "the pickle ends here, the file goes on for %zu more", (size_t)(p->end - p->at));
	if (s == NDL_OK)
		*root = p->stack[0];
	return s;
}
