// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/completion"
)

type completionCommand struct {
	Shell string `arg:"" optional:"" complete:"bash,zsh,fish" help:"bash, zsh or fish. (default: the one of $$SHELL)"`
}

// Help is the long help text.
func (c *completionCommand) Help() string {
	return `The lines name this program by its path, so install it first: go install ./cmd/ddbseal.

  ddbseal completion bash >> ~/.bashrc
  ddbseal completion zsh >> ~/.zshrc
  ddbseal completion fish > ~/.config/fish/completions/ddbseal.fish`
}

// completions are the lines for each shell. They ask the program itself what
// could follow, by the argument completion.Argument and the words until the cursor.
var completions = map[string]string{
	// With -o default the shell offers files where the program knows nothing.
	"bash": `_ddbseal() {
	local word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		[ "$word" = :files ] || COMPREPLY+=("$word")
	done < <(PROGRAM ARGUMENT "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _ddbseal ddbseal
`,
	"zsh": `autoload -Uz compinit && compinit
_ddbseal() {
	local line files=
	local -a found
	for line in "${(@f)$(PROGRAM ARGUMENT "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
		:files*) files=yes ;;
		?*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
		esac
	done
	[ ${#found} -eq 0 ] || _describe ddbseal found
	[ -z "$files" ] || _files
}
compdef _ddbseal ddbseal
`,
	"fish": `function __ddbseal_complete
	set -l words (commandline -opc) (commandline -ct)
	PROGRAM ARGUMENT $words[2..-1] 2>/dev/null
end
function __ddbseal_files
	string match -q -- ':files*' (__ddbseal_complete)
end
complete -c ddbseal -f
complete -c ddbseal -n 'not __ddbseal_files' -a '(__ddbseal_complete)'
complete -c ddbseal -n __ddbseal_files -F
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
	quoted := "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	// Not by tell: it is a script.
	_, err = strings.NewReplacer("PROGRAM", quoted, "ARGUMENT", completion.Argument).WriteString(s.out, lines)
	return err
}
