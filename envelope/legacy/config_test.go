// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

func TestConfiguration(t *testing.T) {
	with := func(name string, a envelope.Action) map[string]envelope.Action {
		out := maps.Clone(actions)
		if out[name] = a; a == 0 {
			delete(out, name)
		}
		return out
	}
	for name, c := range map[string]struct {
		change    func(*legacy.Config)
		attribute string
		says      string
	}{
		"no table":        {func(c *legacy.Config) { c.TableName = "" }, "", "WithoutTable"},
		"two tables":      {func(c *legacy.Config) { c.WithoutTable = true }, "", "exclude"},
		"table not UTF-8": {func(c *legacy.Config) { c.TableName = "\xff" }, "", "UTF-8"},
		"no key":          {func(c *legacy.Config) { c.PartitionKey = "" }, "", "PartitionKey"},
		"same keys":       {func(c *legacy.Config) { c.SortKey = "pk" }, "", "same"},
		"rules":           {func(c *legacy.Config) { c.Rules = 2 }, "", "Rules(2)"},
		"provider":        {func(c *legacy.Config) { c.Provider = nil }, "", "Provider"},
		"key encrypted":   {func(c *legacy.Config) { c.Actions = with("pk", envelope.EncryptAndSign) }, "pk", "SIGN_ONLY"},
		"key unsigned":    {func(c *legacy.Config) { c.Actions = with("sk", envelope.DoNothing) }, "sk", "SIGN_ONLY"},
		"key absent":      {func(c *legacy.Config) { c.Actions = with("pk", 0) }, "pk", "no action"},
		"no actions":      {func(c *legacy.Config) { c.Actions = nil }, "pk", "no action"},
		"include": {func(c *legacy.Config) { c.Actions = with("a", envelope.SignAndIncludeInEncryptionContext) }, "a",
			"SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT"},
		"invalid action":  {func(c *legacy.Config) { c.Actions = with("a", 9) }, "a", "invalid"},
		"empty name":      {func(c *legacy.Config) { c.Actions = with("", envelope.SignOnly) }, "", "empty name"},
		"name not UTF-8":  {func(c *legacy.Config) { c.Actions = with("\xff", envelope.SignOnly) }, "\xff", "UTF-8"},
		"reserved":        {func(c *legacy.Config) { c.Actions = with("aws_dbe_head", envelope.SignOnly) }, "aws_dbe_head", "format"},
		"own":             {func(c *legacy.Config) { c.Actions = with("*amzn-ddb-map-sig*", envelope.DoNothing) }, "*amzn-ddb-map-sig*", "format"},
		"default nothing": {func(c *legacy.Config) { c.DefaultAction = envelope.DoNothing }, "", "DefaultAction"},
		"default include": {func(c *legacy.Config) { c.DefaultAction = envelope.SignAndIncludeInEncryptionContext }, "", "DefaultAction"},
	} {
		conf := config(staticProvider())
		c.change(&conf)
		_, err := legacy.New(conf)
		failsWith(t, err, envelope.ErrConfiguration, "configure", c.attribute)
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v does not say %q", name, err, c.says)
		}
	}
}

// TestAccessors: what an encryptor asks of a decryptor.
func TestAccessors(t *testing.T) {
	c := config(staticProvider())
	c.DefaultAction, c.Rules = envelope.SignOnly, legacy.PythonRules
	d := must(legacy.New(c))
	if d.PartitionKey() != "pk" || d.SortKey() != "sk" || d.DefaultAction() != envelope.SignOnly ||
		d.Rules() != legacy.PythonRules || !maps.Equal(d.Actions(), actions) {
		t.Error("an accessor differs from the configuration")
	}
	d.Actions()["pk"] = envelope.DoNothing
	if d.Actions()["pk"] != envelope.SignOnly {
		t.Error("Actions is not a copy")
	}
}

func TestRulesByName(t *testing.T) {
	for _, r := range []legacy.Rules{legacy.JavaRules, legacy.PythonRules} {
		if got, err := legacy.ParseRules(r.String()); err != nil || got != r {
			t.Errorf("%v: %v, %v", r, got, err)
		}
	}
	for _, name := range []string{"", "Java", "go", legacy.Rules(7).String()} {
		if _, err := legacy.ParseRules(name); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestDefaultAction: an attribute without an action is verified by the default, or
// refused.
func TestDefaultAction(t *testing.T) {
	w := writer(nil)
	w.Encrypted = append(w.Encrypted, "more")
	plain := plainItem()
	plain["more"] = s("x")
	item := w.Encrypt(plain)
	c := config(staticProvider())
	_, err := must(legacy.New(c)).DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", "more")
	c.DefaultAction = envelope.EncryptAndSign
	got, err := must(legacy.New(c)).DecryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, plain)
	delete(item, "more")
	_, err = must(legacy.New(c)).DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.LegacySignatureAttribute)
	item["aws_dbe_x"] = s("x")
	_, err = must(legacy.New(c)).DecryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrTampered, "decrypt", "aws_dbe_x")
}

// TestInputIsNotChanged: an item is opened twice, and a result shares no memory
// with the work of the next.
func TestInputIsNotChanged(t *testing.T) {
	for _, f := range fixtures(t) {
		before, d := text(m(f.stored)), f.decryptor()
		first, err := d.DecryptItem(t.Context(), f.stored)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.DecryptItem(t.Context(), f.stored); err != nil {
			t.Fatal(err)
		}
		sameItem(t, first, f.plain)
		if text(m(f.stored)) != before {
			t.Errorf("%s: the input was changed", f.name)
		}
	}
}

// TestConcurrentUse: a decryptor serves many goroutines.
func TestConcurrentUse(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.name == "meta store" { // rows counts its reads
			f.config = config(metaStore(fixedRow{row: metaRow("3")}))
		}
		d := f.decryptor()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					got, err := d.DecryptItem(t.Context(), f.stored)
					if err != nil {
						t.Error(err)
						return
					}
					sameItem(t, got, f.plain)
				}
			})
		}
		wg.Wait()
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := fixtures(t)[0]
	_, err := f.decryptor().DecryptItem(ctx, f.stored)
	failsWith(t, err, context.Canceled, "decrypt", "")
}

// TestFIPSOnly: in that mode the keys of the older client would panic.
func TestFIPSOnly(t *testing.T) {
	const variable = "DDBSEAL_TEST_FIPS_CHILD"
	if os.Getenv(variable) != "" {
		mac, err := legacy.NewHMAC("HmacSHA256", macKey)
		if err != nil {
			t.Fatal(err)
		}
		p, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey, Verification: mac})
		if err != nil {
			t.Fatal(err)
		}
		_, err = legacy.New(config(p))
		failsWith(t, err, envelope.ErrUnsupported, "configure", "")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", variable+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
