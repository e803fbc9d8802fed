// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/beaconlength"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/labsetup"
)

type beaconCommand struct {
	Length beaconLength `cmd:"" help:"Choose the length of a beacon: what each one costs and shows."`
}

type beaconLength struct {
	target
	As        string  `placeholder:"PRINCIPAL" help:"Who reads the table: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Distinct  int64   `placeholder:"N" help:"Number of distinct values, instead of a table."`
	Items     int64   `placeholder:"N" help:"With --distinct: number of items that have a value. (default: one for each distinct value)"`
	Share     float64 `placeholder:"P" help:"With --items: share of the items with the most frequent value, such as 0.12. (default: all values are equally frequent)"`
	Table     string  `placeholder:"NAME" complete:"@tables" help:"Table whose items are counted."`
	Config    string  `type:"existingfile" placeholder:"FILE" help:"With --table: configuration of the item encryptor that opens the items, JSON. (default: the items are plaintext)"`
	Mode      string  `enum:",server,client,both" default:"" placeholder:"MODE" help:"Instead of --table: the lab's table of this mode, server, client or both."`
	Attribute string  `placeholder:"PATH" help:"Whose values are counted: an attribute, a path such as a.b[3].c, or a standard beacon of the configuration."`
	Set       bool    `help:"Count the elements of sets, as a beacon of style asSet does."`
	JSON      bool    `name:"json" help:"Print the result as JSON."`
}

// Help is the long help text.
func (c *beaconLength) Help() string {
	return `Prints the lengths that suit an attribute: for X distinct values those for which 2^length lies between the square root of X and X/2. A shorter beacon shows less, and a query by it reads more items in vain. A value that is much more frequent than the others stays guessable at every useful length.

Give the number of distinct values, or a table to count them in. The whole table is read then, which consumes its read capacity; memory stays bounded, and above 131,072 distinct values their number is an estimate. Values are never printed, only how frequent they are: output ends up in logs, and the most frequent values of an encrypted attribute are what its encryption hides.

The exit code is 1 if no length suits, or if an item could not be counted.

  ddbseal beacon length --distinct 10000 --items 50000 --share 0.02
  ddbseal beacon length --table patients --config patients.json --attribute number
  ddbseal beacon length --mode client --attribute diagnosis --as nextwork-kms-user`
}

// Run prints the lengths.
func (c *beaconLength) Run(ctx context.Context, s streams) error {
	if err := c.usage(); err != nil {
		return err
	}
	if c.Distinct != 0 {
		p := c.given()
		if _, err := p.Lengths(); errors.Is(err, envelope.ErrConfiguration) {
			return usageError{fmt.Errorf("--distinct, --items and --share contradict each other: %w", err)}
		}
		return c.print(s, p)
	}
	census := &censusOfTable{attribute: c.Attribute, set: c.Set, s: s}
	var err error
	if c.Mode != "" {
		err = c.countLab(ctx, s, census)
	} else {
		err = c.countTable(ctx, s, census)
	}
	if err != nil && !errors.Is(err, errChecks) {
		return err
	}
	p := census.Population()
	if p.Distinct == 0 {
		return fmt.Errorf("no item has a value at %s that could be counted", c.Attribute)
	}
	if failed := c.print(s, p); failed != nil { // err has been reported
		return failed
	}
	return err
}

func (c *beaconLength) usage() error {
	sources := 0
	for _, given := range []bool{c.Distinct != 0, c.Table != "", c.Mode != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return usagef("give one of --distinct, --table and --mode")
	case c.Distinct == 0 && c.Attribute == "":
		return usagef("a table needs --attribute: whose values are counted")
	case c.Distinct == 0 && (c.Items != 0 || c.Share != 0):
		return usagef("--items and --share belong to --distinct: a table is counted")
	case c.Distinct != 0 && (c.Attribute != "" || c.Set || c.As != ""):
		return usagef("--attribute, --set and --as belong to a table: leave out --distinct")
	case c.Table == "" && c.Config != "":
		return usagef("--config belongs to --table")
	case c.Distinct < 0 || c.Items < 0 || c.Items > 0 && c.Items < c.Distinct:
		return usagef("%d distinct values in %d items: give --items with at least as many", c.Distinct, c.Items)
	case math.IsNaN(c.Share) || c.Share < 0 || c.Share > 1:
		return usagef("--share is a number from 0 to 1")
	case c.Share > 0 && c.Items == 0:
		return usagef("--share needs --items: the number that it is a share of")
	}
	return nil
}

// given is the population that the flags describe.
func (c *beaconLength) given() beacon.Population {
	p := beacon.Population{Distinct: c.Distinct, Values: c.Items}
	if c.Share > 0 {
		p.Frequent = []int64{int64(math.Round(c.Share * float64(c.Items)))}
	}
	return p
}

// countLab counts in a table of the lab, as a principal of the lab.
func (c *beaconLength) countLab(ctx context.Context, s streams, census *censusOfTable) error {
	return c.act(ctx, s, c.As, func(p *place, cfg aws.Config) error {
		keyARN, err := p.keyARN(ctx, cfg)
		if err != nil {
			return err
		}
		table, err := labsetup.OpenTable(cfg, keyARN, c.Mode)
		if err != nil {
			return err
		}
		return census.count(ctx, dynamodb.NewFromConfig(cfg), table.Name(), table.Encryptor())
	})
}

// countTable counts in any table.
func (c *beaconLength) countTable(ctx context.Context, s streams, census *censusOfTable) (err error) {
	p := &providers{target: &c.target, as: c.As, s: s}
	defer p.close(&err)
	cfg, err := p.config(ctx)
	if err != nil {
		return err
	}
	e, err := openConfig(ctx, c.Config, p)
	if err != nil {
		return err
	}
	return census.count(ctx, dynamodb.NewFromConfig(cfg), c.Table, e)
}

// censusOfTable counts the values of the items of a table.
type censusOfTable struct {
	*beacon.Census
	attribute string
	set       bool
	s         streams
	failures  int
}

// maxFailures bounds the items that are named one by one.
const maxFailures = 20

// count reads the whole table. e opens its items; nil means that they are
// plaintext. It returns errChecks if some items were reported and not counted.
func (c *censusOfTable) count(ctx context.Context, client *dynamodb.Client, table string,
	e *envelope.ItemEncryptor) error {
	if err := c.open(e); err != nil {
		return err
	}
	bar := counter(c.s)
	defer bar.End()
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table})
	for number := 0; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		items, errs := page.Items, make([]error, len(page.Items))
		if e != nil {
			var failed *envelope.BatchError
			if items, err = e.DecryptAll(ctx, page.Items); errors.As(err, &failed) {
				errs = failed.Errors
			}
		}
		for i, item := range items {
			number++
			bar.Add()
			_, sealed := page.Items[i][envelope.HeaderAttribute]
			if err = errs[i]; err == nil && e == nil && sealed {
				return fmt.Errorf("the items of table %s are encrypted, and ciphertexts are all distinct: give the "+
					"--config that opens them", table)
			}
			if err == nil {
				err = c.Add(item)
			}
			if errors.Is(err, envelope.ErrKeyDenied) || ctx.Err() != nil {
				return errors.Join(ctx.Err(), err) // every other item fails, too
			}
			if err != nil {
				c.fail(bar, nameOf(page.Items[i], number, e), err)
			}
		}
	}
	if c.failures > 0 {
		bar.Clear()
		tell(c.s.err, "%d items are not counted.\n", c.failures)
		return errChecks
	}
	return nil
}

// open starts the census of the attribute or of the beacon with its name.
func (c *censusOfTable) open(e *envelope.ItemEncryptor) (err error) {
	if e != nil && e.Search() != nil {
		if b := e.Search().Lookup(c.attribute).Standard; b != nil && !c.set {
			c.Census = b.Census()
			return nil
		}
	}
	c.Census, err = beacon.NewCensus(c.attribute, c.set)
	if err != nil {
		return usageError{fmt.Errorf("--attribute: %w", err)}
	}
	return nil
}

// nameOf names an item by its key, or by its number in the scan if no configuration
// says what the key is.
func nameOf(item envelope.Item, number int, e *envelope.ItemEncryptor) string {
	if e == nil {
		return fmt.Sprintf("item %d", number)
	}
	return keyText(item[e.PartitionKey()], item[e.SortKey()])
}

// keyText shows the key of an item, which DynamoDB has in the clear, in DynamoDB
// JSON.
func keyText(key ...any) string {
	text := []byte("item")
	for _, v := range key {
		if v, ok := v.(types.AttributeValue); ok {
			if shown, err := ddbjson.AppendValue(append(text, ' '), v); err == nil {
				text = shown
			}
		}
	}
	return string(text)
}

func (c *censusOfTable) fail(bar *terminal.Progress, item string, err error) {
	if c.failures++; c.failures <= maxFailures {
		bar.Clear()
		tell(c.s.err, "%s: %s\n", item, plain(err.Error()))
	}
}

// print prints the lengths, if there are any, and reports a population that has none.
func (c *beaconLength) print(s streams, p beacon.Population) error {
	lengths, err := p.Lengths()
	if errors.Is(err, beacon.ErrNoLength) {
		err = fmt.Errorf("%w: a beacon of so few values shows them or finds everything: leave it out, or join several "+
			"attributes in a virtual field", err)
	} else if err != nil {
		return err
	}
	if c.JSON {
		return errors.Join(err, printJSON(s.out, beaconlength.JSON(p, lengths)))
	}
	return errors.Join(err, beaconlength.Print(s.out, p, lengths))
}
