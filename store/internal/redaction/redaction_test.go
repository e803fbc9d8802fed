// SPDX-License-Identifier: Apache-2.0

package redaction_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

const secret = "hidden"

// TestAnswer: the text has no value, and the exception keeps its message.
func TestAnswer(t *testing.T) {
	err := fmt.Errorf("put: %w",
		&smithy.GenericAPIError{Code: "ValidationException", Message: "bad operand {S:" + secret + "}"})
	got := redaction.Answer(err)
	var api smithy.APIError
	if !errors.Is(got, err) || !errors.As(got, &api) || !strings.Contains(api.ErrorMessage(), secret) {
		t.Errorf("%v: the exception is lost", got)
	}
	if s := got.Error(); strings.Contains(s, secret) || !strings.Contains(s, "put: ") ||
		!strings.Contains(s, "bad operand {…}") {
		t.Error(s)
	}
	for _, err := range []error{errors.New(secret), &smithy.GenericAPIError{Code: "X", Message: "nothing to hide"},
		nil} {
		if got := redaction.Answer(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// TestReason: a conversion's errors show no value.
func TestReason(t *testing.T) {
	var out struct {
		N int
		T time.Time
	}
	decode := func(name string, av types.AttributeValue) error {
		return attributevalue.UnmarshalMap(map[string]types.AttributeValue{name: av}, &out)
	}
	_, number := strconv.Atoi(secret)
	_, date := time.Parse(time.RFC3339, secret)
	for want, err := range map[string]error{
		"a string does not fit type int": decode("N", &types.AttributeValueMemberS{Value: secret}),
		"invalid syntax":                 number,
		"a time cannot be parsed":        fmt.Errorf("x: %w", date),
		"cannot be parsed":               decode("T", &types.AttributeValueMemberS{Value: secret}),
		"panicked with a string":         panics(secret),
		"panicked with a *errors":        panics(errors.New(secret)),
		"of their own":                   errors.New("of their own"),
	} {
		if err == nil {
			t.Fatalf("%s: no error", want)
		}
		if got := redaction.Reason(err); !strings.Contains(got, want) || strings.Contains(got, secret) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	own := errors.New(secret)
	if err := panics(own); !errors.Is(err, own) {
		t.Errorf("%v does not wrap the error of the panic", err)
	}
}

func panics(v any) (err error) {
	defer redaction.Catch(&err)
	panic(v)
}
