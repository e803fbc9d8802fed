// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// customer and order are two types of item in one table. A customer and its
// orders share a partition, so that one query reads the orders in their order. The
// keys are composed of the fields, and need no attributes beside them.
type customer struct {
	_       struct{} `dynamodbav:"pk" seal:"partition" template:"{Tenant}#{ID}"`
	_       struct{} `dynamodbav:"sk" seal:"sort" template:"CUSTOMER"`
	Tenant  string   `dynamodbav:"-" json:"-"`
	ID      string   `dynamodbav:"-" json:"id"`
	Name    string   `dynamodbav:"name" json:"name"` // encrypted
	Email   string   `dynamodbav:"email" json:"email"`
	Version int64    `dynamodbav:"version" seal:"version" json:"-"` // the ETag
}

type order struct {
	_        struct{} `dynamodbav:"pk" seal:"partition" template:"{Tenant}#{Customer}"`
	_        struct{} `dynamodbav:"sk" seal:"sort" template:"ORDER#{Number:010}"`
	Tenant   string   `dynamodbav:"-" json:"-"`
	Customer string   `dynamodbav:"-" json:"-"`
	Number   int      `dynamodbav:"-" json:"number"`
	Cents    int64    `dynamodbav:"cents" json:"cents"` // encrypted
	Card     string   `dynamodbav:"card" json:"card"`
}

// shop is the table.
type shop struct {
	customers *store.Table[customer]
	orders    *store.Table[order]
}

// newShop declares the table, and makes it if it does not exist.
func newShop(ctx context.Context, db *dynamodb.Client, table string, t *tenants) (*shop, error) {
	keyring, err := t.keyring()
	if err != nil {
		return nil, err
	}
	s := &shop{}
	all, err := store.NewCollection(db, table, store.ClientSide{Keyring: keyring}, "kind",
		store.MemberOf(&s.customers, "customer", store.Validate(customer.valid)),
		store.MemberOf(&s.orders, "order", store.Validate(order.valid)))
	if err != nil {
		return nil, err
	}
	return s, store.Create(ctx, store.CreateOptions{}, all)
}

func (c customer) valid() error {
	if c.ID == "" || c.Name == "" {
		return errInvalid("a customer needs an id and a name")
	}
	return nil
}

func (o order) valid() error {
	if o.Number < 1 || o.Cents < 0 {
		return errInvalid("an order needs a number above 0 and an amount")
	}
	return nil
}

// errInvalid is a mistake in a request, in words that may be shown to its sender.
type errInvalid string

func (e errInvalid) Error() string { return string(e) }
