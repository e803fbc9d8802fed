// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/sample"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/labsetup"
)

type accessCommand struct {
	target
	Tables    []string `arg:"" name:"table" complete:"@tables" help:"Names of tables."`
	Config    string   `type:"existingfile" placeholder:"FILE" help:"Configuration of the item encryptor, JSON, of a table with client-side encryption."`
	ItemKey   []string `name:"item-key" placeholder:"ARN" help:"KMS key that encrypts the items before they are sent. (repeatable)"`
	Sample    int      `placeholder:"N" help:"Read up to N items, to find out how they are really encrypted. (default: no item is read)"`
	JSON      bool     `name:"json" help:"Print the answer as JSON."`
	Principal string   `placeholder:"NAME" complete:"@principals" help:"Only this principal: an ARN, or the name of a user or role."`
	Operation string   `enum:",read-clear,read-ciphertext,write,write-verified" default:"" help:"Only this operation: read-clear, read-ciphertext, write or write-verified."`
	Why       bool     `help:"Print the statements that decide, and every path."`
	Diff      string   `type:"existingfile" placeholder:"FILE" help:"Print what changed since a snapshot. The exit code is 1 when a principal was added that reads in clear."`
	From      string   `type:"existingfile" placeholder:"FILE" help:"Answer from a snapshot, without any call."`
	Save      string   `placeholder:"FILE" help:"Save the snapshot."`
	As        string   `placeholder:"PRINCIPAL" help:"Who reads the policies: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
}

// Help is the long help text.
func (c *accessCommand) Help() string {
	return `Reads the policies that decide and tells who can read and write a table, who can come to read it by a known path, and why. Nothing is changed, and items are read only with --sample. What could not be read stands first, with the permission that was missing.

  ddbseal access nextwork-kms-table
  ddbseal access nextwork-kms-table --principal nextwork-kms-user --why
  ddbseal access nextwork-client-table --sample 100
  ddbseal access Orders --aws --save orders.json
  ddbseal access Orders --aws --diff orders.json`
}

// Run answers.
func (c *accessCommand) Run(ctx context.Context, s streams) error {
	switch {
	case c.Sample < 0 || c.Sample > sample.MaxItems:
		return usagef("--sample %d: a sample has up to %d items", c.Sample, sample.MaxItems)
	case c.Sample > 0 && c.From != "":
		return usagef("--from answers without any call: leave out --sample")
	}
	if c.From != "" {
		snapshot, err := readSnapshot(c.From)
		if err != nil {
			return err
		}
		return c.answer(s, snapshot)
	}
	return c.act(ctx, s, c.As, func(p *place, cfg aws.Config) error {
		tables, err := c.tables(ctx, p, cfg)
		if err != nil {
			return err
		}
		snapshot, err := access.Load(ctx, cfg, tables...)
		if err != nil {
			return err
		}
		if c.Save != "" {
			if err := saveSnapshot(c.Save, snapshot); err != nil {
				return err
			}
		}
		return c.answer(s, snapshot)
	})
}

func readSnapshot(path string) (*access.Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := access.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func saveSnapshot(path string, s *access.Snapshot) error {
	var text bytes.Buffer
	if err := s.Save(&text); err != nil {
		return err
	}
	return privatefile.Replace(path, text.Bytes())
}

// tables are the tables of the arguments, with the keys of their items.
func (c *accessCommand) tables(ctx context.Context, p *place, cfg aws.Config) ([]access.Table, error) {
	like := access.Table{}
	for _, key := range c.ItemKey {
		if a, err := arn.Parse(key); err != nil || a.Service != "kms" {
			return nil, usagef("item key %q is not the ARN of a KMS key", key)
		}
		like.ItemKeys = append(like.ItemKeys, access.ItemKey{ARN: key})
	}
	stores := map[string]bool{}
	if c.Config != "" {
		config, err := readConfig(c.Config)
		if err != nil {
			return nil, err
		}
		like.LogicalName = config.Table
		like.SymmetricSignature = config.AlgorithmSuite == envelope.SuiteSymmetricSignature.String() ||
			config.AlgorithmSuite == "0x6700"
		addKeys(&like, &config.Keyring, stores)
	}
	var all []access.Table
	for _, name := range c.Tables {
		t := like
		t.Name = name
		if len(t.ItemKeys) == 0 && !t.RawKeys && (name == labsetup.ClientTable || name == labsetup.BothTable) {
			// The lab's own tables need no configuration.
			key, err := p.keyARN(ctx, cfg)
			if err != nil {
				return nil, err
			}
			t.ItemKeys = []access.ItemKey{{ARN: key}}
		}
		all = append(all, t)
	}
	for i := range all {
		if c.Sample == 0 {
			break
		}
		if err := sample.Take(ctx, cfg, &all[i], c.Sample); err != nil {
			return nil, err
		}
	}
	for name := range stores {
		all = append(all, access.Table{Name: name})
	}
	return all, nil
}

// addKeys adds the keys of a keyring.
func addKeys(t *access.Table, k *itemconfig.Keyring, stores map[string]bool) {
	switch {
	case k.KeyID != "":
		t.ItemKeys = append(t.ItemKeys, access.ItemKey{ARN: k.KeyID})
	case k.KMSKeyID != "":
		t.ItemKeys = append(t.ItemKeys, access.ItemKey{ARN: k.KMSKeyID, KeyStore: k.Table, LogicalName: k.LogicalName})
		if k.Table != "" {
			stores[k.Table] = true
		}
	case k.Type != "multi":
		t.RawKeys = true // or keys that only items name
	}
	if k.Generator != nil {
		addKeys(t, k.Generator, stores)
	}
	for i := range k.Children {
		addKeys(t, &k.Children[i], stores)
	}
}

// answer prints the answer, or what changed.
func (c *accessCommand) answer(s streams, snapshot *access.Snapshot) error {
	analysis, err := access.Analyze(snapshot)
	if err != nil {
		return err
	}
	options := access.TextOptions{Principal: c.Principal, Why: c.Why}
	if c.Operation != "" {
		if err := options.Operation.UnmarshalText([]byte(c.Operation)); err != nil {
			return usageError{err}
		}
	}
	if c.Diff != "" {
		return c.diff(s, analysis)
	}
	if c.Principal != "" && !anyRow(analysis.Filter(options)) {
		return usagef("there is no principal %q: leave out --principal to see all", c.Principal)
	}
	if c.JSON {
		return printJSON(s.out, analysis.Filter(options))
	}
	_, err = io.WriteString(display.NewWriter(s.out), analysis.Text(options))
	return err
}

func anyRow(a *access.Analysis) bool {
	for i := range a.Tables {
		if len(a.Tables[i].Rows) > 0 {
			return true
		}
	}
	return false
}

// diff prints what changed since the snapshot of --diff.
func (c *accessCommand) diff(s streams, now *access.Analysis) error {
	old, err := readSnapshot(c.Diff)
	if err != nil {
		return err
	}
	before, err := access.Analyze(old)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Diff, err)
	}
	for _, line := range now.Unread() {
		tell(s.err, "Not read: %s.\n", line)
	}
	changes := access.Diff(before, now)
	if c.JSON {
		err = printJSON(s.out, append([]access.Change{}, changes...))
	} else {
		for _, change := range changes {
			if err = tell(s.out, "%s\n", change); err != nil {
				break
			}
		}
		if len(changes) == 0 {
			err = tell(s.err, "Nothing changed.\n")
		}
	}
	for i := range changes {
		if changes[i].Adds() {
			return errChecks
		}
	}
	return err
}
