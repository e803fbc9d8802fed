// SPDX-License-Identifier: Apache-2.0

package search

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// project writes what to read. A projection gets everything that verification
// and Match need, and the stored keys that the key condition names, with which
// reading can go on behind any item. One that is too long is left out: then
// everything is read.
func (p *Plan) project(out *Rewritten, w *ddbexpr.Writer, stored []string) {
	if p.Counts() {
		out.Select = ""
		return
	}
	if p.projection == nil {
		return
	}
	names := slices.Concat([]string{headerAttribute, footerAttribute}, p.rewriter.signed, p.read, stored,
		p.request.Read, p.projection.TopLevelNames())
	slices.Sort(names)
	names = slices.Compact(names)
	with := w.Clone()
	text := with.Projection(names)
	if len(text) > ddbexpr.MaxExpressionSize {
		if out.Select == types.SelectSpecificAttributes {
			out.Select = ""
		}
		return
	}
	*w = *with
	out.Projection = &text
}

// Cut returns the part of a plaintext item that the request's projection asks
// for, or the item itself if it has none.
func (p *Plan) Cut(item Item) Item {
	if p.projection == nil {
		return item
	}
	return p.projection.Apply(item)
}
