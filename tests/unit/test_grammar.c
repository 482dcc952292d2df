/* test_grammar.c - what the grammar admits: tables by hand; what it must never do is tested on
 * random schemas in test_grammar_random.c. */
#include "tests/tap.h"

#include "base/utf8.h"
#include "grammar/grammar.h"

#include <string.h>

/* Tests write ' for ". */
static char *quoted(const char *text)
{
	char *copy = strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static ndl_grammar *grammar_of(const char *tools, const ndl_grammar_options *o, ndl_error *err)
{
	char *text = quoted(tools);
	json_t *value = ndl_json_parse(text, strlen(text), err);
	ndl_tools *t = value ? ndl_tools_new(value, 0, err) : NULL;
	ndl_grammar *g = t ? ndl_grammar_new(t, o, err) : NULL;
	json_decref(value);
	ndl_tools_free(t);
	free(text);
	return g;
}

/* A grammar of one tool f with one required argument a of this schema. */
static ndl_grammar *one_arg(const char *schema)
{
	char text[2000];
	ndl_error err = NDL_ERROR_INIT;
	snprintf(text, sizeof text, "[{'name':'f','parameters':{'type':'object','properties':{'a':%s},'required':['a']}}]", schema);
	ndl_grammar *g = grammar_of(text, NULL, &err);
	if (!g)
		tap_note("%s: %s", schema, err.text);
	return g;
}

enum { NO, PART, WHOLE };

/* NO: some byte cannot follow; WHOLE: a complete answer. */
static int reads(const ndl_grammar *g, const char *text, size_t len)
{
	ndl_gstate s;
	ndl_gstate_init(&s, g);
	for (size_t i = 0; i < len; i++)
		if (!ndl_gstate_byte(&s, (unsigned char)text[i]))
			return NO;
	return ndl_gstate_done(&s) ? WHOLE : PART;
}

static int reads_quoted(const ndl_grammar *g, const char *text)
{
	char *q = quoted(text);
	int result = reads(g, q, strlen(q));
	free(q);
	return result;
}

/* Values of argument a, each alone: `yes` are complete calls, `no` are not. */
static void values(const char *schema, const char *const *yes, const char *const *no)
{
	ndl_grammar *g = one_arg(schema);
	if (!tap_ok(g != NULL, "compile %s", schema))
		return;
	for (int pass = 0; pass < 2; pass++) {
		for (const char *const *v = pass ? no : yes; *v; v++) {
			ndl_buf b = NDL_BUF_INIT;
			char *q = quoted(*v);
			ndl_buf_printf(&b, " [{\"name\":\"f\",\"arguments\":{\"a\":%s}}]", q);
			int got = reads(g, b.data, b.len);
			tap_ok((got == WHOLE) == !pass, "%s: %s %s", schema, *v, pass ? "no" : "yes");
			ndl_buf_clear(&b);
			free(q);
		}
	}
	ndl_grammar_free(g);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void types(void)
{
	values("{'type':'string'}", LIST("''", "'Paris'", "'\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80'", "'\\n\\\\\\/'", "'\\u00e9'", "'\\ud83d\\uDE00'"),
		LIST("1", "'a", "a", "'\n'", "'\\x'", "'\\u12'", "'\\ud83d'", "'\\ud83dx'", "'\\ude00'", "'\\ud83d\\u0041'", "'\\u0000'",
			"'\xc3'", "'\xc0\x80'", "'\xed\xa0\x80'", "'\xf4\x90\x80\x80'", "'\xff'", "null"));
	values("{'type':'integer'}", LIST("0", "-1", "42", "999999999999999999"),
		LIST("01", "1.0", "1e3", "-", "+1", "-0", "1000000000000000000", "'1'", ""));
	values("{'type':'number'}", LIST("0", "-0.5", "1e9", "1.25E-07", "3.0", "100", "2e+99"), LIST(".5", "1.", "1e", "1e+", "1e100", "00", "0x1", "--1"));
	values("{'type':'boolean'}", LIST("true", "false"), LIST("null", "tru", "True", "1"));
	values("{'type':'null'}", LIST("null"), LIST("nul", "true"));
	values("{'type':['string','null']}", LIST("'x'", "null"), LIST("true", "1"));
	values("{'type':['integer','number']}", LIST("1", "1.5"), LIST("'1'"));
	values("{}", LIST("1", "'x'", "[]", "[1,'a',{}]", "{'k':[{'l':1}]}", "null", "-1.5e3", "[[[]]]"), LIST("[[[[]]]]", "{'k':[{'l':[]}]}", "{'a':1,'a':2}", "[1,]", "{,}", "[ ]"));
	values("{'type':'array'}", LIST("[]", "[1,'x']", "[[]]"), LIST("{}", "[,]", "[1,]", "[1 ,2]"));
	values("{'type':'object'}", LIST("{}", "{'x':1}", "{'x':{'y':1},'z':[]}"), LIST("[]", "{'x'}", "{'x':1,'x':2}", "{'x':1,}"));
}

static void constraints(void)
{
	values("{'enum':['a','ab','x\\u0022y',1,12,1.5,null,{'k':[true]}]}",
		LIST("'a'", "'ab'", "1", "12", "1.5", "null", "{'k':[true]}", "'x\\'y'"), LIST("'b'", "'abc'", "2", "123", "1.", "{'k':[]}", "true"));
	values("{'const':'only'}", LIST("'only'"), LIST("'on'", "'onlyx'", "null"));
	values("{'type':'integer','enum':[1,'a',2.0]}", LIST("1", "2.0"), LIST("'a'", "2"));
	values("{'type':'string','minLength':2,'maxLength':3}", LIST("'ab'", "'\xc3\xa9\xc3\xa9\xc3\xa9'", "'\\u0041\\n'", "'\\ud83d\\ude00x'"),
		LIST("'a'", "'abcd'", "'\\ud83d\\ude00'"));
	values("{'type':'string','maxLength':0}", LIST("''"), LIST("'a'"));
	values("{'type':'integer','minimum':-5,'maximum':120}", LIST("-5", "0", "7", "99", "120", "-1"), LIST("-6", "121", "1200", "-50", "200"));
	values("{'type':'integer','exclusiveMinimum':0,'maximum':5000,'multipleOf':250}", LIST("250", "4750", "5000"), LIST("0", "-250", "251", "5250", "7"));
	values("{'type':'integer','minimum':0.5,'maximum':2.5}", LIST("1", "2"), LIST("0", "3"));
	values("{'type':'integer','multipleOf':2.5}", LIST("0", "5", "-10"), LIST("1", "2"));
	values("{'type':'integer','minimum':17,'maximum':17}", LIST("17"), LIST("1", "7", "170"));
	values("{'type':'number','minimum':-90,'maximum':90}", LIST("0", "-90", "90", "89.999999", "-0.5", "45.25", "90.000"), LIST("90.1", "-90.5", "91", "-91", "1e1", "-0"));
	values("{'type':'number','exclusiveMinimum':0,'exclusiveMaximum':1}", LIST("0.5", "0.000001", "0.999999"), LIST("0", "1", "0.0", "1.0", "1.5"));
	/* no more digits than a double keeps, so that bounds hold for what is read, too */
	values("{'type':'number','minimum':-90,'maximum':90}", LIST("48.8583701", "2.2944813000000", "-0.1234567890123"), LIST("48.85837010000000", "-2.29448130000000"));
	values("{'type':'number','minimum':0}", LIST("999999999999", "999999999999.999", "0.000001"), LIST("999999999999.9999", "1000000000000"));
	values("{'type':'number','minimum':1000000000000}", LIST("1000000000000", "999999999999999", "1000000000000.25"), LIST("1000000000000000", "999999999999"));
	values("{'type':'number','exclusiveMaximum':1e14,'exclusiveMinimum':99999999999998}", LIST("99999999999999", "99999999999998.5"), LIST("99999999999998.55", "99999999999998"));
	values("{'type':'number','minimum':0,'maximum':9,'multipleOf':1.234567890123}", LIST("0", "1.234567890123", "2.469135780246"), LIST("1", "1.2", "9.876543120985", "1.234567890124"));
	values("{'type':'integer','minimum':9007199254740993}", LIST("9007199254740993", "999999999999999999"), LIST("9007199254740992", "0"));
	values("{'type':'number','minimum':0,'multipleOf':0.25}", LIST("0", "0.25", "7.5", "3", "1.750"), LIST("0.1", "-0.25", "0.3"));
	values("{'type':'number','minimum':0.333333333333333,'maximum':0.333333333666666}", LIST("0.333333333333333", "0.3333333335"), LIST("0.333333333", "0.3333333339"));
	values("{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':2}", LIST("[1]", "[1,2]"), LIST("[]", "[1,2,3]", "['a']"));
	values("{'type':'array','maxItems':0}", LIST("[]"), LIST("[1]"));
	values("{'type':'object','properties':{'x':{'type':'integer'},'y':{'type':'array','items':{'type':'boolean'}}},'required':['x']}",
		LIST("{'x':1}", "{'y':[],'x':1}", "{'x':2,'y':[true,false]}"), LIST("{}", "{'y':[]}", "{'x':1,'x':2}", "{'x':1,'z':1}", "{'x':1,}"));
	values("{'type':'object','additionalProperties':{'type':'integer'}}", LIST("{}", "{'k':1,'\xc3\xa9':2}"), LIST("{'k':'v'}", "{'k':1,'k':2}", "{'\\u006b':1}"));
	values("{'type':'object','additionalProperties':false}", LIST("{}"), LIST("{'k':1}"));
	values("{'type':'array','items':{'type':'number','minimum':1,'maximum':3}}", LIST("[1,2.5,3]"), LIST("[1,3.5]", "[0]"));
}

static void strings(void)
{
	values("{'type':'string','pattern':'^[A-Z]{3}$'}", LIST("'ABC'", "'\\u0041BC'"), LIST("'AB'", "'ABCD'", "'abc'", "''", "'AB\\u0061'"));
	values("{'pattern':'b'}", LIST("'b'", "'abc'", "'a\\nb\xc3\xa9'"), LIST("''", "'ac'", "1"));
	values("{'type':'string','pattern':'^(a|bb)*$','minLength':3,'maxLength':4}", LIST("'aaa'", "'abb'", "'bbbb'", "'aabb'"),
		LIST("'bb'", "'bba '", "'bbbba'", "'abbb'"));
	values("{'type':'string','pattern':'^\\\\w+\\\\s\\\\d{2,}$'}", LIST("'ab 12'", "'_\\t123'"), LIST("'ab12'", "'ab 1'", "'\xc3\xa9 12'"));
	values("{'type':'string','pattern':'^[^a-c\\\\s]+$'}", LIST("'xyz'", "'\xe6\x97\xa5\xf0\x9f\x98\x80'", "'\\ud83d\\ude00'"), LIST("'a'", "'x y'", "'x\\u00a0'", "''"));
	values("{'type':'string','pattern':'^[\xf0\x9f\x98\x80-\xf0\x9f\x98\x82]$'}", LIST("'\xf0\x9f\x98\x81'", "'\\ud83d\\ude02'"),
		LIST("'\xf0\x9f\x98\x83'", "'\\ud83d\\ude03'", "'\xf0\x9f\x99\x80'"));
	values("{'type':'string','pattern':'^(?=.*[A-Z])(?!.*xx).{3,5}$'}", LIST("'abC'", "'Axbx'"), LIST("'abc'", "'AB'", "'Axx'", "'ABCDEF'"));
	values("{'type':'string','pattern':'\\\\bfoo\\\\b'}", LIST("'foo'", "'a foo.'"), LIST("'food'", "'xfoo'", "'foo\xc3\xa9'"));
	/* what must not be is meant as widely as any dialect reads it */
	values("{'type':'string','pattern':'^(?!.*\\\\bfoo\\\\b).*$'}", LIST("'food'"), LIST("'foo'", "'\xc3\xa9" "foo'"));
	values("{'type':'string','pattern':'^(?!.{3,}$)'}", LIST("'ab'"), LIST("'abc'", "'a\\rb'"));
	values("{'type':'string','pattern':'^(?!\\\\s*$).+'}", LIST("'a'", "' a'"), LIST("' '", "'\xc2\xa0'"));
	values("{'type':'string','pattern':'^\\\\u{41}$'}", LIST("'A'"), LIST("'u'"));
	values("{'type':'string','allOf':[{'pattern':'^a'},{'pattern':'z$'},{'maxLength':3}]}", LIST("'az'", "'abz'"), LIST("'a'", "'abcz'", "'bz'"));
	values("{'type':'string','format':'date'}", LIST("'2024-02-29'", "'1999-12-31'"), LIST("'2023-02-29'", "'2024-13-01'", "'2024-04-31'", "'0000-01-01'", "'24-01-01'"));
	values("{'type':'string','format':'time'}", LIST("'23:59:59Z'", "'07:30:00.25+02:00'"), LIST("'24:00:00Z'", "'07:30'"));
	values("{'type':'string','format':'date-time'}", LIST("'2024-02-29T07:30:00Z'"), LIST("'2024-02-29'", "'2024-02-29 07:30:00Z'"));
	values("{'type':'string','format':'email'}", LIST("'a.b+c@example.org'", "'x@y'"), LIST("'x'", "'@y'", "'x@'", "'a..b@c'", "'a@-b'", "'a b@c'"));
	values("{'type':'string','format':'ipv4'}", LIST("'192.168.0.255'", "'0.0.0.0'"), LIST("'256.1.1.1'", "'1.2.3'", "'01.2.3.4'"));
	values("{'type':'string','format':'uuid'}", LIST("'123e4567-e89b-12d3-a456-426614174000'"), LIST("'123e4567e89b12d3a456426614174000'"));
	values("{'type':'string','format':'uri'}", LIST("'https://a.b/c?d=e#f'", "'mailto:x@y'", "'http://u:p@h:80/%20'"), LIST("'a.b'", "'//h'", "'http://a b'", "'http://%2'"));
	values("{'type':'string','format':'phone'}", LIST("'anything'"), LIST("1"));
	values("{'type':'string','enum':['ab','abc','x'],'pattern':'^a','maxLength':2}", LIST("'ab'"), LIST("'abc'", "'x'"));
}

static void alternatives(void)
{
	values("{'nullable':true,'anyOf':[{'type':'object','properties':{'x':{'type':'integer'}},'required':['x']},"
	       "{'type':'object','properties':{'y':{'type':'string'}},'required':['y']}]}", LIST("null", "{'x':1}"), LIST("1", "{}"));
	values("{'type':'object','unevaluatedProperties':false,'anyOf':[{'properties':{'a':{'type':'integer'}}},{'type':'object'}]}",
	       LIST("{'a':1}", "{}"), LIST("{'zz':1}"));
	values("{'anyOf':[{'type':'string','enum':['x',5]},{'type':'integer','enum':[1]}]}", LIST("'x'", "1"), LIST("5"));
	values("{'anyOf':[{'type':'string','pattern':'^a+$'},{'type':'string','maxLength':1},{'type':'integer'}]}", LIST("'aaa'", "'b'", "''", "7"), LIST("'bb'", "'ab'", "true"));
	values("{'anyOf':[{'type':'integer','minimum':10,'maximum':19},{'enum':[1,150]},{'type':'number','minimum':0,'maximum':0.5}]}",
		LIST("10", "1", "150", "0.25", "0"), LIST("15.5", "2", "1.5", "9", "1500", "0.75"));
	const char *objects = "{'oneOf':[{'type':'object','properties':{'kind':{'const':'circle'},'r':{'type':'number'}},'required':['kind','r']},"
		"{'type':'object','properties':{'kind':{'const':'square'},'side':{'anyOf':[{'type':'integer','minimum':5},{'type':'object','properties':"
		"{'w':{'type':'integer'}},'required':['w']}]}},'required':['kind','side']}]}";
	values(objects, LIST("{'kind':'circle','r':1.5}", "{'r':2,'kind':'circle'}", "{'kind':'square','side':7}", "{'side':{'w':1},'kind':'square'}"),
		LIST("{'kind':'circle'}", "{'kind':'circle','side':7}", "{'r':1,'kind':'square'}", "{'kind':'square','side':4}", "{'kind':'square','side':{}}", "{'r':1,'side':7}"));
	values("{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'integer'},'c':{'type':'integer'}},'anyOf':[{'required':['a']},{'required':['b']}]}",
		LIST("{'a':1}", "{'b':1}", "{'c':1,'b':2,'a':3}"), LIST("{}", "{'c':1}", "{'a':1,'a':2}"));
	values("{'anyOf':[{'type':'array','items':{'type':'integer'}},{'type':'array','items':{'type':'string'},'minItems':2}]}", LIST("[]", "[1]", "['a','b']"), LIST("['a']", "[1,'a']"));
	values("{'oneOf':[{'const':'a','title':'A'},{'const':'b'}]}", LIST("'a'", "'b'"), LIST("'c'"));
	values("{'anyOf':[{'anyOf':[{'type':'string','format':'ipv4'},{'type':'string','format':'uuid'}]},{'type':'null'}]}", LIST("'1.2.3.4'", "null"), LIST("'1.2'"));
	values("{'type':'array','items':{'anyOf':[{'type':'string','pattern':'^a'},{'type':'string','pattern':'z$'}]}}", LIST("['a','z','az']", "[]"), LIST("['b']", "['a','b']"));
}

static void unique(void)
{
	values("{'type':'array','uniqueItems':true,'items':{'enum':['a','ab','b',1,12]}}", LIST("[]", "['ab','a']", "[12,1]", "['a','ab','b',1,12]"), LIST("['a','a']", "[1,1]", "[12,1,12]"));
	/* of a list, too, that does not ask for it, unless it wants more than there are */
	values("{'type':'array','items':{'enum':['a','b']}}", LIST("[]", "['b','a']"), LIST("['a','a']"));
	values("{'type':'array','items':{'enum':['a','b']},'minItems':3}", LIST("['a','b','a']"), LIST("['a','b']"));
	values("{'type':'array','items':{'type':'string'}}", LIST("['a','a']"), LIST("[1]"));
	values("{'type':'array','uniqueItems':true,'items':{'enum':[1,1.0,2]},'minItems':2}", LIST("[1,2]"), LIST("[1,1.0]", "[1]"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'string'}}", LIST("['a','b']", "['','a']", "['a','aa']"), LIST("['a','a']", "['a','\\u0061']", "['','']"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'string','maxLength':1,'pattern':'^[ab]?$'},'minItems':3}", LIST("['a','b','']", "['','b','a']"), LIST("['a','b']", "['a','b','a']"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'integer','minimum':8,'maximum':11}}", LIST("[8,9,10,11]", "[11,10]"), LIST("[8,8]", "[10,11,10]", "[8,9,10,11,8]"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'number'}}", LIST("[1,1.5,-1]"), LIST("[1,1.0]", "[1.50,1.5]", "[1e1]"));
	/* numbers that are one double are one; integers are exact */
	values("{'type':'array','uniqueItems':true,'items':{'type':'number'}}", LIST("[123456789012.125,123456789012]", "[12345678.123456,12345678.123]"),
		LIST("[123456789012.12345]", "[12345678.1234567]", "[0,-0]", "[-0.0]", "[1,1.0]"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'integer'}}", LIST("[9007199254740992,9007199254740993]", "[-999999999999999999]"),
		LIST("[9007199254740993,9007199254740993]"));
	values("{'type':'array','uniqueItems':true,'items':{'enum':[1e17,100000000000000000,-0.0,0]}}", LIST("[1e+17,-0.0]"), LIST("[0]", "[100000000000000000]"));
	values("{'type':'array','uniqueItems':true,'items':{'enum':[9007199254740992,9007199254740993]}}", LIST("[9007199254740992,9007199254740993]"), LIST("[1]"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'number','minimum':0.1,'maximum':0.3,'multipleOf':0.1},'minItems':3}",
		LIST("[0.1,0.2,0.3]", "[0.30,0.2,0.100]"), LIST("[0.1,0.2,0.10]", "[0.1,0.2]", "[0.1,0.2,0.3,0.1]"));
	values("{'type':'array','uniqueItems':true,'items':{'type':'boolean'}}", LIST("[true,false]", "[false]"), LIST("[true,true]", "[true,false,true]"));
	values("{'type':'array','uniqueItems':true}", LIST("[1,'1',true,null]"), LIST("[null,null]", "[[]]", "['x','x']"));
}

