// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// goldenCase is one item written by some library, with all that is needed to
// read it: the shape of the files in testdata and of the official Rust items.
type goldenCase struct {
	Suite          string                     `json:"suite"` // "ecdsa" or "nosign"
	Table          string                     `json:"table"`
	PartitionKey   string                     `json:"pk"`
	SortKey        string                     `json:"sk"`
	UnsignedPrefix string                     `json:"unsigned_prefix,omitempty"`
	Unsigned       []string                   `json:"unsigned,omitempty"`
	Key            *goldenKey                 `json:"key,omitempty"`
	Keys           []goldenKey                `json:"keys,omitempty"` // of a multi keyring, the generator first
	Actions        map[string]envelope.Action `json:"actions"`
	Plaintext      json.RawMessage            `json:"plaintext"`
	Encrypted      json.RawMessage            `json:"encrypted"`
	Decrypted      json.RawMessage            `json:"decrypted,omitempty"`
	OnlyRead       string                     `json:"refused,omitempty"` // the attribute that is read, but not written
}

type goldenKey struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Wrapping  string `json:"wrapping"`
	Bytes     []byte `json:"bytes_b64,omitempty"`       // AES
	Private   string `json:"private_key_pem,omitempty"` // RSA and ECDH, PKCS #8
	Partner   []byte `json:"partner_key_b64,omitempty"` // ECDH: DER of the other side's public key
	KMSKey    string `json:"kms_key_arn,omitempty"`     // the private key is one of AWS KMS
}

func (k goldenKey) keyring() (materials.Keyring, error) {
	if strings.HasPrefix(k.Wrapping, "ECDH") || k.KMSKey != "" {
		return k.asymmetric()
	}
	if strings.HasPrefix(k.Wrapping, "AES") {
		return keyring.NewRawAES(keyring.RawAESConfig{Namespace: k.Namespace, Name: k.Name, Key: k.Bytes})
	}
	paddings := map[string]keyring.RSAPadding{
		"RSA_PKCS1":            keyring.RSAPaddingPKCS1,
		"RSA_OAEP_SHA1_MGF1":   keyring.RSAPaddingOAEPSHA1,
		"RSA_OAEP_SHA256_MGF1": keyring.RSAPaddingOAEPSHA256,
		"RSA_OAEP_SHA384_MGF1": keyring.RSAPaddingOAEPSHA384,
		"RSA_OAEP_SHA512_MGF1": keyring.RSAPaddingOAEPSHA512,
	}
	padding, known := paddings[k.Wrapping]
	if !known {
		return nil, fmt.Errorf("unknown wrapping %q", k.Wrapping)
	}
	block, _ := pem.Decode([]byte(k.Private))
	if block == nil {
		return nil, errors.New("private_key_pem holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return newRawRSA(k.Namespace, k.Name, padding, key)
}

// keyrings returns the keyring of the writer and each of its keys alone.
func (g *goldenCase) keyrings() ([]materials.Keyring, error) {
	keys := g.Keys
	if g.Key != nil {
		keys = append(slices.Clone(keys), *g.Key)
	}
	if len(keys) == 0 {
		return nil, errors.New("case has no key")
	}
	var each []materials.Keyring
	for _, k := range keys {
		r, err := k.keyring()
		if err != nil {
			return nil, err
		}
		each = append(each, r)
	}
	if len(each) == 1 {
		return each, nil
	}
	multi, err := keyring.NewMulti(each[0], each[1:]...)
	if err != nil {
		return nil, err
	}
	return append(each, multi), nil
}

func (g *goldenCase) config(k materials.Keyring) envelope.Config {
	suite := envelope.SuiteDigitalSignature
	if g.Suite == "nosign" {
		suite = envelope.SuiteSymmetricSignature
	}
	return envelope.Config{
		LogicalTableName: g.Table, PartitionKey: g.PartitionKey, SortKey: g.SortKey,
		Actions: g.Actions, AllowedUnsigned: g.Unsigned, AllowedUnsignedPrefix: g.UnsignedPrefix,
		AlgorithmSuite: suite, Keyring: k,
	}
}

func readGolden(t testing.TB, file string) *goldenCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := new(goldenCase)
	if err := json.Unmarshal(data, g); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return g
}

func mustItem(t testing.TB, data json.RawMessage) envelope.Item {
	t.Helper()
	item, err := ddbjson.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// sharedVectors returns the folder of the public vectors, empty if it is not
// there, as in a clean clone. A folder that DDBSEAL_VECTORS names must be there.
func sharedVectors(t testing.TB) string {
	t.Helper()
	folder, named := os.LookupEnv("DDBSEAL_VECTORS")
	if !named {
		folder = filepath.Join("..", "..", "shared", "vectors")
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) && !named {
		return ""
	} else if err != nil {
		t.Fatal(err)
	}
	return folder
}

// goldenFiles returns the case files of testdata and of the public vectors.
// An empty set fails: it would let every test over it pass.
func goldenFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("testdata holds no case")
	}
	folders, err := filepath.Glob(filepath.Join("testdata", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil {
			t.Fatal(err)
		}
		has := func(file string) bool { return filepath.Dir(file) == folder }
		// What fuzzing and property tests leave there are no golden items.
		own := slices.Contains([]string{"fuzz", "rapid"}, filepath.Base(folder))
		if info.IsDir() && !own && !slices.ContainsFunc(files, has) {
			t.Errorf("%s holds no case", folder)
		}
	}
	if shared := sharedVectors(t); shared != "" {
		official, err := filepath.Glob(filepath.Join(shared, "official-rust", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(official) == 0 {
			t.Fatal("the vectors' official-rust holds no case")
		}
		files = append(files, official...)
	}
	return files
}

// TestGoldenItems reads what other libraries and earlier versions wrote, with
// every key that should open it.
func TestGoldenItems(t *testing.T) {
	for _, file := range goldenFiles(t) {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			g := readGolden(t, file)
			want := g.Decrypted
			if want == nil {
				want = g.Plaintext
			}
			keyrings, err := g.keyrings()
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keyrings {
				e, err := envelope.NewItemEncryptor(g.config(k))
				if err != nil {
					t.Fatal(err)
				}
				got, err := e.DecryptItem(t.Context(), mustItem(t, g.Encrypted))
				if err != nil {
					t.Fatal(err)
				}
				sameItem(t, got, mustItem(t, want))
				if g.OnlyRead != "" {
					continue // TestGoldenItemsThatAreOnlyRead writes it
				}

				again, err := e.EncryptItem(t.Context(), mustItem(t, g.Plaintext))
				if err != nil {
					t.Fatal(err)
				}
				if got, err = e.DecryptItem(t.Context(), again); err != nil {
					t.Fatal(err)
				}
				sameItem(t, got, mustItem(t, want))
				reencodes(t, again)
			}
			reencodes(t, mustItem(t, g.Encrypted))
		})
	}
}

// reencodes checks that header and footer, parsed and written again, are the
// same bytes.
func reencodes(t testing.TB, item envelope.Item) {
	t.Helper()
	head := item[envelope.HeaderAttribute].(*types.AttributeValueMemberB).Value
	h, err := format.ParseHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(head) {
		t.Error("the header does not re-encode to the same bytes")
	}
	if h.Size() != len(head) {
		t.Errorf("Size says %d, the header has %d bytes", h.Size(), len(head))
	}
	foot := item[envelope.FooterAttribute].(*types.AttributeValueMemberB).Value
	f, err := format.ParseFooter(foot, len(h.EncryptedDataKeys), h.Suite().Signed())
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Append(nil)) != string(foot) {
		t.Error("the footer does not re-encode to the same bytes")
	}
}

