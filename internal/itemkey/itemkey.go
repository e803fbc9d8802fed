// SPDX-License-Identifier: Apache-2.0

// Package itemkey compares the primary keys of items.
package itemkey

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// Text returns a text that two items share exactly when their attributes of
// these names are equal, whatever the spelling of numbers. Empty names and
// values that are no key's are passed over; a number that is none counts as it
// is written.
func Text(item map[string]types.AttributeValue, names ...string) string {
	var b strings.Builder
	add := func(kind byte, text string) {
		// The length keeps the parts apart.
		b.WriteByte(kind)
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(':')
		b.WriteString(text)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		switch v := item[name].(type) {
		case *types.AttributeValueMemberS:
			add('S', v.Value)
		case *types.AttributeValueMemberN:
			n, err := ddbnumber.Normalize(v.Value)
			if err != nil {
				n = v.Value
			}
			add('N', n)
		case *types.AttributeValueMemberB:
			add('B', string(v.Value))
		}
	}
	return b.String()
}
