// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
	"github.com/ddbseal/ddbseal/store"
)

// tableChapter creates the two tables of the core path, with the record in each.
func (l *Lab) tableChapter() chapter {
	return chapter{chapterTables, []labStep{
		does("table", "make the server-side table with default settings",
			"Server-side means that DynamoDB encrypts the table at rest, that is, on its disks. Unless you say "+
				"otherwise it uses a key that AWS owns, which denies no one.",
			shell.CreateTable(ServerTable, labTag, labTagValue),
			l.makeTable(ServerTable)).found(l.lookTable(ServerTable), nil),
		does("table-key", "switch it to the customer managed key",
			"From now on DynamoDB asks KMS whether the caller of a read or write may use the key. On AWS, DynamoDB "+
				"remembers a yes for about five minutes.",
			shell.UnderKey(ServerTable, `,KMSMasterKeyId="$KEY"`),
			l.encryptTable(ServerTable, func() string { return l.keyARN })).found(l.lookTableKey(ServerTable), nil),
		does("client-table", "make the client-side table",
			"Client-side means that your program encrypts an item before it sends it. The table itself stays under "+
				"the AWS owned key.",
			shell.CreateTable(ClientTable, labTag, labTagValue),
			l.makeTable(ClientTable)).found(l.lookTable(ClientTable), nil),
		l.puts(ServerTable, ModeServer, "The program sends the record as it is. DynamoDB encrypts it for the disk."),
		l.puts(ClientTable, ModeClient,
			"The program encrypts the name and the diagnosis with a data key, which KMS makes for this item, and "+
				"stores the data key in the item, encrypted under your key. The ward stays readable."),
		l.administratorReads(ServerTable, ModeServer,
			"Anyone who may read the table and use its key sees plaintext: DynamoDB decrypts before it answers. "+
				"HTTPS protected the answer on the way."),
		l.administratorReads(ClientTable, ModeClient,
			"The program got ciphertext, asked KMS to decrypt the item's data key (kms:Decrypt), and opened the "+
				"item with it. The AWS CLI cannot do this: 'aws dynamodb get-item' shows binary values."),
	}}
}

// otherTables creates the tables of the optional chapters.
func (l *Lab) otherTables() []labStep {
	same := "It is the same program and the same record."
	return []labStep{
		does("owned-table", "make a table under the AWS owned key",
			"This is what a table has if you choose nothing. You cannot see the key in your account.",
			shell.CreateTable(OwnedTable, labTag, labTagValue), l.makeTable(OwnedTable)),
		does("managed-table", "make a table for the AWS managed key",
			"The AWS managed key is alias/aws/dynamodb. You can see it, and its policy cannot be changed.",
			shell.CreateTable(ManagedTable, labTag, labTagValue), l.makeTable(ManagedTable)),
		does("managed-table-key", "switch it to alias/aws/dynamodb",
			"No key is named: KMS encryption without one means the AWS managed key.", shell.UnderKey(ManagedTable, ""),
			l.encryptTable(ManagedTable, func() string { return "" })),
		does("other-table", "make a second client-side table",
			"Its items carry another table name in their encryption context. A condition can tell the two apart.",
			shell.CreateTable(OtherTable, labTag, labTagValue), l.makeTable(OtherTable)),
		does("both-table", "make a table for both kinds at once", "Its items are encrypted before they are sent.",
			shell.CreateTable(BothTable, labTag, labTagValue), l.makeTable(BothTable)),
		does("both-table-key", "switch it to the customer managed key",
			"DynamoDB encrypts the ciphertext once more, under the same key.",
			shell.UnderKey(BothTable, `,KMSMasterKeyId="$KEY"`),
			l.encryptTable(BothTable, func() string { return l.keyARN })),
		l.puts(OwnedTable, ModeServer, same),
		l.puts(ManagedTable, ModeServer, same),
		l.puts(OtherTable, ModeClient, "The program sends ciphertext, bound to this table's name."),
		l.puts(BothTable, ModeBoth, "The program sends ciphertext, and DynamoDB encrypts it again."),
	}
}

