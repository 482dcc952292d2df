/* safetensors: u64 little-endian N, N bytes of JSON, then the tensors' data back to back.
 * Everything is checked on opening; afterwards a checkpoint cannot fail. */
#include "checkpoint/checkpoint_internal.h"

#include "base/mem.h"
#include "checkpoint/names.h"

#include <stdlib.h>
#include <string.h>

/* Header ------------------------------------------------------------------------------ */

static ndl_status read_header(ndl_ckpt *c, size_t *data_start, ndl_error *err)
{
	uint64_t len = 0;
	if (c->map.size < NDL_ST_PREFIX)
		return ndl_fail(err, NDL_EFORMAT, "not a safetensors file: %zu bytes are too few", c->map.size);
	for (int i = NDL_ST_PREFIX - 1; i >= 0; i--)
		len = len << 8 | c->map.data[i];
	if (c->map.size > NDL_ST_PREFIX && c->map.data[0] == 0x80 && c->map.data[NDL_ST_PREFIX] != '{')
		return ndl_fail(err, NDL_EFORMAT, "a Python pickle, not a model file: needle-quantize converts it");
	if (len > NDL_ST_HEADER_MAX)
		return ndl_fail(err, NDL_EFORMAT, "not a safetensors file: a header of %llu bytes is over the limit",
		                (unsigned long long)len);
	if (len > c->map.size - NDL_ST_PREFIX)
		return ndl_fail(err, NDL_EFORMAT, "truncated: the header says %llu bytes, the file has %zu",
		                (unsigned long long)len, c->map.size - NDL_ST_PREFIX);
	const char *text = (const char *)c->map.data + NDL_ST_PREFIX;
	if (len == 0 || text[0] != '{')
		return ndl_fail(err, NDL_EFORMAT, "not a safetensors file: the header does not start with '{'");
	c->header = ndl_json_parse(text, (size_t)len, err);
	if (!c->header) {
		if (err) { /* a column of a one-line header helps nobody, the offset in the file does */
			err->line = err->column = 0;
			err->byte += NDL_ST_PREFIX;
		}
		ndl_error_prefix(err, "header");
		return err ? err->code : NDL_EFORMAT;
	}
	*data_start = NDL_ST_PREFIX + (size_t)len;
	return NDL_OK;
}

static ndl_status read_metadata(ndl_ckpt *c, ndl_error *err)
{
	const char *key;
	json_t *value, *meta = json_object_get(c->header, "__metadata__");
	if (!meta)
		return NDL_OK;
	if (!json_is_object(meta))
		return ndl_fail(err, NDL_EFORMAT, "__metadata__ is %s, not an object", ndl_json_type_name(meta));
	if (json_object_size(meta) > NDL_ST_META_MAX)
		return ndl_fail(err, NDL_ELIMIT, "__metadata__ has %zu keys, at most %d are supported", json_object_size(meta),
		                NDL_ST_META_MAX);
	json_object_foreach(meta, key, value)
		if (!json_is_string(value))
			return ndl_fail(err, NDL_EFORMAT, "__metadata__: '%s' is %s, not a string", key,
			                ndl_json_type_name(value));
	c->meta = meta;
	return NDL_OK;
}

static bool json_size(const json_t *value, size_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > SIZE_MAX)
		return false;
	*out = (size_t)json_integer_value(value);
	return true;
}

static ndl_status read_dtype(ndl_tensor *t, const json_t *value, ndl_error *err)
{
	if (!json_is_string(value))
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': no dtype", t->name);
	for (int d = 0; d < NDL_DTYPE_COUNT; d++)
		if (strcmp(json_string_value(value), ndl_dtype_name((ndl_dtype)d)) == 0) {
			t->dtype = (ndl_dtype)d;
			return NDL_OK;
		}
	return ndl_fail(err, NDL_EUNSUPPORTED, "tensor '%s': data type '%s' is not supported", t->name,
	                json_string_value(value));
}

static ndl_status read_shape(ndl_tensor *t, const json_t *value, ndl_error *err)
{
	if (!json_is_array(value))
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': no shape", t->name);
	if (json_array_size(value) > NDL_MAX_RANK)
		return ndl_fail(err, NDL_ELIMIT, "tensor '%s': %zu dimensions, at most %d are supported", t->name,
		                json_array_size(value), NDL_MAX_RANK);
	t->rank = (int)json_array_size(value);
	for (int i = 0; i < t->rank; i++)
		if (!json_size(json_array_get(value, (size_t)i), &t->shape[i]))
			return ndl_fail(err, NDL_EFORMAT, "tensor '%s': shape[%d] is not a size", t->name, i);
	return NDL_OK;
}

