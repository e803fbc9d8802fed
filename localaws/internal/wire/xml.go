// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"context"
	"encoding/xml"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// ServeXML answers a call of the Query protocol by the operations of t, which s
// serves. Errors: the operation's, and AWS's for an unknown operation.
func ServeXML[S any](ctx context.Context, t *Table[S, any], s S, namespace string, c *request.Call) ([]byte, error) {
	if _, ok := t.Describe(c.Operation); !ok {
		return nil, request.Errorf("InvalidAction", "Could not find operation %s for version 2010-05-08", c.Operation)
	}
	result, err := t.Serve(ctx, s, c)
	if err != nil {
		return nil, err
	}
	return EncodeXML(namespace, c.Operation, c.ID, result)
}

// EncodeXML wraps result, nil or a struct, as the Query protocol has it:
// <OpResponse><OpResult>…</OpResult><ResponseMetadata/></OpResponse>.
func EncodeXML(namespace, operation, requestID string, result any) ([]byte, error) {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	outer := xml.StartElement{Name: xml.Name{Local: operation + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}}
	if err := e.EncodeToken(outer); err != nil {
		return nil, err
	}
	if result != nil {
		if err := e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: operation + "Result"}}); err != nil {
			return nil, err
		}
	}
	metadata := struct{ RequestId string }{requestID}
	if err := e.EncodeElement(metadata, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return nil, err
	}
	if err := e.EncodeToken(outer.End()); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
