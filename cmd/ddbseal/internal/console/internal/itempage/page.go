// SPDX-License-Identifier: Apache-2.0

// Package itempage has the console's pages that create, change and delete an item
// of any table, encrypted by the client or not. Every call is made as the
// signed-in user. What the user did not edit stays byte for byte, and a change
// that somebody else made meanwhile is never overwritten unseen.
package itempage

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/itemform"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Desk is what one request for these pages works with.
type Desk struct {
	DDB   *dynamodb.Client // signs as the signed-in user, as the clients of KMS do
	KMS   awskms.ClientSupplier
	Table Table
	// Link returns the page of the item with a key, and ListKeys the KMS keys
	// that the user may list.
	Link     func(key envelope.Item) string
	ListKeys func(context.Context) []Key
	Secret   []byte // of the session, for fingerprints
	Kept     *Kept  // of the session
}

// Key is a KMS key to choose.
type Key struct{ ARN, Name string }

// Kept are the items that a session deleted, for putting them back. The zero
// value is ready. It is safe for concurrent use.
type Kept struct {
	mu    sync.Mutex
	items map[string]envelope.Item // as they were stored, by the path of the item's page
}

const maxKept = 20

// formView is the form of an item.
type formView struct {
	*itemform.Form
	Table       *Table
	New         bool
	Path        string // of the item's page; of the form itself for a new one
	Fingerprint string // of the stored item that the form began with
	Types       []itemform.Choice
	Actions     []itemform.Choice
	Keys        []Key
	Others      []other // what the table's other items do, if the client encrypts them
	Conflict    bool    // the stored item has changed since
	Gone        bool    // it was deleted
	Stored      []itemform.Row
	Under       []string // keys that encrypt the item
}

type other struct{ Name, Words string }

// fingerprint names the stored item of a form, so that a later change is noticed.
func (d *Desk) fingerprint(item envelope.Item) string {
	text, err := ddbjson.AppendItemSorted(nil, item)
	if err != nil {
		return "-"
	}
	m := hmac.New(sha256.New, d.Secret)
	m.Write([]byte("item form\x00" + d.Table.Name + "\x00"))
	m.Write(text)
	return hex.EncodeToString(m.Sum(nil))
}

func (d *Desk) show(ctx context.Context, status int, v formView) reply.Reply {
	v.Table, v.Types, v.Actions = &d.Table, itemform.Types(), itemform.Actions()
	title := "Edit item"
	if v.New {
		title, v.Keys = "Create item", d.ListKeys(ctx)
	}
	inContext := func(r itemform.Row) bool { return r.Action == itemform.ActionContext }
	if slices.ContainsFunc(v.Rows, inContext) {
		v.Actions = append(v.Actions, itemform.Choice{ID: itemform.ActionContext,
			Name: "readable, signed, shown to the key service"})
	}
	return reply.Reply{Status: status, Template: "itemform", Title: title, Body: v}
}

const badForm = http.StatusBadRequest

// NewPage shows the form for an item that does not exist yet.
func (d *Desk) NewPage(ctx context.Context) reply.Reply {
	f := &itemform.Form{}
	for i, name := range d.Table.Keys() {
		kind := d.Table.PartitionType
		if i > 0 {
			kind = d.Table.SortType
		}
		f.Rows = append(f.Rows, itemform.Row{Name: name, Type: kind, Key: true, Action: itemform.ActionSign})
	}
	sample := d.sample(ctx)
	if f.Client = sample.key != ""; f.Client {
		f.Key = sample.key
	}
	f.Pad()
	return d.show(ctx, http.StatusOK, formView{Form: f, New: true, Others: sample.words()})
}

// sample is what the first items of the table say about the client's encryption.
type sample struct {
	actions map[string]envelope.Action
	key     string // empty: the client encrypts none of them under a KMS key
}

const sampleSize = 10

func (d *Desk) sample(ctx context.Context) sample {
	s := sample{actions: map[string]envelope.Action{}}
	out, err := d.DDB.Scan(ctx, &dynamodb.ScanInput{TableName: &d.Table.Name, Limit: aws.Int32(sampleSize)})
	if err != nil {
		return s // a user who may write and not read chooses without an example
	}
	for _, item := range out.Items {
		m, err := d.Table.Inspect(item)
		if err != nil {
			continue
		}
		maps.Copy(s.actions, actionsOf(m))
		if keys, err := keysOf(m); err == nil && s.key == "" {
			s.key = keys[0]
		}
	}
	return s
}

func (s sample) words() []other {
	var out []other
	for _, name := range slices.Sorted(maps.Keys(s.actions)) {
		out = append(out, other{name, itemform.Words(s.actions[name])})
	}
	return out
}

// Create puts the item of a form, unless one with its key exists.
func (d *Desk) Create(ctx context.Context, form url.Values) reply.Reply {
	f := itemform.Parse(form, d.Table.Keys())
	d.keyRows(f)
	v := formView{Form: f, New: true}
	sample := d.sample(ctx)
	v.Others = sample.words()
	again := func(status int, err error) reply.Reply {
		f.Pad()
		r := d.show(ctx, status, v)
		r.Err = err
		return r
	}
	if form.Get("more") != "" {
		return again(http.StatusOK, nil)
	}
	item, ok := f.Item(nil)
	if ok && f.Client {
		actions, fits := f.Actions(sample.actions)
		if ok = fits && f.Wrong == ""; ok && !isKeyARN(f.Key) {
			ok, f.Wrong = false, "Choose the KMS key that encrypts the item, or write its ARN. An alias is not "+
				"enough: it may point to another key tomorrow."
		}
		if ok {
			var err error
			if item, err = d.seal(ctx, item, actions, 0, []string{f.Key}); err != nil {
				return again(0, err)
			}
		}
	}
	if !ok {
		return again(badForm, nil)
	}
	_, err := d.DDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: &d.Table.Name, Item: item,
		ConditionExpression:      aws.String("attribute_not_exists(#key)"),
		ExpressionAttributeNames: map[string]string{"#key": d.Table.Partition}})
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		f.Wrong = "There is already an item with this key: open it on the page Tables to change it, or choose " +
			"another key."
		return again(http.StatusConflict, nil)
	}
	if err != nil {
		return again(0, err)
	}
	return reply.Done(d.Link(d.Table.KeyOf(item)), "The item is created.", nil)
}

// keyRows gives the rows of the table's key their types, whatever was sent.
func (d *Desk) keyRows(f *itemform.Form) {
	for i, kind := range []string{d.Table.PartitionType, d.Table.SortType} {
		if i < len(f.Rows) && f.Rows[i].Key {
			f.Rows[i].Type = kind
		}
	}
}

func isKeyARN(text string) bool {
	a, err := arn.Parse(text)
	return err == nil && a.Service == "kms" && strings.HasPrefix(a.Resource, "key/")
}
