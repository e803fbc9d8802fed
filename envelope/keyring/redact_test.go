// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring"
)

func TestConfigHidesItsKey(t *testing.T) {
	private, agreeing := rsaKey(), ecdhKey(ecdh.P256())
	for _, c := range []struct {
		config any
		forms  []string // of the secret
	}{
		{keyring.RawAESConfig{Namespace: "n", Name: "k", Key: bytes.Repeat([]byte{0xA7}, 32)}, []string{"167", "a7a7", "A7A7", "p6en", "\xa7"}},
		{keyring.RawRSAConfig{Namespace: "n", Name: "k", Padding: keyring.RSAPaddingPKCS1, PrivateKey: private}, []string{private.D.String(), private.D.Text(16), private.Primes[0].String(), "0x"}},
		{&keyring.RawAESConfig{Key: bytes.Repeat([]byte{0xA7}, 32)}, []string{"167", "a7a7", "A7A7", "p6en", "\xa7"}},
		{keyring.RawECDHConfig{PrivateKey: agreeing, PartnerKey: agreeing.PublicKey()}, []string{
			hex.EncodeToString(agreeing.Bytes()), strings.ToUpper(hex.EncodeToString(agreeing.Bytes())),
			new(big.Int).SetBytes(agreeing.Bytes()).String(), strings.Trim(fmt.Sprint(agreeing.Bytes()), "[]"),
			base64.StdEncoding.EncodeToString(agreeing.Bytes()), "0x",
		}},
		{&keyring.RawECDHConfig{PrivateKey: agreeing}, []string{
			hex.EncodeToString(agreeing.Bytes()), strings.Trim(fmt.Sprint(agreeing.Bytes()), "[]"), "0x",
		}},
		{&keyring.RawRSAConfig{PrivateKey: private}, []string{private.D.String(), private.D.Text(16), "0x"}},
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, timeless)).Info("m", "v", c.config)
		slog.New(slog.NewJSONHandler(&log, timeless)).Info("m", "v", c.config)
		text := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text += fmt.Sprintf(verb, c.config)
		}
		for _, form := range c.forms {
			if strings.Contains(text, form) {
				t.Errorf("%T: the key shows: %q", c.config, text)
			}
		}
		if text, err := json.Marshal(c.config); err == nil {
			t.Errorf("%T marshals to JSON of %d bytes", c.config, len(text))
		}
		if text, err := xml.Marshal(c.config); err == nil {
			t.Errorf("%T marshals to XML of %d bytes", c.config, len(text))
		}
		if err := gob.NewEncoder(io.Discard).Encode(c.config); err == nil {
			t.Errorf("%T marshals to gob", c.config)
		}
	}
}

// TestConfigShowsItsNames: what is not secret stays in logs, and the error of a
// marshaler says why it fails.
func TestConfigShowsItsNames(t *testing.T) {
	agreeing := ecdhKey(ecdh.P384())
	for _, c := range []struct {
		config json.Marshaler
		want   string
	}{
		{keyring.RawAESConfig{Namespace: "n", Name: "k"}, `[raw AES key "n" "k"]`},
		{keyring.RawRSAConfig{Namespace: "n", Name: "k", Padding: keyring.RSAPaddingPKCS1}, `[raw RSA key "n" "k" PKCS1]`},
		{keyring.RawRSAConfig{Padding: keyring.RSAPaddingOAEPSHA1}, `[raw RSA key "" "" OAEP_SHA1_MGF1]`},
		{keyring.RawRSAConfig{Padding: keyring.RSAPaddingOAEPSHA256}, `[raw RSA key "" "" OAEP_SHA256_MGF1]`},
		{keyring.RawRSAConfig{Padding: keyring.RSAPaddingOAEPSHA384}, `[raw RSA key "" "" OAEP_SHA384_MGF1]`},
		{keyring.RawRSAConfig{Padding: keyring.RSAPaddingOAEPSHA512}, `[raw RSA key "" "" OAEP_SHA512_MGF1]`},
		{keyring.RawECDHConfig{}, "[raw ECDH key none, partner none]"},
		{keyring.RawECDHConfig{PrivateKey: agreeing, PartnerKey: agreeing.PublicKey()},
			fmt.Sprintf("[raw ECDH key %[1]x, partner %[1]x]", agreeing.PublicKey().Bytes())},
		{keyring.RawRSAConfig{Padding: 6}, `[raw RSA key "" "" RSAPadding(6)]`},
	} {
		if got := fmt.Sprint(c.config); got != c.want {
			t.Errorf("printed as %s, want %s", got, c.want)
		}
		if _, err := c.config.MarshalJSON(); err == nil {
			t.Errorf("%s marshals to JSON", c.want)
		}
	}
}

// timeless leaves the time out of a log line: its digits may be those of a key.
var timeless = &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}