static void references(void)
{
	const char *tree = "[{'name':'f','input_schema':{'type':'object','properties':{'t':{'$ref':'#/$defs/tree'}},'required':['t'],'$defs':{'tree':{'type':'object',"
		"'properties':{'n':{'type':'integer'},'kids':{'type':'array','items':{'$ref':'#/$defs/tree'}}},'required':['n']}}}}]";
	ndl_error err = NDL_ERROR_INIT;
	ndl_grammar *g = grammar_of(tree, NULL, &err);
	if (!CHECK(g != NULL))
		return;
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'t':{'n':1,'kids':[{'n':2},{'n':3,'kids':[{'n':4,'kids':[]}]}]}}}]"), WHOLE);
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'t':{'n':1,'kids':[{'kids':[]}]}}}]"), NO);
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'t':{'n':1,'kids':[{'n':2,'kids':[{'n':3,'kids':[{'n':4}"), NO); /* deeper than is followed */
	ndl_grammar_free(g);
}

static void calls(void)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *tools = "[{'name':'send','parameters':{'to':{'type':'string','required':true},'to_all':{'type':'boolean'}}},"
	                    "{'name':'sendMessage'},{'name':'key','parameters':{'a\\u0022b\\u005c':{'type':'integer'},'\xc3\xa9':{'type':'integer'}}}]";
	ndl_grammar *g = grammar_of(tools, NULL, &err);
	if (!CHECK(g != NULL))
		return;
	static const char *const yes[] = {
		" []", " [{'name':'send','arguments':{'to':'x'}}]", " [{'name':'send','arguments':{'to_all':true,'to':'x'}}]",
		" [{'name':'send_message','arguments':{}}]",
		" [{'name':'send_message','arguments':{}},{'name':'send','arguments':{'to':''}},{'name':'key','arguments':{'\xc3\xa9':1}}]",
	};
	static const char *const no[] = {
		"[]", "  []", " [ ]", " [] ", " {}", " [{'name':'send','arguments':{}}]", " [{'name':'sen','arguments':{'to':'x'}}]",
		" [{'name':'send','arguments':{'to':'x','to':'y'}}]", " [{'name':'send','arguments':{'to':'x','cc':'y'}}]",
		" [{'name':'sendMessage','arguments':{}}]", " [{'arguments':{},'name':'send_message'}]", " [{'name':'send_message'}]",
		" [{'name':'send_message','arguments':{}},]", " [{'name':'send_message','arguments':{'to':1}}]",
		" [{'name':'send_message','arguments':{}}]]", "",
	};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		tap_ok(reads_quoted(g, yes[i]) == WHOLE, "yes: %s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		tap_ok(reads_quoted(g, no[i]) != WHOLE, "no: %s", no[i]);
	const char *escaped = " [{\"name\":\"key\",\"arguments\":{\"a\\\"b\\\\\":3}}]";
	CHECK_INT(reads(g, escaped, strlen(escaped)), WHOLE);
	ndl_grammar_free(g);

	g = grammar_of(tools, &(ndl_grammar_options){.max_calls = 2, .min_calls = 1, .subset = (const size_t[]){1}, .n_subset = 1, .bare = true}, &err);
	CHECK_INT(reads_quoted(g, "[]"), NO);
	CHECK_INT(reads_quoted(g, "[{'name':'send_message','arguments':{}}]"), WHOLE);
	CHECK_INT(reads_quoted(g, "[{'name':'send_message','arguments':{}},{'name':'send_message','arguments':{}}]"), WHOLE);
	CHECK_INT(reads_quoted(g, "[{'name':'send_message','arguments':{}},{'name':'send_message','arguments':{}},"), NO);
	CHECK_INT(reads_quoted(g, "[{'name':'send',"), NO);
	ndl_grammar_free(g);

	g = grammar_of("[]", NULL, &err);
	CHECK_INT(reads_quoted(g, " []"), WHOLE);
	CHECK_INT(reads_quoted(g, " [{"), NO);
	ndl_grammar_free(g);
}

/* What is forced, and the shortest way out, after a prefix. */
static void ways(const ndl_grammar *g, const char *prefix, const char *forced, const char *closing)
{
	char out[200];
	ndl_gstate s;
	ndl_buf b = NDL_BUF_INIT;
	char *p = quoted(prefix), *f = quoted(forced), *c = quoted(closing);
	ndl_gstate_init(&s, g);
	tap_ok(ndl_gstate_bytes(&s, p, strlen(p)), "prefix %s", prefix);
	out[ndl_gstate_forced(&s, out, sizeof out - 1)] = '\0';
	CHECK_STR(out, f);
	CHECK_INT(ndl_gstate_closing(&s, &b), strlen(c));
	CHECK_STR(ndl_buf_cstr(&b), c);
	CHECK_INT(ndl_gstate_closing(&s, NULL), strlen(c));
	ndl_buf_clear(&b);
	free(p);
	free(f);
	free(c);
}

/* The number of a text, or -1. */
static int text_named(const ndl_grammar *g, const char *bytes)
{
	ndl_gtext t;
	for (size_t i = 0; i < ndl_grammar_texts(g); i++) {
		ndl_grammar_text(g, i, &t);
		if (t.len == strlen(bytes) && memcmp(t.bytes, bytes, t.len) == 0)
			return (int)i;
	}
	return -1;
}

/* What a decoder is told of texts that something speaks for, whatever pieces the answer comes in. */
static void leanings(void)
{
	static const struct {
		const char *text; /* as answers have it */
		float lean;
	} texts[] = {{"{'name':'send','arguments':", 2}, {"{'name':'mute','arguments':", 3}, {"'mode':", 4}, {"'loud':", 1}, {"'rain':", 5},
		{"'fan'", 6}, {"'flag':", 4.5}, {"'apple'", 6}, {"'auto'", 6}, {"'hours':", -1}, {"'again':", -2}};
	static const struct {
		const char *text, *more;
		float lean;
	} cases[] = {
		{" ", "[{", 0},
		{" [{'name':'", "mute'", 0},
		{" [{'name':'", "s", -1},
		{" [{'name':'", "send_", -3},
		{" [{'name':'send", "_", -2},
		{" [{'name':'send", "'", 0},
		{" [{'name':'send", "er", 0}, /* cannot follow */
		{" [{'name':'mute','arguments':", "{}", -5}, /* neither is said */
		{" [{'name':'mute','arguments':{", "}}]", -5},
		{" [{'name':'mute','arguments':{", "'", 0},
		{" [{'name':'mute','arguments':{", "'mode'", 0},
		{" [{'name':'mute','arguments':{'", "text'", -5}, /* the others are declared before it */
		{" [{'name':'mute','arguments':{'", "loud'", -4},
		{" [{'name':'mute','arguments':{'", "loud':true}", -4 - 4}, /* mode can still be said, and is not */
		{" [{'name':'mute','arguments':{'mode':'fan'", ",", 0},
		{" [{'name':'mute','arguments':{'mode':'fan'", "}", -1},
		{" [{'name':'more','arguments':{'", "s'", 0}, /* flag can still follow */
		{" [{'name':'more','arguments':{'", "flag'", 0},
		{" [{'name':'more','arguments':{'", "d'", -4.5},
		{" [{'name':'mute','arguments':{'text':'a mode", " of loud", 0},
		{" [{'name':'mute','arguments':{'text':'a mode", "','", 0},
		{" [{'name':'mute','arguments':{'text':'a mode", "'}},{'name':'", -5},
		{" [{'name':'mute','arguments':{'mode':", "'off'", -6},
		{" [{'name':'mute','arguments':{'mode':'f", "an'}", -1},
		{" [{'name':'mute','arguments':{'mode':'", "few'}", -6 - 1},
		{" [{'name':'mute','arguments':{}},{'name':'", "se", -1},
		{" [{'name':'map','arguments':{'any':{", "'rain':1}", 0}, /* any keys: no list */
		{" [{'name':'mute','arguments", "':{}}]", -5}, /* a choice far into the token */
		{" [{'name':'more','arguments':{'s':'a'", "}", -4.5}, /* after a text, a number, a number of a list: the same choice */
		{" [{'name':'more','arguments':{'n':5", "}", -4.5},
		{" [{'name':'more','arguments':{'n':5", ",'flag", 0},
		{" [{'name':'more','arguments':{'e':1", "}", -4.5},
		{" [{'name':'more','arguments':{'e':12", "}", -4.5},
		{" [{'name':'more','arguments':{'d':'ab", "'}}]", -4.5}, /* whichever of two patterns it is */
		{" [{'name':'more','arguments':{'u':['apple','", "ap", 0}, /* apple is taken */
		{" [{'name':'more','arguments':{'u':['apple','", "b", 0},
		{" [{'name':'more','arguments':{'u':['", "b", -6},
		{" [{'name':'more','arguments':{'i':[", "1,", -6},
		{" [{'name':'more','arguments':{'i':['auto',", "1,", 0}, /* as apple above */
		{" [{'name':'wait','arguments':{'", "hours'", 0}, /* required: nothing is against it */
		{" [{'name':'wait','arguments':{'", "again'", -2},
		{" [{'name':'wait','arguments':{'hours':5", ",", -2},
		{" [{'name':'wait','arguments':{'hours':5", "}", 0},
	};
	ndl_error err = NDL_ERROR_INIT;
	ndl_grammar *g = grammar_of("[{'name':'send_message'},{'name':'send','parameters':{'rain':{'type':'string','required':true}}},"
	                            "{'name':'map','parameters':{'any':{'type':'object','additionalProperties':{'type':'integer'}}}},"
	                            "{'name':'more','parameters':{'s':{'type':'string'},'n':{'type':'integer'},'e':{'enum':[1,12]},'flag':{'type':'boolean'},"
	                            "'d':{'anyOf':[{'type':'string','pattern':'^a'},{'type':'string','pattern':'b$'}]},"
	                            "'u':{'type':'array','uniqueItems':true,'items':{'enum':['apple','apricot','banana']}},"
	                            "'i':{'type':'array','items':{'enum':['auto',1]}}}},"
	                            "{'name':'wait','parameters':{'hours':{'type':'integer','required':true},'again':{'type':'integer'}}},"
	                            "{'name':'mute','parameters':{'mode':{'enum':['fan','few','off',1]},'loud':{'type':'boolean'},'text':{'type':'string'}}}]",
	                            NULL, &err);
	float lean[64] = {0};
	if (!CHECK(g != NULL) || !CHECK(ndl_grammar_texts(g) <= 64))
		return;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *text = quoted(texts[i].text);
		int at = text_named(g, text);
		if (CHECK(at >= 0))
			lean[at] = texts[i].lean;
		free(text);
	}
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = quoted(cases[i].text), *more = quoted(cases[i].more);
		ndl_gstate s;
		ndl_gstate_init(&s, g);
		CHECK(ndl_gstate_bytes(&s, text, strlen(text)));
		float got = ndl_gstate_lean(&s, lean, more, strlen(more));
		tap_ok(got == cases[i].lean, "%s then %s: %g", text, more, (double)got);
		CHECK(got == 0 || ndl_gstate_leans(&s, lean));
		free(text);
		free(more);
	}
	ndl_gtext t;
	ndl_grammar_text(g, (size_t)text_named(g, "\"mode\":"), &t);
	CHECK(t.kind == NDL_GTEXT_KEY && t.hi - t.lo == 4 && (size_t)text_named(g, "\"fan\"") >= t.lo && (size_t)text_named(g, "1") < t.hi);
	ndl_grammar_text(g, (size_t)text_named(g, "\"loud\":"), &t);
	CHECK(t.kind == NDL_GTEXT_KEY && t.hi == t.lo && t.types == NDL_TYPE_BOOLEAN);
	ndl_grammar_text(g, (size_t)text_named(g, "\"fan\""), &t);
	CHECK(t.kind == NDL_GTEXT_VALUE);
	ndl_grammar_text(g, (size_t)text_named(g, "\"e\":"), &t);
	CHECK(t.types == NDL_TYPE_NUMBER && t.hi - t.lo == 2);
	CHECK_INT(ndl_grammar_calls(g), 6);
	char *call = quoted("{'name':'send','arguments':");
	CHECK_INT(ndl_grammar_find_call(g, "send", 4), text_named(g, call));
	CHECK_INT(ndl_grammar_find_call(g, "send_", 5), ndl_grammar_texts(g));
	CHECK_INT(ndl_grammar_find_call(g, "zoom", 4), ndl_grammar_texts(g));
	free(call);
	ndl_grammar_free(g);
}

static void forced_and_closing(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_grammar *g = grammar_of(
		"[{'name':'send','parameters':{'to':{'type':'string','required':true,'minLength':2},'n':{'type':'integer','minimum':100,'maximum':199},"
		"'l':{'type':'array','items':{'enum':['red','ruby']},'minItems':1}}},{'name':'send_message'}]", NULL, &err);
	if (!CHECK(g != NULL))
		return;
	ways(g, "", " [", " []");
	ways(g, " [", "", "]");
	ways(g, " [{", "'name':'send", "'name':'send_message','arguments':{}}]");
	ways(g, " [{'name':'send'", ",'arguments':{'", ",'arguments':{'to':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'", "", "to':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'t", "o':'", "o':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'to':'Pa\xc3", "", "\x80'}}]");
	ways(g, " [{'name':'send','arguments':{'to':'Pa\\", "", "n'}}]");
	ways(g, " [{'name':'send','arguments':{'to':'Pa\\ud8", "", "00\\udc00'}}]");
	ways(g, " [{'name':'send','arguments':{'n':", "1", "100,'to':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'n':15", "", "0,'to':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'n':155", ",'", ",'to':'..'}}]");
	ways(g, " [{'name':'send','arguments':{'to':'ab','l':[", "'r", "'red']}}]");
	ways(g, " [{'name':'send','arguments':{'to':'ab','l':['ru", "by'", "by']}}]");
	ways(g, " []", "", "");
	ndl_grammar_free(g);
}

/* Pieces with their ids; 0 is the end of text. */
static const char *const pieces[] = {
	"", " [", "[", "]", "]}", " ", "{\"name\":\"", "send", "send_", "message", "\",\"", "arguments", "\":", "{\"", "to", "}", "\"}}]", "a",
	"\"", "abc\"", "\xc3", "\xa9", "\xc3\xa9", "\\", "n", "\\n", "u00", "\n", "a", "x\",\"y", "ab\"}}]", "\xe6\x97", "\"}}],", "arguments\":{\"",
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "b\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
};
enum { N_PIECES = sizeof pieces / sizeof *pieces };

static void check_mask(const ndl_gstate *s, const ndl_vocab_trie *v, const char *what)
{
	uint64_t bits[4];
	int wrong = 0;
	ndl_gstate_mask(s, v, bits);
	for (int32_t id = 0; id < N_PIECES; id++) {
		bool in = bits[id / 64] >> (id % 64) & 1, want;
		ndl_gstate next;
		ndl_gstate_copy(&next, s);
		want = id == 0 ? ndl_gstate_done(s) : ndl_gstate_bytes(&next, pieces[id], strlen(pieces[id]));
		if (in != want || in != ndl_gstate_allows(s, v, id)) {
			tap_note("piece %d: mask %d, want %d", id, in, want);
			wrong++;
		}
	}
	tap_ok(!wrong, "mask after %s", what);
}

static void masks(void)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t len[N_PIECES];
	for (size_t i = 0; i < N_PIECES; i++)
		len[i] = strlen(pieces[i]);
	ndl_vocab_trie *v = ndl_vocab_trie_new(pieces, len, N_PIECES, 0, &err);
	ndl_grammar *g = grammar_of("[{'name':'send','parameters':{'to':{'type':'string','maxLength':42}}},{'name':'send_message','parameters':{'a':'string'}}]", NULL, &err);
	if (!CHECK(v && g))
		return;
	CHECK_INT(ndl_vocab_trie_size(v), N_PIECES);
	CHECK_INT(ndl_vocab_trie_words(v), 1);
	static const char *const texts[] = {
		" [{\"name\":\"send\",\"arguments\":{\"to\":\"abc\\n\xc3\xa9\"}}]", " [{\"name\":\"send_message\",\"arguments\":{\"a\":\"abc\\n\xc3\xa9 abcabcabc\"}}]", " []",
	};
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
		ndl_gstate s;
		ndl_gstate_init(&s, g);
		check_mask(&s, v, "nothing");
		for (size_t i = 0; texts[k][i]; i++) {
			if (!ndl_gstate_byte(&s, (unsigned char)texts[k][i]))
				tap_ok(0, "byte %zu of %s", i, texts[k]);
			char what[100];
			snprintf(what, sizeof what, "%.*s", (int)(i + 1), texts[k]);
			check_mask(&s, v, what);
		}
		CHECK(ndl_gstate_done(&s));
		CHECK(ndl_gstate_token(&s, v, 0));
	}
	ndl_gstate s;
	ndl_gstate_init(&s, g);
	CHECK(!ndl_gstate_token(&s, v, 0));
	CHECK(!ndl_gstate_token(&s, v, -1));
	CHECK(!ndl_gstate_token(&s, v, N_PIECES));
	CHECK(!ndl_gstate_token(&s, v, 6));
	CHECK(ndl_gstate_token(&s, v, 1));
	CHECK(ndl_gstate_token(&s, v, 6));
	ndl_vocab_trie_free(v);
	ndl_grammar_free(g);
}

static const char *failure(const char *schema)
{
	static char out[500];
	char text[2000];
	ndl_error err = NDL_ERROR_INIT;
	snprintf(text, sizeof text, "[{'name':'f','parameters':{'type':'object','properties':{'a':%s}}}]", schema);
	ndl_grammar *g = grammar_of(text, NULL, &err);
	snprintf(out, sizeof out, "%s", g ? "compiled" : err.text);
	ndl_grammar_free(g);
	return out;
}

/* So many alternatives of one value are followed side by side: needle(7) says how many. */
static const char *open_alternatives(int n)
{
	char text[1900];
	int len = snprintf(text, sizeof text, "{'anyOf':[");
	for (int i = 0; i < n; i++)
		len += snprintf(text + len, sizeof text - (size_t)len,
		                "%s{'type':'object','properties':{'k%d':{'type':'string'}},'required':['k%d']}", i ? "," : "", i, i);
	snprintf(text + len, sizeof text - (size_t)len, "]}");
	return failure(text);
}

static void errors(void)
{
	CHECK_STR(open_alternatives(15), "compiled");
	CHECK_STR(open_alternatives(16), "tool \"f\": too many alternatives (anyOf, oneOf) are open at once");
	CHECK_STR(failure("{'type':'integer','minimum':3,'maximum':2}"), "tool \"f\": /properties/a: no number is within the bounds");
	CHECK_STR(failure("{'type':'number','minimum':1e15}"), "tool \"f\": /properties/a: no number is within the bounds");
	CHECK_STR(failure("{'type':'number','minimum':0.1234567890123456,'maximum':0.1234567890123457}"), "tool \"f\": /properties/a: no number is within the bounds");
	CHECK_STR(failure("{'type':'integer','minimum':1,'maximum':4,'multipleOf':5}"), "tool \"f\": /properties/a: no number is within the bounds");
	CHECK_STR(failure("{'type':'string','minLength':3,'maxLength':2}"), "tool \"f\": /properties/a: minLength is more than maxLength");
	CHECK_STR(failure("{'type':'array','items':{'type':'array','minItems':3,'maxItems':2}}"), "tool \"f\": /properties/a/items: minItems is more than maxItems");
	CHECK_STR(failure("{'type':'integer','enum':['x']}"), "tool \"f\": /properties/a: no value of the enum fits the rest of the schema");
	CHECK_STR(failure("{'type':'number','multipleOf':1e-12}"), "tool \"f\": /properties/a: multipleOf with this value is not supported");
	CHECK_STR(failure("{'type':'string','pattern':'^ab$','minLength':3}"), "tool \"f\": /properties/a: no text of the length allowed matches");
	CHECK_STR(failure("{'type':'string','pattern':'^(abc)+$','minLength':4,'maxLength':5}"), "tool \"f\": /properties/a: no text of the length allowed matches");
	CHECK_STR(failure("{'type':'array','uniqueItems':true,'minItems':3,'items':{'type':'string','pattern':'^(a{300}|b{300})$'}}"),
	          "tool \"f\": /properties/a: minItems is 3, and at most 2 different items are possible");
	CHECK_STR(failure("{'type':'array','uniqueItems':true,'minItems':2,'items':{'type':'string','pattern':'^a*$','minLength':300,'maxLength':300}}"),
	          "tool \"f\": /properties/a: minItems is 2, and at most 1 different items are possible");
	CHECK_STR(failure("{'type':'string','pattern':'a^'}"), "tool \"f\": /properties/a/pattern: no text matches the pattern");
	CHECK_STR(failure("{'type':'string','pattern':'^a','format':'date'}"), "tool \"f\": /properties/a/format: no text matches the pattern");
	CHECK_STR(failure("{'type':'string','pattern':'(a)\\\\1'}"), "tool \"f\": /properties/a/pattern: backreferences are not supported at character 4");
	CHECK_STR(failure("{'type':'string','pattern':'(a|b)*a(a|b){20}$'}"), "tool \"f\": /properties/a/pattern: pattern needs too many states");
	CHECK_STR(failure("{'type':'string','pattern':'((a{999}){999}){999}'}"), "tools[0]: /parameters/properties/a/pattern: not a regular expression: regular expression is too large at byte 21");
	CHECK_STR(failure("{'type':'array','uniqueItems':true,'items':{'type':'boolean'},'minItems':3}"),
		"tool \"f\": /properties/a: minItems is 3, and at most 2 different items are possible");
	CHECK_STR(failure("{'type':'array','items':{'type':'string'},'minItems':4000000}"), "tool \"f\": /properties/a: even the shortest value is too long");
	ndl_error err = NDL_ERROR_INIT;
	CHECK(!grammar_of("[]", &(ndl_grammar_options){.min_calls = 1}, &err));
	CHECK_STR(err.text, "1 calls are demanded, 0 are possible");
}

/* 500 tools of 2 KB, 28 arguments each, one of 1000. */
static void large(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf b = NDL_BUF_INIT;
	ndl_buf_byte(&b, '[');
	for (int i = 0; i < 500; i++) {
		ndl_buf_printf(&b, "%s{'name':'tool_%d','parameters':{", i ? "," : "", i);
		for (int k = 0; k < (i ? 28 : 1000); k++)
			ndl_buf_printf(&b, "%s'argument_%d':{'type':'string','description':'what this one is for','required':%s}", k ? "," : "", k, k % 2 ? "true" : "false");
		ndl_buf_str(&b, "}}");
	}
	ndl_buf_byte(&b, ']');
	tap_note("%zu bytes of tools", b.len);
	ndl_grammar *g = grammar_of(b.data, NULL, &err);
	CHECK(b.len > 1000000 && g != NULL);
	ndl_gstate s;
	ndl_gstate_init(&s, g);
	const char *start = " [{\"name\":\"tool_0\",\"arguments\":{\"argument_";
	CHECK(ndl_gstate_bytes(&s, start, strlen(start)));
	ndl_buf_reset(&b);
	ndl_gstate_closing(&s, &b);
	CHECK(b.len > 500 * 10 && strcmp(b.data + b.len - 3, "}}]") == 0);
	CHECK(ndl_gstate_bytes(&s, b.data, b.len) && ndl_gstate_done(&s));
	ndl_buf_clear(&b);
	ndl_grammar_free(g);
}

/* One argument that is one of 100,000 words. */
static void many_choices(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf b = NDL_BUF_INIT;
	ndl_buf_str(&b, "[{'name':'f','parameters':{'a':{'type':'string','required':true,'enum':[");
	for (unsigned i = 0; i < 100000; i++) /* in no order: 77773 is prime to 100000 */
		ndl_buf_printf(&b, "%s'w%05u'", i ? "," : "", (unsigned)((uint64_t)i * 77773 % 100000));
	ndl_buf_str(&b, "]}}}]");
	ndl_grammar *g = grammar_of(b.data, NULL, &err);
	if (!tap_ok(g != NULL, "an enum of 100,000 words %s", err.text))
		return;
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'a':'w54321'}}]"), WHOLE);
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'a':'w5432'}}]"), NO);
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'a':'w543210'}}]"), NO);
	CHECK_INT(reads_quoted(g, " [{'name':'f','arguments':{'a':'v"), NO);
	ndl_gstate s;
	ndl_gstate_init(&s, g);
	char forced[64], *start = quoted(" [{'name'");
	CHECK(ndl_gstate_bytes(&s, start, strlen(start)));
	size_t n = ndl_gstate_forced(&s, forced, sizeof forced);
	CHECK(n == 24 && memcmp(forced, ":\"f\",\"arguments\":{\"a\":\"w", n) == 0);
	free(start);
	ndl_buf_clear(&b);
	ndl_grammar_free(g);
}

