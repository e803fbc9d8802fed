// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"reflect"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

const (
	oaep1   = "RSAES_OAEP_SHA_1"
	oaep256 = "RSAES_OAEP_SHA_256"
)

func (w *world) rsaKey() string {
	w.t.Helper()
	return w.key(members{"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"})
}

func (w *world) agreementKey(spec string) string {
	w.t.Helper()
	return w.key(members{"KeySpec": spec, "KeyUsage": "KEY_AGREEMENT"})
}

func (w *world) publicKey(arn string) []byte {
	w.t.Helper()
	return decoded(w.t, w.do(root(here), "GetPublicKey", members{"KeyId": arn})["PublicKey"])
}

func (w *world) derive(arn string, public []byte) []byte {
	w.t.Helper()
	return decoded(w.t, w.do(root(here), "DeriveSharedSecret", agree(arn, public))["SharedSecret"])
}

// Two keys agree on one secret, and so do a key and a local pair.
func TestDeriveSharedSecret(t *testing.T) {
	w := newWorld(t)
	for spec, curve := range map[string]ecdh.Curve{"ECC_NIST_P256": ecdh.P256(), "ECC_NIST_P384": ecdh.P384(),
		"ECC_NIST_P521": ecdh.P521()} {
		a, b := w.agreementKey(spec), w.agreementKey(spec)
		w.do(root(here), "CreateAlias", members{"AliasName": "alias/" + spec, "TargetKeyId": a})
		secret := w.derive("alias/"+spec, w.publicKey(b))
		if !bytes.Equal(secret, w.derive(b, w.publicKey(a))) || len(w.derive(a, w.publicKey(a))) != len(secret) {
			t.Errorf("%s: two secrets", spec)
		}
		local, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(local.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParsePKIXPublicKey(w.publicKey(a))
		if err != nil {
			t.Fatal(err)
		}
		public, err := parsed.(*ecdsa.PublicKey).ECDH()
		if err != nil {
			t.Fatal(err)
		}
		want, err := local.ECDH(public)
		if err != nil || !bytes.Equal(w.derive(a, der), want) {
			t.Errorf("%s: another secret than a local pair's: %v", spec, err)
		}
		out := w.do(root(here), "DeriveSharedSecret",
			members{"KeyId": a, "KeyAgreementAlgorithm": "ECDH", "PublicKey": der})
		if out["KeyId"] != a || out["KeyAgreementAlgorithm"] != "ECDH" || out["KeyOrigin"] != "AWS_KMS" ||
			len(out) != 4 {
			t.Errorf("%s: %v", spec, out)
		}
	}
}

// What is encrypted here or with the public key opens under the algorithm that it
// was made with.
func TestRSAEncryption(t *testing.T) {
	w := newWorld(t)
	arn := w.rsaKey()
	parsed, err := x509.ParsePKIXPublicKey(w.publicKey(arn))
	if err != nil {
		t.Fatal(err)
	}
	local, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, parsed.(*rsa.PublicKey), []byte("old"), nil)
	if err != nil {
		t.Fatal(err)
	}
	blobs := map[string]any{oaep256 + " local": local}
	for _, algorithm := range []string{oaep1, oaep256} {
		out := w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": []byte("old"), "EncryptionAlgorithm": algorithm})
		if out["EncryptionAlgorithm"] != algorithm || out["KeyId"] != arn || len(out) != 3 {
			t.Errorf("Encrypt answered %v", out)
		}
		blobs[algorithm] = out["CiphertextBlob"]
	}
	w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": make([]byte, 190), "EncryptionAlgorithm": oaep256})
	for name, blob := range blobs {
		algorithm, _, _ := strings.Cut(name, " ")
		in := members{"KeyId": arn, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm}
		out := w.do(root(here), "Decrypt", in)
		if string(decoded(t, out["Plaintext"])) != "old" || out["EncryptionAlgorithm"] != algorithm ||
			out["KeyId"] != arn || len(out) != 3 {
			t.Errorf("%s: Decrypt answered %v", name, out)
		}
		in["EncryptionAlgorithm"] = map[string]string{oaep1: oaep256, oaep256: oaep1}[algorithm]
		w.fails(root(here), "Decrypt", in, "InvalidCiphertextException", "")
	}
}

