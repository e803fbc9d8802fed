// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
)

// Whatever KMS draws differs from call to call: data keys, random bytes, nonces,
// key ids, material, and the random parts of ids.
func TestDrawsAreFresh(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	draws := make(map[string][][]byte)
	texts := make(map[string][]string)
	add := func(name string, b []byte) { draws[name] = append(draws[name], b) }
	for range fresh.Draws {
		for size, in := range map[string]members{"32": {"KeySpec": "AES_256"}, "16": {"KeySpec": "AES_128"},
			"100": {"NumberOfBytes": 100}} {
			in["KeyId"] = arn
			out := w.do(root(here), "GenerateDataKey", in)
			add("data key of "+size, decoded(t, out["Plaintext"]))
			out = w.do(root(here), "GenerateDataKeyWithoutPlaintext", in)
			opened := w.do(root(here), "Decrypt", members{"CiphertextBlob": out["CiphertextBlob"]})
			add("data key without plaintext of "+size, decoded(t, opened["Plaintext"]))
		}
		add("GenerateRandom", decoded(t,
			w.do(root(here), "GenerateRandom", members{"NumberOfBytes": 100})["Plaintext"]))
		blob := decoded(t, w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": []byte("the same")})["CiphertextBlob"])
		add("nonce", blob[ciphertext.HeadLength:ciphertext.HeadLength+ciphertext.NonceLength])
		add("ciphertext", blob[ciphertext.HeadLength+ciphertext.NonceLength:])
		for name, in := range map[string]members{
			"key": nil, "multi-Region key": {"MultiRegion": true}, "HMAC_224": hmacKey("HMAC_224"),
			"HMAC_512": hmacKey("HMAC_512"),
		} {
			k, _ := w.kms.findByARN(w.key(in))
			v := k.family.load().newest()
			add("id of "+name, k.rawID[:])
			add("material of "+name, []byte(v.secret))
			texts["material id of "+name] = append(texts["material id of "+name], v.id)
		}
		g := w.do(root(here), "CreateGrant",
			members{"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
		texts["grant id"] = append(texts["grant id"], g["GrantId"].(string))
		token, err := base64.StdEncoding.DecodeString(g["GrantToken"].(string))
		if err != nil {
			t.Fatal(err)
		}
		random, _, _ := strings.Cut(string(token), "|")
		texts["grant token"] = append(texts["grant token"], random)
	}
	for name, d := range draws {
		fresh.Bytes(t, name, d)
	}
	for name, d := range texts {
		fresh.Text(t, name, nil, d)
	}
	for name, size := range map[string]int{"data key of 32": 32, "data key of 16": 16, "data key of 100": 100,
		"material of key": 32, "material of HMAC_224": 28} {
		if n := len(draws[name][0]); n != size {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

func hmacKey(spec string) members { return members{"KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC"} }
