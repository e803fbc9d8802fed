package transparent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/store"
)

// writes are the operations whose attempts are watched.
var writes = []string{"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}

// attempts tells whether an attempt of one call may have written although its
// answer did not arrive. The SDK then repeats the request, and what the last
// attempt reports may be the work of an earlier one.
//
// The middleware stands last in the Deserialize step, next to the HTTP client:
// what fails before it, such as credentials and signing, sends nothing. The SDK
// makes the attempts of a call one after the other.
type attempts struct {
	// maybe: the newest attempt was sent and not refused.
	maybe bool
	// lost: an attempt before the newest was sent and not refused, so its answer
	// was lost.
	lost bool
}

// HandleDeserialize sends one attempt.
func (a *attempts) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput,
	next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	a.lost = a.lost || a.maybe
	a.maybe = false
	if err := ctx.Err(); err != nil { // provably before sending, whatever the HTTP client does
		return out, metadata, &smithy.CanceledError{Err: err}
	}
	a.maybe = true
	out, metadata, err = next.HandleDeserialize(ctx, in)
	a.maybe = !refused(out.RawResponse) && (err == nil || !unsent(err))
	return out, metadata, err
}

// refused reports whether the service answered that it did nothing: a status from
// 400 to 499, except that a server gave up waiting. Faults of the server and of
// the network leave it open.
func refused(raw any) bool {
	r, is := raw.(*smithyhttp.Response)
	return is && r != nil && r.Response != nil && r.StatusCode != http.StatusRequestTimeout &&
		r.StatusCode >= http.StatusBadRequest && r.StatusCode < http.StatusInternalServerError
}

// unsent reports whether an error of the HTTP client proves that no connection
// came about.
func unsent(err error) bool {
	var op *net.OpError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") ||
		errors.As(err, &name) || errors.As(err, &certificate) || errors.Is(err, syscall.ECONNREFUSED)
}

// unclear reports, after a call that failed, whether an attempt may have written.
func (a *attempts) unclear() bool { return a.lost || a.maybe }

// failed returns the error of a call that failed: it matches
// store.ErrUncertain too if an attempt may have written.
func (o *call) failed(t *table, err error) error {
	if !o.unclear() {
		return err
	}
	return t.fail(fmt.Errorf("%w: %w", store.ErrUncertain, err))
}
