// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

// service is the example on an AWS of its own.
type service struct {
	http.Handler
	shop *shop
	db   *dynamodb.Client
	t    *testing.T
}

func newService(t *testing.T) *service {
	t.Helper()
	ctx, cfg := t.Context(), localawstest.New(t).Root()
	s := &service{db: dynamodb.NewFromConfig(cfg), t: t}
	k := kms.NewFromConfig(cfg)
	key, err := k.CreateKey(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := newTenants(ctx, s.db, k, keysName, aws.ToString(key.KeyMetadata.Arn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenants.close)
	for _, tenant := range []string{"acme", "globex"} {
		if err := tenants.add(ctx, tenant); err != nil {
			t.Fatal(err)
		}
	}
	if s.shop, err = newShop(ctx, s.db, tableName, tenants); err != nil {
		t.Fatal(err)
	}
	s.Handler = handler(s.shop)
	return s
}

// call makes a request, wants a status, and returns the answer.
func (s *service) call(want int, method, path, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != want {
		s.t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, want)
	}
	return w
}

// TestLocking: of two writers that read the same customer one must read again.
func TestLocking(t *testing.T) {
	s := newService(t)
	s.call(201, "POST", "/acme/customers", `{"id":"7","name":"Kim"}`)
	s.call(409, "POST", "/acme/customers", `{"id":"7","name":"Kim"}`)
	tag := s.call(200, "GET", "/acme/customers/7", "").Header().Get("ETag")
	var changed, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), "PUT", "/acme/customers/7",
				strings.NewReader(fmt.Sprintf(`{"name":"Kim %d"}`, i)))
			r.Header.Set("If-Match", tag)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			switch w.Code {
			case http.StatusOK:
				changed.Add(1)
			case http.StatusPreconditionFailed:
				refused.Add(1)
			default:
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	if changed.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d writers changed the customer, %d were refused", changed.Load(), refused.Load())
	}
	s.call(400, "PUT", "/acme/customers/7", `{"name":"Kim"}`) // without If-Match
	s.call(412, "PUT", "/acme/customers/8", `{"name":"Kim"}`, "If-Match", `"1"`)
}

// TestPages: all orders come once, the newest first, over any number of pages.
func TestPages(t *testing.T) {
	s := newService(t)
	for n := 1; n <= 23; n++ {
		s.call(201, "POST", "/acme/customers/7/orders", fmt.Sprintf(`{"number":%d,"cents":1}`, n))
	}
	s.call(201, "POST", "/acme/customers/8/orders", `{"number":99,"cents":1}`)
	next, want, pages := "", 23, 0
	for {
		w := s.call(200, "GET", "/acme/customers/7/orders?limit=5&cursor="+url.QueryEscape(next), "")
		var page orders
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Orders {
			if o.Number != want {
				t.Fatalf("order %d comes, want %d", o.Number, want)
			}
			want--
		}
		pages++
		if next = string(page.Next); next == "" {
			break
		}
	}
	if want != 0 || pages < 5 {
		t.Errorf("%d orders are missing after %d pages", want, pages)
	}
	s.call(400, "GET", "/acme/customers/7/orders?cursor=nonsense", "")
}

// TestTenants: tenants do not meet, not even where somebody who writes to the
// table brings their items together.
func TestTenants(t *testing.T) {
	ctx, s := t.Context(), newService(t)
	s.call(201, "POST", "/acme/customers", `{"id":"7","name":"Kim"}`)
	s.call(404, "GET", "/globex/customers/7", "")
	stolen, err := s.shop.customers.Raw(ctx, store.Key{Partition: "acme#7", Sort: "CUSTOMER"})
	if err != nil {
		t.Fatal(err)
	}
	stolen["pk"] = &types.AttributeValueMemberS{Value: "globex#7"}
	if _, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(tableName), Item: stolen}); err != nil {
		t.Fatal(err)
	}
	_, err = s.shop.customers.Get(ctx, store.Key{Partition: "globex#7", Sort: "CUSTOMER"})
	var item *store.ItemError
	if !errors.As(err, &item) || !errors.Is(err, envelope.ErrMaterials) && !errors.Is(err, envelope.ErrTampered) {
		t.Errorf("another tenant's item: %v", err)
	}
	s.call(500, "GET", "/globex/customers/7", "")
	s.call(410, "POST", "/initech/customers", `{"id":"1","name":"Kim"}`)
}

// TestRefusals: mistakes of a caller are named, and nothing else is.
func TestRefusals(t *testing.T) {
	s := newService(t)
	s.call(400, "POST", "/acme/customers", `{"id":"7"}`)
	s.call(400, "POST", "/acme/customers", `not JSON`)
	s.call(400, "POST", "/acme/customers/7/orders", `{"number":0}`)
	s.call(400, "POST", "/acme/customers/7/orders", `{"number":-1}`)
	s.call(400, "POST", "/acme/customers/7/orders", `{"number":10000000000}`)
	s.call(404, "GET", "/acme/customers/9", "")
	s.call(405, "DELETE", "/acme/customers/9", "")
}
