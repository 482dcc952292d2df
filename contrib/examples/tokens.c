/* tokens.c - the token ids of a text, with the vocabulary of a SentencePiece file:
 *
 *   cc tokens.c -o tokens $(pkg-config --cflags --libs needle)
 *   ./tokens vocabulary.model "wake me up" */
#include <needle.h>

#include <stdio.h>
#include <string.h>

static int fail(const ndl_error *err)
{
	fprintf(stderr, "tokens: %s\n", err->text);
	return 3;
}

int main(int argc, char **argv)
{
	ndl_error err = NDL_ERROR_INIT;
	if (argc != 3) {
		fprintf(stderr, "Usage: tokens VOCABULARY TEXT (needle %s)\n", NDL_VERSION);
		return 2;
	}
	ndl_tok *vocabulary = ndl_tok_load(argv[1], &err);
	if (!vocabulary)
		return fail(&err);
	ndl_ids ids = {0};
	int status = 0;
	if (ndl_tok_encode(vocabulary, &ids, argv[2], strlen(argv[2]), NDL_TOK_PLAIN, &err) < 0)
		status = fail(&err);
	for (size_t i = 0; i < ids.len; i++)
		printf("%d%c", (int)ids.id[i], i + 1 < ids.len ? ' ' : '\n');
	ndl_ids_clear(&ids);
	ndl_tok_free(vocabulary);
	return status;
}
