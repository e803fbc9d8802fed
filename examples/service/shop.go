package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// customer and order are two types of item in one table. A customer and its
// orders share a partition, so that one query reads the orders in their order.
type customer struct {
	PK      string `dynamodbav:"pk" seal:"partition" json:"-"`
	SK      string `dynamodbav:"sk" seal:"sort" json:"-"`
	ID      string `dynamodbav:"id" seal:"sign" json:"id"`
	Name    string `dynamodbav:"name" json:"name"` // encrypted
	Email   string `dynamodbav:"email" json:"email"`
	Version int64  `dynamodbav:"version" seal:"version" json:"-"` // the ETag
}

type order struct {
	PK     string `dynamodbav:"pk" seal:"partition" json:"-"`
	SK     string `dynamodbav:"sk" seal:"sort" json:"-"`
	Number int    `dynamodbav:"number" seal:"sign" json:"number"`
	Cents  int64  `dynamodbav:"cents" json:"cents"` // encrypted
	Card   string `dynamodbav:"card" json:"card"`
}

const orderPrefix = "ORDER#"

func partitionOf(tenant, customer string) string { return tenant + "#" + customer }

// orderKey pads the number, because strings are sorted byte by byte.
func orderKey(number int) string { return fmt.Sprintf("%s%010d", orderPrefix, number) }

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
	// Each type names the attributes of the other one, so that either can read
	// past an item of the other.
	ofOrders, err := store.Actions[order]()
	if err != nil {
		return nil, err
	}
	ofCustomers, err := store.Actions[customer]()
	if err != nil {
		return nil, err
	}
	s := &shop{}
	s.customers, err = store.NewEntity[customer](db, table, store.ClientSide{Keyring: keyring, OtherActions: ofOrders},
		store.Entity{Attribute: "kind", Name: "customer"}, store.Validate(customer.valid))
	if err != nil {
		return nil, err
	}
	s.orders, err = store.NewEntity[order](db, table, store.ClientSide{Keyring: keyring, OtherActions: ofCustomers},
		store.Entity{Attribute: "kind", Name: "order"}, store.Validate(order.valid))
	if err != nil {
		return nil, err
	}
	return s, store.Create(ctx, store.CreateOptions{}, s.customers, s.orders)
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
