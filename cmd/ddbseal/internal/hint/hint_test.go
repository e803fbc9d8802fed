// SPDX-License-Identifier: Apache-2.0

package hint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
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

// TestForeignServer: an answer that is not of AWS names the status and the
// operation, and the lab's own steps do not send people to 'ddbseal up'.
func TestForeignServer(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{404, "<html>Not found</html>", "HTTP status 404: this server does not implement KMS RotateKeyOnDemand."},
		{200, "<html>Welcome</html>", "HTTP status 200: this server does not implement KMS RotateKeyOnDemand."},
		{501, `{"__type":"NotImplemented"}`, "HTTP status 501: this server does not implement KMS RotateKeyOnDemand."},
		{400, `{"__type":"UnknownOperationException"}`, "HTTP status 400: this server does not implement KMS RotateKeyOnDemand."},
		{500, "<html>Oops</html>", "does not implement KMS RotateKeyOnDemand, or failed in it."},
		{400, `{"__type":"DisabledException"}`, "Enable the key"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		client := kms.New(kms.Options{BaseEndpoint: aws.String(server.URL), Region: "us-east-1",
			Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1})
		_, err := client.RotateKeyOnDemand(t.Context(), &kms.RotateKeyOnDemandInput{KeyId: aws.String("k")})
		server.Close()
		if got := hint.ForLab(err); !strings.Contains(got, c.want) {
			t.Errorf("%d %s: %q, want %q (%v)", c.status, c.body, got, c.want, err)
		}
	}
	missing := &smithy.GenericAPIError{Code: "NoSuchEntity"}
	if hint.For(missing) == hint.ForLab(missing) || strings.Contains(hint.ForLab(missing), "ddbseal up") {
		t.Error("the lab's hint sends people to where they come from")
	}
}
