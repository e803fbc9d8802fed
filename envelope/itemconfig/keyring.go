// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Keyring describes a keyring. Type decides which other members it can have:
// see the package documentation.
type Keyring struct {
	Type string `json:"type"` // one of KeyringTypes()

	// raw-aes and raw-rsa
	Namespace string  `json:"namespace,omitempty"`
	Name      string  `json:"name,omitempty"`
	Key       *Secret `json:"key,omitempty"` // raw-aes: 16, 24 or 32 bytes
	// raw-rsa: the specification's name of the padding
	Padding string `json:"padding,omitempty"`
	// raw-rsa, the raw-ecdh types, aws-kms-rsa and aws-kms-ecdh: keys as PEM text
	PublicKey  string `json:"publicKey,omitempty"`
	PrivateKey string `json:"privateKey,omitempty"`

	// the aws-kms types of one key
	KeyID string `json:"keyId,omitempty"` // key ARN
	// aws-kms-rsa: RSAES_OAEP_SHA_1 or RSAES_OAEP_SHA_256
	EncryptionAlgorithm string `json:"encryptionAlgorithm,omitempty"`
	// aws-kms-discovery and aws-kms-mrk-discovery, which read with the keys that
	// items name: the Region to ask, and whose keys; any account's without accounts
	Region    string   `json:"region,omitempty"`
	Partition string   `json:"partition,omitempty"` // "aws" if empty
	Accounts  []string `json:"accounts,omitempty"`

	// multi
	Generator *Keyring  `json:"generator,omitempty"`
	Children  []Keyring `json:"children,omitempty"`

	// hierarchical on a key store table
	Table       string `json:"table,omitempty"`
	LogicalName string `json:"logicalName,omitempty"`
	KMSKeyID    string `json:"kmsKeyId,omitempty"`
	TTL         string `json:"ttl,omitempty"` // "10m"
	BranchKeyID string `json:"branchKeyId,omitempty"`
	// hierarchical with the keys given here, such as escrowed ones; it encrypts
	// under the last listed version
	BranchKeys []BranchKey `json:"branchKeys,omitempty"`
}

// BranchKey is one version of a branch key in plaintext.
type BranchKey struct {
	BranchKeyID string  `json:"branchKeyId"`
	Version     string  `json:"version"` // UUID
	Key         *Secret `json:"key"`     // 32 bytes
}

// Secret says where the bytes of a key are: in the configuration file itself or
// in an environment variable, in base64, or in another file, in base64 or raw.
// Exactly one member is set.
type Secret struct {
	Base64 string `json:"base64,omitempty"`
	File   string `json:"file,omitempty"`
	Env    string `json:"env,omitempty"`
}

// String hides the key.
func (Secret) String() string { return "[secret]" }

// GoString hides the key.
func (Secret) GoString() string { return "[secret]" }

// Providers has the functions that return clients for keyrings and other members
// that need AWS. If a function that the configuration needs is nil,
// [Config.Encryptor] returns an error that matches [envelope.ErrConfiguration].
type Providers struct {
	// KMS returns a client for a Region. If region is empty, KMS chooses one.
	// Keyrings with an asymmetric KMS key need a client that also implements
	// [awskms.RSAClient] or [awskms.ECDHClient], as [kms.Client] does.
	//
	// [kms.Client]: https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/service/kms#Client
	KMS func(ctx context.Context, region string) (awskms.KMSClient, error)
	// KeyStore returns the branch keys of a hierarchical keyring without
	// branchKeys.
	KeyStore func(ctx context.Context, k Keyring) (materials.BranchKeySource, error)
	// BeaconKeys returns the beacon keys of a key source without beaconKeys.
	BeaconKeys func(ctx context.Context, k BeaconKeySource) (materials.BeaconKeySource, error)
	// MetaTable returns the meta table of the older DynamoDB Encryption Client with
	// that name.
	MetaTable func(ctx context.Context, name string) (legacy.MetaTable, error)
}

func bad(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{envelope.ErrConfiguration}, args...)...)
}

func (k *Keyring) open(ctx context.Context, p Providers) (materials.Keyring, error) {
	opened, err := k.openType(ctx, p)
	return opened, k.missing(err)
}

