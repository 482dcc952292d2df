# shell completions: written by completions/update from the commands' --help. bash and fish look
# for a file by the command's name, so each command gets a link to the one file.
EXTRA_DIST += completions/update
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
dist_bashcomp_DATA = completions/needle.bash
dist_zshcomp_DATA = completions/_needle
dist_fishcomp_DATA = completions/needle.fish
install-data-hook:
	for c in $(bin_PROGRAMS); do \
	  ln -sf needle.bash "$(DESTDIR)$(bashcompdir)/$$c" && \
	  ln -sf needle.fish "$(DESTDIR)$(fishcompdir)/$$c.fish" || exit 1; \
	done
uninstall-hook:
	for c in $(bin_PROGRAMS); do \
	  rm -f "$(DESTDIR)$(bashcompdir)/$$c" "$(DESTDIR)$(fishcompdir)/$$c.fish"; \
	done
