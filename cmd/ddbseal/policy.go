// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/itemkeys"
	"github.com/ddbseal/ddbseal/labsetup"
)

type policyCommand struct {
	target
	Table        string   `arg:"" complete:"@tables" help:"Name of the table, or of the key store for keystore-admin with --item-key."`
	For          []string `required:"" enum:"reader,writer,migrator,keystore-admin" placeholder:"PURPOSE" help:"What the policies are for: reader, writer, migrator or keystore-admin, or several of them with commas."`
	Config       string   `type:"existingfile" placeholder:"FILE" help:"Configuration of the item encryptor, JSON, of a table with client-side encryption; for a migrator the one it converts to."`
	Former       string   `name:"from" type:"existingfile" placeholder:"FILE" help:"For a migrator: the configuration that it converts from. (default: the items are plaintext)"`
	ItemKey      []string `name:"item-key" placeholder:"ARN" help:"KMS key that encrypts the items before they are sent, instead of --config; for keystore-admin the key that wraps the branch keys. (repeatable)"`
	Principal    string   `placeholder:"ARN" help:"User or role that gets the policies. The key policies name it. (default: the key policies hand the permissions to IAM policies)"`
	PartitionKey []string `placeholder:"VALUE" help:"Only items with this value of the partition key. (repeatable)"`
	Checkpoint   string   `name:"checkpoint-table" default:"ddbseal-migrations" placeholder:"NAME" help:"Table that keeps a migrator's positions. (default: ${default})"`
	Part         string   `enum:",identity,key" default:"" help:"Print only this part: identity, the policy of the user or role, or key, the statements for key policies."`
	JSON         bool     `name:"json" help:"Print everything as one JSON object, with the proofs."`
	Why          bool     `help:"Tell for each statement, action and condition what would happen without it."`
	As           string   `placeholder:"PRINCIPAL" help:"Who describes the table and its key: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
}

// Help is the long help text.
func (c *policyCommand) Help() string {
	return `Prints the least identity policy for a user or role, and the statements to add to the policies of the KMS keys, as JSON that can be pasted. Each element is proven: the evaluator of the embedded AWS finds every call allowed that the purpose makes, and without any one statement, action or condition it denies such a call, or allows another one. Nothing is changed.

  ddbseal policy nextwork-kms-table --for reader
  ddbseal policy Orders --aws --for reader,writer --config orders.json --principal arn:aws:iam::111122223333:role/app
  ddbseal policy Orders --aws --for migrator --config new.json --from old.json --why
  ddbseal policy key-store --aws --for keystore-admin --item-key arn:aws:kms:eu-west-1:111122223333:key/…`
}

// Run writes the policies.
func (c *policyCommand) Run(ctx context.Context, s streams) error {
	var purposes []leastprivilege.Purpose
	for _, text := range c.For {
		var p leastprivilege.Purpose
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return usageError{err}
		}
		purposes = append(purposes, p)
	}
	migrates := slices.Contains(purposes, leastprivilege.Migrator)
	switch {
	case c.Config != "" && len(c.ItemKey) > 0:
		return usagef("--config names the keys of the items: leave out --item-key")
	case c.Former != "" && !migrates:
		return usagef("--from is for a migrator: leave it out, or add --for migrator")
	}
	return c.act(ctx, s, c.As, func(p *place, cfg aws.Config) error {
		table, notes, err := c.describe(ctx, p, cfg, purposes)
		if err != nil {
			return err
		}
		policies, err := leastprivilege.For(table, leastprivilege.Options{Principal: c.Principal,
			PartitionKeys: c.PartitionKey, Checkpoints: c.Checkpoint}, purposes...)
		if err != nil {
			return err
		}
		policies.Notes = append(policies.Notes, notes...)
		return c.print(s, policies)
	})
}

// describe describes the table and the keys of its items.
func (c *policyCommand) describe(ctx context.Context, p *place, cfg aws.Config,
	purposes []leastprivilege.Purpose) (t leastprivilege.Table, notes []string, err error) {
	place := func(name string) (leastprivilege.Place, error) { return leastprivilege.DescribeStore(ctx, cfg, name) }
	if c.Config == "" && len(c.ItemKey) > 0 && slices.Equal(purposes,
		[]leastprivilege.Purpose{leastprivilege.KeyStoreAdmin}) {
		if t.Place, err = place(c.Table); err != nil {
			return t, nil, err
		}
		for _, key := range c.ItemKey {
			t.Items.Stores = append(t.Items.Stores, leastprivilege.KeyStore{Place: t.Place, KMSKeyARN: key})
		}
		return t, nil, nil
	}
	if t, err = leastprivilege.Describe(ctx, cfg, c.Table); err != nil {
		return t, nil, err
	}
	for _, f := range []struct {
		path string
		to   *leastprivilege.Encryption
	}{{c.Config, &t.Items}, {c.Former, &t.Former}} {
		if f.path == "" {
			continue
		}
		keys, more, err := readKeys(f.path)
		if err == nil {
			err = keys.Place(place)
		}
		if err != nil {
			return t, nil, err
		}
		*f.to = keys.Encryption
		notes = append(notes, more...)
	}
	if c.Config == "" && len(c.ItemKey) == 0 && (c.Table == labsetup.ClientTable || c.Table == labsetup.BothTable) {
		key, err := p.keyARN(ctx, cfg) // the lab's own tables need no configuration
		if err != nil {
			return t, nil, err
		}
		c.ItemKey = []string{key}
	}
	for _, key := range c.ItemKey {
		t.Items.Keys = append(t.Items.Keys, leastprivilege.Key{ARN: key, Kind: leastprivilege.DataKeys})
	}
	return t, notes, nil
}

// readKeys reads the keys of a configuration, and what the policies for it will not
// cover.
func readKeys(path string) (keys itemkeys.Keys, notes []string, err error) {
	config, err := readConfig(path)
	if err != nil {
		return keys, nil, err
	}
	keys = itemkeys.Of(config)
	if len(keys.Unnamed) > 0 && len(keys.Keys)+len(keys.Stores) == 0 {
		return keys, nil, usagef("%s: the keyring %s does not name its KMS keys: name them with --item-key instead",
			path, strings.Join(keys.Unnamed, ", "))
	}
	for _, kind := range keys.Unnamed {
		notes = append(notes, "the keyring "+kind+" of "+path+
			" does not name its KMS keys: the policies leave them out")
	}
	if keys.Legacy {
		notes = append(notes, "items of the older client need more: kms:Decrypt on their KMS key, or dynamodb:GetItem "+
			"on the meta table")
	}
	return keys, notes, nil
}

// print prints the documents. What stands between them goes to standard error, so
// that each can be pasted and all be read by a program.
func (c *policyCommand) print(s streams, p *leastprivilege.Policies) error {
	if c.JSON {
		return printJSON(s.out, p)
	}
	if c.Part != "key" {
		tell(s.err, "Policy for the user or role:\n")
		if err := printJSON(s.out, p.Identity); err != nil {
			return err
		}
		c.why(s, p, "identity policy")
	}
	for _, k := range p.Keys {
		if c.Part == "identity" {
			break
		}
		for i, statement := range k.Statements {
			if i == 0 {
				tell(s.err, "To add to the policy of %s:\n", k.Key)
			}
			if err := printJSON(s.out, statement); err != nil {
				return err
			}
		}
		c.why(s, p, k.Key)
	}
	for _, note := range p.Notes {
		tell(s.err, "Note: %s.\n", note)
	}
	return nil
}

// why prints the proofs of one policy.
func (c *policyCommand) why(s streams, p *leastprivilege.Policies, policy string) {
	if !c.Why {
		return
	}
	for _, proof := range p.Proofs {
		if proof.Policy == policy {
			tell(s.err, "  without %s: %s\n", proof.Part(), proof.Without)
		}
	}
}