func (k *Keyring) openType(ctx context.Context, p Providers) (materials.Keyring, error) {
	switch k.Type {
	case "raw-aes":
		key, err := k.Key.bytes()
		if err != nil {
			return nil, in("key", err)
		}
		defer clear(key)
		return keyring.NewRawAES(keyring.RawAESConfig{Namespace: k.Namespace, Name: k.Name, Key: key})
	case "raw-rsa":
		return k.rsa()
	case "aws-kms", "aws-kms-mrk", "aws-kms-discovery", "aws-kms-mrk-discovery":
		return k.kms(ctx, p)
	case "raw-ecdh", "raw-ecdh-ephemeral", "raw-ecdh-discovery":
		return k.ecdh()
	case "aws-kms-rsa":
		return k.kmsRSA(ctx, p)
	case "aws-kms-ecdh", "aws-kms-ecdh-discovery":
		return k.kmsECDH(ctx, p)
	case "multi":
		return k.multi(ctx, p)
	case "hierarchical":
		return k.hierarchical(ctx, p)
	}
	return nil, in("type", oneOf(k.Type, keyringTypes...))
}

var keyringTypes = []string{"raw-aes", "raw-rsa", "raw-ecdh", "raw-ecdh-ephemeral", "raw-ecdh-discovery", "aws-kms",
	"aws-kms-mrk", "aws-kms-discovery", "aws-kms-mrk-discovery", "aws-kms-rsa", "aws-kms-ecdh",
	"aws-kms-ecdh-discovery", "multi", "hierarchical"}

// KeyringTypes returns the values that the member type of a keyring can have.
func KeyringTypes() []string { return slices.Clone(keyringTypes) }

// client returns a client for the Region of the key.
func (k *Keyring) client(ctx context.Context, p Providers) (client awskms.KMSClient, region string, err error) {
	region = k.Region
	if key, err := arn.Parse(k.KeyID); err == nil {
		region = key.Region
	}
	if p.KMS == nil {
		return nil, "", bad("no AWS KMS is to be had for the %s keyring %s", k.Type, cmp.Or(k.KeyID, region))
	}
	client, err = p.KMS(ctx, region)
	return client, region, err
}

func (k *Keyring) kms(ctx context.Context, p Providers) (materials.Keyring, error) {
	client, region, err := k.client(ctx, p)
	if err != nil {
		return nil, err
	}
	var filter *awskms.DiscoveryFilter
	if k.Accounts != nil || k.Partition != "" {
		filter = &awskms.DiscoveryFilter{Partition: cmp.Or(k.Partition, "aws"), Accounts: k.Accounts}
	}
	switch k.Type {
	case "aws-kms-mrk":
		return awskms.NewMRK(awskms.Config{Client: client, KeyARN: k.KeyID})
	case "aws-kms-discovery":
		return awskms.NewDiscovery(awskms.DiscoveryConfig{Client: client, Region: region, Filter: filter})
	case "aws-kms-mrk-discovery":
		return awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: client, Region: region, Filter: filter})
	}
	return awskms.New(awskms.Config{Client: client, KeyARN: k.KeyID})
}

func (k *Keyring) multi(ctx context.Context, p Providers) (materials.Keyring, error) {
	var generator materials.Keyring
	if k.Generator != nil {
		g, err := k.Generator.open(ctx, p)
		if err != nil {
			return nil, in("generator", err)
		}
		generator = g
	}
	var children []materials.Keyring
	for i := range k.Children {
		child, err := k.Children[i].open(ctx, p)
		if err != nil {
			return nil, inList("children", i, err)
		}
		children = append(children, child)
	}
	return keyring.NewMulti(generator, children...)
}