// officialCase is one case of the public decrypt vectors.
type officialCase struct {
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Config      officialConfig  `json:"config"`
	Plaintext   json.RawMessage `json:"plaintext"`
	Encrypted   json.RawMessage `json:"encrypted"`
}

type officialConfig struct {
	Actions   map[string]envelope.Action `json:"attributeActionsOnEncrypt"`
	Unsigned  []string                   `json:"allowedUnsignedAttributes"`
	Algorithm string                     `json:"algorithmSuiteId"`
}

func (c officialConfig) config(t testing.TB, k materials.Keyring) envelope.Config {
	t.Helper()
	var suite envelope.AlgorithmSuite
	if c.Algorithm != "" {
		var err error
		if suite, err = envelope.ParseAlgorithmSuite(c.Algorithm); err != nil {
			t.Fatal(err)
		}
	}
	return envelope.Config{
		LogicalTableName: "GazelleVectorTable", PartitionKey: "RecNum", Actions: c.Actions,
		AllowedUnsigned: c.Unsigned, AlgorithmSuite: suite, Keyring: k,
	}
}

// officialKeyring is the hierarchical keyring of the public vectors.
func officialKeyring(t testing.TB, shared string) materials.Keyring {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared, "mpl_keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		Keys map[string]struct {
			ID        string          `json:"key-id"`
			Version   string          `json:"branchKeyVersion"`
			BranchKey json.RawMessage `json:"branchKey"`
		} `json:"keys,omitempty"`
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		t.Fatal(err)
	}
	k, has := keys.Keys["static-branch-key-1"]
	if !has {
		t.Fatal("no key static-branch-key-1")
	}
	var text string
	if err := json.Unmarshal(k.BranchKey, &text); err != nil {
		t.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	source, err := keyring.NewMemorySource(materials.NewBranchKey(k.ID, k.Version, [32]byte(secret)))
	if err != nil {
		t.Fatal(err)
	}
	h, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: k.ID})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOfficialDecryptVectors(t *testing.T) {
	shared := sharedVectors(t)
	if shared == "" {
		t.Skip("the public vectors are not there")
	}
	k := officialKeyring(t, shared)
	files, err := filepath.Glob(filepath.Join(shared, "decrypt_*.json"))
	if err != nil {
		t.Fatal(err)
	}
	positive, negative := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var manifest struct {
			Tests map[string]officialCase `json:"tests"`
		}
		if err := json.Unmarshal(data, &manifest); err != nil {
			t.Fatal(err)
		}
		if len(manifest.Tests) == 0 {
			t.Errorf("%s holds no case", file)
		}
		for id, c := range manifest.Tests {
			t.Run(filepath.Base(file)+"/"+id, func(t *testing.T) {
				e, err := envelope.NewItemEncryptor(c.Config.config(t, k))
				if err != nil {
					t.Fatal(err)
				}
				item := mustItem(t, c.Encrypted)
				reencodes(t, item)
				got, err := e.DecryptItem(t.Context(), item)
				switch c.Type {
				case "positive-decrypt":
					positive++
					if err != nil {
						t.Fatal(err)
					}
					sameItem(t, got, plainJSON(t, c.Plaintext))
				case "negative-decrypt":
					negative++
					if !errors.Is(err, envelope.ErrTampered) {
						t.Fatalf("%s: got %v, want %v", c.Description, err, envelope.ErrTampered)
					}
				default:
					t.Fatalf("unknown type %q", c.Type)
				}
			})
		}
	}
	if positive == 0 || negative == 0 {
		t.Fatalf("%d positive and %d negative cases ran", positive, negative)
	}
}

