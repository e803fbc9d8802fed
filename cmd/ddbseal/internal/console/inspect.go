// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// inspectView is one item with everything that can be seen of it.
type inspectView struct {
	Table  *tableInfo
	Item   itemView
	Blocks []block // header and footer
	Keys   []wrapView
	Suite  string
	Disk   []diskView
	// HasDisk is false where the disk is somebody else's.
	HasDisk bool
}

// block is the header or the footer, drawn field by field.
type block struct {
	Name   string
	Length int
	Fields []fieldView
}

type fieldView struct {
	ID                   string // in the page
	Color                int
	Name, Meaning, Value string
	Offset, Length       int
	Hex                  string // pairs of digits
}

type wrapView struct {
	Provider, Info string
	Length         int
}

// diskView is what lies on disk for the same key in one table.
type diskView struct {
	Table, AtRest string
	Current       bool
	Bucket, Key   string
	Hex           string
	Length        int
	Stored        bool
	Sealed        bool // client-side encryption is below
	Note          string
}

const (
	fieldColors = 6
	maxDiskHex  = 320 // bytes that are shown
)

func (c *Console) itemPage(w http.ResponseWriter, r *http.Request, s *session) {
	ref, ok := s.item(r.PathValue("ref"))
	if !ok {
		s.say("That item is not known any more: choose it again.")
		c.redirect(w, r, "/tables")
		return
	}
	t, err := c.describe(r.Context(), s, ref.table)
	if err != nil {
		c.failed(w, r, s, "tables", "Item", err)
		return
	}
	item, err := s.read(r.Context(), ref.table, ref.key)
	if err != nil {
		c.failed(w, r, s, "tables", "Item of "+ref.table, err)
		return
	}
	if item == nil {
		s.say("That item is not there any more.")
		c.redirect(w, r, "/tables")
		return
	}
	v := inspectView{Table: t, Item: c.view(r.Context(), s, t, item)}
	if m := v.Item.message; m != nil {
		v.Suite = m.Suite.String()
		v.Blocks = []block{
			draw(envelope.HeaderAttribute, item[envelope.HeaderAttribute], m.Header),
			draw(envelope.FooterAttribute, item[envelope.FooterAttribute], m.Footer),
		}
		for i := range m.EncryptedDataKeys {
			k := &m.EncryptedDataKeys[i]
			v.Keys = append(v.Keys, wrapView{k.ProviderID, printable(k.ProviderInfo), len(k.Ciphertext)})
		}
	}
	if c.cfg.Server != nil {
		v.HasDisk, v.Disk = true, c.disk(r.Context(), s, t, ref.key)
	}
	c.render(w, r, s, http.StatusOK, "item", page{Title: "Item of " + t.Name, Section: "tables", Body: v})
}

// printable gives text as it is and anything else in hexadecimal.
func printable(b []byte) string {
	for _, x := range b {
		if x < ' ' || x > '~' {
			return hex.EncodeToString(b)
		}
	}
	return string(b)
}

// draw cuts the attribute into the fields that Inspect found.
func draw(name string, value types.AttributeValue, fields []envelope.Field) block {
	var bytes []byte
	if v, ok := value.(*types.AttributeValueMemberB); ok {
		bytes = v.Value
	}
	b := block{Name: name, Length: len(bytes)}
	for i, f := range fields {
		b.Fields = append(b.Fields,
			fieldView{ID: name + "-" + hex.EncodeToString([]byte{byte(i >> 8), byte(i)}), Color: i % fieldColors,
				Name: f.Name, Meaning: f.Meaning, Value: f.Value, Offset: f.Offset, Length: f.Length,
				Hex: pairs(bytes[f.Offset : f.Offset+f.Length])})
	}
	return b
}

// pairs writes bytes as hexadecimal pairs with spaces, so that lines can break.
func pairs(b []byte) string {
	out := make([]byte, 0, 3*len(b))
	for i, x := range b {
		if i > 0 {
			out = append(out, ' ')
		}
		out = hex.AppendEncode(out, []byte{x})
	}
	return string(out)
}

// disk shows the sealed bytes of the same key in every table of the user's
// that has such keys: of those that the user may read, or could but for the
// right to the key. What it adds is sealed for everybody.
func (c *Console) disk(ctx context.Context, s *session, t *tableInfo, key envelope.Item) []diskView {
	var out []diskView
	for _, name := range c.chooseTables(ctx, s, t.Name, "").Names {
		info := t
		if name != t.Name {
			var err error
			if info, err = c.describe(ctx, s, name); err != nil || info.Partition != t.Partition ||
				info.Sort != t.Sort || info.PartitionType != t.PartitionType || info.SortType != t.SortType {
				continue
			}
		}
		item, err := s.read(ctx, name, key)
		if p := c.explain(s, err); err != nil && (!p.Denied || p.Action != "kms:Decrypt") || err == nil && item == nil {
			continue
		}
		d := diskView{Table: name, AtRest: info.AtRest, Current: name == t.Name}
		_, d.Sealed = item[envelope.HeaderAttribute]
		view, err := c.cfg.Server.DiskView(ctx, name, key)
		if err != nil {
			d.Note = err.Error()
		} else {
			d.Bucket, d.Key, d.Length, d.Stored = view.Bucket, view.Key, len(view.Sealed), view.Stored
			d.Hex = pairs(view.Sealed[:min(len(view.Sealed), maxDiskHex)])
			if len(view.Sealed) > maxDiskHex {
				d.Hex += " …"
			}
		}
		out = append(out, d)
	}
	return out
}
