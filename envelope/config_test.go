// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// validConfig is changed by each case of a table.
func validConfig(t testing.TB) envelope.Config {
	t.Helper()
	return envelope.Config{
		LogicalTableName: "orders", PartitionKey: "pk", SortKey: "sk",
		Actions: map[string]envelope.Action{
			"pk": envelope.SignOnly, "sk": envelope.SignOnly, "note": envelope.SignOnly,
			"secret": envelope.EncryptAndSign, ":view": envelope.DoNothing, "ttl": envelope.DoNothing,
		},
		AllowedUnsigned: []string{"ttl"}, AllowedUnsignedPrefix: ":", Keyring: testKeyring(t),
	}
}

func TestNewItemEncryptorRefuses(t *testing.T) {
	cmm, err := materials.NewDefaultCMM(testKeyring(t))
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, a envelope.Action) func(*envelope.Config) {
		return func(c *envelope.Config) { c.Actions[name] = a }
	}
	for name, c := range map[string]struct {
		change    func(*envelope.Config)
		attribute string
	}{
		"no table name":           {change: func(c *envelope.Config) { c.LogicalTableName = "" }},
		"table name not UTF-8":    {change: func(c *envelope.Config) { c.LogicalTableName = "\xff" }},
		"table name too long":     {change: func(c *envelope.Config) { c.LogicalTableName = strings.Repeat("x", 65536) }},
		"no partition key":        {change: func(c *envelope.Config) { c.PartitionKey = "" }},
		"one key twice":           {change: func(c *envelope.Config) { c.SortKey = "pk" }},
		"key without action":      {func(c *envelope.Config) { delete(c.Actions, "sk") }, "sk"},
		"encrypted key":           {set("pk", envelope.EncryptAndSign), "pk"},
		"key of version 2 in 1":   {set("pk", envelope.SignAndIncludeInEncryptionContext), "sk"},
		"key of version 1 in 2":   {set("note", envelope.SignAndIncludeInEncryptionContext), "pk"},
		"unsigned key":            {func(c *envelope.Config) { c.AllowedUnsigned = []string{"ttl", "sk"} }, "sk"},
		"zero action":             {set("note", 0), "note"},
		"unknown action":          {set("note", 9), "note"},
		"nothing but not allowed": {set("note", envelope.DoNothing), "note"},
		"signed but allowed":      {set("ttl", envelope.SignOnly), "ttl"},
		"encrypted under prefix":  {set(":x", envelope.EncryptAndSign), ":x"},
		"reserved name":           {set("aws_dbe_x", envelope.SignOnly), "aws_dbe_x"},
		"reserved context name":   {set("aws-crypto-x", envelope.SignOnly), "aws-crypto-x"},
		"reserved unsigned name":  {func(c *envelope.Config) { c.AllowedUnsigned = append(c.AllowedUnsigned, "aws_dbe_b_x") }, "aws_dbe_b_x"},
		"reserved prefix":         {change: func(c *envelope.Config) { c.AllowedUnsignedPrefix = "aws_dbe_b_" }},
		"empty unsigned name":     {change: func(c *envelope.Config) { c.AllowedUnsigned = append(c.AllowedUnsigned, "") }},
		"empty name":              {change: set("", envelope.SignOnly)},
		"name not UTF-8":          {set("\xff", envelope.SignOnly), "\xff"},
		"unknown suite":           {change: func(c *envelope.Config) { c.AlgorithmSuite = 0x0578 }},
		"unknown policy":          {change: func(c *envelope.Config) { c.PlaintextPolicy = 3 }},
		"negative key limit":      {change: func(c *envelope.Config) { c.MaxEncryptedDataKeys = -1 }},
		"key limit too large":     {change: func(c *envelope.Config) { c.MaxEncryptedDataKeys = 256 }},
		"neither keyring nor CMM": {change: func(c *envelope.Config) { c.Keyring = nil }},
		"both keyring and CMM":    {change: func(c *envelope.Config) { c.CMM = cmm }},
	} {
		t.Run(name, func(t *testing.T) {
			config := validConfig(t)
			c.change(&config)
			_, err := envelope.NewItemEncryptor(config)
			failsWith(t, err, envelope.ErrConfiguration, "configure", c.attribute)
		})
	}
	if _, err := envelope.NewItemEncryptor(validConfig(t)); err != nil {
		t.Errorf("the configuration that the cases change is invalid itself: %v", err)
	}
}

