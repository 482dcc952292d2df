/* test_tools.c - dialects in, canonical text out; errors with their places; checking of calls. */
#include "tests/tap.h"

#include "tools/tools.h"

#include <string.h>

/* Tests write ' for " to stay readable. */
static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	ndl_error err = NDL_ERROR_INIT;
	json_t *value = ndl_json_parse(copy, strlen(copy), &err);
	if (!value)
		tap_note("test input: %s: %s", err.text, text);
	free(copy);
	return value;
}

static ndl_tools *tools_of(const char *text, int flags, ndl_error *err)
{
	json_t *value = parse(text);
	ndl_tools *t = ndl_tools_new(value, flags, err);
	json_decref(value);
	return t;
}

/* What the list renders to, with ' for "; or "error: …". */
static const char *rendered(const char *text, int ascii, int flags)
{
	static char out[4000];
	ndl_error err = NDL_ERROR_INIT;
	ndl_tools *t = tools_of(text, flags, &err);
	if (!t) {
		snprintf(out, sizeof out, "error: %s", err.text);
	} else {
		ndl_buf b = NDL_BUF_INIT;
		ndl_tools_render(t, &b, NULL, 0, ascii);
		snprintf(out, sizeof out, "%s", ndl_buf_cstr(&b));
		ndl_buf_clear(&b);
	}
	for (char *c = out; *c; c++)
		if (*c == '"')
			*c = '\'';
	ndl_tools_free(t);
	return out;
}

#define RENDERS(in, want) CHECK_STR(rendered(in, 0, 0), want)