func (k *Keyring) hierarchical(ctx context.Context, p Providers) (materials.Keyring, error) {
	if len(k.BranchKeys) == 0 {
		if k.TTL != "" {
			if ttl, err := time.ParseDuration(k.TTL); err != nil || ttl <= 0 {
				return nil, in("ttl", bad("%.20q is not a duration such as 10m", k.TTL))
			}
		}
		if p.KeyStore == nil {
			return nil, bad("no key store is to be had for table %s", k.Table)
		}
		source, err := p.KeyStore(ctx, *k)
		if err != nil {
			return nil, err
		}
		return keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: k.BranchKeyID})
	}
	var keys []*materials.BranchKey
	for i, b := range k.BranchKeys {
		raw, err := b.Key.bytes()
		if err != nil {
			return nil, inList("branchKeys", i, in("key", err))
		}
		if len(raw) != materials.DataKeyLength {
			return nil, inList("branchKeys", i,
				in("key", bad("has %d bytes, not %d", len(raw), materials.DataKeyLength)))
		}
		keys = append(keys, materials.NewBranchKey(b.BranchKeyID, b.Version, [materials.DataKeyLength]byte(raw)))
		clear(raw)
	}
	source, err := keyring.NewMemorySource(keys...)
	if err != nil {
		return nil, err
	}
	id := k.BranchKeyID
	if id == "" {
		id = k.BranchKeys[0].BranchKeyID
	}
	return keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: id})
}

func (k *Keyring) rsa() (materials.Keyring, error) {
	c := keyring.RawRSAConfig{Namespace: k.Namespace, Name: k.Name}
	var names []string
	for p := keyring.RSAPaddingPKCS1; p <= keyring.RSAPaddingOAEPSHA512; p++ {
		names = append(names, p.String())
		if p.String() == k.Padding {
			c.Padding = p
		}
	}
	if c.Padding == 0 {
		return nil, in("padding", oneOf(k.Padding, names...))
	}
	if k.PublicKey != "" {
		public, err := rsaPublicKey(k.PublicKey)
		if err != nil {
			return nil, err
		}
		c.PublicKey = public
	}
	if k.PrivateKey != "" {
		private, err := rsaPrivateKey(k.PrivateKey)
		if err != nil {
			return nil, err
		}
		c.PrivateKey = private
	}
	return keyring.NewRawRSA(c)
}

func rsaPrivateKey(text string) (*rsa.PrivateKey, error) {
	key, err := parsePEM(text, x509.ParsePKCS8PrivateKey)
	if err != nil {
		return nil, in("privateKey", bad("%w", err))
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, in("privateKey", bad("not an RSA key"))
	}
	return private, nil
}

func rsaPublicKey(text string) (*rsa.PublicKey, error) {
	key, err := parsePEM(text, x509.ParsePKIXPublicKey)
	if err != nil {
		return nil, in("publicKey", bad("%w", err))
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, in("publicKey", bad("not an RSA key"))
	}
	return public, nil
}

func parsePEM(text string, parse func([]byte) (any, error)) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM block, which begins with -----BEGIN: line ends are \\n in JSON")
	}
	return parse(block.Bytes)
}

func isKeyLength(n int) bool { return n == 16 || n == 24 || n == 32 }

// maxKeyFile bounds a key file: far more than any key.
const maxKeyFile = 64 << 10

// bytes fetches the key. Exactly one of the three places must be named.
func (s *Secret) bytes() ([]byte, error) {
	if s == nil {
		return nil, bad("missing: an object with one of base64, file and env")
	}
	text := ""
	switch {
	case s.Base64 != "" && s.File == "" && s.Env == "":
		text = s.Base64
	case s.File != "" && s.Base64 == "" && s.Env == "":
		info, err := os.Stat(s.File)
		if err != nil {
			return nil, bad("key file: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
			return nil, bad("key file %s is not a regular file of at most 64 KB", s.File)
		}
		raw, err := os.ReadFile(s.File)
		if err != nil {
			return nil, bad("key file: %w", err)
		}
		text = string(raw)
		if isKeyLength(len(raw)) {
			if key, err := base64.StdEncoding.DecodeString(text); err == nil && isKeyLength(len(key)) {
				return nil,
					bad("key file %s is a key in raw bytes or a shorter key in base64: end base64 with a newline, "+
						"or write raw bytes as base64", s.File)
			}
			return raw, nil
		}
	case s.Env != "" && s.Base64 == "" && s.File == "":
		value, ok := os.LookupEnv(s.Env)
		if !ok {
			return nil, bad("environment variable %s with the key is not set", s.Env)
		}
		text = value
	default:
		return nil, bad("the object has exactly one member: base64, file or env")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, bad("the key is not base64") // the cause would quote the key
	}
	return key, nil
}
