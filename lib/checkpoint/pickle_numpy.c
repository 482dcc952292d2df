/* pickle_numpy.c - what NumPy writes into pickles:
 *
 *   dtype('f2', False, True)                 then BUILD (3, '<', None, None, None, -1, -1, 0)
 *   _reconstruct(ndarray, (0,), b'b')        then BUILD (1, shape, dtype, is_fortran, bytes)
 *   _frombuffer(bytes, dtype, shape, 'C'|'F' or 'K', axis_order)         protocol 5
 *   scalar(dtype, bytes)
 *   _codecs.encode('text', 'latin1'), bytes()                            protocol 2's way to write bytes
 *
 * A dtype of ml_dtypes has its class in place of the string. */
#include "checkpoint/pickle.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

pk_global pk_find_global(const char *module, size_t module_len, const char *name, size_t name_len)
{
	static const struct { const char *module, *name; pk_global global; } known[] = {
		{"numpy.core.multiarray", "_reconstruct", PK_RECONSTRUCT},
		{"numpy._core.multiarray", "_reconstruct", PK_RECONSTRUCT},
		{"numpy.core.multiarray", "scalar", PK_SCALAR}, {"numpy._core.multiarray", "scalar", PK_SCALAR},
		{"numpy.core.numeric", "_frombuffer", PK_FROMBUFFER}, {"numpy._core.numeric", "_frombuffer", PK_FROMBUFFER},
		{"numpy", "ndarray", PK_NDARRAY}, {"numpy", "dtype", PK_DTYPE_TYPE}, {"_codecs", "encode", PK_ENCODE},
		{"__builtin__", "bytes", PK_BYTES_TYPE}, {"builtins", "bytes", PK_BYTES_TYPE},
		{"ml_dtypes", "bfloat16", PK_BFLOAT16},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strlen(known[i].module) == module_len && strlen(known[i].name) == name_len &&
		    memcmp(known[i].module, module, module_len) == 0 && memcmp(known[i].name, name, name_len) == 0)
			return known[i].global;
	return PK_GLOBAL_COUNT;
}

static bool is_text(const pk_value *v, pk_kind kind, const char *text)
{
	return v && v->kind == kind && v->u.text.len == strlen(text) && memcmp(v->u.text.data, text, v->u.text.len) == 0;
}

static bool is_global(const pk_value *v, pk_global global)
{
	return v && v->kind == PK_GLOBAL && v->u.global == global;
}

static ndl_status strange(pk_pickle *p, const char *what)
{
	return pk_fail(p, NDL_EUNSUPPORTED, "arguments of %s that NumPy does not write", what);
}

/* dtype ----------------------------------------------------------------------------------- */

static bool find_dtype(const pk_value *v, ndl_dtype *type)
{
	static const struct { const char *code; ndl_dtype type; } codes[] = {
		{"f2", NDL_F16}, {"f4", NDL_F32}, {"f8", NDL_F64}, {"i1", NDL_I8}, {"i2", NDL_I16}, {"i4", NDL_I32},
		{"i8", NDL_I64}, {"u1", NDL_U8}, {"u2", NDL_U16}, {"u4", NDL_U32}, {"u8", NDL_U64}, {"b1", NDL_BOOL},
	};
	*type = NDL_BF16;
	if (is_global(v, PK_BFLOAT16))
		return true;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (is_text(v, PK_STR, codes[i].code)) {
			*type = codes[i].type;
			return true;
		}
	return false;
}

static ndl_status call_dtype(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	const pk_value *code = pk_item(p, args, 0);
	ndl_dtype type;
	if (!find_dtype(code, &type)) {
		if (code && code->kind == PK_STR)
			return pk_fail(p, NDL_EUNSUPPORTED, "arrays of dtype '%.*s' are not supported",
			               (int)(code->u.text.len < 40 ? code->u.text.len : 40), code->u.text.data);
		return strange(p, "numpy.dtype");
	}
	pk_value *v = pk_new(p, PK_DTYPE, result);
	if (!v)
		return NDL_ELIMIT;
	v->u.dtype.type = type;
	v->u.dtype.swap = false;
	return NDL_OK;
}

/* (version, byte order, subarray, names, fields, size, alignment, flags) */
static ndl_status build_dtype(pk_pickle *p, pk_value *dtype, const pk_value *state)
{
	const pk_value *version = pk_item(p, state, 0), *order = pk_item(p, state, 1);
	if (!version || version->kind != PK_INT || !order || order->kind != PK_STR || order->u.text.len != 1 ||
	    !strchr("<>|=", order->u.text.data[0]))
		return strange(p, "a dtype's state");
	for (size_t i = 2; i < 5; i++)
		if (!pk_item(p, state, i) || pk_item(p, state, i)->kind != PK_NONE)
			return pk_fail(p, NDL_EUNSUPPORTED, "a structured dtype");
	dtype->u.dtype.swap = order->u.text.data[0] == '>';
	return NDL_OK;
}

/* Arrays ---------------------------------------------------------------------------------- */

