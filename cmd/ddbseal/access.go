package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/labsetup"
)

// accessFlags say whose access is changed.
type accessFlags struct {
	target
	JSON      bool   `name:"json" help:"Print the result as JSON."`
	Principal string `arg:"" help:"Name or ARN of an IAM user or role, such as nextwork-kms-user."`
}

// change is what grant and revoke print with --json.
type change struct {
	Principal string         `json:"principal"`
	Changed   []labsetup.Way `json:"changed"`
}

func (f *accessFlags) edit(ctx context.Context, s streams, do func(*labsetup.Lab) ([]labsetup.Way, error)) (err error) {
	p, err := f.open(ctx, false)
	if err != nil {
		return err
	}
	defer p.close(&err)
	p.say(s, "")
	cfg, err := p.as("")
	if err != nil {
		return err
	}
	lab, err := labsetup.New(labsetup.Config{Administrator: cfg, As: p.sign})
	if err != nil {
		return err
	}
	changed, err := do(lab)
	switch {
	case errors.Is(err, labsetup.ErrUnknownPrincipal):
		return usageError{err}
	case errors.Is(err, labsetup.ErrNoKey):
		return fmt.Errorf("%w on %s: run 'ddbseal up%s' first", err, p.name, p.flag)
	case err != nil:
		return err
	}
	if f.JSON {
		return printJSON(s.out, change{f.Principal, append([]labsetup.Way{}, changed...)})
	}
	if len(changed) == 0 {
		tell(s.err, "%s: nothing to change.\n", f.Principal)
		return nil
	}
	var names []string
	for _, w := range changed {
		names = append(names, string(w))
	}
	tell(s.err, "%s: changed %s.\n", f.Principal, strings.Join(names, ", "))
	if f.billed() {
		tell(s.err, "AWS may take some minutes to show it.\n")
	}
	return nil
}
