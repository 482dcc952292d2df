# man pages: mdoc, section 1 a command, 5 a format, 7 the overview
