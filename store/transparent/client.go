// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Client encrypts and decrypts the items of some tables inside of the SDK's
// clients that it is installed in. It is safe for use by many goroutines and
// by several clients.
type Client struct {
	tables     map[string]*envelope.ItemEncryptor
	rewriters  map[string]*search.Rewriter // of the tables with beacons
	tokens     *tokens
	parameters parameters
}

// New takes the encryptors of the tables to encrypt, by the tables' physical
// names (not ARNs). Errors: envelope.ErrConfiguration.
func New(tables map[string]*envelope.ItemEncryptor) (*Client, error) {
	if len(tables) == 0 {
		return nil, fmt.Errorf("%w: no table to encrypt", envelope.ErrConfiguration)
	}
	rewriters := map[string]*search.Rewriter{}
	for name, e := range tables {
		if !tablename.Valid(name) {
			return nil, fmt.Errorf("%w: %.300q is not a table name", envelope.ErrConfiguration, name)
		}
		if e == nil {
			return nil, fmt.Errorf("%w: table %s has no encryptor", envelope.ErrConfiguration, name)
		}
		if r := newRewriter(e); r != nil {
			rewriters[name] = r
		}
	}
	return &Client{tables: maps.Clone(tables), rewriters: rewriters, tokens: newTokens(),
		parameters: newParameters(known())}, nil
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
	one := &call{client: c, operation: s.ID()}
	if slices.Contains(writes, one.operation) {
		if err := s.Deserialize.Add(one, middleware.After); err != nil {
			return err
		}
	}
	return s.Initialize.Add(one, middleware.Before)
}

// call is one call of the SDK. Its stack of middlewares has it twice: as the
// first one, and for writes as the last one, next to the HTTP client.
type call struct {
	client    *Client
	operation string
	// send passes a changed request on and returns its result.
	send func(params any) (result any, err error)
	attempts.Watch
}

// ID names the middleware.
func (*call) ID() string { return middlewareID }

// sealing marks the context of a keyring's work, to notice a keyring that comes
// back through the same client.
type sealing struct{ c *Client }

// HandleInitialize encrypts the request and decrypts the result.
func (o *call) HandleInitialize(ctx context.Context, in middleware.InitializeInput,
	next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	c, operation := o.client, o.operation
	if ctx.Value(sealing{c}) != nil {
		return out, metadata, &Error{Operation: operation, Err: ErrRecursion}
	}
	if slices.Contains(pass, operation) {
		return next.HandleInitialize(ctx, in)
	}
	if !slices.Contains(transform, operation) {
		return out, metadata, &Error{Operation: operation,
			Err: fmt.Errorf("%w: use the calls on items, or a client without encryption", ErrRefused)}
	}
	if err := c.parameters.check(in.Parameters); err != nil {
		return out, metadata, &Error{Operation: operation, Err: err}
	}
	o.send = func(params any) (any, error) {
		in.Parameters = params
		out, metadata, err = next.HandleInitialize(ctx, in)
		return out.Result, err
	}
	result, err := c.transform(context.WithValue(ctx, sealing{c}, true), in.Parameters, o)
	if err != nil {
		out.Result = nil
		return out, metadata, err
	}
	out.Result = result
	return out, metadata, nil
}

func (c *Client) transform(ctx context.Context, params any, o *call) (any, error) {
	switch p := params.(type) {
	case *dynamodb.GetItemInput:
		return c.getItem(ctx, *p, o)
	case *dynamodb.PutItemInput:
		return c.putItem(ctx, *p, o)
	case *dynamodb.UpdateItemInput:
		return c.updateItem(ctx, *p, o)
	case *dynamodb.DeleteItemInput:
		return c.deleteItem(ctx, *p, o)
	case *dynamodb.QueryInput:
		return c.query(ctx, *p, o)
	case *dynamodb.ScanInput:
		return c.scan(ctx, *p, o)
	case *dynamodb.BatchGetItemInput:
		return c.batchGet(ctx, *p, o)
	case *dynamodb.BatchWriteItemInput:
		return c.batchWrite(ctx, *p, o)
	case *dynamodb.TransactGetItemsInput:
		return c.transactGet(ctx, *p, o)
	case *dynamodb.TransactWriteItemsInput:
		return c.transactWrite(ctx, *p, o)
	}
	return nil, &Error{Operation: fmt.Sprintf("%T", params), Err: ErrRefused}
}

// table is an encrypted table in one operation.
type table struct {
	operation string
	name      string // as the caller named it
	*envelope.ItemEncryptor
	rewriter *search.Rewriter // nil if items have no beacons
}

// fail wraps what happened in this package in an [*Error].
func (t *table) fail(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Operation: t.operation, Table: t.name, Err: err}
}

// table finds the encryptor of a table. It returns nil if the table has none or
// if there is an error. A nil name is left to the SDK's validation.
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
	return &table{operation: operation, name: plain, ItemEncryptor: e, rewriter: c.rewriters[plain]}, nil
}
