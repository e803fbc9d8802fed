// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// agreementFloor is the cryptography of one ECDH recipient that the format
// demands, by the standard library: scalar multiplications, decompression of a
// point, and the derivation of two keys in counter mode.
type agreementFloor struct {
	curve     ecdh.Curve
	points    elliptic.Curve
	private   *ecdh.PrivateKey
	public    *ecdh.PublicKey
	point     []byte // compressed
	ephemeral bool   // a key pair is drawn
	sealing   bool
	input     []byte // of the derivation
	sum       []byte
}

func newAgreementFloor(b *testing.B, points elliptic.Curve, private *ecdh.PrivateKey) agreementFloor {
	b.Helper()
	uncompressed := private.PublicKey().Bytes()
	x := len(uncompressed) / 2
	point := append([]byte{2 | uncompressed[2*x]&1}, uncompressed[1:1+x]...)
	return agreementFloor{curve: private.Curve(), points: points, private: private, public: private.PublicKey(),
		point: point, input: make([]byte, 4+40+2*len(point)+150+37)}
}

func (f *agreementFloor) do() error {
	private, public := f.private, f.public
	if f.ephemeral && f.sealing {
		var err error
		if private, err = f.curve.GenerateKey(rand.Reader); err != nil {
			return err
		}
	} else if f.ephemeral {
		x, y := elliptic.UnmarshalCompressed(f.points, f.point)
		if x == nil {
			return errors.New("not on the curve")
		}
		n := len(f.point) - 1
		uncompressed := make([]byte, 1+2*n)
		uncompressed[0] = 4
		x.FillBytes(uncompressed[1 : 1+n])
		y.FillBytes(uncompressed[1+n:])
		var err error
		if public, err = f.curve.NewPublicKey(uncompressed); err != nil {
			return err
		}
	}
	secret, err := private.ECDH(public)
	if err != nil {
		return err
	}
	h := hmac.New(sha512.New384, secret)
	for range 2 {
		h.Reset()
		h.Write(f.input)
		f.sum = h.Sum(f.sum[:0])
	}
	return nil
}

// BenchmarkECDH takes turns between a recipient of a Raw ECDH keyring, without
// the item around it, and its floor.
func BenchmarkECDH(b *testing.B) {
	for _, points := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		curve := map[elliptic.Curve]ecdh.Curve{elliptic.P256(): ecdh.P256(), elliptic.P384(): ecdh.P384(),
			elliptic.P521(): ecdh.P521()}[points]
		private, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		static, err := keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: private, PartnerKey: private.PublicKey()})
		if err != nil {
			b.Fatal(err)
		}
		sender, err := keyring.NewRawECDHEphemeral(private.PublicKey())
		if err != nil {
			b.Fatal(err)
		}
		discovery, err := keyring.NewRawECDHDiscovery(private)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name           string
			writer, reader materials.Keyring
		}{{"static", static, static}, {"ephemeral", sender, discovery}} {
			name := strings.ToLower(strings.Replace(points.Params().Name, "-", "", 1)) + "/" + c.name
			own := agreement{b, c.writer, c.reader, nil}
			if err := own.seal(); err != nil {
				b.Fatal(err)
			}
			floor := newAgreementFloor(b, points, private)
			floor.ephemeral = c.name == "ephemeral"
			opening := floor
			floor.sealing = true
			b.Run(name+"/encrypt", func(b *testing.B) { beside(b, "floor", own.seal, floor.do) })
			b.Run(name+"/decrypt", func(b *testing.B) { beside(b, "floor", own.open, opening.do) })
		}
	}
}

// agreement seals and opens a data key.
type agreement struct {
	b              *testing.B
	writer, reader materials.Keyring
	keys           []materials.EncryptedDataKey
}

var agreementContext = materials.EncryptionContext{"aws-crypto-table-name": "benchmark",
	"aws-crypto-partition-name": "pk", "aws-crypto-attr.pk": "AAFwYXJ0aXRpb24ta2V5", "aws-crypto-sort-name": "sk",
	"aws-crypto-attr.sk": "AAIx"}

func (a *agreement) seal() error {
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, agreementContext, nil, nil, 0)
	if err != nil {
		return err
	}
	defer m.Wipe()
	if err := a.writer.OnEncrypt(a.b.Context(), m); err != nil {
		return err
	}
	a.keys = m.EncryptedDataKeys()
	return nil
}

func (a *agreement) open() error {
	m, err := materials.NewDecryption(materials.SuiteSymmetricSignature, agreementContext)
	if err != nil {
		return err
	}
	defer m.Wipe()
	return a.reader.OnDecrypt(a.b.Context(), m, a.keys)
}