static void snake_case(void)
{
	static const char *const table[][2] = {
		{"getUserName", "get_user_name"}, {"ABCDef", "abc_def"}, {"get-user.name", "get_user_name"},
		{"__a__b__", "a_b"}, {"HTTPServer2Go", "http_server2_go"}, {"already_snake", "already_snake"},
		{"GetHTTP", "get_http"}, {"x", "x"}, {"", ""}, {"a1B2c", "a1_b2c"}, {"admin.tools.list", "admin_tools_list"},
		{"Send_Message", "send_message"}, {"caf\xc3\xa9 bar", "caf_bar"}, {"ABC", "abc"}, {"_", ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		ndl_buf b = NDL_BUF_INIT;
		ndl_tools_snake_case(&b, table[i][0], strlen(table[i][0]));
		CHECK_STR(ndl_buf_cstr(&b), table[i][1]);
		ndl_buf_clear(&b);
	}
}

static void dialects(void)
{
	const char *want = "[{'name':'get_weather','description':'Weather.','parameters':{'location':{'type':'string',"
	                   "'description':'City','required':true},'days':{'type':'integer'}}}]";
#define SCHEMA "{'type':'object','properties':{'location':{'type':'string','description':'City'},'days':{'type':'integer'}}," \
	       "'required':['location']}"
	RENDERS("[{'name':'get_weather','description':'Weather.','parameters':{'location':{'type':'string','description':'City',"
		"'required':true},'days':{'type':'integer','required':false}}}]", want);
	RENDERS("[{'name':'getWeather','description':'Weather.','parameters':" SCHEMA "}]", want);
	RENDERS("[{'type':'function','function':{'name':'get_weather','description':'Weather.','strict':true,'parameters':" SCHEMA "}}]", want);
	RENDERS("[{'type':'function','name':'get_weather','description':'Weather.','strict':null,'parameters':" SCHEMA "}]", want);
	RENDERS("[{'name':'get_weather','description':'Weather.','input_schema':" SCHEMA "}]", want);
	RENDERS("{'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'get_weather','title':'W','description':'Weather.','inputSchema':"
		SCHEMA ",'annotations':{'readOnlyHint':true}}],'nextCursor':'x'}}", want);
	RENDERS("{'tools':[{'name':'get_weather','description':'Weather.','inputSchema':" SCHEMA "}]}", want);
	RENDERS("[{'functionDeclarations':[{'name':'get_weather','description':'Weather.','parameters':{'type':'OBJECT','properties':"
		"{'location':{'type':'STRING','description':'City'},'days':{'type':'INTEGER'}},'required':['location'],"
		"'propertyOrdering':['location','days']}}]}]", want);
	RENDERS("[{'title':'GetWeather','description':'Weather.','type':'object','properties':{'location':{'type':'string',"
		"'description':'City'},'days':{'type':'integer'}},'required':['location']}]", want);
	RENDERS("{'toolConfig':{'tools':[{'toolSpec':{'name':'get_weather','description':'Weather.','inputSchema':{'json':" SCHEMA "}}}]}}", want);
	RENDERS("[{'name':'get_weather','description':'Weather.','parameters':{'type':'dict','properties':{'location':{'type':'String',"
		"'description':'City'},'days':{'type':'long','optional':true}},'required':['location']}}]", want);
	RENDERS("[{'type':'namespace','name':'n','tools':[{'type':'function','name':'get_weather','description':'Weather.','parameters':"
		SCHEMA "}]}]", want);
	RENDERS("'[{\\u0022name\\u0022:\\u0022f\\u0022}]'", "[{'name':'f','parameters':{}}]"); /* JSON in a string */
	RENDERS("[{'name':'f','parameters':{'location':'string','n':'float','x':'any','l':'tuple'}}]",
		"[{'name':'f','parameters':{'location':{'type':'string'},'n':{'type':'number'},'x':{},'l':{'type':'array'}}}]");
	RENDERS("[]", "[]");
	RENDERS("{'type':'function','function':{'name':'get_weather','description':'Weather.','parameters':" SCHEMA "}}", want);
	RENDERS("[{'name':'f','outputSchema':{'type':'object','properties':{'a':{}}}}]", "[{'name':'f','parameters':{}}]");
	RENDERS("[{'name':'f','description':'','parameters':null}]", "[{'name':'f','parameters':{}}]");
	RENDERS("[{'name':'f','parameters':{'type':'object'}}]", "[{'name':'f','parameters':{}}]");
	/* arguments that are called as keywords */
	RENDERS("[{'name':'f','parameters':{'type':{'type':'string'},'required':{'type':'boolean','required':true}}}]",
		"[{'name':'f','parameters':{'type':{'type':'string'},'required':{'type':'boolean','required':true}}}]");
	RENDERS("[{'name':'f','parameters':{'type':'object','properties':{'type':{'type':'string'},'properties':{'type':'object'}}}}]",
		"[{'name':'f','parameters':{'type':{'type':'string'},'properties':{'type':'object'}}}]");
	RENDERS("[{'name':'f','parameters':{'properties':{'type':'array','description':'d'}}}]",
		"[{'name':'f','parameters':{'properties':{'type':'array','description':'d'}}}]");
}

/* What is written beside its place, or as other languages write it. */
static void near_dialects(void)
{
	static const char *const hints[][2] = {
		{"str, optional", "string"}, {"List[int]", "array"}, {"Optional[str]", "string"}, {"Dict[str, Any]", "object"},
		{"Tuple[float, float]", "array"}, {"string[]", "array"}, {"Optional[List[str]]", "array"},
	};
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		char in[200], want[200];
		snprintf(in, sizeof in, "[{'name':'f','parameters':{'a':{'type':'%s'}}}]", hints[i][0]);
		snprintf(want, sizeof want, "[{'name':'f','parameters':{'a':{'type':'%s'}}}]", hints[i][1]);
		RENDERS(in, want);
	}
	RENDERS("[{'name':'f','parameters':{'a':{'type':'array of strings'}}}]",
	        "error: tools[0]: /parameters/a/type: unknown type 'array of strings'");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'string'},'b':{'type':'string'}},'required':['a']}]",
	        "[{'name':'f','parameters':{'a':{'type':'string','required':true},'b':{'type':'string'}}}]");
	RENDERS("[{'type':'function','function':{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string'}}},"
	        "'required':['a']}}]", "[{'name':'f','parameters':{'a':{'type':'string','required':true}}}]");
	RENDERS("[{'type':'function','function':{'name':'f'},'parameters':{'a':'int'}}]",
	        "error: tools[0]: 'parameters' stands beside 'function', not in it");
	RENDERS("[{'name':'f','arguments':{'a':'int'}}]", "error: tools[0]: 'arguments' is not read: parameters stand in 'parameters'");
	RENDERS("[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'object','propertyNames':{'type':'string'},"
	        "'additionalProperties':{'type':'string'}}}}}]",
	        "[{'name':'f','parameters':{'a':{'type':'object'}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'array','items':{'type':'string'},'minItems':'1'}}}]",
	        "[{'name':'f','parameters':{'a':{'type':'array','items':{'type':'string'}}}}]");
}

