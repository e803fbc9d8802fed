// SPDX-License-Identifier: Apache-2.0

package itempage

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/itemform"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/envelope"
)

// opened is a stored item as the user can change it.
type opened struct {
	stored, plain envelope.Item
	message       *envelope.Message // nil: the client did not encrypt it
	keys          []string          // under which the client encrypted it
}

// errGone means that the item was deleted.
var errGone = errors.New("there is no item with this key any more")

// open reads an item and decrypts it.
func (d *Desk) open(ctx context.Context, key envelope.Item) (*opened, error) {
	out, err := d.DDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table.Name, Key: key,
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, errGone
	}
	o := &opened{stored: out.Item, plain: out.Item}
	if !Sealed(o.stored) {
		return o, nil
	}
	if o.message, err = d.Table.Inspect(o.stored); err != nil {
		return nil, err
	}
	if o.keys, err = keysOf(o.message); err != nil {
		return nil, err
	}
	client, err := d.KMS("")
	if err != nil {
		return nil, err
	}
	o.plain, err = d.Table.Open(ctx, client, o.stored, o.message)
	return o, err
}

// rows are the attributes of an opened item: the key first, then by name.
func (d *Desk) rows(o *opened) ([]itemform.Row, error) {
	if len(o.plain) > itemform.MaxRows {
		return nil, errTooLarge
	}
	actions := map[string]envelope.Action{}
	if o.message != nil {
		actions = actionsOf(o.message)
	}
	names := d.Table.Keys()
	var rest []string
	size := 0
	for name := range o.plain {
		if !slices.Contains(names, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	var rows []itemform.Row
	for i, name := range append(names, rest...) {
		r, err := itemform.Of(name, o.plain[name])
		if err != nil {
			return nil, err
		}
		r.Key, r.Action = i < len(d.Table.Keys()), itemform.ActionID(actions[name])
		if size += len(url.QueryEscape(r.Value)); size > maxForm {
			return nil, errTooLarge
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// maxForm bounds the values of a form, encoded, to what the console takes.
const maxForm = 200 << 10

var errTooLarge = errors.New("the item is too large for this form: change it with a program, or with the AWS CLI")

// EditPage shows the form of an existing item, decrypted.
func (d *Desk) EditPage(ctx context.Context, key envelope.Item) reply.Reply {
	o, err := d.open(ctx, key)
	if err != nil {
		return reply.Fail("Edit item", err)
	}
	f := &itemform.Form{Client: o.message != nil}
	if f.Rows, err = d.rows(o); err != nil {
		return reply.Fail("Edit item", err)
	}
	f.Pad()
	return d.show(ctx, http.StatusOK, formView{Form: f, Path: d.Link(key), Fingerprint: d.fingerprint(o.stored),
		Under: o.keys})
}

// Edit writes the item of a form, if the stored one is still what the form began
// with: it decrypts that, changes it, encrypts it, and writes under a condition.
func (d *Desk) Edit(ctx context.Context, key envelope.Item, form url.Values) reply.Reply {
	f := itemform.Parse(form, d.Table.Keys())
	v := formView{Form: f, Path: d.Link(key), Fingerprint: form.Get("fingerprint")}
	again := func(status int, err error) reply.Reply {
		f.Pad()
		r := d.show(ctx, status, v)
		r.Err = err
		return r
	}
	o, err := d.open(ctx, key)
	if errors.Is(err, errGone) {
		v.Conflict, v.Gone, v.Client = true, true, form.Get("mode") == "client"
		return again(http.StatusConflict, nil)
	}
	if err != nil {
		return again(0, err)
	}
	f.Client, v.Under = o.message != nil, o.keys
	if form.Get("more") != "" {
		return again(http.StatusOK, nil)
	}
	if d.fingerprint(o.stored) != v.Fingerprint {
		return d.conflict(o, &v, again)
	}
	d.keyRows(f)
	after, ok := f.Item(o.plain)
	for _, name := range d.Table.Keys() { // of the address, whatever was sent
		after[name] = key[name]
	}
	var actions map[string]envelope.Action
	if ok && f.Client {
		actions, ok = f.Actions(nil)
	}
	if !ok {
		return again(badForm, nil)
	}
	if itemform.Equal(o.plain, after) && !moved(o.message, actions) {
		return reply.Done(v.Path, "Nothing was changed: the form says what is stored.", nil)
	}
	if f.Client {
		if after, err = d.seal(ctx, after, actions, o.message.Suite, o.keys); err != nil {
			return again(0, err)
		}
	}
	w := itemform.Change(o.stored, after, d.Table.Keys())
	in := &dynamodb.UpdateItemInput{TableName: &d.Table.Name, Key: key, ConditionExpression: &w.Condition,
		ExpressionAttributeNames: w.Names, ExpressionAttributeValues: w.Values, UpdateExpression: &w.Update}
	_, err = d.DDB.UpdateItem(ctx, in)
	var changed *types.ConditionalCheckFailedException
	if errors.As(err, &changed) {
		if o, err = d.open(ctx, key); err == nil {
			return d.conflict(o, &v, again)
		}
	}
	if err != nil {
		return again(0, err)
	}
	return reply.Done(v.Path, "The item is saved.", nil)
}

// moved reports whether the form treats an attribute otherwise than the item.
func moved(m *envelope.Message, actions map[string]envelope.Action) bool {
	if m == nil {
		return false
	}
	was := actionsOf(m)
	for name, a := range actions {
		if was[name] != a {
			return true
		}
	}
	return false
}

// conflict shows what is stored now beside what was typed. Sending the form again
// replaces what is shown.
func (d *Desk) conflict(o *opened, v *formView, again func(int, error) reply.Reply) reply.Reply {
	v.Conflict, v.Fingerprint = true, d.fingerprint(o.stored)
	var err error
	if v.Stored, err = d.rows(o); err != nil {
		return again(0, err)
	}
	return again(http.StatusConflict, nil)
}

// deleteView is the page that asks before an item is deleted.
type deleteView struct {
	Table       *Table
	Path        string
	Rows        []itemform.Row // as the user may see them
	Fingerprint string
	Sealed      bool
	Changed     bool
}

// DeletePage shows the stored item and asks. It needs no right to a key of the
// client.
func (d *Desk) DeletePage(ctx context.Context, key envelope.Item, changed bool) reply.Reply {
	out, err := d.DDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table.Name, Key: key,
		ConsistentRead: aws.Bool(true)})
	if err == nil && len(out.Item) == 0 {
		err = errGone
	}
	if err != nil {
		return reply.Fail("Delete item", err)
	}
	v := deleteView{Table: &d.Table, Path: d.Link(key), Fingerprint: d.fingerprint(out.Item), Sealed: Sealed(out.Item),
		Changed: changed}
	for _, name := range d.Table.Keys() {
		if r, err := itemform.Of(name, key[name]); err == nil {
			v.Rows = append(v.Rows, r)
		}
	}
	r := reply.Reply{Template: "itemdelete", Title: "Delete item", Body: v}
	if changed {
		r.Status = http.StatusConflict
	}
	return r
}

// Delete deletes the item of the page that asked, if it is still the same, and
// keeps it in the session for putting it back.
func (d *Desk) Delete(ctx context.Context, key envelope.Item, form url.Values) reply.Reply {
	out, err := d.DDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table.Name, Key: key,
		ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return reply.Fail("Delete item", err)
	case len(out.Item) == 0:
		return reply.Fail("Delete item", errGone)
	case d.fingerprint(out.Item) != form.Get("fingerprint"):
		return d.DeletePage(ctx, key, true)
	}
	w := itemform.Unchanged(out.Item)
	_, err = d.DDB.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &d.Table.Name, Key: key,
		ConditionExpression: &w.Condition, ExpressionAttributeNames: w.Names, ExpressionAttributeValues: w.Values})
	var changed *types.ConditionalCheckFailedException
	if errors.As(err, &changed) {
		return d.DeletePage(ctx, key, true)
	}
	if err != nil {
		return reply.Fail("The item was not deleted", err)
	}
	path := d.Link(key)
	d.Kept.mu.Lock()
	defer d.Kept.mu.Unlock()
	if d.Kept.items == nil || len(d.Kept.items) >= maxKept {
		d.Kept.items = map[string]envelope.Item{}
	}
	d.Kept.items[path] = out.Item
	return reply.Go(path + "/deleted")
}

type deletedView struct {
	Table *Table
	Path  string
}

// DeletedPage offers to put a deleted item back.
func (d *Desk) DeletedPage(key envelope.Item) reply.Reply {
	return reply.Reply{Template: "itemdeleted", Title: "Item deleted", Body: deletedView{&d.Table, d.Link(key)}}
}

// Restore puts a deleted item back as it was stored, unless there is another one
// with its key.
func (d *Desk) Restore(ctx context.Context, key envelope.Item) reply.Reply {
	path := d.Link(key)
	d.Kept.mu.Lock()
	item := d.Kept.items[path]
	d.Kept.mu.Unlock()
	list := "/tables?left=" + url.QueryEscape(d.Table.Name)
	if item == nil {
		return reply.Done(list, "This session does not have the deleted item any more.", nil)
	}
	_, err := d.DDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: &d.Table.Name, Item: item,
		ConditionExpression:      aws.String("attribute_not_exists(#key)"),
		ExpressionAttributeNames: map[string]string{"#key": d.Table.Partition}})
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		return reply.Done(path, "There is another item with this key now: nothing was put back.", nil)
	}
	return reply.Done(path, "The item is back as it was.", err)
}
