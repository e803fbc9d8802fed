// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func decoded(t testing.TB, v any) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(v.(string))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTripBindsContext(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(nil), w.key(nil)
	contexts := rapid.MapOfN(rapid.StringN(0, 20, 60), rapid.StringN(0, 20, 60), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "plaintext")
		bound, wrong := contexts.Draw(t, "context"), contexts.Draw(t, "wrong context")
		blob := decoded(w.t, w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": plaintext, "EncryptionContext": bound})["CiphertextBlob"])
		out := w.do(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": bound})
		if !bytes.Equal(decoded(w.t, out["Plaintext"]), plaintext) || out["KeyId"] != arn ||
			out["EncryptionAlgorithm"] != "SYMMETRIC_DEFAULT" {
			t.Fatalf("Decrypt answered %v", out)
		}
		w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": bound, "KeyId": other},
			"IncorrectKeyException", "does not identify a CMK")
		a, _ := json.Marshal(bound)
		b, _ := json.Marshal(wrong)
		if !bytes.Equal(a, b) {
			w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": wrong},
				"InvalidCiphertextException", "")
		}
		flipped := bytes.Clone(blob)
		bit := rapid.IntRange(0, len(blob)*8-1).Draw(t, "bit")
		flipped[bit/8] ^= 1 << (bit % 8)
		out, err := w.try(root(here), "Decrypt", members{"CiphertextBlob": flipped, "EncryptionContext": bound})
		if err == nil {
			t.Fatalf("bit %d flipped, and Decrypt answered %v", bit, out)
		}
		// Naming the key, nothing but the two refusals of a foreign blob is left.
		_, err = w.try(root(here), "Decrypt",
			members{"CiphertextBlob": flipped, "EncryptionContext": bound, "KeyId": arn})
		if e, ok := err.(*request.Error); !ok || e.Code != "InvalidCiphertextException" &&
			e.Code != "IncorrectKeyException" {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
		cut := rapid.IntRange(1, len(blob)-1).Draw(t, "cut")
		if _, err := w.try(root(here), "Decrypt",
			members{"CiphertextBlob": blob[:cut], "EncryptionContext": bound}); err == nil {
			t.Fatalf("%d of %d bytes were decrypted", cut, len(blob))
		}
	})
}

func TestContextSerializationIsInjective(t *testing.T) {
	contexts := rapid.MapOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\x01")), 0, 3, -1),
		rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\x01")), 0, 3, -1), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := contexts.Draw(t, "a"), contexts.Draw(t, "b")
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if bytes.Equal(x, y) != bytes.Equal(ciphertext.AppendContext(nil, a), ciphertext.AppendContext(nil, b)) {
			t.Fatalf("%s and %s are mistaken for each other", x, y)
		}
	})
}

