// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/denial"
	"github.com/ddbseal/ddbseal/envelope"
)

// tableInfo is what DescribeTable says.
type tableInfo struct {
	Name, Partition, Sort, PartitionType, SortType string
	Account                                        string
	AtRest                                         string // under which key DynamoDB keeps it
	KeyLink, KeyID                                 string // of the customer managed key
}

func (t *tableInfo) keyNames() []string {
	if t.Sort == "" {
		return []string{t.Partition}
	}
	return []string{t.Partition, t.Sort}
}

func (t *tableInfo) keyOf(item envelope.Item) envelope.Item {
	key := envelope.Item{}
	for _, name := range t.keyNames() {
		if v, ok := item[name]; ok {
			key[name] = v
		}
	}
	return key
}

func (c *Console) describe(ctx context.Context, s *session, name string) (*tableInfo, error) {
	out, err := s.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, err
	}
	t := &tableInfo{Name: name, AtRest: "the AWS owned key"}
	typeOf := map[string]string{}
	for _, a := range out.Table.AttributeDefinitions {
		typeOf[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	for _, k := range out.Table.KeySchema {
		name := aws.ToString(k.AttributeName)
		if k.KeyType == types.KeyTypeHash {
			t.Partition, t.PartitionType = name, typeOf[name]
		} else {
			t.Sort, t.SortType = name, typeOf[name]
		}
	}
	if a, err := arn.Parse(aws.ToString(out.Table.TableArn)); err == nil {
		t.Account = a.AccountID
	}
	if sse := out.Table.SSEDescription; sse != nil && sse.KMSMasterKeyArn != nil {
		t.AtRest = "a KMS key"
		if a, err := arn.Parse(aws.ToString(sse.KMSMasterKeyArn)); err == nil {
			t.KeyID = strings.TrimPrefix(a.Resource, "key/")
			t.KeyLink = "/keys/" + t.KeyID
		}
	}
	return t, nil
}

// panel is one table on the page.
type panel struct {
	Name     string
	Info     *tableInfo
	Problem  *problem
	SameAs   string // where the page shows the same problem already
	Items    []itemView
	More     bool
	Sealed   bool   // its items carry header and footer
	Asked    string // the key that was asked for
	NotThere bool
}

type tablesView struct {
	Names       []string
	Left, Right string
	Problem     *problem // the tables cannot be listed
	Panels      []panel
	Fixed       bool      // nothing can be changed here
	Changes     []*change // of tables
}

const scanLimit = 20

func (c *Console) tablesPage(w http.ResponseWriter, r *http.Request, s *session) {
	v := c.chooseTables(r.Context(), s, r.URL.Query().Get("left"), r.URL.Query().Get("right"))
	for _, name := range []string{v.Left, v.Right} {
		if name != "" {
			v.Panels = append(v.Panels, c.scan(r.Context(), s, name))
		}
	}
	c.showTables(w, r, s, v)
}

func (c *Console) showTables(w http.ResponseWriter, r *http.Request, s *session, v tablesView) {
	if v.Problem != nil && sessionOver(v.Problem.Code) {
		c.sessions.remove(s)
		c.setCookie(w, c.cookie, "", -1)
		c.redirect(w, r, "/signin")
		return
	}
	v.unite()
	v.Fixed, v.Changes = c.readOnly(), s.changesWhere(func(ch *change) bool { return ch.Table != "" })
	c.render(w, r, s, http.StatusOK, "tables", page{Title: "Tables", Section: "tables", Body: v})
}

// unite leaves one of the problems that say the same.
func (v *tablesView) unite() {
	var shown denial.Seen
	for i := range v.Panels {
		p := &v.Panels[i]
		p.Problem, p.SameAs = once(&shown, p.Problem)
		for k := range p.Items {
			p.Items[k].Problem, p.Items[k].SameAs = once(&shown, p.Items[k].Problem)
		}
	}
}

// chooseTables lists the tables; without a choice it takes the lab's two.
func (c *Console) chooseTables(ctx context.Context, s *session, left, right string) tablesView {
	v := tablesView{Left: left, Right: right}
	names := c.progress.Named()
	pages := dynamodb.NewListTablesPaginator(s.ddb, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			v.Problem = c.explain(s, err)
			break
		}
		v.Names = append(v.Names, out.TableNames...)
	}
	if left == "" && right == "" {
		for _, t := range []struct {
			name string
			to   *string
		}{{names.ServerTable, &v.Left}, {names.ClientTable, &v.Right}} {
			if slices.Contains(v.Names, t.name) {
				*t.to = t.name
			}
		}
		if v.Left == "" && v.Right == "" && len(v.Names) > 0 {
			v.Left = v.Names[0]
		}
	}
	return v
}

// scan reads the first items of a table as the user.
func (c *Console) scan(ctx context.Context, s *session, name string) panel {
	p := panel{Name: name}
	var err error
	if p.Info, err = c.describe(ctx, s, name); err != nil {
		p.Problem = c.explain(s, err)
		return p
	}
	out, err := s.ddb.Scan(ctx,
		&dynamodb.ScanInput{TableName: &name, Limit: aws.Int32(scanLimit), ConsistentRead: aws.Bool(true)})
	if err != nil {
		p.Problem = c.explain(s, err)
		return p
	}
	for _, item := range out.Items {
		v := c.view(ctx, s, p.Info, item)
		p.Sealed = p.Sealed || v.Sealed
		p.Items = append(p.Items, v)
	}
	p.More = len(out.LastEvaluatedKey) > 0
	return p
}

// readItem reads one item by the key of a form.
func (c *Console) readItem(w http.ResponseWriter, r *http.Request, s *session) {
	name := r.PostForm.Get("table")
	v := c.chooseTables(r.Context(), s, r.PostForm.Get("left"), r.PostForm.Get("right"))
	for _, other := range []string{v.Left, v.Right} {
		switch {
		case other == "":
		case other == name:
			v.Panels = append(v.Panels,
				c.get(r.Context(), s, name, r.PostForm.Get("partition"), r.PostForm.Get("sort")))
		default:
			v.Panels = append(v.Panels, c.scan(r.Context(), s, other))
		}
	}
	c.showTables(w, r, s, v)
}

func (c *Console) get(ctx context.Context, s *session, name, partition, sort string) panel {
	p := panel{Name: name, Asked: partition}
	var err error
	if p.Info, err = c.describe(ctx, s, name); err != nil {
		p.Problem = c.explain(s, err)
		return p
	}
	key := envelope.Item{p.Info.Partition: keyValue(p.Info.PartitionType, partition)}
	if p.Info.Sort != "" {
		key[p.Info.Sort] = keyValue(p.Info.SortType, sort)
		p.Asked += " / " + sort
	}
	item, err := s.read(ctx, name, key)
	switch {
	case err != nil:
		p.Problem = c.explain(s, err)
	case item == nil:
		p.NotThere = true
	default:
		v := c.view(ctx, s, p.Info, item)
		p.Sealed, p.Items = v.Sealed, []itemView{v}
	}
	return p
}

func keyValue(kind, text string) types.AttributeValue {
	switch kind {
	case "N":
		return &types.AttributeValueMemberN{Value: text}
	case "B":
		return &types.AttributeValueMemberB{Value: []byte(text)}
	}
	return &types.AttributeValueMemberS{Value: text}
}

// read gets one item; nil when it is not there.
func (s *session) read(ctx context.Context, table string, key envelope.Item) (envelope.Item, error) {
	out, err := s.ddb.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 {
		return nil, err
	}
	return out.Item, nil
}
