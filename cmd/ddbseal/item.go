// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/configexample"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/exportfile"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/inspection"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/store/migrate"
)

type itemCommand struct {
	Encrypt itemEncrypt `cmd:"" help:"Encrypt items: JSON lines in, JSON lines out."`
	Decrypt itemDecrypt `cmd:"" help:"Decrypt items: JSON lines in, JSON lines out."`
	Inspect itemInspect `cmd:"" help:"Show what items say about themselves, without a key."`
	Config  itemConfig  `cmd:"" help:"Print an example of a configuration, for each type of keyring."`
}

// itemFlags are common to the commands that need a configuration.
type itemFlags struct {
	target
	As     string `placeholder:"PRINCIPAL" help:"Who asks KMS: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Config string `required:"" type:"existingfile" placeholder:"FILE" help:"Configuration of the item encryptor, JSON."`
}

// each opens the encryptor and runs fn over the lines of standard input.
func (f *itemFlags) each(ctx context.Context, s streams,
	fn func(*envelope.ItemEncryptor, envelope.Item) (envelope.Item, error)) (err error) {
	p := &providers{target: &f.target, as: f.As, s: s}
	defer p.close(&err)
	e, err := openConfig(ctx, f.Config, p)
	if err != nil {
		return err
	}
	return eachItem(ctx, s, func(item envelope.Item, exported bool) ([]byte, error) {
		out, err := fn(e, item)
		if err != nil {
			return nil, err
		}
		text, err := ddbjson.Marshal(out)
		if exported {
			text = slices.Concat([]byte(`{"Item":`), text, []byte("}"))
		}
		return text, err
	})
}

const itemLinesHelp = `Each line of standard input is an item in DynamoDB JSON, bare or as in an export to S3, {"Item":{…}}; what comes out has the same form.

`

const itemConfigHelp = `The configuration is a JSON file: table (the logical table name), partitionKey, sortKey, attributeActions (name: ENCRYPT_AND_SIGN, SIGN_ONLY, SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT or DO_NOTHING), keyring, and more. 'ddbseal item config' lists the types of keyrings and prints an example of each; docs/item-configuration.md has every member. The path of a key file is relative to the configuration.

A line that does not work is reported with its number, and the others go on; the exit code is then 1.
`

type itemEncrypt struct{ itemFlags }

// Help is the long help text.
func (c *itemEncrypt) Help() string {
	return itemLinesHelp + itemConfigHelp + `
  echo '{"id":{"S":"1"},"diagnosis":{"S":"hay fever"}}' | ddbseal item encrypt --config patients.json`
}

// Run encrypts each line.
func (c *itemEncrypt) Run(ctx context.Context, s streams) error {
	return c.each(ctx, s, func(e *envelope.ItemEncryptor, item envelope.Item) (envelope.Item, error) {
		return e.EncryptItem(ctx, item)
	})
}

type itemDecrypt struct {
	itemFlags
	Export string `placeholder:"DIR|-" help:"Decrypt an export to S3 in DynamoDB JSON, full or incremental: the files in a folder, or one file on standard input, with gzip or without."`
	Out    string `type:"path" placeholder:"DIR" help:"Folder for the output of --export, a file for each file of the export, which only you can read. Files that are there are finished, and left out. (default: standard output)"`
	Jobs   int    `placeholder:"N" help:"Number of jobs that divide the files of --export, in an AWS Batch array job or a Kubernetes indexed job."`
}

// Help is the long help text.
func (c *itemDecrypt) Help() string {
	return itemLinesHelp + itemConfigHelp + `
  gunzip -c export.json.gz | ddbseal item decrypt --config patients.json
  ddbseal item decrypt --config patients.json --export AWSDynamoDB/01693685827463-2d8752fd --out plain`
}

// Run decrypts each line.
func (c *itemDecrypt) Run(ctx context.Context, s streams) error {
	switch {
	case c.Export != "":
		return c.export(ctx, s)
	case c.Out != "" || c.Jobs != 0:
		return usagef("--out and --jobs are for --export")
	}
	return c.each(ctx, s, func(e *envelope.ItemEncryptor, item envelope.Item) (envelope.Item, error) {
		return e.DecryptItem(ctx, item)
	})
}

// export decrypts the files of an export.
func (c *itemDecrypt) export(ctx context.Context, s streams) (err error) {
	if c.Export == "-" && (c.Out != "" || c.Jobs != 0) {
		return usagef("--export - is one file, which goes to standard output: leave out --out and --jobs")
	}
	p := &providers{target: &c.target, as: c.As, s: s}
	defer p.close(&err)
	e, err := openConfig(ctx, c.Config, p)
	if err != nil {
		return err
	}
	bar := counter(s)
	defer bar.End()
	job := &exportfile.Job{Encryptor: e, Line: bar.Add, Report: func(file string, err error) {
		bar.Clear()
		tell(s.err, "%s: %s\n", file, plain(err.Error()))
	}}
	if c.Export == "-" {
		n, err := job.Stream(ctx, "standard input", s.in, s.out)
		if err == nil && n.BadLines > 0 {
			return errChecks
		}
		return err
	}
	share, err := migrate.ShareFromEnvironment(os.LookupEnv, c.Jobs)
	if err != nil {
		return err
	}
	n, err := job.Folder(ctx, c.Export, c.Out, share, s.out)
	bar.Clear()
	if err == nil || ctx.Err() != nil {
		tell(s.err, "%d files, %d of them finished before, %d not finished; %d lines, %d of them not opened.\n",
			n.Files, n.Done, n.Failed, n.Lines, n.BadLines)
	}
	switch {
	case ctx.Err() != nil && c.Out != "":
		tell(s.err, "Repeat the command, and it goes on with the file where it was.\n")
		return err
	case err != nil:
		return err
	case n.Failed > 0:
		return errChecks
	}
	return nil
}

type itemConfig struct {
	Example bool   `name:"example" help:"Print the example. (default when a type is given)"`
	Type    string `arg:"" optional:"" complete:"@keyrings" help:"Type of the keyring. (default: list the types)"`
}

// Help is the long help text.
func (c *itemConfig) Help() string {
	return `Prints an example of the configuration that 'ddbseal item', 'migrate', 'changes', 'access' and 'policy' take, for a type of keyring. Without a type it lists the types. Replace the key ARN, the key file and what is … in the example.

  ddbseal item config
  ddbseal item config --example raw-aes > patients.json
  openssl rand -base64 32 > patients.key`
}

// Run prints the example or the types.
func (c *itemConfig) Run(s streams) error {
	if c.Type == "" {
		t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, kind := range configexample.Types() {
			tell(t, "%s\t%s\n", kind.Name, kind.For)
		}
		tell(s.err, "An example of one: ddbseal item config --example TYPE\n")
		return t.Flush()
	}
	text, err := configexample.Of(c.Type)
	if err != nil {
		return wrongConfig(err)
	}
	_, err = s.out.Write(display.JSON([]byte(text)))
	return err
}

type itemInspect struct {
	JSON  bool `name:"json" xor:"form" help:"Print JSON, a line an item, on a terminal too."`
	Text  bool `name:"text" xor:"form" help:"Print tables, into a file or a pipe too."`
	Bytes bool `name:"bytes" help:"With tables: show the header and the footer byte by byte. JSON always has them."`
}

// Help is the long help text.
func (c *itemInspect) Help() string {
	return `Shows what an encrypted item says about itself: what was done with each attribute, the keys that open it, and the encryption context. Of an item of the older DynamoDB Encryption Client, it shows the material description. It needs no key, shows no secret, and verifies nothing.

On a terminal it prints tables. Into a file or a pipe it prints JSON, a line an item, with the header and the footer field by field.

  ddbseal raw 1 --mode client | ddbseal item inspect
  ddbseal raw 1 --mode client | ddbseal item inspect --bytes
  ddbseal raw 1 --mode client | ddbseal item inspect | jq '.attributes[] | select(.action == "DO_NOTHING")'`
}

// Run inspects each line.
func (c *itemInspect) Run(ctx context.Context, s streams) error {
	width, tables := terminal.Size(s.out)
	if !tables {
		width = textColumns
	}
	tables = tables && !c.JSON || c.Text
	first := true
	return eachItem(ctx, s, func(item envelope.Item, _ bool) ([]byte, error) {
		found, err := inspection.Of(item)
		if err != nil {
			return nil, err
		}
		if !tables {
			return json.Marshal(found)
		}
		lines := found.Table(width, c.Bytes)
		if !first {
			lines = append([]string{"", strings.Repeat("-", min(width, textColumns)), ""}, lines...)
		}
		first = false
		return []byte(strings.Join(lines, "\n")), nil
	})
}

// textColumns is the width of tables where there is no terminal.
const textColumns = 100

// maxLine bounds a line: an item of 400 KB is below 1 MB in base64.
const maxLine = 4 << 20

// readItem reads a line, which may be one of an export to S3.
func readItem(line []byte) (item envelope.Item, exported bool, err error) {
	if item, err = ddbjson.Unmarshal(line); err == nil {
		return item, false, nil
	}
	var outer map[string]json.RawMessage
	if json.Unmarshal(line, &outer) != nil || len(outer) != 1 || outer["Item"] == nil {
		return nil, false, err
	}
	item, err = ddbjson.Unmarshal(outer["Item"])
	return item, true, err
}

// eachItem runs fn over the lines of standard input. A bad line is reported
// with its number and the others go on.
func eachItem(ctx context.Context, s streams, fn func(item envelope.Item, exported bool) ([]byte, error)) error {
	out := bufio.NewWriter(s.out)
	lines := bufio.NewScanner(s.in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	failed := false
	number := 0
	bar := counter(s)
	defer bar.End()
	for lines.Scan() {
		number++
		bar.Add()
		if err := ctx.Err(); err != nil {
			return errors.Join(fmt.Errorf("stopped before line %d: %w", number, err), out.Flush())
		}
		if len(lines.Bytes()) == 0 {
			continue
		}
		item, exported, err := readItem(lines.Bytes())
		var result []byte
		if err == nil {
			result, err = fn(item, exported)
		}
		if err != nil {
			failed = true
			bar.Clear()
			tell(s.err, "line %d: %s\n", number, plain(err.Error()))
			continue
		}
		if _, err := out.Write(append(display.JSON(result), '\n')); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, tooLong(err))
	}
	if failed {
		return errChecks
	}
	return nil
}

func tooLong(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("longer than %d bytes: %w", maxLine, err)
	}
	return err
}