/* Patterns that must all match, each of which names a thousand characters of its own: telling all apart takes time that grows with the cube. */
static void many_characters(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf b = NDL_BUF_INIT;
	ndl_buf_str(&b, "[{'name':'f','parameters':{'type':'object','properties':{'a':{'type':'string','allOf':[");
	for (uint32_t i = 0; i < 8; i++) {
		ndl_buf_printf(&b, "%s{'pattern':'^(?:", i ? "," : "");
		for (uint32_t c = 0; c < 1000; c++) {
			char text[4];
			ndl_buf_add(&b, text, ndl_utf8_encode(0x4E00 + 1000 * i + c, text));
			ndl_buf_byte(&b, '|');
		}
		ndl_buf_str(&b, ".)*$'}");
	}
	ndl_buf_str(&b, "]}}}}]");
	CHECK(grammar_of(b.data, NULL, &err) == NULL);
	CHECK_STR(err.text, "tool \"f\": /properties/a/pattern: patterns tell too many characters apart together");
	ndl_buf_clear(&b);
}

int main(void)
{
	types();
	constraints();
	strings();
	alternatives();
	unique();
	references();
	calls();
	leanings();
	forced_and_closing();
	masks();
	errors();
	large();
	many_choices();
	many_characters();
	return tap_done();
}
