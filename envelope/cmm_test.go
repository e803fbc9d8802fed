// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// cmmFuncs is a materials manager that changes what passes through it.
type cmmFuncs struct {
	materials.CMM
	request  func(*materials.EncryptionRequest)
	response func(*materials.Encryption) *materials.Encryption
	reading  func(*materials.DecryptionRequest)
	read     func(*materials.Decryption) *materials.Decryption
}

func (c *cmmFuncs) EncryptionMaterials(ctx context.Context,
	r materials.EncryptionRequest) (*materials.Encryption, error) {
	if c.request != nil {
		c.request(&r)
	}
	m, err := c.CMM.EncryptionMaterials(ctx, r)
	if err == nil && c.response != nil {
		m = c.response(m)
	}
	return m, err
}

func (c *cmmFuncs) DecryptionMaterials(ctx context.Context,
	r materials.DecryptionRequest) (*materials.Decryption, error) {
	if c.reading != nil {
		c.reading(&r)
	}
	m, err := c.CMM.DecryptionMaterials(ctx, r)
	if err == nil && c.read != nil {
		m = c.read(m)
	}
	return m, err
}

func defaultCMM(t testing.TB) materials.CMM {
	t.Helper()
	cmm, err := materials.NewDefaultCMM(testKeyring(t))
	if err != nil {
		t.Fatal(err)
	}
	return cmm
}

func withCMM(t testing.TB, cmm materials.CMM) *envelope.ItemEncryptor {
	t.Helper()
	config := validConfig(t)
	config.Keyring, config.CMM = nil, cmm
	return mustEncryptor(t, config)
}

// Pairs of the application are stored in the header, or required on reading.
func TestPairsOfTheApplication(t *testing.T) {
	adds := func(r *materials.EncryptionRequest) { r.Context["department"] = "audit" }
	stored := withCMM(t, &cmmFuncs{CMM: defaultCMM(t), request: adds})
	sealed := roundTrip(t, stored, validItem())
	m, err := envelope.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if m.StoredContext["department"] != "audit" || len(m.StoredContext) != 2 {
		t.Errorf("stored are %v", m.StoredContext)
	}
	reencodes(t, sealed)
	if _, err := mustEncryptor(t, validConfig(t)).DecryptItem(t.Context(), sealed); err != nil {
		t.Errorf("the default materials manager does not read it: %v", err)
	}

	inner, err := materials.NewRequiredContextCMM(defaultCMM(t), "department")
	if err != nil {
		t.Fatal(err)
	}
	required := withCMM(t, &cmmFuncs{CMM: inner, request: adds, reading: func(r *materials.DecryptionRequest) {
		r.Reproduced = maps.Clone(r.Reproduced)
		r.Reproduced["department"] = "audit"
	}})
	sealed = roundTrip(t, required, validItem())
	if m, err = envelope.Inspect(sealed); err != nil || len(m.StoredContext) != 1 {
		t.Errorf("stored are %v, %v", m.StoredContext, err)
	}
	_, err = withCMM(t, inner).DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
	_, err = mustEncryptor(t, validConfig(t)).DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
	_, err = withCMM(t, inner).EncryptItem(t.Context(), validItem())
	failsWith(t, err, envelope.ErrMaterials, "encrypt", "")
}

// A materials manager is asked to have all pairs of the item reproduced.
func TestRequestedPairs(t *testing.T) {
	asked := false
	e := withCMM(t, &cmmFuncs{CMM: defaultCMM(t), request: func(r *materials.EncryptionRequest) {
		asked = true
		got, want := slices.Sorted(slices.Values(r.RequiredKeys)), slices.Sorted(maps.Keys(r.Context))
		if !slices.Equal(got, want) {
			t.Errorf("required are %q of %q", got, want)
		}
	}})
	mustEncrypt(t, e, validItem())
	if !asked {
		t.Error("the manager was not asked")
	}
}

