// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestListenAddresses(t *testing.T) {
	s := start(t, localaws.Options{})
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0",
		"localhost.example.com:0"} {
		if l, err := s.Listen(addr); !errors.Is(err, localaws.ErrNotLoopback) {
			t.Errorf("%s: got %v, want ErrNotLoopback", addr, err)
			if err == nil {
				l.Close()
			}
		}
	}
	if _, err := s.Listen("127.0.0.1"); err == nil {
		t.Error("an address without port was accepted")
	}
	for _, addr := range []string{"localhost:0", "127.0.0.1:0"} {
		l, err := s.Listen(addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if host, port, _ := net.SplitHostPort(l.Addr()); host != "127.0.0.1" || port == "0" {
			t.Errorf("%s: listens on %s", addr, l.Addr())
		}
		if _, err := s.Listen(l.Addr()); err == nil {
			t.Error("the same port twice was accepted")
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		if c, err := net.Dial("tcp", l.Addr()); err == nil {
			c.Close()
			t.Error("the port is open after Close")
		}
	}
	l, err := s.ListenPublic("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", "127.0.0.1:"+l.Addr()[strings.LastIndexByte(l.Addr(), ':')+1:]); err == nil {
		c.Close()
		t.Error("the port is open after the server was closed")
	}
	if _, err := s.Listen("127.0.0.1:0"); err == nil {
		t.Error("a closed server listens")
	}
}

// A client that dribbles its headers or its body is cut off, and others are
// served meanwhile.
func TestSlowClients(t *testing.T) {
	s := start(t, localaws.Options{})
	l, err := s.ListenImpatiently(200*time.Millisecond, 400*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for name, text := range map[string]string{
		"headers": "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-",
		"body": "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Type: " +
			"application/x-amz-json-1.0\r\nContent-Length: 16000000\r\n\r\n{",
		"chunks": "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Type: " +
			"application/x-amz-json-1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"nothing": "",
	} {
		wg.Go(func() {
			c, err := net.Dial("tcp", l.Addr())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(c, text) // on a busy machine it may be cut off already
			began := time.Now()
			answer, err := io.ReadAll(c)
			if err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
				t.Errorf("%s: not cut off: %v", name, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: cut off after %v only", name, took)
			}
			if strings.Contains(string(answer), " 200 ") {
				t.Errorf("%s: answered %s", name, answer)
			}
		})
	}
	if _, err := sts.NewFromConfig(l.Config(s.RootCredentials())).GetCallerIdentity(context.Background(),
		nil); err != nil {
		t.Errorf("beside slow clients: %v", err)
	}
	wg.Wait()
}

// Bodies over the limit are refused before and while they are read, and those of
// strangers before.
func TestLargeBodies(t *testing.T) {
	s := start(t, localaws.Options{})
	l := listen(t, s)
	signed := rawRequest{target: "DynamoDB_20120810.PutItem", contentType: json10, service: "dynamodb",
		body: "{}", creds: s.RootCredentials()}.build(t, l.URL())
	known := "Authorization: " + signed.Header.Get("Authorization") + "\r\n" +
		"X-Amz-Date: " + signed.Header.Get("X-Amz-Date") + "\r\n"
	for _, c := range []struct {
		name, header string
		body         func(io.Writer)
		status, code string
	}{
		{"announced", "Content-Length: 16777217\r\n", func(io.Writer) {}, "413", "RequestEntityTooLargeException"},
		{"of a stranger", "Content-Length: 16777216\r\n", func(io.Writer) {}, "400", "MissingAuthenticationTokenException"},
		{"of a stranger in chunks", "Transfer-Encoding: chunked\r\n", func(io.Writer) {}, "400", "MissingAuthenticationTokenException"},
		{"in chunks", known + "Transfer-Encoding: chunked\r\n", func(w io.Writer) {
			chunk := []byte(fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat(" ", 1<<20)))
			for range 17 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
			_, _ = io.WriteString(w, "0\r\n\r\n")
		}, "413", "RequestEntityTooLargeException"},
		{"headers", "X-Long: " + strings.Repeat("x", 200<<10) + "\r\n", func(io.Writer) {}, "431", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", l.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			go func() {
				_, _ = io.WriteString(conn,
					"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Type: "+
						"application/x-amz-json-1.0\r\n"+c.header+"\r\n")
				c.body(conn)
			}()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			if !strings.HasPrefix(resp.Status, c.status) || !strings.Contains(string(body), c.code) {
				t.Errorf("got %s %s, want %s %s", resp.Status, body, c.status, c.code)
			}
			if !resp.Close {
				t.Error("the connection stays open with an unread body")
			}
		})
	}
	// An item of the largest size passes.
	cfg := l.Config(s.RootCredentials())
	client := dynamodb.NewFromConfig(cfg)
	if _, err := client.CreateTable(ctx,
		&dynamodb.CreateTableInput{TableName: aws.String("Large"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"),
				KeyType: dynamodbtypes.KeyTypeHash}}}); err != nil {
		t.Fatal(err)
	}
	write := map[string][]dynamodbtypes.WriteRequest{}
	for i := range 25 {
		write["Large"] = append(write["Large"],
			dynamodbtypes.WriteRequest{PutRequest: &dynamodbtypes.PutRequest{
				Item: map[string]dynamodbtypes.AttributeValue{
					"id": &dynamodbtypes.AttributeValueMemberS{Value: fmt.Sprint(i)},
					"v":  &dynamodbtypes.AttributeValueMemberB{Value: make([]byte, 390<<10)}}}})
	}
	if _, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: write}); err != nil {
		t.Errorf("a batch of 13 MB: %v", err)
	}
}

// A client that is still sending its body when it is refused reads why, whether
// it keeps its connections or not.
func TestRefusedClientsReadTheAnswer(t *testing.T) {
	s := start(t, localaws.Options{})
	l := listen(t, s)
	body := strings.Repeat("x", 15<<20)
	for _, once := range []bool{false, true} {
		transport := &http.Transport{DisableKeepAlives: once}
		for range 10 {
			r := rawRequest{target: "DynamoDB_20120810.PutItem", contentType: json10, body: body, unsigned: true}
			status, _, text := do(t, &http.Client{Transport: transport}, r.build(t, l.URL()))
			if status != http.StatusBadRequest || !strings.Contains(text, "MissingAuthenticationToken") {
				t.Errorf("got %d %s", status, text)
			}
		}
	}
}

// Many clients at once, over both ways: run with -race.
func TestConcurrency(t *testing.T) {
	s := start(t, localaws.Options{AuditLimit: 50})
	l := listen(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		cfg := s.Config(s.RootCredentials())
		if i%2 == 1 {
			cfg = l.Config(s.RootCredentials())
		}
		wg.Go(func() {
			client := sts.NewFromConfig(cfg)
			for range 20 {
				if _, err := client.GetCallerIdentity(ctx, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			_ = s.Audit().Events()
			_ = s.SetFaults(localaws.Faults{})
		}
	})
	wg.Wait()
}
