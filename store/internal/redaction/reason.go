// SPDX-License-Identifier: Apache-2.0

package redaction

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// kinds are what attributevalue calls the types of DynamoDB. It puts values
// into the same place of an error.
var kinds = []string{"binary", "binary set", "bool", "list", "map", "number", "number set", "string", "string set"}

// Reason is the text of a conversion's error without the item's values. Of an
// error that an application's own method made it is the whole text, unless it
// wraps one of the SDK's.
func Reason(err error) string {
	var (
		misfit  *attributevalue.UnmarshalTypeError
		broken  *attributevalue.UnmarshalError
		invalid *attributevalue.InvalidMarshalError
		number  *strconv.NumError
		parsed  *time.ParseError
		panics  *panicked
	)
	switch {
	case errors.As(err, &panics):
		return panics.Error()
	case errors.As(err, &misfit) && misfit.Type != nil:
		what := "a value"
		if slices.Contains(kinds, misfit.Value) {
			what = "a " + misfit.Value
		}
		return fmt.Sprintf("%s does not fit type %v", what, misfit.Type)
	case errors.As(err, &broken) && broken.Type != nil:
		return fmt.Sprintf("a value cannot be parsed as %v", broken.Type)
	case errors.As(err, &number):
		return fmt.Sprintf("a number has %v", number.Err)
	case errors.As(err, &parsed):
		return "a time cannot be parsed"
	case errors.As(err, &invalid):
		return invalid.Error()
	}
	return err.Error()
}