// failsWith checks class, operation and attribute of an error.
func failsWith(t testing.TB, err, class error, operation, attribute string) {
	t.Helper()
	var own *envelope.Error
	if !errors.As(err, &own) {
		t.Fatalf("got %v (%T), want an *envelope.Error", err, err)
	}
	if !errors.Is(err, class) {
		t.Errorf("got %v, want %v", err, class)
	}
	if own.Operation != operation || own.Attribute != attribute {
		t.Errorf("%v: operation %q, attribute %q, want %q, %q", err, own.Operation, own.Attribute, operation, attribute)
	}
	if attribute != "" && strings.Count(err.Error(), "attribute \"") != 1 && !strings.Contains(attribute, "\xff") {
		t.Errorf("%v names the attribute more or less than once", err)
	}
}

func TestConfigIsFrozen(t *testing.T) {
	config := validConfig(t)
	e := mustEncryptor(t, config)
	config.Actions["secret"] = envelope.SignOnly
	config.AllowedUnsigned[0] = "secret"
	actions := e.Actions()
	actions["secret"] = envelope.DoNothing
	if a, ok := e.Action("secret"); a != envelope.EncryptAndSign || !ok {
		t.Errorf("a change of the configuration reached the encryptor: secret is %v", a)
	}
	if e.AllowedUnsigned("secret") || !e.AllowedUnsigned("ttl") {
		t.Error("a change of the unsigned names reached the encryptor")
	}
}

func TestEncryptorAnswers(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	for name, want := range map[string]envelope.Action{
		"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign, "ttl": envelope.DoNothing,
		":view": envelope.DoNothing, ":another": envelope.DoNothing, "unknown": 0, "aws_dbe_head": 0,
	} {
		if got, ok := e.Action(name); got != want || ok != (want != 0) {
			t.Errorf("Action(%q) is %v, %v, want %v", name, got, ok, want)
		}
		if got := e.AllowedUnsigned(name); got != (want == envelope.DoNothing) {
			t.Errorf("AllowedUnsigned(%q) is %v", name, got)
		}
	}
	if got := e.UnsignedNames(); !slices.Equal(got, []string{":view", "ttl"}) {
		t.Errorf("UnsignedNames are %q", got)
	}
	if e.LogicalTableName() != "orders" || e.PartitionKey() != "pk" || e.SortKey() != "sk" {
		t.Error("names differ from the configuration")
	}
	if e.AlgorithmSuite() != envelope.SuiteDigitalSignature {
		t.Errorf("the default suite is %v", e.AlgorithmSuite())
	}
	if e.PlaintextPolicy() != envelope.ForbidPlaintextWriteForbidPlaintextRead {
		t.Errorf("the default policy is %v", e.PlaintextPolicy())
	}
	if !maps.Equal(e.Actions(), validConfig(t).Actions) {
		t.Error("Actions differ from the configuration")
	}
}

func TestOfficialNames(t *testing.T) {
	for a := envelope.EncryptAndSign; a <= envelope.DoNothing; a++ {
		if got, err := envelope.ParseAction(a.String()); err != nil || got != a {
			t.Errorf("ParseAction(%v) is %v, %v", a, got, err)
		}
		if a.Signed() != (a != envelope.DoNothing) {
			t.Errorf("%v: Signed is %v", a, a.Signed())
		}
	}
	for _, p := range []envelope.PlaintextPolicy{0, 1, 2} {
		if got, err := envelope.ParsePlaintextPolicy(p.String()); err != nil || got != p {
			t.Errorf("ParsePlaintextPolicy(%v) is %v, %v", p, got, err)
		}
	}
	for _, s := range []envelope.AlgorithmSuite{envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature} {
		if got, err := envelope.ParseAlgorithmSuite(s.String()); err != nil || got != s {
			t.Errorf("ParseAlgorithmSuite(%v) is %v, %v", s, got, err)
		}
	}
	if envelope.SignAndIncludeInEncryptionContext.String() != "SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT" {
		t.Error("not the official name")
	}
	var m map[string]envelope.Action
	if err := json.Unmarshal([]byte(`{"a":"ENCRYPT"}`), &m); !errors.Is(err, envelope.ErrConfiguration) {
		t.Errorf("got %v, want %v", err, envelope.ErrConfiguration)
	}
	if _, err := json.Marshal(envelope.Action(0)); !errors.Is(err, envelope.ErrConfiguration) {
		t.Errorf("got %v, want %v", err, envelope.ErrConfiguration)
	}
	for _, name := range []string{"", "encrypt_and_sign", "Action(1)"} {
		if _, err := envelope.ParseAction(name); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("ParseAction(%q): %v", name, err)
		}
		if _, err := envelope.ParsePlaintextPolicy(name); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("ParsePlaintextPolicy(%q): %v", name, err)
		}
		if _, err := envelope.ParseAlgorithmSuite(name); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("ParseAlgorithmSuite(%q): %v", name, err)
		}
	}
}
