/* nullable.c - arguments that may be null instead of being left out. Where every argument has to be required, as in OpenAI's strict
 * schemas, null stands for "not said". The network has learnt to leave such arguments out: it is shown them as optional ones of their
 * other types, and null is put in afterwards. */
#include "tools/tools_internal.h"

bool ndl_tools_is_nullable(const json_t *schema)
{
	const json_t *values = json_object_get(schema, "enum");
	bool listed = !values || (json_array_size(values) > 1 && ndl_json_has(values, json_null()));
	return json_array_size(json_object_get(schema, "type")) > 1 && (ndl_tools_types(schema) & NDL_TYPE_NULL) && listed &&
	       !json_object_get(schema, "const");
}

ndl_status ndl_tools_fill_nulls(const ndl_tools *t, json_t *call, ndl_error *err)
{
	const char *name = json_string_value(json_object_get(call, "name"));
	json_t *arguments = json_object_get(call, "arguments");
	long tool = name && json_is_object(arguments) ? ndl_tools_find(t, name) : -1;
	const json_t *schema = tool < 0 ? NULL : ndl_tools_schema(t, (size_t)tool), *required = json_object_get(schema, "required");
	for (size_t i = 0; i < json_array_size(required); i++) {
		const char *key = json_string_value(json_array_get(required, i));
		bool absent = !json_object_get(arguments, key);
		if (absent && ndl_tools_is_nullable(json_object_get(json_object_get(schema, "properties"), key)) &&
		    json_object_set_new(arguments, key, json_null()) < 0)
			return ndl_fail_nomem(err, "arguments");
	}
	return NDL_OK;
}
