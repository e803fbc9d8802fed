// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// A configuration of many names takes time in proportion to them. Comparing each
// name with each other one took half a minute here.
func TestWideConfigurationIsChecked(t *testing.T) {
	const names = 60_000
	long := strings.Repeat("unsigned ", 10)
	config := validConfig(t)
	config.AllowedUnsignedPrefix = ""
	delete(config.Actions, ":view")
	for i := range names {
		name := fmt.Sprint(long, i)
		config.Actions[name] = envelope.DoNothing
		config.AllowedUnsigned = append(config.AllowedUnsigned, name)
	}
	begin := time.Now()
	e := mustEncryptor(t, config)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	item := validItem()
	delete(item, ":view")
	item[long+"7"] = s("v")
	roundTrip(t, e, item)

	config.Actions[long+"7"] = envelope.SignOnly
	_, err := envelope.NewItemEncryptor(config)
	failsWith(t, err, envelope.ErrConfiguration, "configure", long+"7")
}

// So does a materials manager that requires many pairs, for each item.
func TestManyRequiredPairs(t *testing.T) {
	const pairs = 65_000
	keys := make([]string, 0, pairs)
	for i := range pairs {
		keys = append(keys, fmt.Sprint("pair ", i))
	}
	more := func(c materials.EncryptionContext) {
		for _, k := range keys {
			c[k] = "v"
		}
	}
	required, err := materials.NewRequiredContextCMM(defaultCMM(t), append(keys, keys...)...)
	if err != nil {
		t.Fatal(err)
	}
	config := validConfig(t)
	config.Keyring, config.CMM = nil, &cmmFuncs{
		CMM: required, request: func(r *materials.EncryptionRequest) { more(r.Context) },
	}
	begin := time.Now()
	if _, err := mustEncryptor(t, config).EncryptItem(t.Context(), validItem()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// A hostile item is counted against its legend before anything is done for each
// of its attributes.
func TestSurplusAttributesCostLittle(t *testing.T) {
	wide := validConfig(t)
	for i := range 20_000 {
		wide.Actions[fmt.Sprint("configured ", i)] = envelope.SignOnly
	}
	for name, c := range map[string]struct {
		config  envelope.Config
		surplus string
	}{
		"unknown names":    {validConfig(t), "unknown "},
		"configured names": {wide, "configured "},
	} {
		t.Run(name, func(t *testing.T) {
			counting := &countingKeyring{Keyring: c.config.Keyring}
			c.config.Keyring = counting
			e := mustEncryptor(t, c.config)
			hostile := maps.Clone(mustEncrypt(t, e, validItem()))
			for i := range 20_000 {
				hostile[fmt.Sprint(c.surplus, i)] = s("")
			}
			decrypt := func() {
				_, err := e.DecryptItem(t.Context(), hostile)
				failsWith(t, err, envelope.ErrTampered, "decrypt", "")
			}
			if n := testing.AllocsPerRun(2, decrypt); n > 200 {
				t.Errorf("%v allocations for 20,000 surplus attributes", n)
			}
			if counting.decrypts != 0 {
				t.Error("a keyring heard of the item")
			}
		})
	}
}

// A suite that does not fit the stored context is refused before any other work.
func TestSuiteIsCheckedBeforeAttributes(t *testing.T) {
	config := validConfig(t)
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	e := mustEncryptor(t, config)
	hostile := mustEncrypt(t, e, validItem())
	withHeader(t, hostile, func(h *format.Header) { h.Context[materials.ContextPublicKey] = "x" })
	hostile["surplus"] = s("")
	_, err := e.DecryptItem(t.Context(), hostile)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.HeaderAttribute)
}

// DynamoDB measures attribute names in bytes of UTF-8, and so do the limits.
func TestNamesAreMeasuredInBytes(t *testing.T) {
	const limit = 65_535
	long := strings.Repeat("é", limit/2) + "x" // 65,535 bytes, 32,768 units
	tooLong := long + "x"
	for name, change := range map[string]func(*envelope.Config, string){
		"action": func(c *envelope.Config, name string) { c.Actions[name] = envelope.EncryptAndSign },
		"unsigned action": func(c *envelope.Config, name string) {
			c.Actions[name], c.AllowedUnsigned = envelope.DoNothing, []string{"ttl", name}
		},
		"unsigned name": func(c *envelope.Config, name string) { c.AllowedUnsigned = []string{"ttl", name} },
	} {
		t.Run(name, func(t *testing.T) {
			config := validConfig(t)
			change(&config, long)
			mustEncryptor(t, config)
			config = validConfig(t)
			change(&config, tooLong)
			_, err := envelope.NewItemEncryptor(config)
			failsWith(t, err, envelope.ErrConfiguration, "configure", tooLong)
			if len(err.Error()) > 2000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
	config := validConfig(t)
	delete(config.Actions, ":view")
	config.AllowedUnsignedPrefix = tooLong
	_, err := envelope.NewItemEncryptor(config)
	failsWith(t, err, envelope.ErrConfiguration, "configure", "")

	// The encryption context holds the prefix of the pair's name too.
	for _, action := range []envelope.Action{envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext} {
		inContext := strings.Repeat("k", limit-len(materials.ContextAttributePrefix))
		config := envelope.Config{
			LogicalTableName: "t", PartitionKey: inContext, Keyring: testKeyring(t),
			Actions: map[string]envelope.Action{inContext: action},
		}
		roundTrip(t, mustEncryptor(t, config), envelope.Item{inContext: s("v")})
		config.PartitionKey += "k"
		config.Actions = map[string]envelope.Action{config.PartitionKey: action}
		_, err := envelope.NewItemEncryptor(config)
		failsWith(t, err, envelope.ErrConfiguration, "configure", config.PartitionKey)
	}

	e := mustEncryptor(t, validConfig(t))
	for _, name := range []string{tooLong, ":" + long, ":\xff"} {
		item := validItem()
		item[name] = s("v")
		_, err := e.EncryptItemAs(t.Context(), item, map[string]envelope.Action{tooLong: envelope.SignOnly})
		failsWith(t, err, envelope.ErrInvalidItem, "encrypt", name)
	}
	item := validItem()
	item[long], item[":"+long[2:]] = s("v"), s("v")
	sealed, err := e.EncryptItemAs(t.Context(), item, map[string]envelope.Action{long: envelope.SignOnly})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
		t.Error(err)
	}
}
