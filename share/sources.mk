# installed data: default model, corpus, examples
