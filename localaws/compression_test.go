// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/localaws"
)

// counting notes how many answers came compressed.
type counting struct {
	http.RoundTripper
	compressed, plain atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && (resp.Header.Get("Content-Encoding") == "gzip" || resp.Uncompressed) {
		c.compressed.Add(1)
	} else {
		c.plain.Add(1)
	}
	return resp, err
}

// TestCompressedClients: clients of the SDK that accept gzip, DynamoDB's by its
// option and the others by net/http's transport, read large answers and check
// their sums; DynamoDB's default asks for none.
func TestCompressedClients(t *testing.T) {
	s := start(t, localaws.Options{})
	cfg := listen(t, s).Config(s.RootCredentials())
	base := http.DefaultTransport.(*http.Transport).Clone()
	defer base.CloseIdleConnections()
	transport := &counting{RoundTripper: base}
	cfg.HTTPClient = &http.Client{Transport: transport}
	plain := dynamodb.NewFromConfig(cfg)
	zipped := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.EnableAcceptEncodingGzip = true })
	if _, err := plain.CreateTable(ctx, killTable("Texts", "")); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		item := textItem("id", fmt.Sprint(i), "v", strings.Repeat("text ", 2000))
		in := &dynamodb.PutItemInput{TableName: aws.String("Texts"), Item: item}
		if _, err := plain.PutItem(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	for client, want := range map[*dynamodb.Client]int64{plain: 0, zipped: 1} {
		before := transport.compressed.Load()
		out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Texts")})
		if err != nil || len(out.Items) != 20 {
			t.Fatalf("%v, %v", out, err)
		}
		for _, item := range out.Items {
			if v := item["v"].(*dynamodbtypes.AttributeValueMemberS).Value; v != strings.Repeat("text ", 2000) {
				t.Errorf("got %.40q", v)
			}
		}
		if got := transport.compressed.Load() - before; got != want {
			t.Errorf("%d answers came compressed, want %d", got, want)
		}
	}
	before := transport.compressed.Load()
	people := iam.NewFromConfig(cfg)
	for i := range 20 {
		user := &iam.CreateUserInput{UserName: aws.String(fmt.Sprintf("user-%d-%s", i, strings.Repeat("x", 40)))}
		if _, err := people.CreateUser(ctx, user); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := people.ListUsers(ctx, &iam.ListUsersInput{}); err != nil {
		t.Fatal(err)
	}
	if transport.compressed.Load() == before {
		t.Error("IAM's large answer was not compressed")
	}
	// A signed request whose body is compressed.
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	fmt.Fprint(z, `{"TableName":"Texts","Key":{"id":{"S":"1"}}}`)
	_ = z.Close()
	status, _, text := send(t, s, rawRequest{target: "DynamoDB_20120810.GetItem", contentType: json10,
		service: "dynamodb", body: body.String(),
		creds: s.RootCredentials(), header: map[string]string{"Content-Encoding": "gzip"}})
	if status != http.StatusOK || !strings.Contains(text, "text text") {
		t.Errorf("a compressed request: %d %.80s", status, text)
	}
}
