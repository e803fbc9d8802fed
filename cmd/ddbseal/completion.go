package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type completionCommand struct {
	Shell string `arg:"" optional:"" help:"bash, zsh or fish. (default: the one of $$SHELL)"`
}

// Help is the long help text.
func (c *completionCommand) Help() string {
	return `The lines name this program by its path, so install it first: go install ./cmd/ddbseal.

  ddbseal completion bash >> ~/.bashrc
  ddbseal completion zsh >> ~/.zshrc
  ddbseal completion fish > ~/.config/fish/completions/ddbseal.fish`
}

// completions ask the program itself, by COMP_LINE, what could follow; where it
// does not know, the shell offers files.
var completions = map[string]string{
	"bash": `complete -o default -C PROGRAM ddbseal
`,
	"zsh": `autoload -Uz compinit bashcompinit && compinit && bashcompinit
complete -o default -C PROGRAM ddbseal
`,
	"fish": `complete -c ddbseal -r -F -l config -l from -l to -l report -l data-dir
complete -c ddbseal -f -a '(env COMP_LINE=(commandline -cp | string collect) PROGRAM)'
`,
}

// Run prints the lines for the shell.
func (c *completionCommand) Run(s streams) error {
	shell := c.Shell
	if shell == "" {
		shell = filepath.Base(os.Getenv("SHELL"))
	}
	lines, ok := completions[shell]
	if !ok {
		return usagef("there is completion for bash, zsh and fish, not for %q", shell)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, strings.ReplaceAll(lines, "PROGRAM", program))
	return err
}