/* One entry of the header; t->data points at its first byte afterwards. */
static ndl_status read_tensor(const ndl_ckpt *c, size_t data_start, const char *name, json_t *entry,
                              ndl_tensor *t, ndl_error *err)
{
	size_t begin, end, elements, bytes;
	*t = (ndl_tensor){.name = name};
	if (!*name)
		return ndl_fail(err, NDL_EFORMAT, "a tensor has an empty name");
	if (!json_is_object(entry) || json_object_size(entry) != 3)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': expected an object with dtype, shape, data_offsets", name);
	ndl_status s = read_dtype(t, json_object_get(entry, "dtype"), err);
	if (s == NDL_OK)
		s = read_shape(t, json_object_get(entry, "shape"), err);
	if (s != NDL_OK)
		return s;
	const json_t *offsets = json_object_get(entry, "data_offsets");
	if (json_array_size(offsets) != 2 || !json_size(json_array_get(offsets, 0), &begin) ||
	    !json_size(json_array_get(offsets, 1), &end) || begin > end)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': data_offsets are not two rising sizes", name);
	if (end > c->map.size - data_start)
		return ndl_fail(err, NDL_EFORMAT, "truncated: tensor '%s' ends at byte %zu of the data, of which there are %zu",
		                name, end, c->map.size - data_start);
	elements = ndl_tensor_elements(t);
	if (!ndl_mul_ok(elements, ndl_dtype_size(t->dtype), &bytes) || bytes != end - begin)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': %zu bytes of data do not fit its shape and type", name,
		                end - begin);
	t->data = c->map.data + data_start + begin;
	t->bytes = bytes;
	return NDL_OK;
}

static int by_position(const void *pa, const void *pb)
{
	const ndl_tensor *a = pa, *b = pb;
	if (a->data != b->data)
		return (const char *)a->data < (const char *)b->data ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

static ndl_status read_tensors(ndl_ckpt *c, size_t data_start, ndl_error *err)
{
	const char *name;
	json_t *entry;
	c->tensors = ndl_calloc(json_object_size(c->header), sizeof *c->tensors);
	if (!c->tensors)
		return ndl_fail_nomem(err, "tensor table");
	c->cap = json_object_size(c->header);
	json_object_foreach(c->header, name, entry) {
		if (strcmp(name, "__metadata__") == 0)
			continue;
		ndl_status s = read_tensor(c, data_start, name, entry, &c->tensors[c->n], err);
		if (s != NDL_OK)
			return s;
		c->n++;
	}
	qsort(c->tensors, c->n, sizeof *c->tensors, by_position);
	/* Without holes and overlaps nothing can hide in the file, and no byte means two things. */
	const unsigned char *at = c->map.data + data_start;
	for (size_t i = 0; i < c->n; at += c->tensors[i++].bytes)
		if (c->tensors[i].data != at)
			return ndl_fail(err, NDL_EFORMAT, "tensor '%s': %s before its data", c->tensors[i].name,
			                (const unsigned char *)c->tensors[i].data > at ? "a hole" : "an overlap");
	if (at != c->map.data + c->map.size)
		return ndl_fail(err, NDL_EFORMAT, "%zu bytes after the last tensor",
		                (size_t)(c->map.data + c->map.size - at));
	return NDL_OK;
}

/* Selection ----------------------------------------------------------------------------- */

bool ndl_ckpt_is_padding(const char *name)
{
	static const char stem[] = NDL_ST_PADDING;
	if (strncmp(name, stem, sizeof stem - 1) != 0)
		return false;
	const char *digits = name + sizeof stem - 1;
	return *digits && strspn(digits, "0123456789") == strlen(digits);
}

/* Keeps what the caller wants to see: no gap fillers, names under prefix, without it. */
static void select_tensors(ndl_ckpt *c, const char *prefix)
{
	size_t kept = 0, len = strlen(prefix);
	for (size_t i = 0; i < c->n; i++) {
		ndl_tensor t = c->tensors[i];
		if ((t.dtype == NDL_U8 && ndl_ckpt_is_padding(t.name)) || strncmp(t.name, prefix, len) != 0 ||
		    !t.name[len])
			continue;
		t.name += len;
		c->tensors[kept++] = t;
	}
	c->n = kept;
}

static ndl_status load(ndl_ckpt *c, const char *prefix, ndl_error *err)
{
	size_t data_start = 0;
	ndl_status s = read_header(c, &data_start, err);
	if (s == NDL_OK)
		s = read_metadata(c, err);
	if (s == NDL_OK)
		s = read_tensors(c, data_start, err);
	if (s != NDL_OK)
		return s;
	select_tensors(c, prefix);
	return ndl_ckpt_index(c, err);
}

ndl_ckpt *ndl_ckpt_open_memory(const void *data, size_t size, const char *prefix, ndl_error *err)
{
	ndl_ckpt *c = ndl_calloc(1, sizeof *c);
	if (!c) {
		ndl_fail_nomem(err, "model file");
		return NULL;
	}
	c->map = (ndl_map){data, size};
	c->borrowed = true;
	if (load(c, prefix, err) != NDL_OK) {
		ndl_ckpt_close(c);
		return NULL;
	}
	return c;
}

ndl_ckpt *ndl_ckpt_open_prefix(const char *path, const char *prefix, ndl_error *err)
{
	ndl_map map;
	if (ndl_map_open(&map, path, err) != NDL_OK)
		return NULL;
	ndl_ckpt *c = ndl_ckpt_open_memory(map.data, map.size, prefix, err);
	if (!c) {
		ndl_error_at(err, path, 0);
		ndl_map_close(&map);
		return NULL;
	}
	c->borrowed = false;
	return c;
}

ndl_ckpt *ndl_ckpt_open(const char *path, ndl_error *err)
{
	return ndl_ckpt_open_prefix(path, "", err);
}
