// SPDX-License-Identifier: Apache-2.0

// Package redaction keeps the values of items out of the texts of errors.
package redaction

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// redacted is an error whose text replaces the text of the error that it wraps.
type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.err }

// New returns an error with a text that does not include the text of err.
// errors.Is and errors.As still find err.
func New(text string, err error) error { return &redacted{text, err} }

// Answer returns err with a text that leaves out the values that a message of
// DynamoDB repeats. errors.As still finds the exception, whose ErrorMessage is
// complete.
func Answer(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	message := api.ErrorMessage()
	clean := awsmessage.WithoutValues(message)
	if clean == message {
		return err
	}
	return New(strings.ReplaceAll(err.Error(), message, clean), err)
}
