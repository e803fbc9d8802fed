// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// AssertDenied checks that err is AWS's denial of action, such as
// "kms:Decrypt", and that its message contains because, such as "no
// identity-based policy" or "explicit deny in a resource-based policy". An
// empty because matches any message. The action need not be the call that was
// made: a read of an encrypted table is denied for kms:Decrypt. A nil error
// fails the test, and so does an error that is not a denial, such as that of a
// disabled key or a missing table.
func AssertDenied(t testing.TB, err error, action, because string) {
	t.Helper()
	if why := notDenied(err, action, because); why != "" {
		t.Error(why)
	}
}

// notDenied says how err is not the expected denial, nothing when it is.
func notDenied(err error, action, because string) string {
	if err == nil {
		return "allowed, want a denial of " + action
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" && api.ErrorCode() != "AccessDenied" {
		return "not a denial: " + err.Error() + "; want a denial of " + action
	}
	message := api.ErrorMessage()
	if refused, _ := awsmessage.Refused(err); refused != action {
		return "denied, but not " + action + ": " + message
	}
	if !strings.Contains(message, because) {
		return "denied, but not because of " + because + ": " + message
	}
	return ""
}
