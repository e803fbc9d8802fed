// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"crypto/aes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

// KMS decrypts keys that AWS KMS has wrapped. NewLegacy of package awskms
// returns an implementation. An implementation must use only the KMS keys that
// it was configured for, because the item does not say which key wrapped it.
type KMS interface {
	// Decrypt opens what GenerateDataKey returned as CiphertextBlob under the
	// same encryption context. A refusal for lack of permission matches
	// envelope.ErrKeyDenied.
	Decrypt(ctx context.Context, ciphertext []byte, encryptionContext map[string]string) ([]byte, error)
}

// KMSConfig describes a writer that asked AWS KMS for the keys of each item:
// DirectKmsMaterialProvider of the Java client,
// AwsKmsCryptographicMaterialsProvider of the Python one.
type KMSConfig struct {
	Client KMS
	// WithoutKeys stands for a writer that named no key attributes in its
	// encryption context. By default the names and values of the keys are part of
	// the context that AWS KMS is sent, as the writer did.
	WithoutKeys bool
}

type kms struct {
	client      KMS
	withoutKeys bool
}

// NewKMS returns the provider of a writer that used AWS KMS directly. Opening an
// item costs one call of Decrypt. Errors: [envelope.ErrConfiguration].
func NewKMS(c KMSConfig) (Provider, error) {
	if nilvalue.Is(c.Client) {
		return nil, configuration("the AWS KMS provider needs a client")
	}
	return &kms{c.Client, c.WithoutKeys}, nil
}

// Lengths in bits of keys that are derived from the answer, if the item does not
// say otherwise, and bounds of what it can say.
const (
	defaultBits = 256
	maxBits     = 4096
	// kmsKeyLength is what the clients ask AWS KMS for, in bytes.
	kmsKeyLength = 32
)

// algorithm splits an algorithm name from the length after its slash.
func algorithm(text string) (name string, bits int, ok bool) {
	name, length, has := strings.Cut(text, "/")
	if !has {
		return name, defaultBits, true
	}
	bits, err := strconv.Atoi(length)
	return name, bits, err == nil && bits >= 8 && bits <= maxBits && bits%8 == 0 && strconv.Itoa(bits) == length
}

func (p *kms) open(ctx context.Context, r *request) (opener, error) {
	d := r.description
	describes := func(err error) (opener, error) { return opener{}, at(envelope.LegacyDescriptionAttribute, err) }
	if d.wrapAlg != "kms" && d.wrapAlg != "" {
		return describes(unsupported("%s is %.60q, which does not fit AWS KMS", wrapAlgName, d.wrapAlg))
	}
	if d.envAlg == "" || d.sigAlg == "" {
		return describes(tampered("it has no %s or no %s: AWS KMS did not wrap the item's key, or the item was changed",
			envAlgName, sigAlgName))
	}
	content, contentBits, ok := algorithm(d.envAlg)
	if !ok || content != "AES" || contentBits != 128 && contentBits != 192 && contentBits != 256 {
		return describes(unsupported("%s is %.60q", envAlgName, d.envAlg))
	}
	signing, signingBits, ok := algorithm(d.sigAlg)
	if !ok || macs[signing] == nil {
		return describes(unsupported("%s is %.60q", sigAlgName, d.sigAlg))
	}
	sealed, err := wrappedKey(d)
	if err != nil {
		return opener{}, err
	}
	key, err := p.client.Decrypt(ctx, sealed, p.context(r))
	if err != nil {
		return opener{}, err
	}
	defer clear(key)
	if len(key) != kmsKeyLength {
		return opener{}, fmt.Errorf("%w: AWS KMS answered with a key of %d bytes, not %d", envelope.ErrMaterials,
			len(key), kmsKeyLength)
	}
	contentKey, err := hkdf.Key(sha256.New, key, nil, "Encryption", contentBits/8)
	if err != nil {
		return opener{}, err
	}
	defer clear(contentKey)
	signingKey, err := hkdf.Key(sha256.New, key, nil, "Signing", signingBits/8)
	if err != nil {
		return opener{}, err
	}
	defer clear(signingKey)
	var out opener
	if out.content, err = aes.NewCipher(contentKey); err != nil {
		return opener{}, err
	}
	out.verifier, err = newMAC(signing, signingKey)
	return out, err
}

// context rebuilds the encryption context of the writer. Keys are as they are
// stored: a number that DynamoDB has shortened since it was encrypted, such as
// 1.50, is not what the writer sent.
func (p *kms) context(r *request) map[string]string {
	pairs := map[string]string{
		"*" + envAlgName + "*": r.description.envAlg,
		"*" + sigAlgName + "*": r.description.sigAlg,
	}
	if !p.withoutKeys {
		for _, name := range r.keyNames {
			switch v := r.item[name].(type) {
			case *types.AttributeValueMemberS:
				pairs[name] = v.Value
			case *types.AttributeValueMemberN:
				pairs[name] = v.Value
			case *types.AttributeValueMemberB:
				pairs[name] = base64.StdEncoding.EncodeToString(v.Value)
			}
		}
	}
	if r.hasTable {
		pairs["*aws-kms-table*"] = r.table
	}
	return pairs
}