static ndl_status read_shape(pk_pickle *p, pk_array *a, const pk_value *shape)
{
	a->elements = 1;
	if (!shape || shape->kind != PK_TUPLE)
		return strange(p, "an array: its shape");
	if (shape->u.items.n > NDL_MAX_RANK)
		return pk_fail(p, NDL_ELIMIT, "an array of %u dimensions, at most %d are supported", shape->u.items.n, NDL_MAX_RANK);
	a->rank = (int)shape->u.items.n;
	for (int i = 0; i < a->rank; i++) {
		const pk_value *n = pk_item(p, shape, (size_t)i);
		if (n->kind != PK_INT || n->u.integer < 0)
			return strange(p, "an array: its shape");
		a->shape[i] = (size_t)n->u.integer;
		if (!ndl_mul_ok(a->elements, a->shape[i], &a->elements))
			return pk_fail(p, NDL_ELIMIT, "an array whose size overflows");
	}
	return NDL_OK;
}

/* Strides in elements; fortran: the first axis runs fastest. */
static void set_strides(pk_array *a, bool fortran)
{
	size_t step = 1;
	for (int i = 0; i < a->rank; i++) {
		int axis = fortran ? i : a->rank - 1 - i;
		a->stride[axis] = step;
		step *= a->shape[axis];
	}
}

/* The result of transposing by a tuple of axes: axis i of it is axis order[i] of a. */
static ndl_status transpose(pk_pickle *p, pk_array *a, const pk_value *order)
{
	pk_array old = *a;
	unsigned seen = 0;
	if (!order || order->kind != PK_TUPLE || order->u.items.n != (size_t)a->rank)
		return strange(p, "_frombuffer: its axes");
	for (int i = 0; i < a->rank; i++) {
		const pk_value *axis = pk_item(p, order, (size_t)i);
		if (axis->kind != PK_INT || axis->u.integer < 0 || axis->u.integer >= a->rank ||
		    seen & 1u << axis->u.integer)
			return strange(p, "_frombuffer: its axes");
		seen |= 1u << axis->u.integer;
		a->shape[i] = old.shape[axis->u.integer];
		a->stride[i] = old.stride[axis->u.integer];
	}
	return NDL_OK;
}

static ndl_status fill_array(pk_pickle *p, pk_array *a, const pk_value *dtype, const pk_value *shape, const pk_value *bytes)
{
	size_t size;
	if (!dtype || dtype->kind != PK_DTYPE || !bytes || bytes->kind != PK_BYTES)
		return strange(p, "an array: dtype and bytes");
	a->type = dtype->u.dtype.type;
	a->swap = dtype->u.dtype.swap && ndl_dtype_size(a->type) > 1;
	ndl_status s = read_shape(p, a, shape);
	if (s != NDL_OK)
		return s;
	if (!ndl_mul_ok(a->elements, ndl_dtype_size(a->type), &size) || size != bytes->u.text.len)
		return pk_fail(p, NDL_EFORMAT, "an array whose shape and type need another number of bytes than its %zu",
		               bytes->u.text.len);
	a->data = bytes->u.text.data;
	set_strides(a, false);
	return NDL_OK;
}

static pk_array *new_array(pk_pickle *p)
{
	pk_array *a = pk_make(p, sizeof *a);
	if (a)
		*a = (pk_array){0};
	return a;
}

/* An array value around a. */
static ndl_status give_array(pk_pickle *p, pk_array *a, pk_ref *result)
{
	pk_value *v = pk_new(p, PK_ARRAY, result);
	if (!v)
		return NDL_ELIMIT;
	v->u.array = a;
	return NDL_OK;
}

/* Empty as yet: BUILD fills it. */
static ndl_status call_reconstruct(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	const pk_value *shape = pk_item(p, args, 1);
	if (!is_global(pk_item(p, args, 0), PK_NDARRAY) || !shape || shape->kind != PK_TUPLE || args->u.items.n != 3)
		return strange(p, "_reconstruct");
	return give_array(p, NULL, result);
}

static ndl_status call_scalar(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	pk_value none = {.kind = PK_TUPLE};
	pk_array *a = new_array(p);
	if (!a)
		return NDL_ELIMIT;
	ndl_status s = fill_array(p, a, pk_item(p, args, 0), &none, pk_item(p, args, 1));
	return s == NDL_OK ? give_array(p, a, result) : s;
}

static ndl_status call_frombuffer(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	const pk_value *order = pk_item(p, args, 3);
	pk_array *a = new_array(p);
	if (!a)
		return NDL_ELIMIT;
	ndl_status s = fill_array(p, a, pk_item(p, args, 1), pk_item(p, args, 2), pk_item(p, args, 0));
	if (s != NDL_OK)
		return s;
	if (is_text(order, PK_STR, "F"))
		set_strides(a, true);
	else if (is_text(order, PK_STR, "K"))
		s = transpose(p, a, pk_item(p, args, 4));
	else if (!is_text(order, PK_STR, "C"))
		s = strange(p, "_frombuffer: its order");
	return s == NDL_OK ? give_array(p, a, result) : s;
}

