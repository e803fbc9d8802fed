// SPDX-License-Identifier: Apache-2.0

// Service is a small web service with customers and orders of several tenants in
// one table, encrypted under a branch key for each tenant: pages over HTTP,
// optimistic locking by ETag, and a tenant that leaves and whose data goes with
// its key.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ddbseal/ddbseal/examples/internal/account"
)

func main() { account.Main(run) }

const (
	tableName = "ddbseal-example-service"
	keysName  = "ddbseal-example-service-keys"
)

func run(ctx context.Context, a *account.Account) error {
	key, err := a.Key(ctx)
	if err != nil {
		return err
	}
	a.RemoveTable(keysName)
	tenants, err := newTenants(ctx, a.DynamoDB, a.KMS, keysName, key)
	if err != nil {
		return err
	}
	defer tenants.close()
	a.RemoveTable(tableName)
	s, err := newShop(ctx, a.DynamoDB, tableName, tenants)
	if err != nil {
		return err
	}
	for _, tenant := range []string{"acme", "globex"} {
		if err := tenants.add(ctx, tenant); err != nil {
			return err
		}
	}

	server := httptest.NewServer(handler(s))
	defer server.Close()
	call := func(method, path, body string, header ...string) error {
		return show(ctx, server, method, path, body, header...)
	}
	steps := []func() error{
		func() error {
			return call("POST", "/acme/customers", `{"id":"7","name":"Kim Example","email":"kim@example.com"}`)
		},
		func() error { return call("POST", "/globex/customers", `{"id":"7","name":"Ola Sample"}`) },
		func() error { return call("PUT", "/acme/customers/7", `{"name":"Kim E. Example"}`, "If-Match", `"1"`) },
		func() error { return call("PUT", "/acme/customers/7", `{"name":"Kim"}`, "If-Match", `"1"`) },
	}
	for n := 1; n <= 3; n++ {
		body := fmt.Sprintf(`{"number":%d,"cents":%d,"card":"4111 1111 1111 1111"}`, n, 100*n)
		steps = append(steps, func() error { return call("POST", "/acme/customers/7/orders", body) })
	}
	steps = append(steps,
		func() error { return call("GET", "/acme/customers/7/orders?limit=2", "") },
		func() error { return ciphertext(ctx, s) },
		func() error { fmt.Println("acme leaves"); return tenants.remove(ctx, "acme") },
		func() error { return call("GET", "/acme/customers/7", "") },
		func() error { return call("GET", "/globex/customers/7", "") },
	)
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// show makes a request and prints it with its answer.
func show(ctx context.Context, server *httptest.Server, method, path, body string, header ...string) error {
	r, err := http.NewRequestWithContext(ctx, method, server.URL+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := server.Client().Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		return err
	}
	answer, _, _ := strings.Cut(strings.TrimSpace(string(text)), `,"next"`) // a cursor is long
	fmt.Printf("%s %s: %s %s\n", method, path, w.Status, answer)
	return nil
}

// ciphertext shows what DynamoDB has of a customer.
func ciphertext(ctx context.Context, s *shop) error {
	raw, err := s.customers.Raw(ctx, s.customers.Key(customer{Tenant: "acme", ID: "7"}))
	if err != nil {
		return err
	}
	fmt.Println("DynamoDB sees: pk", account.Value(raw["pk"])+", name", account.Value(raw["name"]))
	return nil
}