// ReEncrypt goes between symmetric and asymmetric keys.
func TestReEncryptOfPairs(t *testing.T) {
	w := newWorld(t)
	symmetric, one, two := w.key(nil), w.rsaKey(), w.rsaKey()
	blob := w.encrypt(symmetric)
	out := w.do(root(here), "ReEncrypt", members{"CiphertextBlob": blob, "SourceKeyId": symmetric,
		"DestinationKeyId": one, "DestinationEncryptionAlgorithm": oaep1})
	want := members{"DestinationEncryptionAlgorithm": oaep1, "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
		"KeyId": one, "SourceKeyId": symmetric}
	for name, value := range want {
		if out[name] != value {
			t.Errorf("%s is %v", name, out[name])
		}
	}
	if out["SourceKeyMaterialId"] == nil || out["DestinationKeyMaterialId"] != nil {
		t.Errorf("material: %v", out)
	}
	out = w.do(root(here), "ReEncrypt", members{"CiphertextBlob": out["CiphertextBlob"], "SourceKeyId": one,
		"SourceEncryptionAlgorithm": oaep1, "DestinationKeyId": two, "DestinationEncryptionAlgorithm": oaep256})
	out = w.do(root(here), "ReEncrypt", members{"CiphertextBlob": out["CiphertextBlob"], "SourceKeyId": two,
		"SourceEncryptionAlgorithm": oaep256, "DestinationKeyId": symmetric})
	if out["SourceKeyMaterialId"] != nil || out["DestinationKeyMaterialId"] == nil {
		t.Errorf("material: %v", out)
	}
	w.opens(symmetric, out["CiphertextBlob"])
	long := w.do(root(here), "Encrypt", members{"KeyId": symmetric, "Plaintext": make([]byte, 191)})
	w.fails(root(here), "ReEncrypt", members{"CiphertextBlob": long["CiphertextBlob"], "DestinationKeyId": one,
		"DestinationEncryptionAlgorithm": oaep256}, "ValidationException", "cannot encrypt data larger than 190 bytes")
}

func TestDescribePairs(t *testing.T) {
	w := newWorld(t)
	both := []any{oaep1, oaep256}
	for spec, want := range map[string]members{
		"RSA_2048": {"KeyUsage": "ENCRYPT_DECRYPT", "EncryptionAlgorithms": both, "KeyAgreementAlgorithms": nil},
		"ECC_NIST_P521": {"KeyUsage": "KEY_AGREEMENT", "EncryptionAlgorithms": nil,
			"KeyAgreementAlgorithms": []any{"ECDH"}},
	} {
		arn := w.key(members{"KeySpec": spec, "KeyUsage": want["KeyUsage"]})
		want["KeySpec"], want["CustomerMasterKeySpec"] = spec, spec
		public := w.do(root(here), "GetPublicKey", members{"KeyId": arn})
		want["MacAlgorithms"], want["CurrentKeyMaterialId"] = nil, nil
		described := w.describe(arn)
		for name, value := range want {
			if got := described[name]; !reflect.DeepEqual(got, value) {
				t.Errorf("%s: DescribeKey has %s %v", spec, name, got)
			}
			if got := public[name]; !reflect.DeepEqual(got, value) {
				t.Errorf("%s: GetPublicKey has %s %v", spec, name, got)
			}
		}
		if public["KeyId"] != arn {
			t.Errorf("%s: GetPublicKey answered %v", spec, public)
		}
		w.do(root(here), "CreateAlias", members{"AliasName": "alias/" + spec, "TargetKeyId": arn})
		if out := w.do(root(here), "GetPublicKey", members{"KeyId": "alias/" + spec}); out["KeyId"] != arn {
			t.Errorf("%s: GetPublicKey by alias answered %v", spec, out)
		}
		if out := w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn}); out["KeyRotationEnabled"] != false {
			t.Errorf("%s: rotation is %v", spec, out)
		}
	}
}

