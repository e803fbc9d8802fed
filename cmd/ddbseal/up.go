// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/narration"
	"github.com/ddbseal/ddbseal/labsetup"
)

type upCommand struct{ labFlags }

// Help is the long help text.
func (c *upCommand) Help() string {
	return `Makes what the lab works with and leaves it there: the key, the tables with a record in each, and the user nextwork-kms-user, who may use the tables and not the key. Repeating it is safe: what exists is compared, and the key policy is put back.

The access keys of the principals are written beside the data (principals.json, for --aws principals-aws.json, mode 0600), where put, get, scan, raw, grant and revoke find them; the user's console password to nextwork-kms-user_credentials.csv.

  ddbseal up
  ddbseal get 1
  ddbseal get 1 --as nextwork-kms-user`
}

// Run provisions.
func (c *upCommand) Run(ctx context.Context, s streams) (err error) {
	p, cfg, err := c.openKept(ctx, s)
	if err != nil {
		return err
	}
	defer p.close(&err)
	if err := c.ask(s, p, "It stays until 'ddbseal down --aws'."); err != nil {
		return err
	}
	report, err := c.run(ctx, s, p, cfg, (*labsetup.Lab).Up)
	if err == nil {
		err = p.keep(report)
	}
	if err == nil {
		tell(s.err, "Principals: %s. 'ddbseal down%s' removes everything.\n", p.principals.Names(), p.flag)
		n := narration.New(s.err, false, false, 0)
		n.Next([][2]string{
			{"ddbseal get 1 --as " + labsetup.UserName + p.flag, "an error: the key denies the user"},
			{"ddbseal raw 1 --mode client --as " + labsetup.UserName + p.flag, "ciphertext"},
			{"ddbseal grant " + labsetup.UserName + p.flag, "give them the key, and try both again"},
		})
		return nil
	}
	if report != nil {
		tell(s.err, "What was made until then is still there: 'ddbseal down%s' removes it, repeating 'up' goes on.\n",
			p.flag)
		return outcome(report, err)
	}
	return err
}

// run does one of the lab's runs and prints its report where that is wanted.
func (f *labFlags) run(ctx context.Context, s streams, p *place, cfg labsetup.Config,
	do func(*labsetup.Lab, context.Context) (*labsetup.Report, error)) (*labsetup.Report, error) {
	n := narration.New(s.err, f.Verbose, false, 0)
	cfg.Narrate, cfg.Waiting = n.Step, func(what string) { n.Text("     ", what) }
	lab, err := labsetup.New(cfg)
	if err != nil {
		return nil, err
	}
	report, err := do(lab, ctx)
	if report == nil {
		return nil, err
	}
	n.End(report)
	if f.JSON {
		err = errors.Join(err, printJSON(s.out, report))
	}
	return report, err
}
