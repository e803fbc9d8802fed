package hint_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

func apiError(code, message string) error {
	return &smithy.OperationError{ServiceID: "S", OperationName: "O",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestFor(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // part of the hint; empty: no hint
	}{
		{nil, ""},
		{errors.New("something"), ""},
		{fmt.Errorf("step: %w", context.Canceled), "ddbseal down"},
		{fmt.Errorf("table x %w", labsetup.ErrNotOurs), "Nothing was changed"},
		{labsetup.ErrNoRegion, "--region"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), "disk is full"},
		{fmt.Errorf("%w: %w", localaws.ErrDiskFull, syscall.ENOSPC), "Make room"},
		{fmt.Errorf("%w: %w", localaws.ErrReadOnly, syscall.EACCES), "--data-dir"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "ddbseal serve"},
		{&os.PathError{Op: "open", Path: "x", Err: os.ErrPermission}, "--data-dir"},
		{fmt.Errorf("get identity: get credentials: %w", errors.New("no EC2 IMDS role found")), "AWS_ACCESS_KEY_ID"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "kms.mars-1.amazonaws.com", IsNotFound: true}}, "--region"},
		{fmt.Errorf("AWS configuration: %w", config.SharedConfigProfileNotExistError{Profile: "x", Err: errors.New("x")}), "list-profiles"},
		{fmt.Errorf("x: %w", &aws.MissingRegionError{}), "AWS_REGION"},
		{apiError("AccessDeniedException", "not authorized to perform: dynamodb:CreateTable"), "AdministratorAccess"},
		{apiError("AccessDeniedException", "not authorized to perform: kms:Decrypt"), "ddbseal grant"},
		{fmt.Errorf("x: %w", envelope.ErrKeyDenied), "ddbseal grant"},
		{apiError("LimitExceededException", "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window"), "24 hours"},
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
		got := hint.For(c.err)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}
