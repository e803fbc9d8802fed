package store

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// values finds where DynamoDB's messages repeat the values of a request: in
// the braces of an attribute value, in the brackets of a collection, in quotes
// after the word Value, and at the end, after what they should have been.
var values = regexp.MustCompile(`(?s)\{.*\}|\[.*\]|Value '.*' at|numeric value: .*`)

// redact returns err with a text that leaves out the values that a message of
// DynamoDB repeats. errors.As still finds the exception, whose ErrorMessage is
// complete.
func redact(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	message := api.ErrorMessage()
	clean := values.ReplaceAllStringFunc(message, func(s string) string {
		switch before, _, found := strings.Cut(s, ": "); {
		case s[0] == '{':
			return "{…}"
		case s[0] == '[':
			return "[…]"
		case strings.HasPrefix(s, "Value '"):
			return "Value '…' at"
		case found:
			return before + ": …"
		}
		return s
	})
	if clean == message {
		return err
	}
	return &conversionError{strings.ReplaceAll(err.Error(), message, clean), err}
}
