/* pickle_values.c - what the machine makes and what its errors say: values, their items, memory, all within limits. */
#include "checkpoint/pickle.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ndl_status pk_fail(pk_pickle *p, ndl_status code, const char *fmt, ...)
{
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ndl_fail(p->err, code, "pickle, byte %zu: %s", p->op, text);
	if (p->err)
		p->err->byte = p->op;
	return code;
}

const char *pk_kind_name(pk_kind kind)
{
	static const char *const kinds[] = {"None", "a boolean", "an integer", "a float", "a string", "bytes", "a tuple",
		"a list", "a dictionary", "a global", "a dtype", "an array"};
	return kinds[kind];
}

/* Memory ---------------------------------------------------------------------------------- */

void pk_clear(pk_pickle *p)
{
	for (size_t i = 0; i < p->n_made; i++)
		free(p->made[i]);
	free(p->made);
	free(p->value);
	free(p->link);
	free(p->stack);
	free(p->mark);
	free(p->memo);
	*p = (pk_pickle){0};
}

ndl_status pk_grow(pk_pickle *p, void *array, size_t *cap, size_t need, size_t size, const char *what)
{
	if (need > PK_VALUES_MAX)
		return pk_fail(p, NDL_ELIMIT, "more than %d %s", PK_VALUES_MAX, what);
	return ndl_grow(array, cap, need, size) == 0 ? NDL_OK : ndl_fail_nomem(p->err, "pickle");
}

void *pk_make(pk_pickle *p, size_t n)
{
	/* An honest file needs each of its bytes converted once; one that refers to the same bytes again
	 * and again could ask for any amount. */
	size_t size = (size_t)(p->end - p->data), total;
	if (!ndl_add_ok(p->made_bytes, n, &total) || total / 2 > size + PK_VALUES_MAX) {
		pk_fail(p, NDL_ELIMIT, "the arrays take more memory than the file can hold");
		return NULL;
	}
	void *block = NULL;
	if (pk_grow(p, &p->made, &p->cap_made, p->n_made + 1, sizeof *p->made, "arrays") != NDL_OK)
		return NULL;
	block = ndl_alloc64(n ? n : 1, 1);
	if (!block) {
		ndl_fail_nomem(p->err, "pickle");
		return NULL;
	}
	p->made_bytes = total;
	return p->made[p->n_made++] = block;
}

pk_value *pk_new(pk_pickle *p, pk_kind kind, pk_ref *ref)
{
	if (pk_grow(p, &p->value, &p->cap, p->n + 1, sizeof *p->value, "values") != NDL_OK)
		return NULL;
	pk_value *v = &p->value[p->n];
	memset(v, 0, sizeof *v);
	v->kind = kind;
	v->at = p->op;
	*ref = (pk_ref)p->n++;
	return v;
}

const pk_value *pk_item(const pk_pickle *p, const pk_value *v, size_t i)
{
	if ((v->kind != PK_TUPLE && v->kind != PK_LIST) || i >= v->u.items.n)
		return NULL;
	uint32_t at = v->u.items.first;
	while (i-- > 0)
		at = p->link[at].next;
	return &p->value[p->link[at].value];
}

ndl_status pk_add_item(pk_pickle *p, pk_ref container, pk_ref item)
{
	size_t n = p->n_links ? p->n_links : 1;
	ndl_status s = pk_grow(p, &p->link, &p->cap_links, n + 1, sizeof *p->link, "items");
	if (s != NDL_OK)
		return s;
	pk_value *v = &p->value[container];
	p->link[n] = (pk_link){item, 0};
	if (v->u.items.n++)
		p->link[v->u.items.last].next = (uint32_t)n;
	else
		v->u.items.first = (uint32_t)n;
	v->u.items.last = (uint32_t)n;
	p->n_links = n + 1;
	return NDL_OK;
}