func TestForeignCMMIsHeldToItsContract(t *testing.T) {
	for name, c := range map[string]struct {
		cmm   cmmFuncs
		class error
	}{
		"drops a pair":   {cmmFuncs{request: func(r *materials.EncryptionRequest) { delete(r.Context, materials.ContextTableName) }}, envelope.ErrMaterials},
		"changes a pair": {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.Context[materials.ContextTableName] = "x" }}, envelope.ErrMaterials},
		"stores a pair":  {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.RequiredKeys = nil }}, envelope.ErrMaterials},
		"omits the public key": {cmmFuncs{request: func(r *materials.EncryptionRequest) {
			r.RequiredKeys = append(r.RequiredKeys, materials.ContextPublicKey)
		}}, envelope.ErrMaterials},
		"reserved pair":   {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.Context["aws-crypto-x"] = "y" }}, envelope.ErrConfiguration},
		"own public key":  {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.Context[materials.ContextPublicKey] = "y" }}, envelope.ErrConfiguration},
		"another suite":   {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.Suite = envelope.SuiteSymmetricSignature }}, envelope.ErrMaterials},
		"returns nothing": {cmmFuncs{response: func(*materials.Encryption) *materials.Encryption { return nil }}, envelope.ErrMaterials},
		"returns no key":  {cmmFuncs{response: func(m *materials.Encryption) *materials.Encryption { m.Wipe(); return m }}, envelope.ErrMaterials},
		"changes late": {cmmFuncs{response: func(m *materials.Encryption) *materials.Encryption {
			m.Context()["late"] = "x"
			return m
		}}, envelope.ErrMaterials},
		"ignores the pool": {cmmFuncs{request: func(r *materials.EncryptionRequest) { r.Context = nil }}, envelope.ErrMaterials},
	} {
		t.Run(name, func(t *testing.T) {
			c.cmm.CMM = defaultCMM(t)
			_, err := withCMM(t, &c.cmm).EncryptItem(t.Context(), validItem())
			failsWith(t, err, c.class, "encrypt", "")
		})
	}
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	var asked materials.EncryptionContext
	for name, cmm := range map[string]cmmFuncs{
		"returns nothing": {read: func(*materials.Decryption) *materials.Decryption { return nil }},
		"returns no key":  {read: func(m *materials.Decryption) *materials.Decryption { m.Wipe(); return m }},
		"drops a pair": {read: func(m *materials.Decryption) *materials.Decryption {
			return reading(t, m, m.Suite(),
				func(c materials.EncryptionContext) { delete(c, materials.ContextTableName) })
		}},
		"drops a pair of the request too": {
			reading: func(r *materials.DecryptionRequest) {
				asked, r.Reproduced = r.Reproduced, maps.Clone(r.Reproduced)
			},
			read: func(m *materials.Decryption) *materials.Decryption {
				delete(asked, materials.ContextTableName)
				return reading(t, m, m.Suite(),
					func(c materials.EncryptionContext) { delete(c, materials.ContextTableName) })
			},
		},
		"changes a pair": {read: func(m *materials.Decryption) *materials.Decryption {
			return reading(t, m, m.Suite(),
				func(c materials.EncryptionContext) { c[materials.ContextPartitionName] = "x" })
		}},
		"another suite": {read: func(m *materials.Decryption) *materials.Decryption {
			return reading(t, m, envelope.SuiteSymmetricSignature,
				func(c materials.EncryptionContext) { delete(c, materials.ContextPublicKey) })
		}},
	} {
		t.Run("reading "+name, func(t *testing.T) {
			cmm.CMM = defaultCMM(t)
			_, err := withCMM(t, &cmm).DecryptItem(t.Context(), sealed)
			failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
		})
	}
	config := validConfig(t)
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	symmetric := mustEncrypt(t, mustEncryptor(t, config), validItem())
	_, err := withCMM(t, &cmmFuncs{CMM: defaultCMM(t), read: func(m *materials.Decryption) *materials.Decryption {
		return reading(t, m, envelope.SuiteDigitalSignature,
			func(c materials.EncryptionContext) { c[materials.ContextPublicKey] = "x" })
	}}).DecryptItem(t.Context(), symmetric)
	failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
}

