package labsetup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
)

func apiError(code, message string) error {
	return &smithy.OperationError{ServiceID: "S", OperationName: "O", Err: &smithy.GenericAPIError{Code: code, Message: message}}
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
		{"", apiError("AccessDeniedException", "because of kms:Encrypt"), deniedEncrypt},
		{"", fmt.Errorf("open item: %w: kms:Decrypt", envelope.ErrKeyDenied), DeniedDecrypt},
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

func TestHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // part of the hint; empty: no hint
	}{
		{nil, ""},
		{errors.New("something"), ""},
		{fmt.Errorf("step: %w", context.Canceled), "ddbseal down"},
		{fmt.Errorf("table x %w", errNotOurs), "Nothing was changed"},
		{errNoRegion, "--region"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), "disk is full"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "ddbseal serve"},
		{&os.PathError{Op: "open", Path: "x", Err: os.ErrPermission}, "--data-dir"},
		{errors.New("operation error STS: GetCallerIdentity, get identity: get credentials: no EC2 IMDS role found"), "AWS_ACCESS_KEY_ID"},
		{errors.New("dial tcp: lookup kms.mars-1.amazonaws.com: no such host"), "--region"},
		{errors.New("failed to get shared config profile, x"), "list-profiles"},
		{apiError("AccessDeniedException", "not authorized to perform: dynamodb:CreateTable"), "AdministratorAccess"},
		{apiError("AccessDeniedException", "not authorized to perform: kms:Decrypt"), "ddbseal grant"},
		{fmt.Errorf("x: %w", envelope.ErrKeyDenied), "ddbseal grant"},
		{apiError("LimitExceededException", "Encryption settings can be changed 4 times"), "24 hours"},
		{apiError("LimitExceeded", "users"), "quota"},
		{apiError("InvalidClientTokenId", "x"), "seconds"},
		{apiError("ExpiredTokenException", "x"), "sign in"},
		{apiError("SignatureDoesNotMatch", "x"), "clock"},
		{apiError("KMSInvalidStateException", "x"), "cancel its deletion"},
		{apiError("DisabledException", "x"), "enable-key"},
		{apiError("ResourceNotFoundException", "x"), "ddbseal up"},
		{apiError("ResourceInUseException", "x"), "repeat"},
		{apiError("ThrottlingException", "x"), "repeat"},
		{apiError("ValidationException", "x"), ""},
	} {
		got := Hint(c.err)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a lab without an administrator")
	}
}
