// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/store"
)

// handler serves the shop. The tenant is a part of the path to keep the example
// short: take it from the caller's token, never from what the caller writes.
func handler(s *shop) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{tenant}/customers", answer(s.addCustomer))
	mux.Handle("GET /{tenant}/customers/{id}", answer(s.customer))
	mux.Handle("PUT /{tenant}/customers/{id}", answer(s.changeCustomer))
	mux.Handle("POST /{tenant}/customers/{id}/orders", answer(s.addOrder))
	mux.Handle("GET /{tenant}/customers/{id}/orders", answer(s.listOrders))
	return http.MaxBytesHandler(mux, 64<<10)
}

func (s *shop) addCustomer(w http.ResponseWriter, r *http.Request) (any, error) {
	var c customer
	if err := read(r, &c); err != nil {
		return nil, err
	}
	c.Tenant = r.PathValue("tenant")
	if err := s.customers.Insert(r.Context(), c); err != nil {
		return nil, err
	}
	w.Header().Set("ETag", etag(1))
	return created{c}, nil
}

func (s *shop) customer(w http.ResponseWriter, r *http.Request) (any, error) {
	key := s.customers.Key(customer{Tenant: r.PathValue("tenant"), ID: r.PathValue("id")})
	c, err := s.customers.Get(r.Context(), key)
	w.Header().Set("ETag", etag(c.Version))
	return c, err
}

// changeCustomer writes what the caller changed if no other caller has changed the
// customer since the caller read it, as If-Match says.
func (s *shop) changeCustomer(w http.ResponseWriter, r *http.Request) (any, error) {
	var c customer
	if err := read(r, &c); err != nil {
		return nil, err
	}
	version, err := strconv.ParseInt(strings.Trim(r.Header.Get("If-Match"), `"`), 10, 64)
	if err != nil || version < 1 {
		return nil, errInvalid("If-Match must have the ETag of the customer that was read")
	}
	c.Tenant, c.ID, c.Version = r.PathValue("tenant"), r.PathValue("id"), version
	if err := s.customers.Save(r.Context(), &c); err != nil {
		return nil, err
	}
	w.Header().Set("ETag", etag(c.Version))
	return c, nil
}

func (s *shop) addOrder(_ http.ResponseWriter, r *http.Request) (any, error) {
	var o order
	if err := read(r, &o); err != nil {
		return nil, err
	}
	o.Tenant, o.Customer = r.PathValue("tenant"), r.PathValue("id")
	return created{o}, s.orders.Insert(r.Context(), o)
}

// orders is a page of orders, the newest first.
type orders struct {
	Orders []order      `json:"orders"`
	Failed int          `json:"failed,omitempty"` // orders that do not open
	Next   store.Cursor `json:"next,omitempty"`
}

func (s *shop) listOrders(_ http.ResponseWriter, r *http.Request) (any, error) {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 20
	}
	of := order{Tenant: r.PathValue("tenant"), Customer: r.PathValue("id")}
	page, err := s.orders.QueryPage(r.Context(), store.Query{
		Partition: s.orders.Key(of).Partition, Sort: s.orders.SortPrefix(of),
		Descending: true, PageSize: int32(limit),
	}, store.Cursor(r.FormValue("cursor")))
	if err != nil {
		return nil, err
	}
	return orders{page.Items, len(page.Failed), page.Next}, nil
}

func etag(version int64) string { return fmt.Sprintf("%q", strconv.FormatInt(version, 10)) }

func read(r *http.Request, v any) error {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		return errInvalid("the body is not the JSON that was expected")
	}
	return nil
}

// created is the result of a request that made something.
type created struct{ value any }

// answer writes the result of f, or the status of its error. Texts of other
// errors stay inside: they say more about the service than a caller should know.
func answer(f func(http.ResponseWriter, *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(w, r)
		if err != nil {
			code, text := status(err)
			http.Error(w, text, code)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if made, is := v.(created); is {
			v = made.value
			w.WriteHeader(http.StatusCreated)
		}
		_ = json.NewEncoder(w).Encode(v) // the caller has gone
	})
}

func status(err error) (int, string) {
	var invalid errInvalid
	switch {
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Error()
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "not found"
	case errors.Is(err, store.ErrExists):
		return http.StatusConflict, "it exists already"
	case errors.Is(err, store.ErrStaleVersion):
		return http.StatusPreconditionFailed, "it was changed since you read it: read it again"
	case errors.Is(err, store.ErrConfiguration), // a cursor that is not ours
		errors.Is(err, store.ErrKeyTemplate): // an order number of too many digits
		return http.StatusBadRequest, "the request is not valid"
	case errors.Is(err, keyring.ErrNoBranchKey):
		return http.StatusGone, "the tenant was removed"
	case errors.Is(err, envelope.ErrKeyDenied):
		return http.StatusForbidden, "the service may not use the tenant's key"
	case errors.Is(err, store.ErrUncertain):
		return http.StatusServiceUnavailable, "it may have been written: read it before you try again"
	}
	return http.StatusInternalServerError, "the service failed"
}
