package awserror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func api(code, message string) error {
	return &smithy.OperationError{ServiceID: "KMS", OperationName: "Decrypt", Err: &smithy.GenericAPIError{Code: code, Message: message}}
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

func TestUnavailable(t *testing.T) {
	response := func(code int) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: errors.New("x")}
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
