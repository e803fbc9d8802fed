// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
)

func apiError(code, message string) error {
	return &smithy.OperationError{ServiceID: "S", OperationName: "O",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		got  string
		err  error
		want string
	}{
		{SeesPlaintext, nil, SeesPlaintext},
		{"", apiError("AccessDeniedException", "User: u is not authorized to perform: kms:Decrypt on resource: r"), DeniedDecrypt},
		{"", apiError("AccessDeniedException", "User: u is not authorized to perform: kms:GenerateDataKey on resource: r"), "denied kms:GenerateDataKey"},
		{"", apiError("AccessDenied", "User: u is not authorized to perform: iam:CreateUser on resource: r"), deniedAll},
		{"", apiError("AccessDeniedException", "User: u is not authorized to perform: kms:Encrypt on resource: r"), deniedEncrypt},
		{"", apiError("AccessDeniedException", "because of kms:Encrypt"), deniedAll},
		{"", fmt.Errorf("open item: %w", &envelope.KeyError{Missing: "kms:Decrypt"}), DeniedDecrypt},
		{"", fmt.Errorf("open item: %w", envelope.ErrKeyDenied), deniedAll},
		{"", apiError("DisabledException", "arn is disabled."), KeyDisabled},
		{"", apiError("KMSInvalidStateException", "arn is pending deletion."), KeyPending},
		{"", apiError("ThrottlingException", "slow down"), "error ThrottlingException"},
		{"plaintext", errors.New("broken pipe"), "error"},
	} {
		if got := classify(c.got, c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}
