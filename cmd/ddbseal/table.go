package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

// tableFlags say which table is used by whom.
type tableFlags struct {
	target
	Mode string `enum:"server,client,both" default:"server" help:"The table that DynamoDB encrypts under the key (server), the one whose items are encrypted before they are sent (client), or the one with both. (default: ${default})"`
	As   string `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url whoever the environment or --profile says)"`
}

// table opens the table, calls do and explains a denial.
func (f *tableFlags) table(ctx context.Context, s streams, do func(*store.Table[labsetup.Record]) error) error {
	return f.act(ctx, s, f.As, func(p *place, cfg aws.Config) error {
		keyARN, err := p.keyARN(ctx, cfg)
		if err != nil {
			return err
		}
		table, err := labsetup.OpenTable(cfg, keyARN, f.Mode)
		if err != nil {
			return err
		}
		err = do(table)
		if err != nil && p.explain != nil {
			for _, reason := range p.explain() {
				tell(s.err, "why: %s\n", reason)
			}
		}
		return err
	})
}
