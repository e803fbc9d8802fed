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
	"github.com/ddbseal/ddbseal/store"
)

func (l *Lab) tableChapter() chapter {
	create := func(name string) string {
		return "aws dynamodb create-table --table-name " + name +
			" --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH " +
			"--billing-mode PAY_PER_REQUEST"
	}
	underKey := func(name, key string) string {
		return "aws dynamodb update-table --table-name " + name +
			" --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=" + key
	}
	put := func(table string) labStep {
		return does("put-"+table, "put the record into "+table, "",
			"aws dynamodb put-item --table-name "+table+" --item file://record.json",
			doing(func(ctx context.Context) error {
				return l.administrator.tables[table].Put(ctx, theRecord())
			}))
	}
	steps := []labStep{
		does("table", "make the server-side table with default settings",
			"Every table is encrypted at rest. By default under a key that AWS owns: no one is ever denied by it.",
			create(ServerTable), l.makeTable(ServerTable)),
		does("table-key", "switch it to the customer managed key",
			"From now on each read and write needs the caller's right to the key.", underKey(ServerTable, "KEY"),
			l.encryptTable(ServerTable, func() string { return l.keyARN })),
		does("owned-table", "make a table under the AWS owned key",
			"The first of the three server-side choices, for comparison.", create(OwnedTable), l.makeTable(OwnedTable)),
		does("managed-table", "make a table under the AWS managed key",
			"The second: alias/aws/dynamodb, visible in the account, with a policy that nobody can change.",
			create(ManagedTable), l.makeTable(ManagedTable)),
		does("managed-table-key", "switch it to alias/aws/dynamodb", "", underKey(ManagedTable, "alias/aws/dynamodb"),
			l.encryptTable(ManagedTable, func() string { return "" })),
		does("client-table", "make the client-side table",
			"It stays under the AWS owned key: its items are encrypted before they are sent.", create(ClientTable),
			l.makeTable(ClientTable)),
		does("both-table", "make a table with both",
			"Items encrypted before they are sent, in a table under the customer key.", create(BothTable),
			l.makeTable(BothTable)),
		does("both-table-key", "switch it to the customer managed key", "", underKey(BothTable, "KEY"),
			l.encryptTable(BothTable, func() string { return l.keyARN })),
	}
	whys := map[string]string{
		ServerTable: "The program sends plaintext, DynamoDB encrypts it.",
		OwnedTable:  "The same program, the same record.", ManagedTable: "The same program, the same record.",
		ClientTable: "The program sends ciphertext: DynamoDB never sees the record.",
		BothTable:   "Ciphertext, encrypted once more at rest.",
	}
	for _, table := range []string{ServerTable, OwnedTable, ManagedTable, ClientTable, BothTable} {
		step := put(table)
		step.Why = whys[table]
		steps = append(steps, step)
	}
	for _, t := range []struct{ table, mode, why string }{
		{ServerTable, ModeServer, "Transparent: who may use the key notices nothing of the encryption."},
		{ClientTable, ModeClient, "The program decrypts after reading, with the same key."},
		{BothTable, ModeBoth, "Two locks, one key, and the administrator has it."},
	} {
		steps = append(steps, sees("administrator-"+t.table, "administrator reads "+t.table, administratorRole, t.mode,
			SeesPlaintext, t.why, getCLI(t.table), l.reads(&l.administrator, t.table)))
	}
	return chapter{"The tables", steps}
}

// makeTable makes a table with default settings, key id (String), or finds it.
func (l *Lab) makeTable(name string) action {
	return doing(func(ctx context.Context) error {
		err := createTable(ctx, l.administrator.ddb, name, nil)
		var exists *types.ResourceInUseException
		if errors.As(err, &exists) {
			if err := l.checkTableOurs(ctx, name); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		return l.waitTable(ctx, name,
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
		want := key()
		switched := func(t *types.TableDescription) bool {
			s := t.SSEDescription
			return s != nil && s.Status == types.SSEStatusEnabled &&
				(want == "" || aws.ToString(s.KMSMasterKeyArn) == want)
		}
		now, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return err
		}
		if !switched(now.Table) {
			sse := &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
			if want != "" {
				sse.KMSMasterKeyId = aws.String(want)
			}
			if _, err := l.administrator.ddb.UpdateTable(ctx,
				&dynamodb.UpdateTableInput{TableName: aws.String(name), SSESpecification: sse}); err != nil {
				return err
			}
		}
		return l.waitTable(ctx, name, switched)
	})
}

const (
	tableDeadline = 5 * time.Minute
	firstPause    = 50 * time.Millisecond
	longestPause  = 3 * time.Second
)

// waitTable polls the table until ok, with pauses that grow: the SDK's own
// waiter sleeps twenty seconds at least.
func (l *Lab) waitTable(ctx context.Context, name string, ok func(*types.TableDescription) bool) error {
	ctx, cancel := context.WithTimeout(ctx, tableDeadline)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		out, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return err
		}
		if ok(out.Table) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("table %s did not become ready: %w", name, ctx.Err())
		case <-time.After(pause):
		}
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
		l.keepItem(RawItem{Table: table, Mode: mode, Item: string(text)})
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
