// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"encoding/json"
	"unicode"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// trailTable are the request parameters of a call on items: neither keys nor
// values.
type trailTable struct {
	TableName string `json:"tableName"`
}

// trail files what the audit event says about a call on a table.
func trail(c *request.Call, t schema.Target) {
	c.Trail.RequestParameters = trailTable{t.Name}
	c.Trail.Resources = append(c.Trail.Resources, request.Resource{ARN: t.ARN, AccountID: t.Account,
		Type: "AWS::DynamoDB::Table"})
}

// trailStream is trail for a call on a stream.
func trailStream(c *request.Call, at schema.Target) {
	c.Trail.RequestParameters = trailTable{at.Name}
	c.Trail.Resources = append(c.Trail.Resources, request.Resource{ARN: at.ARN, AccountID: at.Account,
		Type: "AWS::DynamoDB::Stream"})
}

// trailManagement files request and answer of a call that manages a table and
// so holds no item: who wants to know who took a table's key away finds which
// key it was. A call that reads has no answer in its event, as on AWS.
func trailManagement(c *request.Call, readOnly bool, answer []byte) {
	if c.Trail.RequestParameters != nil {
		c.Trail.RequestParameters = camel(c.Body)
	}
	if !readOnly && len(answer) > 0 {
		c.Trail.ResponseElements = camel(answer)
	}
}

// camel is a JSON text with member names as CloudTrail writes them: the first
// letter is small, "sSESpecification".
func camel(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return camelValue(v)
}

func camelValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			r, n := utf8.DecodeRuneInString(name)
			out[string(unicode.ToLower(r))+name[n:]] = camelValue(member)
		}
		return out
	case []any:
		for i := range v {
			v[i] = camelValue(v[i])
		}
	}
	return v
}