static void canonical(void)
{
	RENDERS("[{'parameters':{'a':{'maximum':9,'minimum':0.5,'format':'f','enum':[1,2],'required':true,'description':'d','type':'number'}},"
		"'description':'D','name':'f'}]",
		"[{'name':'f','description':'D','parameters':{'a':{'type':'number','description':'d','required':true,'enum':[1,2],"
		"'format':'f','minimum':0.5,'maximum':9}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'array','items':{'type':'object','properties':{'x':{'type':'integer'},"
		"'y':{'type':'integer'}},'required':['y']}}}}]",
		"[{'name':'f','parameters':{'a':{'type':'array','items':{'type':'object','properties':{'x':{'type':'integer'},"
		"'y':{'type':'integer','required':true}}}}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'const':'x','title':'T','default':'y','examples':['z'],'x-more':1}}}]",
		"[{'name':'f','parameters':{'a':{'enum':['x']}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'STRING','nullable':true}}}]",
		"[{'name':'f','parameters':{'a':{'type':'string'}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'anyOf':[{'type':'string','enum':['x']},{'type':'null'}],'default':null}}}]",
		"[{'name':'f','parameters':{'a':{'type':'string','enum':['x']}}}]");
	/* strict: all that may be left out is required, and null */
	RENDERS("[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string'},'b':{'type':['integer','null']},"
		"'c':{'type':['string','integer','null'],'enum':['x',1,null]}},'required':['a','b','c'],'additionalProperties':false}}]",
		"[{'name':'f','parameters':{'a':{'type':'string','required':true},'b':{'type':'integer'},"
		"'c':{'type':['string','integer'],'enum':['x',1]}}}]");
	RENDERS("[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#/$defs/List%5Bint%5D'}},"
		"'$defs':{'List[int]':{'description':'theirs','anyOf':[{'type':'integer'},{'type':'array','items':{'type':'object'}}]}}}}]",
		"[{'name':'f','parameters':{'a':{'type':['integer','array'],'description':'theirs','items':{'type':'object'}}}}]");
	RENDERS("[{'name':'f','parameters':{'type':['object','null'],'properties':{'a':{'type':'integer'}}}}]",
		"[{'name':'f','parameters':{'a':{'type':'integer'}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'oneOf':[{'type':'string'},{'type':'integer'}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':['string','integer']}}}]");
	RENDERS("[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#/$defs/A~1b','description':'mine'}},"
		"'$defs':{'A/b':{'type':'string','description':'theirs','enum':['x']}}}}]",
		"[{'name':'f','parameters':{'a':{'type':'string','description':'mine','enum':['x']}}}]");
	RENDERS("[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#/$defs/b','required':['x']}},'$defs':{'b':"
		"{'type':'object','properties':{'y':{'type':'string'}}}}}}]",
		"[{'name':'f','parameters':{'a':{'type':'object','properties':{'x':{'required':true},'y':{'type':'string'}}}}}]");
	/* a schema inside itself is shown once */
	RENDERS("[{'name':'f','input_schema':{'type':'object','properties':{'t':{'$ref':'#/$defs/tree'}},'$defs':{'tree':{'type':'object',"
		"'properties':{'n':{'type':'integer'},'kids':{'type':'array','items':{'$ref':'#/$defs/tree'}}}}}}}]",
		"[{'name':'f','parameters':{'t':{'type':'object','properties':{'n':{'type':'integer'},'kids':{'type':'array','items':{'type':'object'}}}}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'allOf':[{'type':'object','properties':{'x':{'type':'string'}}},{'properties':{'x':{'enum':['p',1]},"
		"'y':{'type':'null'}},'required':['y']}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':'object','properties':{'x':{'type':'string','enum':['p',1]},'y':{'type':'null','required':true}}}}}]");
	RENDERS("[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},'anyOf':[{'required':['a']},"
		"{'required':['b']}]}}]", "[{'name':'f','parameters':{'a':{'type':'string'},'b':{'type':'string'}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'description':'d','anyOf':[{'const':'x','description':'ex'},{'enum':['y','z']},{'const':'x'}]}}}]",
		"[{'name':'f','parameters':{'a':{'description':'d','enum':['x','y','z']}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'anyOf':[{'type':'null'},{'type':'string','minLength':2},{'type':'array','items':{'type':'string'}}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':['string','array'],'items':{'type':'string'}}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'oneOf':[{'type':'object','properties':{'k':{'const':'p'},'x':{'type':'string'}},'required':['k','x']},"
		"{'type':'object','properties':{'k':{'const':'q'}},'required':['k']}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':'object','properties':{'k':{'required':true,'enum':['p']},'x':{'type':'string'}}}}}]");
	/* what a listing admits tells it from any other alternative; an alternative that nothing fits is none */
	RENDERS("[{'name':'f','parameters':{'a':{'oneOf':[{'type':'integer'},{'enum':['auto','none']}]}}}]",
		"[{'name':'f','parameters':{'a':{}}}]");
	/* one or the other: what is false in an alternative tells it apart */
	RENDERS("[{'name':'f','parameters':{'a':{'type':'object','properties':{'k':{'type':'string'},'l':{'type':'string'}},"
		"'oneOf':[{'required':['k'],'properties':{'l':false}},{'required':['l'],'properties':{'k':false}}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':'object','properties':{'k':{'type':'string'},'l':{'type':'string'}}}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'enum':['a','b'],'anyOf':[{'type':'string'},{'type':'null'}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':'string','enum':['a','b']}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'integer','minimum':10,'anyOf':[{'maximum':5},{'maximum':20}]}}}]",
		"[{'name':'f','parameters':{'a':{'type':'integer','minimum':10,'maximum':20}}}]");
	RENDERS("[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string'}}},'required':['a','b']}]",
		"[{'name':'f','parameters':{'a':{'type':'string','required':true},'b':{'required':true}}}]");
	RENDERS("[{'name':'f','parameters':{'a':{'type':'Bigint'},'b':{'type':'Queue'},'c':{'type':'Stack'}}}]",
		"[{'name':'f','parameters':{'a':{'type':'integer'},'b':{'type':'array'},'c':{'type':'array'}}}]");
	RENDERS("[{'name':'f','parameters':{'type':'object','required':['z'],'properties':{'a':{'type':'string'}}}}]",
		"[{'name':'f','parameters':{'a':{'type':'string'},'z':{'required':true}}}]");
	RENDERS("[{'name':'f','description':'caf\xc3\xa9 \\u0022q\\u0022','parameters':{}}]",
		"[{'name':'f','description':'caf\xc3\xa9 \\'q\\'','parameters':{}}]");
	CHECK_STR(rendered("[{'type':'function','function':{'description':'caf\xc3\xa9','name':'getUser','parameters':{'name':1.0}}}]", 1, NDL_TOOLS_LENIENT),
		"error: tools[0]: /parameters/name: expected a schema, got a number");
	CHECK_STR(rendered("[{'type':'function','function':{'description':'caf\xc3\xa9','name':'getUser','parameters':{'name':{'type':'string'}}}}]", 1, 0),
		"[{'type':'function','function':{'description':'caf\\u00e9','name':'get_user','parameters':{'name':{'type':'string'}}}}]");
}