/* (version, shape, dtype, is_fortran, bytes) */
static ndl_status build_array(pk_pickle *p, pk_value *v, const pk_value *state)
{
	const pk_value *fortran = pk_item(p, state, 3);
	if (v->u.array)
		return pk_fail(p, NDL_EFORMAT, "an array is built twice");
	if (state->u.items.n != 5 || (fortran->kind != PK_BOOL && fortran->kind != PK_INT))
		return strange(p, "an array's state");
	pk_array *a = new_array(p);
	if (!a)
		return NDL_ELIMIT;
	ndl_status s = fill_array(p, a, pk_item(p, state, 2), pk_item(p, state, 1), pk_item(p, state, 4));
	if (s == NDL_OK && fortran->u.integer)
		set_strides(a, true);
	v->u.array = a;
	return s;
}

/* Bytes as text --------------------------------------------------------------------------- */

/* Each character is a byte. */
static ndl_status call_encode(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	const pk_value *text = pk_item(p, args, 0), *codec = pk_item(p, args, 1);
	if (!text || text->kind != PK_STR || (!is_text(codec, PK_STR, "latin1") && !is_text(codec, PK_STR, "latin-1")))
		return strange(p, "_codecs.encode");
	const char *from = text->u.text.data;
	size_t left = text->u.text.len, n = 0;
	char *bytes = pk_make(p, left);
	if (!bytes)
		return NDL_ELIMIT;
	while (left) {
		uint32_t cp = 0;
		size_t len = ndl_utf8_decode(from, left, &cp);
		if (!len || cp > 255)
			return pk_fail(p, NDL_EFORMAT, "bytes written as text with a character over 255");
		bytes[n++] = (char)cp;
		from += len;
		left -= len;
	}
	pk_value *v = pk_new(p, PK_BYTES, result);
	if (!v)
		return NDL_ELIMIT;
	v->u.text.data = bytes;
	v->u.text.len = n;
	return NDL_OK;
}

static ndl_status call_bytes(pk_pickle *p, const pk_value *args, pk_ref *result)
{
	if (args->u.items.n)
		return strange(p, "bytes");
	pk_value *v = pk_new(p, PK_BYTES, result);
	if (!v)
		return NDL_ELIMIT;
	v->u.text.data = "";
	return NDL_OK;
}

/* ----------------------------------------------------------------------------------------- */

ndl_status pk_call(pk_pickle *p, pk_ref callable, pk_ref args_ref, pk_ref *result)
{
	const pk_value *what = &p->value[callable];
	pk_value args = p->value[args_ref]; /* a copy: making values moves them */
	if (what->kind != PK_GLOBAL)
		return pk_fail(p, NDL_EFORMAT, "a call of %s", pk_kind_name(what->kind));
	if (args.kind != PK_TUPLE)
		return pk_fail(p, NDL_EFORMAT, "a call with %s, not a tuple", pk_kind_name(args.kind));
	switch (what->u.global) {
	case PK_DTYPE_TYPE: return call_dtype(p, &args, result);
	case PK_RECONSTRUCT: return call_reconstruct(p, &args, result);
	case PK_SCALAR: return call_scalar(p, &args, result);
	case PK_FROMBUFFER: return call_frombuffer(p, &args, result);
	case PK_ENCODE: return call_encode(p, &args, result);
	case PK_BYTES_TYPE: return call_bytes(p, &args, result);
	default: return pk_fail(p, NDL_EUNSUPPORTED, "a call of a class that is not a dtype");
	}
}

ndl_status pk_build(pk_pickle *p, pk_ref object, pk_ref state_ref)
{
	pk_value *v = &p->value[object];
	const pk_value *state = &p->value[state_ref];
	if (state->kind != PK_TUPLE || (v->kind != PK_DTYPE && v->kind != PK_ARRAY))
		return pk_fail(p, NDL_EUNSUPPORTED, "a state for %s", pk_kind_name(v->kind));
	return v->kind == PK_DTYPE ? build_dtype(p, v, state) : build_array(p, v, state);
}

/* Plain data ------------------------------------------------------------------------------ */

static bool is_plain(const pk_array *a)
{
	size_t step = 1;
	for (int i = a->rank - 1; i >= 0; i--) {
		if (a->shape[i] > 1 && a->stride[i] != step)
			return false;
		step *= a->shape[i];
	}
	return !a->swap || a->elements == 0;
}

static void copy_element(char *to, const char *from, size_t size, bool swap)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[swap ? size - 1 - i : i];
}

const void *pk_array_plain(pk_pickle *p, pk_array *a)
{
	size_t size = ndl_dtype_size(a->type), at[NDL_MAX_RANK] = {0};
	if (is_plain(a))
		return a->data;
	if (a->plain)
		return a->plain;
	char *out = pk_make(p, a->elements * size);
	if (!out)
		return NULL;
	for (size_t n = 0; n < a->elements; n++) {
		size_t from = 0;
		for (int i = 0; i < a->rank; i++)
			from += at[i] * a->stride[i];
		copy_element(out + n * size, a->data + from * size, size, a->swap);
		for (int i = a->rank - 1; i >= 0 && ++at[i] == a->shape[i]; i--)
			at[i] = 0;
	}
	return a->plain = out;
}
