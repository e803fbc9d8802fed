// SPDX-License-Identifier: Apache-2.0

// Package awsmessage tells apart errors of AWS to which the service gives the
// same type and the same code. Only the text of such an error says which case
// it is. The texts are here and nowhere else, a function for each case, as is the
// knowledge of where a message repeats values.
//
// Every function of an error returns the zero value for an error that AWS did
// not answer.
package awsmessage

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// answer returns the code and the message of AWS's answer.
func answer(err error) (code, message string) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "", ""
	}
	return api.ErrorCode(), api.ErrorMessage()
}

var refusal = regexp.MustCompile(
	`not authorized to perform: ([A-Za-z0-9]+:[A-Za-z0-9]+)(?:$|[\s,.](?:on resource: (\S+))?)`)

// Refused returns the IAM action that AWS refused and the resource that it
// names, if it names one. A read of a table under a KMS key and a call of KMS
// get the same code: the action tells whether the table or the key refused.
func Refused(err error) (action, resource string) {
	_, message := answer(err)
	m := refusal.FindStringSubmatch(message)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

// KeyDisabled reports whether a KMS key refused because it is disabled.
// DynamoDB answers a read of a table under the key with its
// ValidationException, which repeats the exception of KMS.
func KeyDisabled(err error) bool {
	code, message := answer(err)
	return code == "DisabledException" || code == "ValidationException" &&
		strings.Contains(message, "kms.model.DisabledException")
}

// KeyPendingDeletion reports whether a KMS key refused because it is going to
// be deleted. KMS has one code for every state in which a key does not work,
// and DynamoDB repeats it in its ValidationException.
func KeyPendingDeletion(err error) bool {
	code, message := answer(err)
	state := code == "KMSInvalidStateException" ||
		code == "ValidationException" &&
			strings.Contains(message, "kms.model.KMSInvalidStateException")
	return state && strings.Contains(message, "is pending deletion")
}

// EncryptionChanges reports whether DynamoDB refused because the encryption of
// the table was changed too often. The same code stands for every quota.
func EncryptionChanges(err error) bool {
	code, message := answer(err)
	return code == "LimitExceededException" && strings.Contains(strings.ToLower(message), "encryption")
}

// PolicyMissing reports whether the policy of a call does not exist in IAM. The
// same code stands for a missing user, group or role.
func PolicyMissing(err error) bool {
	code, message := answer(err)
	return (code == "NoSuchEntity" || code == "NoSuchEntityException") &&
		strings.HasPrefix(strings.ToLower(message), "policy")
}

// InvalidPrincipal reports whether KMS refused a key policy because it names a
// principal that does not exist. The same code stands for a policy with any
// other fault.
func InvalidPrincipal(err error) bool {
	code, message := answer(err)
	return (code == "MalformedPolicyDocumentException" || code == "MalformedPolicyDocument") &&
		strings.Contains(message, "invalid principals")
}

// NoCredentials reports whether the SDK found no credentials to sign with. It
// is a text of the SDK, which gives the error no type.
func NoCredentials(err error) bool {
	return err != nil && strings.Contains(err.Error(), "get credentials: ")
}

// values finds where DynamoDB's messages repeat the values of a request: in
// the braces of an attribute value, in the brackets of a collection, in quotes
// after the word Value, and at the end, after what they should have been.
var values = regexp.MustCompile(`(?s)\{.*\}|\[.*\]|Value '.*' at|numeric value: .*`)

// WithoutValues returns a message of DynamoDB with an ellipsis in place of the
// values that it repeats.
func WithoutValues(message string) string {
	return values.ReplaceAllStringFunc(message, func(s string) string {
		switch {
		case s[0] == '{':
			return "{…}"
		case s[0] == '[':
			return "[…]"
		case strings.HasPrefix(s, "Value '"):
			return "Value '…' at"
		}
		return "numeric value: …"
	})
}