static void names(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_tools *t = tools_of("[{'name':'getUser'},{'name':'get_user'},{'name':'get.user','description':'d'},{'name':'\xe6\x97\xa5'}]", 0, &err);
	if (!CHECK(t != NULL))
		return;
	CHECK_INT(ndl_tools_count(t), 4);
	CHECK_STR(ndl_tools_norm_name(t, 0), "get_user");
	CHECK_STR(ndl_tools_norm_name(t, 1), "get_user_2");
	CHECK_STR(ndl_tools_norm_name(t, 2), "get_user_3");
	CHECK_STR(ndl_tools_norm_name(t, 3), "tool");
	CHECK_STR(ndl_tools_name(t, 2), "get.user");
	CHECK_STR(ndl_tools_description(t, 2), "d");
	CHECK_STR(ndl_tools_description(t, 0), "");
	CHECK_INT(ndl_tools_find(t, "get_user"), 1); /* original names first */
	CHECK_INT(ndl_tools_find(t, "get_user_2"), 1);
	CHECK_INT(ndl_tools_find(t, "getUser"), 0);
	CHECK_INT(ndl_tools_find(t, "nope"), -1);
	CHECK_INT(ndl_tools_find_norm(t, "get_user_2 of more text", 10), 1);
	CHECK_INT(ndl_tools_find_norm(t, "get_user", 8), 0); /* though the second one is written so */
	CHECK_INT(ndl_tools_find_norm(t, "getUser", 7), -1);
	CHECK(ndl_tools_schema(t, 0) && json_object_size(json_object_get(ndl_tools_schema(t, 0), "properties")) == 0);
	ndl_buf b = NDL_BUF_INIT;
	ndl_tools_render(t, &b, (const size_t[]){2, 0}, 2, 0);
	CHECK_STR(ndl_buf_cstr(&b), "[{\"name\":\"get_user_3\",\"description\":\"d\",\"parameters\":{}},{\"name\":\"get_user\",\"parameters\":{}}]");
	ndl_buf_clear(&b);
	ndl_tools_free(t);
}

/* Sizes at which anything quadratic would be felt. */
static void large(void)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf_byte(&b, '[');
	for (int i = 0; i < 20000; i++) { /* names that all come out as "a" */
		ndl_buf_printf(&b, "%s{'name':'", i ? "," : "");
		for (int k = 0; k < 16; k++)
			ndl_buf_byte(&b, i >> k & 1 ? '.' : '-');
		ndl_buf_str(&b, "a'}");
	}
	ndl_buf_byte(&b, ']');
	ndl_tools *t = tools_of(b.data, 0, &err);
	CHECK(t && strcmp(ndl_tools_norm_name(t, 19999), "a_20000") == 0);
	ndl_tools_free(t);
	ndl_buf_reset(&b);
	ndl_buf_str(&b, "[{'name':'f','parameters':{'type':'object','required':['0'");
	for (int i = 1; i < 50000; i++)
		ndl_buf_printf(&b, ",'%d'", i);
	ndl_buf_str(&b, "],'properties':{'x':{}");
	for (int i = 50000; i-- > 0;)
		ndl_buf_printf(&b, ",'%d':{}", i);
	ndl_buf_str(&b, "}}}]");
	t = tools_of(b.data, 0, &err);
	ndl_buf_reset(&b);
	if (t)
		ndl_tools_render(t, &b, NULL, 0, 0);
	CHECK(strstr(ndl_buf_cstr(&b), "{\"x\":{},\"49999\":{\"required\":true},\"49998\"") != NULL);
	ndl_tools_free(t);
	ndl_buf_clear(&b);
}