func TestPairRefusals(t *testing.T) {
	w := newWorld(t)
	symmetric, pair, agreement := w.key(nil), w.rsaKey(), w.agreementKey("ECC_NIST_P256")
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	blob := w.do(root(here), "Encrypt", members{"KeyId": pair, "Plaintext": []byte("x"),
		"EncryptionAlgorithm": oaep256})["CiphertextBlob"]
	elsewhere := w.publicKey(w.agreementKey("ECC_NIST_P384"))
	nowhere := strings.Replace(symmetric, keyIDOf(symmetric), "00000000-0000-4000-8000-000000000000", 1)
	const usage, noContext = "InvalidKeyUsageException",
		"EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
	encrypt := func(more members) members {
		in := members{"KeyId": pair, "Plaintext": []byte("x"), "EncryptionAlgorithm": oaep256}
		for name, value := range more {
			in[name] = value
		}
		return in
	}
	derive := func(more members) members {
		in := members{"KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": w.publicKey(agreement)}
		for name, value := range more {
			in[name] = value
		}
		return in
	}
	for name, c := range map[string]struct {
		operation     string
		in            members
		code, message string
	}{
		"no algorithm": {"Encrypt", encrypt(members{"EncryptionAlgorithm": nil}), usage,
			"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."},
		"SM2": {"Encrypt", encrypt(members{"EncryptionAlgorithm": "SM2PKE"}), usage,
			"Algorithm SM2PKE is incompatible with key spec RSA_2048."},
		"symmetric key": {"Encrypt", encrypt(members{"KeyId": symmetric}), usage,
			"Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT."},
		"agreement key encrypts": {"Encrypt", encrypt(members{"KeyId": agreement}), usage,
			"key usage is KEY_AGREEMENT which is not valid for Encrypt."},
		"context": {"Encrypt", encrypt(members{"EncryptionContext": members{"a": "b"}}), "ValidationException",
			noContext},
		"long for SHA-256": {"Encrypt", encrypt(members{"Plaintext": make([]byte, 191)}), "ValidationException",
			"Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."},
		"long for SHA-1": {"Encrypt", encrypt(members{"Plaintext": make([]byte, 215), "EncryptionAlgorithm": oaep1}),
			"ValidationException",
			"Algorithm RSAES_OAEP_SHA_1 and key spec RSA_2048 cannot encrypt data larger than 214 bytes."},
		"dry run, long": {"Encrypt", encrypt(members{"Plaintext": make([]byte, 191), "DryRun": true}),
			"ValidationException", "cannot encrypt data larger"},
		"dry run": {"Encrypt", encrypt(members{"DryRun": true}), "DryRunOperationException", ""},
		"decrypt without algorithm": {"Decrypt", members{"KeyId": pair, "CiphertextBlob": blob}, usage,
			"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."},
		"decrypt with context": {"Decrypt", members{"KeyId": pair, "CiphertextBlob": blob,
			"EncryptionAlgorithm": oaep256, "EncryptionContext": members{"a": "b"}}, "ValidationException", noContext},
		"decrypt without key": {"Decrypt", members{"CiphertextBlob": blob, "EncryptionAlgorithm": oaep256},
			"InvalidCiphertextException", ""},
		"decrypt what is symmetric": {"Decrypt", members{"KeyId": pair, "CiphertextBlob": w.encrypt(symmetric)},
			"IncorrectKeyException", "does not identify a CMK that can perform this operation."},
		"decrypt what is symmetric by OAEP": {"Decrypt", members{"KeyId": pair, "CiphertextBlob": w.encrypt(symmetric),
			"EncryptionAlgorithm": oaep256}, "InvalidCiphertextException", ""},
		"public key of nothing": {"GetPublicKey", members{"KeyId": nowhere}, "NotFoundException", nowhere},
		"public key, no id":     {"GetPublicKey", members{}, "ValidationException", "Value null at 'keyId'"},
		"public key, tokens": {"GetPublicKey", members{"KeyId": pair, "GrantTokens": make([]string, 11)},
			"ValidationException", "'grantTokens'"},
		"secret of nothing": {"DeriveSharedSecret", derive(members{"KeyId": nowhere}), "NotFoundException", nowhere},
		"secret, no id": {"DeriveSharedSecret", derive(members{"KeyId": nil}), "ValidationException",
			"Value null at 'keyId'"},
		"decrypt by agreement key": {"Decrypt", members{"KeyId": agreement, "CiphertextBlob": blob,
			"EncryptionAlgorithm": oaep256}, "IncorrectKeyException", ""},
		"decrypt short": {"Decrypt", members{"KeyId": pair, "CiphertextBlob": []byte("x"),
			"EncryptionAlgorithm": oaep256}, "InvalidCiphertextException", ""},
		"data key": {"GenerateDataKey", members{"KeyId": pair, "KeySpec": "AES_256"}, usage,
			"You cannot generate a data key with an asymmetric CMK"},
		"data key of agreement key": {"GenerateDataKey", members{"KeyId": agreement, "KeySpec": "AES_256"}, usage,
			"key usage is KEY_AGREEMENT which is not valid for GenerateDataKey."},
		"public key, symmetric": {"GetPublicKey", members{"KeyId": symmetric}, "UnsupportedOperationException",
			symmetric + " key spec is SYMMETRIC_DEFAULT which is not valid for GetPublicKey."},
		"public key, MAC": {"GetPublicKey", members{"KeyId": mac}, "UnsupportedOperationException",
			mac + " key spec is HMAC_256 which is not valid for GetPublicKey."},
		"secret of RSA key": {"DeriveSharedSecret", derive(members{"KeyId": pair}), usage,
			"key usage is ENCRYPT_DECRYPT which is not valid for DeriveSharedSecret."},
		"no key agreement": {"DeriveSharedSecret", derive(members{"KeyAgreementAlgorithm": nil}),
			"ValidationException", "Value null at 'keyAgreementAlgorithm'"},
		"unknown key agreement": {"DeriveSharedSecret", derive(members{"KeyAgreementAlgorithm": "X25519"}),
			"ValidationException", "enum value set: [ECDH]"},
		"no public key": {"DeriveSharedSecret", derive(members{"PublicKey": nil}), "ValidationException",
			"at 'publicKey'"},
		"long public key": {"DeriveSharedSecret", derive(members{"PublicKey": make([]byte, 8193)}),
			"ValidationException", "less than or equal to 8192"},
		"public key of another curve": {"DeriveSharedSecret", derive(members{"PublicKey": elsewhere}),
			"ValidationException", "The public key is not a valid key of key spec ECC_NIST_P256."},
		"no DER":         {"DeriveSharedSecret", derive(members{"PublicKey": []byte("x")}), "ValidationException", "not a valid"},
		"enclave":        {"DeriveSharedSecret", derive(members{"Recipient": members{}}), "UnsupportedOperationException", "enclaves"},
		"secret dry run": {"DeriveSharedSecret", derive(members{"DryRun": true}), "DryRunOperationException", ""},
		"grant token":    {"DeriveSharedSecret", derive(members{"GrantTokens": []string{"x"}}), "InvalidGrantTokenException", ""},
		"public key token": {"GetPublicKey", members{"KeyId": pair, "GrantTokens": []string{"x"}},
			"InvalidGrantTokenException", ""},
		"rotation": {"EnableKeyRotation", members{"KeyId": pair}, "UnsupportedOperationException",
			"key spec is RSA_2048 which is not valid for EnableKeyRotation."},
		"rotation on demand": {"RotateKeyOnDemand", members{"KeyId": agreement}, "UnsupportedOperationException",
			"key usage is KEY_AGREEMENT which is not valid for RotateKeyOnDemand."},
		"rotations": {"ListKeyRotations", members{"KeyId": pair}, "UnsupportedOperationException",
			"key spec is RSA_2048 which is not valid for ListKeyRotations."},
		"sign": {"Sign", members{"KeyId": pair}, "UnsupportedOperationException", "signing keys"},
	} {
		t.Log(name)
		w.fails(root(here), c.operation, c.in, c.code, c.message)
	}
	for _, arn := range []string{pair, agreement} {
		w.do(root(here), "DisableKey", members{"KeyId": arn})
		w.fails(root(here), "GetPublicKey", members{"KeyId": arn}, "DisabledException", arn+" is disabled.")
	}
	w.fails(root(here), "DeriveSharedSecret", agree(agreement, elsewhere), "DisabledException", "is disabled.")
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": pair})
	w.fails(root(here), "GetPublicKey", members{"KeyId": pair}, "KMSInvalidStateException", "is pending deletion.")
}

