// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/labsetup"
)

type downCommand struct{ labFlags }

// Help is the long help text.
func (c *downCommand) Help() string {
	return `Removes what 'up' and 'lab' made, and nothing else: everything of the lab bears a tag, and what lacks it is left alone. Tables, users and the role are deleted; keys are scheduled for deletion in seven days, the shortest time that AWS has. Until then 'up' brings the key back. Repeating it is safe.

  ddbseal down
  ddbseal down --aws --profile sandbox`
}

// Run removes.
func (c *downCommand) Run(ctx context.Context, s streams) (err error) {
	p, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer p.close(&err)
	tell(s.err, "Removing the lab from %s%s.\n", p.name, p.source)
	if c.billed() {
		if err := confirm(s, c.Yes,
			"This deletes the lab's tables with their items, users and role in region "+p.current.Region+
				", and schedules the deletion of its keys.", "delete"); err != nil {
			return err
		}
	}
	admin := p.current
	if !p.remote {
		// As root: the administrator may be gone already.
		admin = p.sign(p.server.RootCredentials())
	}
	cfg := labsetup.Config{Administrator: admin, As: p.sign, Explain: p.explain, Hint: hint.ForLab, Folder: p.dir}
	if c.billed() {
		cfg.Deadline = awsDeadline
	}
	report, err := c.run(ctx, s, p, cfg, (*labsetup.Lab).Down)
	if err != nil {
		if report != nil {
			tell(s.err, "The rest is still there: repeat 'ddbseal down%s'.\n", p.flag)
			return outcome(report, err)
		}
		return err
	}
	if p.server != nil {
		if err := administrator.Remove(ctx, p.server); err != nil {
			return err
		}
	}
	return p.principals.Remove()
}
