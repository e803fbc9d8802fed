package main

import (
	"context"

	"github.com/ddbseal/ddbseal/labsetup"
)

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
