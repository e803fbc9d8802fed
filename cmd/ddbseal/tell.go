package main

import (
	"fmt"
	"io"

	"github.com/ddbseal/ddbseal/internal/display"
)

// styled is text that is safe to show as it is: with the colours of this
// program, and everything else escaped.
type styled string

// tell prints to a terminal or what stands for it. Strings and errors among the
// arguments, which may come from a file, a client or a server, are escaped; the
// format is the program's own. Everything that commands print for people goes
// through it.
func tell(w io.Writer, format string, args ...any) error {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = display.Text(a)
		case error:
			args[i] = display.Text(a.Error())
		}
	}
	_, err := fmt.Fprintf(w, format, args...)
	return err
}
