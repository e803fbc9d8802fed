// SPDX-License-Identifier: Apache-2.0

package awserror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func api(code, message string) error {
	return &smithy.OperationError{ServiceID: "KMS", OperationName: "Decrypt",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestKey(t *testing.T) {
	for _, c := range []struct {
		err           error
		code, missing string
	}{
		{api("AccessDeniedException", ""), "AccessDeniedException", "kms:Decrypt"},
		{api("AccessDeniedException", "User: a is not authorized to perform: kms:ReEncryptTo on resource: b"), "AccessDeniedException", "kms:ReEncryptTo"},
		{api("AccessDeniedException", "User: a is not authorized to perform: kms:\x1b[31m on resource: b"), "AccessDeniedException", "kms:Decrypt"},
		{api("AccessDeniedException", "not authorized to perform: "), "AccessDeniedException", "kms:Decrypt"},
		{api("ThrottlingException", "rate"), "ThrottlingException", ""},
		{&types.DisabledException{}, "DisabledException", ""},
		{context.Canceled, "", ""},
		{errors.New("x"), "", ""},
	} {
		err := Key("aws-kms", "arn", "kms:Decrypt", c.err)
		if err.Code != c.code || err.Missing != c.missing {
			t.Errorf("%v: code %q missing %q", c.err, err.Code, err.Missing)
		}
		if errors.Is(err, materials.ErrKeyDenied) != (c.missing != "") || !errors.Is(err, c.err) {
			t.Errorf("%v: wrong sentinels", c.err)
		}
	}
}

type answer func(*http.Request) (*http.Response, error)

func (f answer) Do(r *http.Request) (*http.Response, error) { return f(r) }

// What the SDK makes of answers that no service wrote.
func TestUnavailableByStatus(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		length int64
		want   bool
	}{
		{503, "", 0, true},
		{502, "<html>", 6, true},
		{500, `{"__type":"New"}`, 16, true},
		{429, "", 0, true},
		{200, `{"KeyId":`, 100, true}, // cut short
		{400, "", 0, false},
		{403, `{"__type":"AccessDeniedException"}`, 34, false},
		{400, `{"__type":"ThrottlingException"}`, 32, true},
	} {
		client := kms.New(kms.Options{
			Region: "us-west-2", RetryMaxAttempts: 1,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
			}),
			HTTPClient: answer(func(r *http.Request) (*http.Response, error) {
				body := io.MultiReader(strings.NewReader(c.body), iotest.ErrReader(io.ErrUnexpectedEOF))
				if int64(len(c.body)) == c.length {
					body = strings.NewReader(c.body)
				}
				return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(body),
					ContentLength: c.length, Request: r}, nil
			}),
		})
		_, err := client.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: []byte("x")})
		if err == nil || Unavailable(err) != c.want {
			t.Errorf("%d %q: want %v for %v", c.status, c.body, c.want, err)
		}
	}
}

func TestUnavailable(t *testing.T) {
	response := func(code int) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}},
			Err: errors.New("x")}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{api("ThrottlingException", ""), true},
		{&types.KMSInternalException{}, true},
		{&types.DependencyTimeoutException{}, true},
		{&smithy.GenericAPIError{Code: "New", Fault: smithy.FaultServer}, true},
		{response(503), true},
		{response(403), false},
		{&smithyhttp.RequestSendError{Err: errors.New("x")}, true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), true},
		{&smithy.CanceledError{Err: context.Canceled}, false},
		{&smithyhttp.RequestSendError{Err: context.Canceled}, false},
		{api("AccessDeniedException", ""), false},
		{&types.DisabledException{}, false},
		{&types.NotFoundException{}, false},
		{&types.KMSInvalidStateException{}, false},
		{&types.InvalidCiphertextException{}, false},
		{errors.New("x"), false},
		{nil, false},
	} {
		if Unavailable(c.err) != c.want {
			t.Errorf("%v: want %v", c.err, c.want)
		}
	}
}