// tableWords names a table of the lab for people.
func tableWords(table string) string {
	switch table {
	case ServerTable:
		return "the server-side table"
	case ClientTable:
		return "the client-side table"
	case OtherTable:
		return "the second client-side table"
	case OwnedTable:
		return "the table under the AWS owned key"
	case ManagedTable:
		return "the table under the AWS managed key"
	case BothTable:
		return "the table with both"
	}
	return table
}

// puts is the step that puts the record into a table.
func (l *Lab) puts(table, mode, why string) labStep {
	r := theRecord()
	cli := fmt.Sprintf(`aws dynamodb put-item --table-name %s --item '{"id":{"S":"%s"},"name":{"S":"%s"},`+
		`"diagnosis":{"S":"%s"},"ward":{"S":"%s"}}'`, table, r.ID, r.Name, r.Diagnosis, r.Ward)
	if mode != ModeServer {
		cli = fmt.Sprintf("ddbseal put %s --mode %s --name '%s' --diagnosis '%s' --ward %s", r.ID, mode, r.Name,
			r.Diagnosis, r.Ward)
		if table != tableOf(mode) {
			cli += " --table " + table
		}
	}
	put := func(ctx context.Context) error {
		return l.administrator.tables[table].Put(ctx, theRecord())
	}
	return does("put-"+table, "put the record into "+tableWords(table), why, cli,
		doing(put)).found(l.lookRecord(table, mode), nil).kept()
}

// administratorTitle returns the title of a read by the administrator. A read of a
// client-side item also asks KMS, unlike a plain read of the table, and its title says so.
func administratorTitle(table, mode string) string {
	if mode == ModeClient {
		return "administrator tries to decrypt the client-side item"
	}
	return "administrator reads " + tableWords(table)
}

func (l *Lab) administratorReads(table, mode, why string) labStep {
	return sees("administrator-"+table, administratorTitle(table, mode), administratorRole, mode,
		SeesPlaintext, why, readCLI("", table, mode), l.reads(&l.administrator, table))
}

// makeTable creates a table with default settings, key id (String), or finds it.
func (l *Lab) makeTable(name string) action {
	return doing(func(ctx context.Context) error {
		name := l.actual(name)
		err := createTable(ctx, l.administrator.ddb, name, nil)
		var exists *types.ResourceInUseException
		if errors.As(err, &exists) {
			if err := l.adopts(l.checkTableOurs(ctx, name), func() error { return l.tagTable(ctx, name) }); err != nil {
				return err
			}
			l.existed = true
		} else if err != nil {
			return err
		}
		return l.waitTable(ctx, name, "active",
			func(t *types.TableDescription) bool { return t.TableStatus == types.TableStatusActive })
	})
}

func createTable(ctx context.Context, client *dynamodb.Client, name string, sse *types.SSESpecification) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(name),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:        []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		BillingMode:      types.BillingModePayPerRequest,
		SSESpecification: sse,
		Tags:             []types.Tag{{Key: aws.String(labTag), Value: aws.String(labTagValue)}},
	})
	return err
}

func (l *Lab) tagTable(ctx context.Context, name string) error {
	t, err := l.table(ctx, name)
	if err != nil || t == nil {
		return err
	}
	_, err = l.administrator.ddb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: t.TableArn,
		Tags: []types.Tag{{Key: aws.String(labTag), Value: aws.String(labTagValue)}}})
	return err
}

func (l *Lab) checkTableOurs(ctx context.Context, name string) error {
	described, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		return err
	}
	tags, err := l.administrator.ddb.ListTagsOfResource(ctx,
		&dynamodb.ListTagsOfResourceInput{ResourceArn: described.Table.TableArn})
	if err != nil {
		return err
	}
	if !marked(tags.Tags, func(t types.Tag) (name, value *string) { return t.Key, t.Value }) {
		return fmt.Errorf("table %s %w", name, ErrNotOurs)
	}
	return nil
}

