// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// wrapped returns a key that AWS KMS wrapped under a context, as the older client
// asks for one.
func wrapped(t *testing.T, c *fakekms.Client, key string, context map[string]string) (plaintext, sealed []byte) {
	t.Helper()
	out, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, NumberOfBytes: aws.Int32(32),
		EncryptionContext: context})
	if err != nil {
		t.Fatal(err)
	}
	return out.Plaintext, out.CiphertextBlob
}

func TestLegacyOpens(t *testing.T) {
	server := newServer()
	client := server.Client(west)
	pairs := map[string]string{"id": "1", "*aws-kms-table*": "t"}
	plaintext, sealed := wrapped(t, client, key2, pairs)
	l := must[*awskms.Legacy](t)(awskms.NewLegacy(awskms.LegacyConfig{Client: client, KeyARNs: []string{key1, key2},
		GrantTokens: []string{"token"}}))
	got, err := l.Decrypt(t.Context(), sealed, pairs)
	if err != nil || !slices.Equal(got, plaintext) {
		t.Fatal(err)
	}
	calls := server.Calls()
	last := calls[len(calls)-1]
	if last.KeyID != key2 || last.GrantTokens[0] != "token" || last.Context["id"] != "1" {
		t.Errorf("the last call is %+v", last)
	}
	if n := server.Count("Decrypt"); n != 2 {
		t.Errorf("%d calls, one for each key up to the one that opens", n)
	}
}

func TestLegacyRefuses(t *testing.T) {
	pairs := map[string]string{"id": "1"}
	for name, c := range map[string]struct {
		keys   []string
		pairs  map[string]string
		change func(*fakekms.Server, context.CancelFunc)
		class  error
		calls  int
		denied bool
	}{
		"other key":     {keys: []string{key2}, pairs: pairs, class: materials.ErrMaterials, calls: 1},
		"other context": {keys: []string{key1}, pairs: map[string]string{"id": "2"}, class: materials.ErrMaterials, calls: 1},
		"denied": {keys: []string{key1, key2}, pairs: pairs, class: materials.ErrKeyDenied, calls: 2, denied: true,
			change: func(s *fakekms.Server, _ context.CancelFunc) {
				s.Fault = func(context.Context, fakekms.Call) error { return fakekms.Denied("kms:Decrypt") }
			}},
		"throttled": {keys: []string{key1}, pairs: pairs, class: materials.ErrMaterials, calls: 1,
			change: func(s *fakekms.Server, _ context.CancelFunc) {
				s.Fault = func(context.Context, fakekms.Call) error { return fakekms.Throttled() }
			}},
		"answer of another key": {keys: []string{key1}, pairs: pairs, class: materials.ErrMaterials, calls: 1,
			change: func(s *fakekms.Server, _ context.CancelFunc) { s.Answer = func(string) string { return key2 } }},
		"cancelled": {keys: []string{key1, key2}, pairs: pairs, class: context.Canceled, calls: 1,
			change: func(_ *fakekms.Server, cancel context.CancelFunc) { cancel() }},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer()
			client := server.Client(west)
			_, sealed := wrapped(t, client, key1, pairs)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.change != nil {
				c.change(server, cancel)
			}
			l := must[*awskms.Legacy](t)(awskms.NewLegacy(awskms.LegacyConfig{Client: client, KeyARNs: c.keys}))
			got, err := l.Decrypt(ctx, sealed, c.pairs)
			if got != nil || !errors.Is(err, c.class) || errors.Is(err, materials.ErrKeyDenied) != c.denied {
				t.Errorf("got %v, want %v", err, c.class)
			}
			var key *materials.KeyError
			if !errors.As(err, &key) || key.KeyID != c.keys[0] {
				t.Errorf("%v does not name the key", err)
			}
			if n := server.Count("Decrypt"); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

func TestLegacyConfiguration(t *testing.T) {
	client := newServer().Client(west)
	many := slices.Repeat([]string{key1}, 11)
	for name, c := range map[string]awskms.LegacyConfig{
		"no client":    {KeyARNs: []string{key1}},
		"no key":       {Client: client},
		"alias":        {Client: client, KeyARNs: []string{"alias/a"}},
		"many keys":    {Client: client, KeyARNs: many},
		"many tokens":  {Client: client, KeyARNs: []string{key1}, GrantTokens: many},
		"second wrong": {Client: client, KeyARNs: []string{key1, ""}},
	} {
		if _, err := awskms.NewLegacy(c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
