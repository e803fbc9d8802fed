// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const id = "witness"

// add puts a middleware into each step, where an application's own would be.
func (w *Witness) add(s *middleware.Stack) error {
	for _, err := range []error{
		s.Initialize.Add(middleware.InitializeMiddlewareFunc(id, w.initialize), middleware.After),
		s.Serialize.Add(middleware.SerializeMiddlewareFunc(id, w.serialize), middleware.Before),
		s.Build.Add(middleware.BuildMiddlewareFunc(id, w.build), middleware.After),
		s.Finalize.Add(middleware.FinalizeMiddlewareFunc(id, w.finalize), middleware.After),
		s.Deserialize.Add(middleware.DeserializeMiddlewareFunc(id, w.deserialize), middleware.Before),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// result records what a handler returned.
func (w *Witness) result(result any, err error) {
	w.note(Middleware, result)
	if err != nil {
		w.note(Middleware, err, err.Error())
	}
}

// request records the body of a request, and leaves it to be read again.
func (w *Witness) request(request any) {
	r, ok := request.(*smithyhttp.Request)
	if !ok {
		return
	}
	body, ok := r.GetStream().(io.ReadSeeker)
	if !ok {
		return
	}
	if text, err := io.ReadAll(body); err == nil {
		w.note(Middleware, string(text))
	}
	_, _ = body.Seek(0, io.SeekStart)
}

func (w *Witness) initialize(ctx context.Context, in middleware.InitializeInput,
	next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	w.note(Middleware, in.Parameters)
	out, metadata, err := next.HandleInitialize(ctx, in)
	w.result(out.Result, err)
	return out, metadata, err
}

func (w *Witness) serialize(ctx context.Context, in middleware.SerializeInput,
	next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	w.note(Middleware, in.Parameters)
	out, metadata, err := next.HandleSerialize(ctx, in)
	w.result(out.Result, err)
	return out, metadata, err
}

func (w *Witness) build(ctx context.Context, in middleware.BuildInput,
	next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
	w.request(in.Request)
	out, metadata, err := next.HandleBuild(ctx, in)
	w.result(out.Result, err)
	return out, metadata, err
}

func (w *Witness) finalize(ctx context.Context, in middleware.FinalizeInput,
	next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	w.request(in.Request)
	out, metadata, err := next.HandleFinalize(ctx, in)
	w.result(out.Result, err)
	return out, metadata, err
}

func (w *Witness) deserialize(ctx context.Context, in middleware.DeserializeInput,
	next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	w.request(in.Request)
	out, metadata, err := next.HandleDeserialize(ctx, in)
	w.result(out.Result, err)
	return out, metadata, err
}