func TestCryptoRefusals(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	stranger := w.user(here, "stranger")
	blob := w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	for name, c := range map[string]struct {
		operation     string
		in            members
		code, message string
	}{
		"no plaintext":       {"Encrypt", members{"KeyId": arn}, "ValidationException", "Value null at 'plaintext'"},
		"empty plaintext":    {"Encrypt", members{"KeyId": arn, "Plaintext": []byte{}}, "ValidationException", "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"long plaintext":     {"Encrypt", members{"KeyId": arn, "Plaintext": make([]byte, 4097)}, "ValidationException", "less than or equal to 4096"},
		"long ciphertext":    {"Decrypt", members{"CiphertextBlob": make([]byte, 6145)}, "ValidationException", "less than or equal to 6144"},
		"not base64":         {"Decrypt", members{"CiphertextBlob": "§"}, "SerializationException", ""},
		"no ciphertext":      {"Decrypt", members{"CiphertextBlob": make([]byte, 100)}, "InvalidCiphertextException", ""},
		"no ciphertext, key": {"Decrypt", members{"CiphertextBlob": make([]byte, 100), "KeyId": arn}, "InvalidCiphertextException", ""},
		"MAC key encrypts":   {"Encrypt", members{"KeyId": mac, "Plaintext": []byte("x")}, "InvalidKeyUsageException", mac + " key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt."},
		"MAC key decrypts": {"Decrypt", members{"KeyId": mac, "CiphertextBlob": blob}, "IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation."},
		"key makes MAC":       {"GenerateMac", members{"KeyId": arn, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"}, "InvalidKeyUsageException", "not valid for GenerateMac"},
		"wrong MAC algorithm": {"GenerateMac", members{"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_512"}, "InvalidKeyUsageException", "incompatible"},
		"no MAC algorithm":    {"GenerateMac", members{"KeyId": mac, "Message": []byte("x")}, "ValidationException", "Value null at 'macAlgorithm'"},
		"long message":        {"GenerateMac", members{"KeyId": mac, "Message": make([]byte, 4097), "MacAlgorithm": "HMAC_SHA_256"}, "ValidationException", "less than or equal to 4096"},
		"wrong MAC":           {"VerifyMac", members{"KeyId": mac, "Message": []byte("x"), "Mac": []byte("y"), "MacAlgorithm": "HMAC_SHA_256"}, "KMSInvalidMacException", ""},
		"two sizes":           {"GenerateDataKey", members{"KeyId": arn, "KeySpec": "AES_256", "NumberOfBytes": 32}, "ValidationException", "either number of bytes or key spec"},
		"no size":             {"GenerateDataKey", members{"KeyId": arn}, "ValidationException", "either number of bytes or key spec"},
		"large data key":      {"GenerateDataKey", members{"KeyId": arn, "NumberOfBytes": 1025}, "ValidationException", "Value '1025' at 'numberOfBytes'"},
		"asymmetric":          {"Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "InvalidKeyUsageException", "incompatible"},
		"grant token":         {"Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "GrantTokens": []string{"made up"}}, "InvalidGrantTokenException", ""},
		"two errors":          {"Encrypt", members{}, "ValidationException", "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext'"},
		"random, none":        {"GenerateRandom", members{}, "ValidationException", ""},
		"unsupported":         {"Sign", members{}, "UnsupportedOperationException", "signing keys"},
		"unknown":             {"Nonsense", members{}, "UnknownOperationException", ""},
	} {
		t.Run(name, func(t *testing.T) { w.fails(root(here), c.operation, c.in, c.code, c.message) })
	}
	w.fails(stranger, "Decrypt", members{"CiphertextBlob": blob}, "AccessDeniedException",
		"User: "+stranger.ARN+" is not authorized to perform: kms:Decrypt on resource: "+arn+
			" because no identity-based policy allows the kms:Decrypt action")
	// In another Region there is no such key.
	w.failsIn("us-east-1", root(here), "Decrypt", members{"CiphertextBlob": blob}, "AccessDeniedException",
		"The ciphertext refers to a customer master key that does not exist")
}

func TestDataKeys(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	bound := map[string]string{"table": "orders"}
	for size, in := range map[int]members{32: {"KeySpec": "AES_256"}, 16: {"KeySpec": "AES_128"},
		1024: {"NumberOfBytes": 1024}} {
		in["KeyId"], in["EncryptionContext"] = arn, bound
		out := w.do(root(here), "GenerateDataKey", in)
		opened := w.do(root(here), "Decrypt",
			members{"CiphertextBlob": out["CiphertextBlob"], "EncryptionContext": bound})
		if opened["Plaintext"] != out["Plaintext"] || len(decoded(t, out["Plaintext"])) != size ||
			opened["KeyMaterialId"] != out["KeyMaterialId"] {
			t.Errorf("data key of %d bytes: %v, opened %v", size, out, opened)
		}
		out = w.do(root(here), "GenerateDataKeyWithoutPlaintext", in)
		if _, ok := out["Plaintext"]; ok {
			t.Error("GenerateDataKeyWithoutPlaintext answered a plaintext")
		}
		if n := len(decoded(t, w.do(root(here), "Decrypt",
			members{"CiphertextBlob": out["CiphertextBlob"], "EncryptionContext": bound})["Plaintext"])); n != size {
			t.Errorf("%d bytes, want %d", n, size)
		}
	}
	a, b := w.do(root(here), "GenerateRandom", members{"NumberOfBytes": 24}),
		w.do(root(here), "GenerateRandom", members{"NumberOfBytes": 24})
	if a["Plaintext"] == b["Plaintext"] || len(decoded(t, a["Plaintext"])) != 24 {
		t.Errorf("random bytes %v and %v", a, b)
	}
}

func TestReEncrypt(t *testing.T) {
	w := newWorld(t)
	from, to := w.key(nil), w.key(nil)
	old, renewed := map[string]string{"a": "1"}, map[string]string{"b": "2"}
	blob := w.do(root(here), "Encrypt",
		members{"KeyId": from, "Plaintext": []byte("secret"), "EncryptionContext": old})["CiphertextBlob"]
	in := members{"CiphertextBlob": blob, "SourceEncryptionContext": old, "DestinationKeyId": to,
		"DestinationEncryptionContext": renewed}
	out := w.do(root(here), "ReEncrypt", in)
	if out["SourceKeyId"] != from || out["KeyId"] != to {
		t.Errorf("ReEncrypt answered %v", out)
	}
	opened := w.do(root(here), "Decrypt",
		members{"CiphertextBlob": out["CiphertextBlob"], "EncryptionContext": renewed})
	if string(decoded(t, opened["Plaintext"])) != "secret" || opened["KeyId"] != to {
		t.Errorf("Decrypt answered %v", opened)
	}
	w.fails(w.user(here, "from", "kms:ReEncryptFrom"), "ReEncrypt", in, "AccessDeniedException",
		"kms:ReEncryptTo on resource: "+to)
	w.fails(w.user(here, "to", "kms:ReEncryptTo"), "ReEncrypt", in, "AccessDeniedException",
		"kms:ReEncryptFrom on resource: "+from)
	w.do(w.user(here, "both", "kms:ReEncrypt*"), "ReEncrypt", in)
}

func TestMACs(t *testing.T) {
	w := newWorld(t)
	for spec, size := range map[string]int{"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64} {
		arn := w.key(members{"KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC"})
		algorithm := strings.Replace(spec, "_", "_SHA_", 1)
		in := members{"KeyId": arn, "Message": []byte("message"), "MacAlgorithm": algorithm}
		out := w.do(root(here), "GenerateMac", in)
		if n := len(decoded(t, out["Mac"])); n != size {
			t.Errorf("%s: %d bytes", spec, n)
		}
		in["Mac"] = out["Mac"]
		if out := w.do(root(here), "VerifyMac", in); out["MacValid"] != true {
			t.Errorf("%s: VerifyMac answered %v", spec, out)
		}
		in["Message"] = []byte("massage")
		w.fails(root(here), "VerifyMac", in, "KMSInvalidMacException", "")
		if got := w.describe(arn)["MacAlgorithms"].([]any); len(got) != 1 || got[0] != algorithm {
			t.Errorf("%s: MacAlgorithms %v", spec, got)
		}
	}
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	blob := w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	grant := w.do(root(here), "CreateGrant",
		members{"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})["GrantId"]
	tag := w.do(root(here), "GenerateMac",
		members{"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"})["Mac"]
	for operation, in := range map[string]members{
		"Encrypt": {"KeyId": arn, "Plaintext": []byte("x")}, "Decrypt": {"CiphertextBlob": blob}, "ReEncrypt": {"CiphertextBlob": blob, "DestinationKeyId": arn},
		"GenerateDataKey": {"KeyId": arn, "KeySpec": "AES_256"}, "GenerateDataKeyWithoutPlaintext": {"KeyId": arn, "KeySpec": "AES_256"},
		"GenerateMac": {"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"},
		"VerifyMac":   {"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256", "Mac": tag},
		"CreateGrant": {"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Encrypt"}},
		"RevokeGrant": {"KeyId": arn, "GrantId": grant}, "RetireGrant": {"KeyId": arn, "GrantId": grant},
	} {
		in["DryRun"] = true
		w.fails(root(here), operation, in, "DryRunOperationException",
			"The request would have succeeded, but the DryRun option is set.")
		w.fails(w.user(here, "stranger"), operation, in, "AccessDeniedException", "")
	}
	if grants := w.do(root(here), "ListGrants", members{"KeyId": arn})["Grants"].([]any); len(grants) != 1 {
		t.Errorf("%d grants after dry runs", len(grants))
	}
}

// TestSecretsStaySecret looks for material and plaintext in what is printed
// and audited.
func TestSecretsStaySecret(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	k, _ := w.kms.findByARN(arn)
	v := k.family.load().newest()
	if s := v.secret.String() + v.secret.GoString(); s != "[key material][key material]" {
		t.Errorf("material prints as %s", s)
	}
	if _, err := json.Marshal(v.secret); err == nil ||
		!strings.Contains(err.Error(), "key material is not marshalled") {
		t.Errorf("marshalling material: %v", err)
	}
	c := w.newCall(root(here), "Encrypt")
	c.Body, _ = json.Marshal(members{"KeyId": arn, "Plaintext": []byte("topsecret"),
		"EncryptionContext": members{"a": "1"}})
	if _, err := w.kms.Serve(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	trail, err := json.Marshal(c.Trail)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(trail, []byte("topsecret")) ||
		bytes.Contains(trail, []byte(base64.StdEncoding.EncodeToString([]byte("topsecret")))) {
		t.Errorf("the trail has the plaintext: %s", trail)
	}
	if want := `"encryptionContext":{"a":"1"}`; !bytes.Contains(trail, []byte(want)) ||
		!bytes.Contains(trail, []byte(arn)) {
		t.Errorf("trail %s", trail)
	}
}

// TestMaterialIsSealedOnDisk looks for key material in everything that a
// data directory holds.
func TestMaterialIsSealedOnDisk(t *testing.T) {
	dir := t.TempDir()
	file, err := storage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.store = file
	w.restart()
	var needles [][]byte
	for _, in := range []members{nil, {"KeySpec": "HMAC_512", "KeyUsage": "GENERATE_VERIFY_MAC"},
		{"MultiRegion": true}} {
		k, _ := w.kms.findByARN(w.key(in))
		secret := k.family.load().newest().secret
		if len(secret) < 32 {
			t.Fatal("no material to look for")
		}
		needles = append(needles, secret, []byte(hex.EncodeToString(secret)),
			[]byte(base64.StdEncoding.EncodeToString(secret)))
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, needle := range needles {
			if bytes.Contains(text, needle) {
				t.Errorf("%s holds key material in the clear", e.Name())
			}
		}
	}
}

func TestDestroyedMaterial(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	k, _ := w.kms.findByARN(arn)
	material := k.family.load().newest().secret
	blob, _, err := k.seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	w.advance(7*24*time.Hour - time.Second)
	if m := w.describe(arn); m["KeyState"] != "PendingDeletion" {
		t.Fatalf("state %v", m["KeyState"])
	}
	w.advance(time.Second)
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "AccessDeniedException", "does not exist")
	if !bytes.Equal(material, make([]byte, 32)) {
		t.Error("the material is still in memory")
	}
	// One who found the key before sees the end too.
	h, _ := ciphertext.Parse(blob)
	if _, _, err := k.open(blob, h, nil); err == nil {
		t.Error("the key still opens")
	}
	if _, _, err := k.seal([]byte("x"), nil); err == nil {
		t.Error("the key still seals")
	}
}

// TestDestroyedMACMaterial: one who found a MAC key before its end makes no MAC
// with the empty key that is left.
func TestDestroyedMACMaterial(t *testing.T) {
	w := newWorld(t)
	arn := w.key(hmacKey("HMAC_256"))
	k, _ := w.kms.findByARN(arn)
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	w.advance(7 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if mac, err := k.mac([]byte("m")); err == nil {
		t.Errorf("the MAC is %x", mac)
	}
}

// TestMaterialEndsUnderAnOperation: an operation that found a key before its
// material was destroyed fails, and answers nothing made without it.
func TestMaterialEndsUnderAnOperation(t *testing.T) {
	w := newWorld(t)
	arn, from, mac := w.key(nil), w.key(nil), w.key(hmacKey("HMAC_256"))
	blob := w.encrypt(from)
	for _, gone := range []string{arn, mac} {
		k, _ := w.kms.findByARN(gone)
		k.family.load().newest().wipe()
	}
	for operation, in := range map[string]members{
		"Encrypt":                         {"KeyId": arn, "Plaintext": []byte("x")},
		"ReEncrypt":                       {"CiphertextBlob": blob, "DestinationKeyId": arn},
		"GenerateDataKey":                 {"KeyId": arn, "KeySpec": "AES_256"},
		"GenerateDataKeyWithoutPlaintext": {"KeyId": arn, "KeySpec": "AES_256"},
		"GenerateMac":                     {"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"},
		"VerifyMac": {"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256",
			"Mac": []byte("x")},
	} {
		w.fails(root(here), operation, in, "NotFoundException", "does not exist")
	}
}

// TestLengthOfCiphertexts: what is too short for a ciphertext is none, and names
// no key.
func TestLengthOfCiphertexts(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(nil), w.key(nil)
	blob := decoded(t, w.encrypt(arn))
	for length, code := range map[int]string{ciphertext.Overhead - 1: "InvalidCiphertextException",
		ciphertext.Overhead: "IncorrectKeyException", len(blob): "IncorrectKeyException"} {
		w.fails(root(here), "Decrypt", members{"KeyId": other, "CiphertextBlob": blob[:length]}, code, "")
	}
}

// A MAC is compared in all of its bytes and in its length.
func TestVerifyMacComparesAllBytes(t *testing.T) {
	w := newWorld(t)
	for _, spec := range []string{"HMAC_224", "HMAC_512"} {
		in := members{"KeyId": w.key(hmacKey(spec)), "Message": []byte("message"),
			"MacAlgorithm": strings.Replace(spec, "_", "_SHA_", 1)}
		mac := decoded(t, w.do(root(here), "GenerateMac", in)["Mac"])
		wrong := [][]byte{mac[:len(mac)-1], mac[1:], mac[:1], append(bytes.Clone(mac), 0),
			append(bytes.Clone(mac), mac...), make([]byte, len(mac))}
		for i := range mac {
			flipped := bytes.Clone(mac)
			flipped[i] ^= 1
			wrong = append(wrong, flipped)
		}
		for _, m := range wrong {
			in["Mac"] = m
			w.fails(root(here), "VerifyMac", in, "KMSInvalidMacException", "")
			in["DryRun"] = true
			w.fails(root(here), "VerifyMac", in, "KMSInvalidMacException", "")
			delete(in, "DryRun")
		}
		in["Mac"] = mac
		w.do(root(here), "VerifyMac", in)
	}
}
