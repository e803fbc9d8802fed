// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/itempage"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
)

// itemRoutes registers the pages that change items.
func (c *Console) itemRoutes(get, post func(string, handler)) {
	type desk = *itempage.Desk
	type key = envelope.Item
	created := func(do func(desk, *http.Request) reply.Reply) handler {
		return c.writing(func(w http.ResponseWriter, r *http.Request, s *session) {
			d, err := c.itemDesk(r.Context(), s, r.FormValue("table"))
			if err != nil {
				c.failed(w, r, s, "tables", "Create item", err)
				return
			}
			c.answer(w, r, s, "tables", do(d, r))
		})
	}
	get("/tables/item/new", created(func(d desk, r *http.Request) reply.Reply { return d.NewPage(r.Context()) }))
	post("/tables/item/new", created(func(d desk, r *http.Request) reply.Reply {
		return d.Create(r.Context(), r.PostForm)
	}))
	existing := func(do func(desk, *http.Request, key) reply.Reply) handler {
		return c.writing(func(w http.ResponseWriter, r *http.Request, s *session) {
			ref, ok := s.item(r.PathValue("ref"))
			if !ok {
				s.say("That item is not known any more: choose it again.")
				c.redirect(w, r, "/tables")
				return
			}
			d, err := c.itemDesk(r.Context(), s, ref.table)
			if err != nil {
				c.failed(w, r, s, "tables", "Item", err)
				return
			}
			c.answer(w, r, s, "tables", do(d, r, ref.key))
		})
	}
	const item = "/tables/item/{ref}"
	get(item+"/edit", existing(func(d desk, r *http.Request, k key) reply.Reply { return d.EditPage(r.Context(), k) }))
	post(item+"/edit", existing(func(d desk, r *http.Request, k key) reply.Reply {
		return d.Edit(r.Context(), k, r.PostForm)
	}))
	get(item+"/delete", existing(func(d desk, r *http.Request, k key) reply.Reply {
		return d.DeletePage(r.Context(), k, false)
	}))
	post(item+"/delete", existing(func(d desk, r *http.Request, k key) reply.Reply {
		return d.Delete(r.Context(), k, r.PostForm)
	}))
	get(item+"/deleted", existing(func(d desk, _ *http.Request, k key) reply.Reply { return d.DeletedPage(k) }))
	post(item+"/restore", existing(func(d desk, r *http.Request, k key) reply.Reply {
		return d.Restore(r.Context(), k)
	}))
}

func (c *Console) itemDesk(ctx context.Context, s *session, table string) (*itempage.Desk, error) {
	t, err := c.describe(ctx, s, table)
	if err != nil {
		return nil, err
	}
	return &itempage.Desk{DDB: s.ddb, KMS: s.kmsOf, Table: *t.forItems(), ListKeys: s.itemKeys,
		Link:   func(key envelope.Item) string { return "/tables/item/" + s.name(table, key) },
		Secret: s.csrfRoot, Kept: &s.items}, nil
}

func (t *tableInfo) forItems() *itempage.Table {
	return &itempage.Table{Name: t.Name, Partition: t.Partition, Sort: t.Sort, PartitionType: t.PartitionType,
		SortType: t.SortType, Account: t.Account}
}

// kmsOf returns a client for the keys of a Region; empty means the session's.
func (s *session) kmsOf(region string) (awskms.KMSClient, error) {
	if region == "" || region == s.cfg.Region {
		return s.kms, nil
	}
	cfg := s.cfg.Copy()
	cfg.Region = region
	return kms.NewFromConfig(cfg), nil
}

// itemKeys are the keys to encrypt an item under, which are those to encrypt a
// table under.
func (s *session) itemKeys(ctx context.Context) (out []itempage.Key) {
	for _, k := range s.customerKeys(ctx) {
		out = append(out, itempage.Key(k))
	}
	return out
}