// reading copies materials with a changed context.
func reading(t testing.TB, m *materials.Decryption, suite envelope.AlgorithmSuite,
	change func(materials.EncryptionContext)) *materials.Decryption {
	t.Helper()
	c := m.Context().Clone()
	change(c)
	out, err := materials.NewDecryption(suite, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.SetDataKey(m.DataKey(), m.SymmetricSigningKey()); err != nil {
		t.Fatal(err)
	}
	return out
}

// brokenKeyring fails with an error of no class, or does nothing.
type brokenKeyring struct{ err error }

func (k brokenKeyring) OnEncrypt(context.Context, *materials.Encryption) error { return k.err }
func (k brokenKeyring) OnDecrypt(context.Context, *materials.Decryption, []materials.EncryptedDataKey) error {
	return k.err
}

func TestKeyringFailures(t *testing.T) {
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	own := errors.New("vault is sealed")
	for _, err := range []error{nil, own, context.DeadlineExceeded, envelope.ErrKeyDenied} {
		config := validConfig(t)
		config.Keyring = brokenKeyring{err}
		e := mustEncryptor(t, config)
		class := envelope.ErrMaterials
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, envelope.ErrKeyDenied) {
			class = err
		}
		for _, do := range []func() error{
			func() error { _, err := e.EncryptItem(t.Context(), validItem()); return err },
			func() error { _, err := e.DecryptItem(t.Context(), sealed); return err },
		} {
			got := do()
			if !errors.Is(got, class) || err != nil && !errors.Is(got, err) || class != envelope.ErrMaterials &&
				errors.Is(got, envelope.ErrMaterials) {
				t.Errorf("keyring error %v becomes %v", err, got)
			}
		}
	}
}

// A keyring for one direction is a matter of configuration, not of the item.
func TestKeyringsForOneDirection(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaConfig := keyring.RawRSAConfig{Namespace: "tests", Name: "pair", Padding: keyring.RSAPaddingOAEPSHA256}
	writing, reading := rsaConfig, rsaConfig
	writing.PublicKey, reading.PrivateKey = &private.PublicKey, private
	encryptor := func(c keyring.RawRSAConfig) *envelope.ItemEncryptor {
		k, err := keyring.NewRawRSA(c)
		if err != nil {
			t.Fatal(err)
		}
		config := validConfig(t)
		config.Keyring = k
		return mustEncryptor(t, config)
	}
	writer, reader := encryptor(writing), encryptor(reading)
	sealed := mustEncrypt(t, writer, validItem())
	if _, err := reader.DecryptItem(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	_, err = reader.EncryptItem(t.Context(), validItem())
	failsWith(t, err, envelope.ErrConfiguration, "encrypt", "")
	_, err = writer.DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrConfiguration, "decrypt", "")
}