/* What a provider runs itself is left out, and said once; what may be a faulty tool is an error. */
static void foreign(void)
{
	static const char *const table[][2] = {
		{"[{'type':'web_search','filters':{'allowed_domains':['x']}},{'type':'function','name':'f'},{'type':'code_interpreter',"
		 "'container':{'type':'auto'}}]", "left out, being no functions: tools[0] (web_search) tools[2] (code_interpreter)"},
		{"[{'type':'bash_20250124','name':'bash'},{'name':'f','input_schema':{'type':'object'}}]",
		 "left out, being no functions: tools[0] (bash_20250124)"},
		{"[{'type':'custom','name':'sh','description':'Run it','format':{'type':'text'}},{'name':'f'}]",
		 "left out, being no functions: tools[0] (custom)"},
		{"[{'functionDeclarations':[{'name':'f'}]},{'googleSearch':{}}]", "left out, being no functions: tools[1] (googleSearch)"},
		{"{'toolConfig':{'tools':[{'toolSpec':{'name':'f'}},{'cachePoint':{'type':'default'}}]}}",
		 "left out, being no functions: tools[1] (cachePoint)"},
		{"[{'type':'custom','name':'f','input_schema':{'type':'object'}}]", ""},
		{"[{'type':'action','name':'f','description':'Do it'}]", ""},
		{"[{'title':'f','type':'object'}]", ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		ndl_error err = NDL_ERROR_INIT;
		ndl_tools *t = tools_of(table[i][0], 0, &err);
		CHECK(t && ndl_tools_count(t) == 1 && strcmp(ndl_tools_name(t, 0), "f") == 0);
		CHECK_INT(err.code, NDL_OK);
		CHECK_STR(err.text, table[i][1]);
		ndl_tools_free(t);
	}
	RENDERS("[{'type':'web_search'}]", "[]");
	RENDERS("[{'type':'function'}]", "error: tools[0]: no name");
	RENDERS("[{'f':{'parameters':{'type':'object','properties':{}}}}]", "error: tools[0]: no name");
	RENDERS("[{'f':{'city':'string'}}]", "error: tools[0]: no name");
	RENDERS("[{'type':'search','arguments':{'q':{'type':'string'}}}]", "error: tools[0]: no name");
}

static void errors(void)
{
	static const char *const table[][2] = {
		{"{'f':{}}", "error: tools: expected an array of tools, got an object"},
		{"[{'name':'f','arguments':{'type':'object','properties':{'a':{}}}}]",
		 "error: tools[0]: 'arguments' is not read: parameters stand in 'parameters'"},
		{"[{'name':'f','inputs':{'a':{'type':'string'}}}]", "error: tools[0]: 'inputs' is not read: parameters stand in 'parameters'"},
		{"3", "error: tools: expected an array of tools, got an integer"},
		{"'nonsense'", "error: tools: invalid JSON at column 8: invalid token near 'nonsense'"},
		{"[1]", "error: tools[0]: expected an object, got an integer"},
		{"[{'name':'f'},{}]", "error: tools[1]: no name"},
		{"[{'name':7}]", "error: tools[0]: name: expected a string, got an integer"},
		{"[{'name':''}]", "error: tools[0]: name: empty"},
		{"[{'name':'f','description':[]}]", "error: tools[0]: description: expected a string, got an array"},
		{"[{'name':'f'},{'name':'g'},{'name':'f','parameters':[]}]", "error: tools[2].parameters: expected an object, got an array"},
		{"[{'name':'f'},{'name':'f'}]", "error: tools[1]: duplicate tool name 'f'"},
		{"[{'name':'f','parameters':{'a':{'type':'strnig'}}}]", "error: tools[0]: /parameters/a/type: unknown type 'strnig'"},
		{"[{'name':'f','parameters':{'a':{'type':[]}}}]", "error: tools[0]: /parameters/a/type: empty list of types"},
		{"[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string','pattern':'[x'}}}}]",
		 "error: tools[0]: /parameters/properties/a/pattern: not a regular expression: missing terminating ] for character class at byte 3"},
		{"[{'name':'f','parameters':{'a':{'not':{}}}}]", "error: tools[0]: /parameters/a/not: schema keyword not supported"},
		{"[{'name':'f','input_schema':{'type':'object','properties':{'a/b':{'minLenght':3}}}}]",
		 "error: tools[0]: /input_schema/properties/a~1b/minLenght: unknown schema keyword"},
		{"[{'name':'f','input_schema':{'type':'string'}}]",
		 "error: tools[0]: /input_schema: the type of a tool's parameters must be object"},
		{"[{'name':'f','parameters':{'a':{'enum':[]}}}]", "error: tools[0]: /parameters/a/enum: no value is allowed"},
		{"[{'name':'f','parameters':{'a':{'minLength':-1}}}]", "error: tools[0]: /parameters/a/minLength: expected a count, 0 or more, got an integer"},
		{"[{'name':'f','input_schema':{'type':'object','properties':{'b':{}},'required':['z'],'additionalProperties':false}}]",
		 "error: tools[0]: /input_schema/required: 'z' is not declared, and additionalProperties is false"},
		{"[{'name':'f','input_schema':{'properties':{'a':{'properties':{'b':{}},'additionalProperties':false,'allOf':[{'required':['z']}]}}}}]",
		 "error: tools[0]: /input_schema/properties/a/allOf/0: contradicts what else is said of this value"},
		{"[{'name':'f','input_schema':{'properties':{'a':{'type':'object','properties':{'b':false},'required':['b']}},'required':['a']}}]",
		 "error: tools[0]: /input_schema/properties/a: what is required can have no value"},
		{"[{'name':'f','parameters':{'a':{'anyOf':[]}}}]", "error: tools[0]: /parameters/a/anyOf: no alternative is given"},
		{"[{'name':'f','parameters':{'a':{'$ref':'http://x'}}}]", "error: tools[0]: /parameters/a/$ref: no such local reference: 'http://x'"},
		{"[{'name':'f','parameters':{},'input_schema':{}}]", "error: tools[0]: both 'parameters' and 'input_schema' are given"},
		{"[{'functionDeclarations':[{'name':'f'},{}]}]", "error: tools[0].functionDeclarations[1]: no name"},
		{"[{'name':'f','parameters':{'a':{'uniqueItems':true,'items':{'type':'object'}}}}]",
		 "error: tools[0]: /parameters/a/uniqueItems: supported only for items that are strings, numbers, booleans or null"},
		{"[{'name':'f','parameters':{'a':{'uniqueItems':true,'items':{'enum':[[1],[2]]}}}}]",
		 "error: tools[0]: /parameters/a/uniqueItems: supported only for items that are strings, numbers, booleans or null"},
		{"[{'name':'f','parameters':{'a':{'allOf':[{'multipleOf':10000000001},{'multipleOf':7.0}]}}}]",
		 "error: tools[0]: /parameters/a/allOf/1/multipleOf: cannot be combined with another 'multipleOf'"},
		{"[{'name':'f','parameters':{'a':{'type':'string','allOf':[{'type':'integer'}]}}}]",
		 "error: tools[0]: /parameters/a/allOf/0: contradicts what else is said of this value"},
		{"[{'name':'f','parameters':{'a':{'type':'object','allOf':[{'properties':{'t':false}},{'properties':{'t':{'type':'string'}},'required':['t']}]}}}]",
		 "error: tools[0]: /parameters/a/allOf/1: contradicts what else is said of this value"},
		{"[{'name':'f','parameters':{'a':{'type':'string','anyOf':[{'type':'integer'},{'type':'null'}]}}}]",
		 "error: tools[0]: /parameters/a/anyOf: no alternative is possible"},
		{"[{'name':'f','parameters':{'a':{'oneOf':[{'type':'string'},{'type':'string','minLength':3}]}}}]",
		 "error: tools[0]: /parameters/a/oneOf: alternatives 0 and 1 may hold for one value; anyOf admits that"},
		{"[{'name':'f','parameters':{'a':{'oneOf':[{'type':['string','integer'],'minimum':10},{'maximum':5}]}}}]",
		 "error: tools[0]: /parameters/a/oneOf: alternatives 0 and 1 may hold for one value; anyOf admits that"},
		{"[{'name':'f','parameters':{'a':{'oneOf':[{'type':'number'},{'anyOf':[{'type':'null'},{'minItems':2}]}]}}}]",
		 "error: tools[0]: /parameters/a/oneOf: alternatives 0 and 1 may hold for one value; anyOf admits that"},
		{"[{'name':'f','parameters':{'a':{'oneOf':[{'enum':['ba']},{'type':'string','pattern':'^b'}]}}}]",
		 "error: tools[0]: /parameters/a/oneOf: alternatives 0 and 1 may hold for one value; anyOf admits that"},
		{"[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#/$defs/b'}},'$defs':{'b':{'$ref':'#/$defs/c'},'c':{'$ref':'#/$defs/b'}}}}]",
		 "error: tools[0]: /input_schema/properties/a/$ref/$ref/$ref: '#/$defs/b' refers to itself"},
		{"[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']}}]",
		 "error: tools[0]: /input_schema/properties/a/$ref/properties/a/$ref/properties/a/$ref: '#' contains itself without end"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		/* the apostrophe in "tool's" is one in both */
		const char *got = rendered(table[i][0], 0, 0);
		CHECK_STR(got, table[i][1]);
	}
	CHECK_STR(rendered("[{'name':'f','parameters':{'a':{'type':'string','pattern':'x','minLenght':3,'not':{}}}}]", 0, NDL_TOOLS_LENIENT),
		"[{'name':'f','parameters':{'a':{'type':'string'}}}]");
	/* what is required and not declared is one of the others */
	CHECK_STR(rendered("[{'name':'f','input_schema':{'properties':{'b':{}},'required':['z'],'additionalProperties':{'type':'integer'}}}]", 0, 0),
		"[{'name':'f','parameters':{'b':{},'z':{'type':'integer','required':true}}}]");
	CHECK_STR(rendered("[{'name':'f','input_schema':{'properties':{'b':{}},'required':['z'],'additionalProperties':false}}]", 0, NDL_TOOLS_LENIENT),
		"[{'name':'f','parameters':{'b':{},'z':{'required':true}}}]");
	CHECK_STR(rendered("[{'name':'f','parameters':{'a':{'type':'string','pattern':'^[^]*$'}}}]", 0, NDL_TOOLS_LENIENT),
		"[{'name':'f','parameters':{'a':{'type':'string'}}}]");
	CHECK_STR(rendered("[{'name':'f','required':[5]}]", 0, 0), "error: tools[0]: /required: expected names in the array, got an integer");
	CHECK_STR(rendered("[{'name':'f','parameters':{'a':{'type':'date'}}}]", 0, NDL_TOOLS_LENIENT), "[{'name':'f','parameters':{'a':{}}}]");
	ndl_buf deep = NDL_BUF_INIT;
	ndl_buf_str(&deep, "[{'name':'f','parameters':{'a':");
	for (int i = 0; i < 40; i++)
		ndl_buf_str(&deep, "{'type':'array','items':");
	ndl_buf_str(&deep, "{}");
	for (int i = 0; i < 40; i++)
		ndl_buf_byte(&deep, '}');
	ndl_buf_str(&deep, "}}]");
	CHECK(strstr(rendered(deep.data, 0, 0), "schema nests deeper than 32 levels") != NULL);
	ndl_buf_clear(&deep);
	/* of a place far down the end is told, and the reason */
	ndl_buf far = NDL_BUF_INIT;
	ndl_buf_str(&far, "[{'name':'f','parameters':{'a':{");
	for (int i = 0; i < 25; i++)
		ndl_buf_printf(&far, "'properties':{'level%d':{", i);
	ndl_buf_str(&far, "'type':'strnig'");
	for (int i = 0; i < 25; i++)
		ndl_buf_str(&far, "}}");
	ndl_buf_str(&far, "}}}]");
	const char *told = rendered(far.data, 0, 0);
	CHECK(strncmp(told, "error: tools[0]: .../", 21) == 0 && strstr(told, "/level24/type: unknown type 'strnig'"));
	ndl_buf_clear(&far);
	/* a schema that expands to 4^12 parts */
	ndl_buf b = NDL_BUF_INIT;
	ndl_buf_str(&b, "[{'name':'f','input_schema':{'type':'object','properties':{'a':{'$ref':'#/$defs/d0'}},'$defs':{");
	for (int i = 0; i < 12; i++) {
		ndl_buf_printf(&b, "'d%d':{'properties':{", i);
		for (int k = 0; k < 4; k++)
			ndl_buf_printf(&b, "%s'%d':{'$ref':'#/$defs/d%d'}", k ? "," : "", k, i + 1);
		ndl_buf_str(&b, "}},");
	}
	ndl_buf_str(&b, "'d12':{}}}}]");
	CHECK(strstr(rendered(b.data, 0, 0), "parts") != NULL);
	ndl_buf_clear(&b);
}

static const char *check(const ndl_tools *t, const char *call)
{
	static char text[500];
	ndl_error err = NDL_ERROR_INIT;
	json_t *value = parse(call);
	ndl_status status = ndl_tools_check_call(t, value, &err);
	json_decref(value);
	snprintf(text, sizeof text, "%s", status == 0 ? "ok" : err.text);
	return text;
}

static void calls(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_tools *t = tools_of("[{'name':'getIt','parameters':{'s':{'type':'string','required':true,'minLength':2,'maxLength':3},"
		"'n':{'type':'integer','minimum':0,'exclusiveMaximum':10,'multipleOf':3},'e':{'enum':['x',1]},"
		"'l':{'type':'array','items':{'type':'boolean'},'minItems':1,'maxItems':2},'x':{'type':['number','null'],'multipleOf':0.1},"
		"'o':{'type':'object','properties':{'k':{'type':'string'}},'required':['k']},'m':{'type':'object','additionalProperties':"
		"{'type':'integer'}},'f':{'type':'object'}}}]", 0, &err);
	if (!CHECK(t != NULL)) {
		tap_note("%s", err.text);
		return;
	}
	static const char *const table[][2] = {
		{"{'name':'getIt','arguments':{'s':'abc'}}", "ok"},
		{"{'name':'get_it','arguments':{'s':'\xc3\xa9\xc3\xa9\xc3\xa9','n':9,'e':1.0,'l':[true,false],'x':0.3,'o':{'k':''},'m':{'q':1},'f':{'a':[]}}}", "ok"},
		{"{'name':'get_it','arguments':{'s':'abc','x':null}}", "ok"},
		{"{'name':'other','arguments':{}}", "no tool \"other\""},
		{"{'name':'getIt'}", "arguments: expected an object, got nothing"},
		{"[]", "call: expected an object, got an array"},
		{"{'name':'getIt','arguments':{}}", "getIt: /arguments: required argument \"s\" is missing"},
		{"{'name':'getIt','arguments':{'s':'abc','z':1}}", "getIt: /arguments/z: no such argument"},
		{"{'name':'getIt','arguments':{'s':1}}", "getIt: /arguments/s: expected type string, got an integer"},
		{"{'name':'getIt','arguments':{'s':'a'}}", "getIt: /arguments/s: 1 characters, which is too short"},
		{"{'name':'getIt','arguments':{'s':'abcd'}}", "getIt: /arguments/s: 4 characters, which is too long"},
		{"{'name':'getIt','arguments':{'s':'ab','n':-3}}", "getIt: /arguments/n: below the minimum"},
		{"{'name':'getIt','arguments':{'s':'ab','n':10}}", "getIt: /arguments/n: not below the maximum"},
		{"{'name':'getIt','arguments':{'s':'ab','n':4}}", "getIt: /arguments/n: not a multiple of what is asked"},
		{"{'name':'getIt','arguments':{'s':'ab','n':1.5}}", "getIt: /arguments/n: expected type integer, got a number"},
		{"{'name':'getIt','arguments':{'s':'ab','e':'y'}}", "getIt: /arguments/e: not among the values allowed"},
		{"{'name':'getIt','arguments':{'s':'ab','l':[]}}", "getIt: /arguments/l: 0 items, which is too few"},
		{"{'name':'getIt','arguments':{'s':'ab','l':[true,1]}}", "getIt: /arguments/l/1: expected type boolean, got an integer"},
		{"{'name':'getIt','arguments':{'s':'ab','x':'1'}}", "getIt: /arguments/x: a string is of none of the types allowed"},
		{"{'name':'getIt','arguments':{'s':'ab','o':{}}}", "getIt: /arguments/o: required argument \"k\" is missing"},
		{"{'name':'getIt','arguments':{'s':'ab','m':{'q':'1'}}}", "getIt: /arguments/m/q: expected type integer, got a string"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		CHECK_STR(check(t, table[i][0]), table[i][1]);
	ndl_tools_free(t);
}

/* Which items are equal, in few of them and, without comparing each with each, in very many. */
static void unique(void)
{
	enum { MANY = 100000 };
	static const char *const table[][2] = {
		{"[1,2,'1',true,null,1.5]", "ok"}, {"[[1,2],[2,1],{'a':1},{'b':1},{},[]]", "ok"},
		{"[9007199254740992,9007199254740993]", "ok"},
		{"[1,2,1.0]", "two items are equal"}, {"[0,-0.0]", "two items are equal"}, {"['a','b','\\u0061']", "two items are equal"},
		{"[{'a':1,'b':[2]},{'b':[2.0],'a':1}]", "two items are equal"},
	};
	ndl_error err = NDL_ERROR_INIT;
	json_t *schema = parse("{'type':'array','uniqueItems':true}"), *many = json_array();
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		json_t *value = parse(table[i][0]);
		CHECK_STR(ndl_tools_check_value(schema, value, &err) == 0 ? "ok" : err.text, table[i][1]);
		json_decref(value);
	}
	for (int i = 0; i < MANY; i++)
		json_array_append_new(many, json_integer(i));
	CHECK(ndl_tools_check_value(schema, many, &err) == 0);
	json_array_append_new(many, json_real(MANY / 2));
	CHECK(ndl_tools_check_value(schema, many, &err) == NDL_EINVAL);
	json_decref(many);
	json_decref(schema);
}

int main(void)
{
	snake_case();
	dialects();
	near_dialects();
	canonical();
	names();
	foreign();
	errors();
	large();
	calls();
	unique();
	return tap_done();
}