// agree is a request of DeriveSharedSecret.
func agree(arn string, public []byte) members {
	return members{"KeyId": arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public}
}

// Signing keys, and keys of curves without agreement, are refused by name; wrong
// pairs of spec and usage as AWS does.
func TestCreatePairRefusals(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ spec, usage, code, message string }{
		{"RSA_2048", "SIGN_VERIFY", "UnsupportedOperationException", "KeySpec RSA_2048"},
		{"ECC_NIST_P256", "SIGN_VERIFY", "UnsupportedOperationException", "no signing keys"},
		{"ECC_SECG_P256K1", "SIGN_VERIFY", "UnsupportedOperationException", "KeySpec ECC_SECG_P256K1"},
		{"SM2", "KEY_AGREEMENT", "UnsupportedOperationException", "KeySpec SM2"},
		{"ML_DSA_44", "SIGN_VERIFY", "UnsupportedOperationException", "KeySpec ML_DSA_44"},
		{"RSA_4096", "", "ValidationException", "You must specify a KeyUsage value"},
		{"ECC_NIST_P384", "", "ValidationException", "You must specify a KeyUsage value"},
		{"RSA_2048", "KEY_AGREEMENT", "ValidationException",
			"KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"},
		{"ECC_NIST_P256", "ENCRYPT_DECRYPT", "ValidationException", "is not compatible with KeySpec ECC_NIST_P256"},
		{"RSA_2048", "GENERATE_VERIFY_MAC", "ValidationException", "is not compatible with KeySpec RSA_2048"},
		{"SYMMETRIC_DEFAULT", "KEY_AGREEMENT", "ValidationException", "is not compatible with KeySpec SYMMETRIC_DEFAULT"},
		{"SYMMETRIC_DEFAULT", "SIGN_VERIFY", "ValidationException", "is not compatible with KeySpec SYMMETRIC_DEFAULT"},
		{"HMAC_256", "ENCRYPT_DECRYPT", "ValidationException", "is not compatible with KeySpec HMAC_256"},
	} {
		in := members{"KeySpec": c.spec}
		if c.usage != "" {
			in["KeyUsage"] = c.usage
		}
		w.fails(root(here), "CreateKey", in, c.code, c.message)
	}
	w.fails(root(here), "CreateKey",
		members{"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "EXTERNAL"},
		"UnsupportedOperationException", "Origin EXTERNAL")
	stranger := w.user(here, "stranger")
	w.fails(stranger, "CreateKey", members{"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
		"AccessDeniedException", "kms:CreateKey")
}

// Related multi-Region keys have one pair.
func TestReplicatedPairs(t *testing.T) {
	w := newWorld(t)
	const there = "us-east-1"
	primary := w.key(members{"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT", "MultiRegion": true})
	w.do(root(here), "ReplicateKey", members{"KeyId": primary, "ReplicaRegion": there})
	replica := strings.Replace(primary, region, there, 1)
	out := w.doIn(there, root(here), "GetPublicKey", members{"KeyId": replica})
	if out["KeyId"] != replica || !bytes.Equal(decoded(t, out["PublicKey"]), w.publicKey(primary)) {
		t.Errorf("the replica has another public key: %v", out)
	}
	other := w.publicKey(w.agreementKey("ECC_NIST_P256"))
	secret := w.doIn(there, root(here), "DeriveSharedSecret", agree(replica, other))["SharedSecret"]
	if !bytes.Equal(decoded(t, secret), w.derive(primary, other)) {
		t.Error("the replica has another private key")
	}
}

// Pairs come back with a restart, and nothing of them is used after deletion.
func TestPairsAreKept(t *testing.T) {
	w := newWorld(t)
	pair, agreement := w.rsaKey(), w.agreementKey("ECC_NIST_P521")
	other := w.publicKey(w.agreementKey("ECC_NIST_P521"))
	public, secret := w.publicKey(pair), w.derive(agreement, other)
	blob := w.do(root(here), "Encrypt", members{"KeyId": pair, "Plaintext": []byte("x"),
		"EncryptionAlgorithm": oaep1})["CiphertextBlob"]
	w.restart()
	if !bytes.Equal(w.publicKey(pair), public) || !bytes.Equal(w.derive(agreement, other), secret) {
		t.Error("another pair after a restart")
	}
	w.do(root(here), "Decrypt", members{"KeyId": pair, "CiphertextBlob": blob, "EncryptionAlgorithm": oaep1})
	for name, damage := range map[string][]byte{"cut": []byte("AAAA"), "another spec's": nil} {
		if damage == nil {
			_, material, err := asymmetric.Generate("ECC_NIST_P256")
			if err != nil {
				t.Fatal(err)
			}
			damage = material
		}
		var tx storage.Tx
		k, _ := w.kms.findByARN(agreement)
		state := k.family.load().clone()
		state.versions = []*version{{id: "x", secret: damage}}
		fileFamily(&tx, k.family, state)
		if err := w.store.Submit(&tx).Wait(); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w, Principals: w})
		if err == nil || !strings.Contains(err.Error(), "material is not of the key spec ECC_NIST_P521") {
			t.Errorf("%s material: %v", name, err)
		}
	}
	k, _ := w.kms.findByARN(agreement)
	v := k.family.load().newest()
	kept := v.secret
	v.wipe()
	if v.pair != nil || len(bytes.Trim(kept, "\x00")) != 0 {
		t.Error("material is left after the deletion")
	}
	w.fails(root(here), "DeriveSharedSecret", agree(agreement, other), "NotFoundException", agreement)
	w.fails(root(here), "GetPublicKey", members{"KeyId": agreement}, "NotFoundException", agreement)
	dry := agree(agreement, other)
	dry["DryRun"] = true
	w.fails(root(here), "DeriveSharedSecret", dry, "NotFoundException", agreement)
	k, _ = w.kms.findByARN(pair)
	k.family.load().newest().wipe()
	w.fails(root(here), "Encrypt", members{"KeyId": pair, "Plaintext": []byte("x"), "EncryptionAlgorithm": oaep1},
		"NotFoundException", pair)
	w.fails(root(here), "Decrypt", members{"KeyId": pair, "CiphertextBlob": blob, "EncryptionAlgorithm": oaep1},
		"NotFoundException", pair)
}

// An answer with a secret is wiped once it is encoded.
func TestDerivedSecretIsWiped(t *testing.T) {
	out := &deriveOutput{SharedSecret: bytes.Repeat([]byte{7}, 32)}
	if _, err := encode(out); err != nil || len(bytes.Trim(out.SharedSecret, "\x00")) != 0 {
		t.Errorf("%x is left, %v", out.SharedSecret, err)
	}
}
