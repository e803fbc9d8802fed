// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// oneCiphertext is a KMS that decrypts a single ciphertext. It refuses others
// without the RSA operation, which is slow.
type oneCiphertext struct {
	awskms.RSAClient
	blob []byte
}

func (c *oneCiphertext) Decrypt(ctx context.Context, in *kms.DecryptInput,
	options ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	if !bytes.Equal(in.CiphertextBlob, c.blob) {
		return nil, &types.InvalidCiphertextException{}
	}
	return c.RSAClient.Decrypt(ctx, in, options...)
}

// Whatever is changed about an encrypted data key, no keyring of an asymmetric key
// opens it, and the error is of one class.
func TestAsymmetricRandomMutations(t *testing.T) {
	const mutations = 10_000
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	r := mathrand.New(mathrand.NewPCG(seed, 0))
	s := &fakekms.Server{}
	s.AddPair(key1, rsaPair())
	s.AddPair(key2, ecdhPair(ecdh.P256()))
	client := &oneCiphertext{RSAClient: s.Client(west)}
	for name, k := range map[string]materials.Keyring{
		"RSA": newRSA(t, awskms.RSAConfig{Client: client}),
		"ECDH": must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: s.Client(west), KeyARN: key2,
			PartnerKey: ecdhPair(ecdh.P256()).PublicKey()})),
	} {
		key, edks := seal(t, k)
		client.blob = edks[0].Ciphertext[48:] // after the data key under the intermediate key
		refused := 0
		for range mutations {
			changed := mutate(r, edks[0])
			m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
			err := k.OnDecrypt(t.Context(), m, []materials.EncryptedDataKey{changed})
			same := slices.Equal(changed.ProviderInfo, edks[0].ProviderInfo) &&
				slices.Equal(changed.Ciphertext, edks[0].Ciphertext)
			switch {
			case same && (err != nil || !slices.Equal(m.DataKey(), key)):
				t.Fatalf("%s: unchanged: %v", name, err)
			case !same && (!errors.Is(err, materials.ErrMaterials) || m.DataKey() != nil):
				t.Fatalf("%s: %q %x: %v", name, changed.ProviderInfo, changed.Ciphertext, err)
			case !same:
				refused++
			}
		}
		if refused < mutations*9/10 {
			t.Errorf("%s: only %d of %d were changes", name, refused, mutations)
		}
	}
}

// mutate changes one thing about an encrypted data key.
func mutate(r *mathrand.Rand, key materials.EncryptedDataKey) materials.EncryptedDataKey {
	part := &key.Ciphertext
	if r.IntN(4) == 0 {
		part = &key.ProviderInfo
	}
	*part = slices.Clone(*part)
	switch at := r.IntN(len(*part)); r.IntN(5) {
	case 0:
		(*part)[at] ^= 1 << r.IntN(8)
	case 1:
		(*part)[at] = byte(r.Uint32())
	case 2:
		*part = (*part)[:at]
	case 3:
		*part = slices.Insert(*part, at, byte(r.Uint32()))
	default:
		*part = slices.Delete(*part, at, at+1)
	}
	return key
}