func TestOfficialDecryptTests(t *testing.T) {
	shared := sharedVectors(t)
	if shared == "" {
		t.Skip("the public vectors are not there")
	}
	k := officialKeyring(t, shared)
	data, err := os.ReadFile(filepath.Join(shared, "iotest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		DecryptTests []struct {
			Config           officialConfig
			EncryptedRecords []json.RawMessage
			PlainTextRecords []json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range manifest.DecryptTests {
		e, err := envelope.NewItemEncryptor(c.Config.config(t, k))
		if err != nil {
			t.Fatal(err)
		}
		for i, record := range c.EncryptedRecords {
			item := mustItem(t, record)
			reencodes(t, item)
			got, err := e.DecryptItem(t.Context(), item)
			if err != nil {
				t.Fatal(err)
			}
			sameItem(t, got, plainJSON(t, c.PlainTextRecords[i]))
			ran++
		}
	}
	if ran == 0 {
		t.Fatal("no case ran")
	}
}

// TestOfficialRoundTrips encrypts and decrypts the records of the public round
// trip, write and write-then-read tests under each of their configurations.
func TestOfficialRoundTrips(t *testing.T) {
	shared := sharedVectors(t)
	if shared == "" {
		t.Skip("the public vectors are not there")
	}
	k := officialKeyring(t, shared)
	for _, name := range []string{"data.json", "PermTest.json", "iotest.json"} {
		data, err := os.ReadFile(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		var manifest struct {
			RoundTripTest struct {
				Configs map[string]officialConfig
				Records []json.RawMessage
			}
			WriteTests []struct {
				Config  officialConfig
				Records []json.RawMessage
			}
			IoTests map[string]struct {
				WriteConfig, ReadConfig *officialConfig
				Records                 []json.RawMessage
			}
		}
		if err := json.Unmarshal(data, &manifest); err != nil {
			t.Fatal(err)
		}
		ran := 0
		roundTrips := func(write, read officialConfig, records []json.RawMessage) {
			writer, reader := mustEncryptor(t, write.config(t, k)), mustEncryptor(t, read.config(t, k))
			for _, record := range records {
				item := plainJSON(t, record)
				got, err := reader.DecryptItem(t.Context(), mustEncrypt(t, writer, item))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				sameItem(t, got, item)
				ran++
			}
		}
		for _, c := range manifest.RoundTripTest.Configs {
			roundTrips(c, c, manifest.RoundTripTest.Records)
		}
		for _, c := range manifest.WriteTests {
			roundTrips(c.Config, c.Config, c.Records)
		}
		for _, c := range manifest.IoTests {
			if c.ReadConfig == nil {
				c.ReadConfig = c.WriteConfig
			}
			roundTrips(*c.WriteConfig, *c.ReadConfig, c.Records)
		}
		if ran == 0 {
			t.Errorf("%s: no case ran", name)
		}
	}
}
