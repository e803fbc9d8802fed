// SPDX-License-Identifier: Apache-2.0

package awsmessage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

func answered(code, message string) error {
	return &smithy.OperationError{ServiceID: "S", OperationName: "O",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestRefused(t *testing.T) {
	const resource = "arn:aws:kms:us-west-2:111122223333:key/k"
	for _, c := range []struct {
		err              error
		action, resource string
	}{
		{answered("AccessDeniedException", "User: u is not authorized to perform: kms:Decrypt on resource: "+resource+" because no identity-based policy allows it"), "kms:Decrypt", resource},
		{answered("AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: u is not authorized to perform: kms:GenerateDataKey on resource: "+resource+" (Service: AWSKMS)"), "kms:GenerateDataKey", resource},
		{answered("AccessDenied", "User: u is not authorized to perform: iam:CreateUser"), "iam:CreateUser", ""},
		{fmt.Errorf("x: %w", answered("AccessDenied", "is not authorized to perform: dynamodb:GetItem with an explicit deny")), "dynamodb:GetItem", ""},
		{answered("AccessDenied", "User: u is not authorized to perform: kms:\x1b[31m on resource: r"), "", ""},
		{answered("AccessDenied", "not authorized to perform: "), "", ""},
		{answered("AccessDenied", "not authorized to perform: kms: on resource: r"), "", ""},
		{answered("AccessDenied", "because of kms:Encrypt"), "", ""},
		{errors.New("not authorized to perform: kms:Decrypt"), "", ""},
		{nil, "", ""},
	} {
		if action, resource := awsmessage.Refused(c.err); action != c.action || resource != c.resource {
			t.Errorf("%v: %q on %q", c.err, action, resource)
		}
	}
}

// TestTexts gives every function the text of its case, and those that AWS
// answers under the same code.
func TestTexts(t *testing.T) {
	inDynamoDB := func(class, message string) error {
		return answered("ValidationException",
			"KMS error: com.amazonaws.services.kms.model."+class+": "+message+" (Service: AWSKMS; Status Code: 400)")
	}
	for _, c := range []struct {
		name string
		is   func(error) bool
		yes  []error
		no   []error
	}{
		{"KeyDisabled", awsmessage.KeyDisabled,
			[]error{answered("DisabledException", "arn is disabled."),
				inDynamoDB("DisabledException", "arn is disabled.")},
			[]error{inDynamoDB("KMSInvalidStateException", "arn is pending deletion."),
				answered("ValidationException", "x is disabled"), answered("KMSInvalidStateException", "x")}},
		{"KeyPendingDeletion", awsmessage.KeyPendingDeletion,
			[]error{answered("KMSInvalidStateException", "arn is pending deletion."),
				inDynamoDB("KMSInvalidStateException", "arn is pending deletion.")},
			[]error{answered("KMSInvalidStateException", "arn is pending import."),
				inDynamoDB("DisabledException", "arn is disabled."),
				answered("ValidationException", "x is pending deletion")}},
		{"EncryptionChanges", awsmessage.EncryptionChanges,
			[]error{answered("LimitExceededException",
				"Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at t."), answered("LimitExceededException", "too many changes of the encryption")},
			[]error{answered("LimitExceededException",
				"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"), answered("LimitExceeded", "Encryption")}},
		{"PolicyMissing", awsmessage.PolicyMissing,
			[]error{answered("NoSuchEntity", "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable.")},
			[]error{answered("NoSuchEntity", "The user with name x cannot be found."),
				answered("ValidationError", "Policy x")}},
		{"InvalidPrincipal", awsmessage.InvalidPrincipal,
			[]error{answered("MalformedPolicyDocumentException",
				"Policy contains a statement with one or more invalid principals.")},
			[]error{answered("MalformedPolicyDocumentException",
				"The new key policy will not allow you to update the key policy in the future.")}},
	} {
		for _, err := range c.yes {
			if !c.is(err) || !c.is(fmt.Errorf("step: %w", err)) {
				t.Errorf("%s does not know %v", c.name, err)
			}
		}
		for _, err := range append(c.no, nil, errors.New(c.yes[0].Error())) {
			if c.is(err) {
				t.Errorf("%s takes %v", c.name, err)
			}
		}
	}
}

// TestNoCredentials: the SDK says what NoCredentials expects.
func TestNoCredentials(t *testing.T) {
	fault := errors.New("nothing found")
	client := sts.New(sts.Options{Region: "us-west-2",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, fault
		})})
	_, err := client.GetCallerIdentity(t.Context(), nil)
	if !errors.Is(err, fault) || !awsmessage.NoCredentials(err) {
		t.Errorf("got %v", err)
	}
	if awsmessage.NoCredentials(nil) || awsmessage.NoCredentials(fault) {
		t.Error("an error without its text")
	}
}

// TestWithoutValues has the messages of DynamoDB that repeat values.
func TestWithoutValues(t *testing.T) {
	for message, want := range map[string]string{
		"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: " +
			"AttributeValue: {S:b}b}, upper bound operand: AttributeValue: {S:a}": "The BETWEEN operator requires " +
			"upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {…}",
		"Input collection [x, x] contains duplicates.":                                            "Input collection […] contains duplicates.",
		"The parameter cannot be converted to a numeric value: x":                                 "The parameter cannot be converted to a numeric value: …",
		"1 validation error detected: Value 'x' at 'key' failed to satisfy constraint: not empty": "1 validation error detected: Value '…' at 'key' failed to satisfy constraint: not empty",
		"The conditional request failed":                                                          "The conditional request failed",
	} {
		if got := awsmessage.WithoutValues(message); got != want {
			t.Errorf("%q", got)
		}
	}
}
