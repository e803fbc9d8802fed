package main

import (
	"context"

	"github.com/ddbseal/ddbseal/labsetup"
)

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
