# man pages: mdoc, section 1 a command (in cmd/needle-*.mk), 5 a format, 7 the overview
dist_man_MANS += man/needle.7
