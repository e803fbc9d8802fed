// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// AssertDenied checks that err is AWS's refusal of action, such as
// "kms:Decrypt", and that its message holds because, such as "no
// identity-based policy" or "explicit deny in a resource-based policy"; an
// empty because is not compared. The action need not be the call that was
// made: reading an encrypted table is refused for kms:Decrypt. Errors that are
// no denials (a disabled key, a missing table) fail the test.
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
