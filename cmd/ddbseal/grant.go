// SPDX-License-Identifier: Apache-2.0

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
	Principal string `arg:"" complete:"@principals" help:"Name or ARN of an IAM user or role, such as nextwork-kms-user."`
}

// change is what grant and revoke print with --json.
type change struct {
	Principal string         `json:"principal"`
	Changed   []labsetup.Way `json:"changed"`
	Remaining []string       `json:"remaining,omitempty"` // what gives access now
}

// wayWords say what was changed by each way.
var wayWords = map[labsetup.Way]string{
	labsetup.WayKeyUser:   "two statements of the key policy (key user)",
	labsetup.WayStatement: "a statement of the key policy for kms:Decrypt",
	labsetup.WayGrant:     "a grant for kms:Decrypt",
}

// tellChange says what was changed, what gives access now, and what to try.
func (f *accessFlags) tellChange(s streams, p *place, changed []labsetup.Way, remaining []string) {
	if len(changed) == 0 {
		tell(s.err, "%s: nothing to change.\n", f.Principal)
	}
	for _, w := range changed {
		tell(s.err, "%s: changed %s: %s.\n", f.Principal, string(w), wayWords[w])
	}
	if len(remaining) == 0 {
		tell(s.err, "Nothing that this command looks at gives them access now: no statement of the key policy, no "+
			"grant, no IAM policy of their own.\n")
	} else {
		tell(s.err, "Access now by %s.\n", strings.Join(remaining, "; by "))
	}
	tell(s.err, "Try: ddbseal get 1 --mode client --as %s%s\n", f.Principal, p.flag)
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
	var remaining []string
	if err == nil {
		remaining, err = lab.Remaining(ctx, f.Principal)
	}
	switch {
	case errors.Is(err, labsetup.ErrUnknownPrincipal):
		return usageError{err}
	case errors.Is(err, labsetup.ErrNoKey):
		return fmt.Errorf("%w on %s: run 'ddbseal up%s' first", err, p.name, p.flag)
	case err != nil:
		return err
	}
	if f.JSON {
		return printJSON(s.out, change{f.Principal, append([]labsetup.Way{}, changed...), remaining})
	}
	f.tellChange(s, p, changed, remaining)
	if f.billed() && len(changed) > 0 {
		tell(s.err, "AWS may take some minutes to show it.\n")
	}
	return nil
}

type grantCommand struct {
	accessFlags
	By string `enum:"key-user,statement,grant" default:"key-user" help:"How: as key user in the key policy (key-user), by a statement for kms:Decrypt only (statement), by a grant without touching the policy (grant). (default: ${default})"`
}

// Help is the long help text.
func (c *grantCommand) Help() string {
	return `Gives a principal access to the lab's key, and by that to the tables under it and to the items encrypted with it.

  ddbseal grant nextwork-kms-user
  ddbseal get 1 --as nextwork-kms-user
  ddbseal revoke nextwork-kms-user`
}

// Run gives access.
func (c *grantCommand) Run(ctx context.Context, s streams) error {
	return c.edit(ctx, s, func(l *labsetup.Lab) ([]labsetup.Way, error) {
		changed, err := l.Give(ctx, c.Principal, labsetup.Way(c.By))
		if !changed {
			return nil, err
		}
		return []labsetup.Way{labsetup.Way(c.By)}, err
	})
}

type revokeCommand struct {
	accessFlags
	By string `enum:"all,key-user,statement,grant" default:"all" help:"Which way of access to withdraw. (default: ${default})"`
}

// Help is the long help text.
func (c *revokeCommand) Help() string {
	return `Withdraws what 'ddbseal grant' gave. On AWS a table under the key stays readable for about five minutes: DynamoDB caches its key for each caller.

  ddbseal revoke nextwork-kms-user
  ddbseal revoke nextwork-kms-user --by grant`
}

// Run withdraws access.
func (c *revokeCommand) Run(ctx context.Context, s streams) error {
	ways := labsetup.Ways()
	if c.By != "all" {
		ways = []labsetup.Way{labsetup.Way(c.By)}
	}
	return c.edit(ctx, s, func(l *labsetup.Lab) ([]labsetup.Way, error) {
		return l.Withdraw(ctx, c.Principal,
			ways...)
	})
}
