package localaws

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// baseEndpoint is where a Config points. The name resolves nowhere, so that a
// client whose transport was replaced fails instead of calling AWS.
const baseEndpoint = "https://localaws.invalid"

// Config returns a configuration for SDK clients that call this server inside
// the process, without sockets, signing with c. Set its Region for another
// region. Clients must not be used after Close.
func (s *Server) Config(c aws.Credentials) aws.Config {
	return aws.Config{
		Region:       s.options.Region,
		Credentials:  credentials.StaticCredentialsProvider{Value: c},
		HTTPClient:   &transport{s},
		BaseEndpoint: aws.String(baseEndpoint),
		// Client and server have the same clock.
		DisableClockSkewCorrection: true,
	}
}

// transport hands requests to the server in the same process.
type transport struct{ server *Server }

var (
	_ aws.HTTPClient    = (*transport)(nil)
	_ http.RoundTripper = (*transport)(nil)
)

// RoundTrip makes the transport usable in an http.Client too.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) { return t.Do(r) }

// Do serves one request.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	in := &incoming{
		Request: sigv4.Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: host, Header: r.Header, ContentLength: max(r.ContentLength, 0)},
		secure:  true, sourceIP: "127.0.0.1",
	}
	in.userAgent = bounded(in.get("User-Agent"))
	e, operation := t.server.route(in)
	var a answer
	switch refusal := t.server.admit(in, e, r.ContentLength); {
	case e == nil:
		a = refuse(in)
	case refusal != nil:
		a = *refusal
	default:
		body, err := readBody(r.Body, r.ContentLength, e.maxBody)
		if err != nil {
			if a, err = e.unreadable(err); err != nil {
				return nil, fmt.Errorf("localaws: read request body: %w", err)
			}
			break
		}
		in.Body = body
		if a, err = t.server.serve(ctx, in, e, operation); err != nil {
			return nil, err
		}
	}
	header := make(http.Header, 4)
	a.header(header)
	return &http.Response{Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: &body{Reader: *bytes.NewReader(a.body)}, ContentLength: int64(len(a.body)), Request: r}, nil
}

// body is an answer's body; io.NopCloser would hide WriteTo and Len.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

var _ io.ReadCloser = (*body)(nil)
