package transparent

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Client encrypts and decrypts the items of some tables inside of the SDK's
// clients that it is installed in. It is safe for use by many goroutines and
// by several clients.
type Client struct {
	tables map[string]*envelope.ItemEncryptor
	tokens tokens
}

// New takes the encryptors of the tables to encrypt, by the tables' physical
// names (not ARNs). Errors: envelope.ErrConfiguration.
func New(tables map[string]*envelope.ItemEncryptor) (*Client, error) {
	if len(tables) == 0 {
		return nil, fmt.Errorf("%w: no table to encrypt", envelope.ErrConfiguration)
	}
	for name, e := range tables {
		if !tablename.Valid(name) {
			return nil, fmt.Errorf("%w: %.300q is no table name", envelope.ErrConfiguration, name)
		}
		if e == nil {
			return nil, fmt.Errorf("%w: table %s has no encryptor", envelope.ErrConfiguration, name)
		}
	}
	return &Client{tables: maps.Clone(tables), tokens: newTokens()}, nil
}

// Install puts c into a client's options:
//
//	dynamodb.NewFromConfig(config, c.Install)
//
// Every call of a client with two installations fails with
// [ErrInstalledTwice].
func (c *Client) Install(o *dynamodb.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), c.add)
}

const middlewareID = "ddbsealTransparentEncryption"

func (c *Client) add(s *middleware.Stack) error {
	if _, has := s.Initialize.Get(middlewareID); has {
		return &Error{Operation: s.ID(), Err: ErrInstalledTwice}
	}
	operation := s.ID()
	return s.Initialize.Add(middleware.InitializeMiddlewareFunc(middlewareID,
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return c.handle(ctx, operation, in, next)
		}), middleware.Before)
}

// sealing marks the context of a keyring's work, to notice a keyring that comes
// back through the same client.
type sealing struct{ c *Client }

// sender sends a changed request on and returns its result.
type sender func(params any) (result any, err error)

func (c *Client) handle(ctx context.Context, operation string, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	if ctx.Value(sealing{c}) != nil {
		return out, metadata, &Error{Operation: operation, Err: ErrRecursion}
	}
	if slices.Contains(pass, operation) {
		return next.HandleInitialize(ctx, in)
	}
	if !slices.Contains(transform, operation) {
		return out, metadata, &Error{Operation: operation, Err: fmt.Errorf("%w: use the calls on items, or a client without encryption", ErrRefused)}
	}
	send := func(params any) (any, error) {
		in.Parameters = params
		out, metadata, err = next.HandleInitialize(ctx, in)
		return out.Result, err
	}
	result, err := c.transform(context.WithValue(ctx, sealing{c}, true), in.Parameters, send)
	if err != nil {
		out.Result = nil
		return out, metadata, err
	}
	out.Result = result
	return out, metadata, nil
}

func (c *Client) transform(ctx context.Context, params any, send sender) (any, error) {
	switch p := params.(type) {
	case *dynamodb.GetItemInput:
		return c.getItem(ctx, *p, send)
	case *dynamodb.PutItemInput:
		return c.putItem(ctx, *p, send)
	case *dynamodb.UpdateItemInput:
		return c.updateItem(ctx, *p, send)
	case *dynamodb.DeleteItemInput:
		return c.deleteItem(ctx, *p, send)
	case *dynamodb.QueryInput:
		return c.query(ctx, *p, send)
	case *dynamodb.ScanInput:
		return c.scan(ctx, *p, send)
	case *dynamodb.BatchGetItemInput:
		return c.batchGet(ctx, *p, send)
	case *dynamodb.BatchWriteItemInput:
		return c.batchWrite(ctx, *p, send)
	case *dynamodb.TransactGetItemsInput:
		return c.transactGet(ctx, *p, send)
	case *dynamodb.TransactWriteItemsInput:
		return c.transactWrite(ctx, *p, send)
	}
	return nil, &Error{Operation: fmt.Sprintf("%T", params), Err: ErrRefused}
}

// table is an encrypted table in one operation.
type table struct {
	operation string
	name      string // as the caller named it
	*envelope.ItemEncryptor
}

// fail makes an [*Error] of what happened in this package.
func (t *table) fail(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Operation: t.operation, Table: t.name, Err: err}
}

// table finds the encryptor of a table; nil means that it has none. A nil name
// is left to the SDK's validation.
func (c *Client) table(operation string, name *string) (*table, error) {
	if name == nil {
		return nil, nil
	}
	plain, err := tablename.Parse(*name)
	if err != nil {
		return nil, &Error{Operation: operation, Err: err}
	}
	e := c.tables[plain]
	if e == nil {
		return nil, nil
	}
	return &table{operation: operation, name: plain, ItemEncryptor: e}, nil
}