// encryptTable switches the table to the key, empty for the AWS managed one,
// unless it is under it already: AWS allows four switches a day.
func (l *Lab) encryptTable(name string, key func() string) action {
	return doing(func(ctx context.Context) error {
		want, name := key(), l.actual(name)
		switched := func(t *types.TableDescription) bool {
			s := t.SSEDescription
			return s != nil && s.Status == types.SSEStatusEnabled &&
				(want == "" || aws.ToString(s.KMSMasterKeyArn) == want)
		}
		now, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return err
		}
		if l.existed = switched(now.Table); !l.existed {
			sse := &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
			if want != "" {
				sse.KMSMasterKeyId = aws.String(want)
			}
			if _, err := l.administrator.ddb.UpdateTable(ctx,
				&dynamodb.UpdateTableInput{TableName: aws.String(name), SSESpecification: sse}); err != nil {
				return err
			}
		}
		under := "under the customer managed key"
		if want == "" {
			under = "under the AWS managed key"
		}
		return l.waitTable(ctx, name, under, switched)
	})
}

const (
	tableDeadline = 5 * time.Minute
	minDeadline   = 5 * time.Second
	firstPause    = 50 * time.Millisecond
	longestPause  = 3 * time.Second
	announceAfter = 2 * time.Second // of a wait
)

// errNotReported: a server took a change and does not show it.
var errNotReported = errors.New("this server does not report the change")

// waitTable polls the table until ok, with pauses that grow: the SDK's own
// waiter sleeps twenty seconds at least. What is waited for is told to people. A
// server that never shows it is given up after Config.Deadline.
func (l *Lab) waitTable(ctx context.Context, name, what string, ok func(*types.TableDescription) bool) error {
	deadline := min(tableDeadline, max(l.cfg.Deadline, minDeadline))
	began, told := time.Now(), false
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		out, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return err
		}
		if ok(out.Table) {
			return nil
		}
		waited := time.Since(began)
		if waited >= deadline {
			return fmt.Errorf("table %s: waited %s for it to be %s: %w", name, deadline, what, errNotReported)
		}
		if !told && waited >= announceAfter {
			told = true
			l.waits("for "+name+" to be "+what, deadline)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("table %s did not become %s: %w", name, what, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// waits tells people what a step waits for, and how long at most.
func (l *Lab) waits(what string, atMost time.Duration) {
	if l.cfg.Waiting != nil {
		l.cfg.Waiting(fmt.Sprintf("waiting %s, at most %s", what, atMost))
	}
}

// reads reads the record through the repository as p, whose tables an earlier
// step has opened.
func (l *Lab) reads(p *principal, table string) action {
	return func(ctx context.Context) (string, error) {
		got, err := p.tables[table].Get(ctx, store.Key{Partition: theRecord().ID})
		switch {
		case err != nil:
			return "", err
		case got != theRecord():
			return "another record", nil
		}
		return SeesPlaintext, nil
	}
}

// readsRaw reads the item as p without decrypting, looks whether the secret
// attributes are there in the open, and keeps what it saw for the report.
func (l *Lab) readsRaw(p *principal, table, mode string) action {
	return func(ctx context.Context) (string, error) {
		item, err := p.tables[table].Raw(ctx, store.Key{Partition: theRecord().ID})
		if err != nil {
			return "", err
		}
		text, err := ddbjson.Marshal(item)
		if err != nil {
			return "", err
		}
		l.keepItem(RawItem{Table: l.actual(table), Mode: mode, Item: string(text)})
		if _, sealed := item[envelope.HeaderAttribute]; !sealed {
			return SeesPlaintext, nil
		}
		for _, name := range []string{"name", "diagnosis"} {
			if _, binary := item[name].(*types.AttributeValueMemberB); !binary {
				return SeesPlaintext, nil
			}
		}
		return SeesCiphertext, nil
	}
}

// keepItem keeps one item for each table: a check may try several times.
func (l *Lab) keepItem(item RawItem) {
	for i := range l.report.Items {
		if l.report.Items[i].Table == item.Table {
			l.report.Items[i] = item
			return
		}
	}
	l.report.Items = append(l.report.Items, item)
}
