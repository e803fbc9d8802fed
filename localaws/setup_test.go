// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
)

// start makes a server and fails the test if it fails inside.
func start(t testing.TB, o localaws.Options) *localaws.Server {
	t.Helper()
	s, err := localaws.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range s.Failures() {
			t.Errorf("the server failed inside: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func listen(t testing.TB, s *localaws.Server) *localaws.Listener {
	t.Helper()
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// bothWays runs a test in-process and over HTTP.
func bothWays(t *testing.T, o localaws.Options,
	test func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config)) {
	t.Run("in-process", func(t *testing.T) {
		s := start(t, o)
		test(t, s, s.Config)
	})
	t.Run("listener", func(t *testing.T) {
		s := start(t, o)
		test(t, s, listen(t, s).Config)
	})
}

// code is the error code that a client got, empty for success.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// rawRequest is a request below the SDK.
type rawRequest struct {
	method, query, target, contentType, body string
	service, region                          string
	header                                   map[string]string
	unsigned                                 bool
	creds                                    aws.Credentials
	at                                       time.Time
	edit                                     func(*http.Request) // after signing
}

func (r rawRequest) build(t testing.TB, base string) *http.Request {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	if r.at.IsZero() {
		r.at = time.Now()
	}
	if r.region == "" {
		r.region = "us-east-1"
	}
	req, err := http.NewRequest(r.method, base+"/", strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = r.query
	if r.target != "" {
		req.Header.Set("X-Amz-Target", r.target)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	if !r.unsigned {
		sum := sha256.Sum256([]byte(r.body))
		if err := v4.NewSigner().SignHTTP(context.Background(), r.creds, req, hex.EncodeToString(sum[:]), r.service,
			r.region, r.at); err != nil {
			t.Fatal(err)
		}
	}
	if r.edit != nil {
		r.edit(req)
	}
	return req
}

// send gives the request to the server in-process, as a client of plain
// net/http would.
func send(t testing.TB, s *localaws.Server, r rawRequest) (status int, header http.Header, body string) {
	t.Helper()
	return do(t, s.Config(r.creds).HTTPClient, r.build(t, "https://localaws.invalid"))
}

func do(t testing.TB, client aws.HTTPClient, req *http.Request) (int, http.Header, string) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b.String()
}