func TestKeyLimitOnWriting(t *testing.T) {
	config := validConfig(t)
	two, err := keyring.NewMulti(testKeyring(t), testKeyring(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Keyring = two
	for limit, fails := range map[int]bool{0: false, 1: true, 2: false} {
		config.MaxEncryptedDataKeys = limit
		_, err := mustEncryptor(t, config).EncryptItem(t.Context(), validItem())
		if fails {
			failsWith(t, err, envelope.ErrMaterials, "encrypt", "")
		} else if err != nil {
			t.Errorf("at most %d: %v", limit, err)
		}
	}
}

// Materials that are refused are wiped like those that served.
func TestRefusedMaterialsAreWiped(t *testing.T) {
	wiped := func(what string, keys ...[]byte) {
		t.Helper()
		for i, k := range keys {
			if !bytes.Equal(k, make([]byte, 32)) {
				t.Errorf("%s: key %d of %d bytes is left", what, i, len(k))
			}
		}
	}
	for _, spoil := range []bool{false, true} {
		var written *materials.Encryption
		var read *materials.Decryption
		var keys [][]byte
		e := withCMM(t, &cmmFuncs{
			CMM: defaultCMM(t),
			response: func(m *materials.Encryption) *materials.Encryption {
				written, keys = m, append(keys, m.DataKey(), m.SymmetricSigningKeys()[0])
				if spoil {
					m.Context()["late"] = "x"
				}
				return m
			},
			read: func(m *materials.Decryption) *materials.Decryption {
				read, keys = m, append(keys, m.DataKey(), m.SymmetricSigningKey())
				if spoil {
					m.Context()[materials.ContextTableName] = "x"
				}
				return m
			},
		})
		sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
		if _, err := e.EncryptItem(t.Context(), validItem()); errors.Is(err, envelope.ErrMaterials) != spoil {
			t.Errorf("encrypted: %v", err)
		}
		if _, err := e.DecryptItem(t.Context(), sealed); errors.Is(err, envelope.ErrMaterials) != spoil {
			t.Errorf("decrypted: %v", err)
		}
		if written.DataKey() != nil || written.SigningKey() != nil || read.DataKey() != nil {
			t.Error("materials are still of use")
		}
		if len(keys) != 4 {
			t.Errorf("%d keys", len(keys))
		}
		wiped("after the operation", keys...)
	}
}

// A pair with an empty value is a pair: one that is missing is noticed.
func TestEmptyPairsAreNotDropped(t *testing.T) {
	adds := func(r *materials.EncryptionRequest) { r.Context["department"] = "" }
	sealed := mustEncrypt(t, withCMM(t, &cmmFuncs{CMM: defaultCMM(t), request: adds}), validItem())
	drops := withCMM(t, &cmmFuncs{CMM: defaultCMM(t), read: func(m *materials.Decryption) *materials.Decryption {
		return reading(t, m, m.Suite(), func(c materials.EncryptionContext) { delete(c, "department") })
	}})
	_, err := drops.DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
	config := newerConfig(t, actions{"note": include})
	config.Keyring, config.CMM = nil, &cmmFuncs{CMM: defaultCMM(t), request: func(r *materials.EncryptionRequest) {
		delete(r.Context, materials.ContextAttributePrefix+"note")
	}}
	item := validItem()
	item["note"] = s("")
	_, err = mustEncryptor(t, config).EncryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrMaterials, "encrypt", "")
}

// TestForeignCMMIsToldTheLimit: a manager learns how many encrypted data keys an
// item may have, on writing and on reading.
func TestForeignCMMIsToldTheLimit(t *testing.T) {
	var limits []int
	config := validConfig(t)
	config.Keyring, config.MaxEncryptedDataKeys = nil, 7
	config.CMM = &cmmFuncs{CMM: defaultCMM(t),
		request: func(r *materials.EncryptionRequest) { limits = append(limits, r.MaxEncryptedDataKeys) },
		reading: func(r *materials.DecryptionRequest) { limits = append(limits, r.MaxEncryptedDataKeys) }}
	roundTrip(t, mustEncryptor(t, config), validItem())
	if len(limits) < 2 || slices.ContainsFunc(limits, func(n int) bool { return n != 7 }) {
		t.Errorf("told %v, want 7 each time", limits)
	}
}

// The limits and the reserved names hold for a foreign manager in both suites.
func TestForeignCMMKeepsTheLimits(t *testing.T) {
	two, err := keyring.NewMulti(testKeyring(t), anotherKeyring(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		for limit, class := range map[int]error{1: envelope.ErrMaterials, 2: nil, 3: nil} {
			inner, err := materials.NewDefaultCMM(two)
			if err != nil {
				t.Fatal(err)
			}
			config := validConfig(t)
			config.AlgorithmSuite, config.Keyring, config.MaxEncryptedDataKeys = suite, nil, limit
			config.CMM = &cmmFuncs{CMM: inner,
				request: func(r *materials.EncryptionRequest) { r.MaxEncryptedDataKeys = 0 }}
			if _, err := mustEncryptor(t, config).EncryptItem(t.Context(), validItem()); !errors.Is(err, class) {
				t.Errorf("%v, at most %d: %v", suite, limit, err)
			}
			config.CMM = &cmmFuncs{CMM: defaultCMM(t),
				request: func(r *materials.EncryptionRequest) { r.Context["aws-crypto-x"] = "y" }}
			_, err = mustEncryptor(t, config).EncryptItem(t.Context(), validItem())
			failsWith(t, err, envelope.ErrConfiguration, "encrypt", "")
		}
	}
}
