package interop_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/itemconfig"
)

// One RSA key pair serves a run: making one takes longer than everything else.
var rsaKey = sync.OnceValues(func() (public, private string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
})

// drawKeyring draws a keyring that both sides can build.
func drawKeyring(t *rapid.T, label string) itemconfig.Keyring {
	name := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, label+" name")
	if rapid.IntRange(0, 3).Draw(t, label+" kind") > 0 {
		size := rapid.SampledFrom([]int{16, 24, 32}).Draw(t, label+" key size")
		key := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, label+" key")
		return itemconfig.Keyring{Type: "raw-aes", Namespace: "ns", Name: name, Key: &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(key)}}
	}
	public, private := rsaKey()
	padding := rapid.SampledFrom([]string{"PKCS1", "OAEP_SHA1_MGF1", "OAEP_SHA256_MGF1", "OAEP_SHA384_MGF1", "OAEP_SHA512_MGF1"}).Draw(t, label+" padding")
	return itemconfig.Keyring{Type: "raw-rsa", Namespace: "rsa", Name: name, Padding: padding, PublicKey: public, PrivateKey: private}
}

// drawCase draws a configuration and an item that fits it.
func drawCase(t *rapid.T) (*itemconfig.Config, envelope.Item) {
	c := &itemconfig.Config{Table: rapid.StringMatching(`[A-Za-z0-9_.-]{3,20}`).Draw(t, "table"), PartitionKey: "pk", AttributeActions: map[string]envelope.Action{}}
	c.AlgorithmSuite = rapid.SampledFrom([]envelope.AlgorithmSuite{envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature}).Draw(t, "suite").String()
	c.Keyring = drawKeyring(t, "keyring")
	if children := rapid.IntRange(0, 2).Draw(t, "children"); children > 0 {
		generator := c.Keyring
		c.Keyring = itemconfig.Keyring{Type: "multi", Generator: &generator}
		for i := range children {
			c.Keyring.Children = append(c.Keyring.Children, drawKeyring(t, fmt.Sprintf("child %d", i)))
		}
	}
	inContext := rapid.Bool().Draw(t, "header version 2")
	keyAction := envelope.SignOnly
	if inContext {
		keyAction = envelope.SignAndIncludeInEncryptionContext
	}
	item := envelope.Item{"pk": scalar(t, "pk")}
	c.AttributeActions["pk"] = keyAction
	if rapid.Bool().Draw(t, "sort key") {
		c.SortKey = "sk"
		c.AttributeActions["sk"] = keyAction
		item["sk"] = scalar(t, "sk")
	}
	c.AllowedUnsignedAttributePrefix = rapid.SampledFrom([]string{"", ":"}).Draw(t, "prefix")
	actions := []envelope.Action{envelope.EncryptAndSign, envelope.EncryptAndSign, envelope.SignOnly, envelope.DoNothing}
	if inContext {
		actions = append(actions, envelope.SignAndIncludeInEncryptionContext)
	}
	names := rapid.SliceOfNDistinct(attributeName(), 0, 12, rapid.ID[string]).Draw(t, "names")
	for _, name := range names {
		if name == "pk" || name == "sk" {
			continue
		}
		action := rapid.SampledFrom(actions).Draw(t, "action of "+name)
		if name[0] == ':' && c.AllowedUnsignedAttributePrefix != "" {
			action = envelope.DoNothing
		}
		if action == envelope.DoNothing && (name[0] != ':' || c.AllowedUnsignedAttributePrefix == "") {
			c.AllowedUnsignedAttributes = append(c.AllowedUnsignedAttributes, name)
		}
		c.AttributeActions[name] = action
		item[name] = value(t, name, 0)
	}
	return c, item
}

// attributeName draws names with non-ASCII letters and surrogate pairs among
// them, whose order differs between UTF-8 and UTF-16.
func attributeName() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`:?[a-z][a-zA-Z0-9_.-]{0,11}`),
		rapid.SampledFrom([]string{"é", "ü.x", "日本", "𝒳", "\uffe0", "a b", "名前", "😀", "😀a"}),
	)
}

func text(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.StringOfN(rapid.RuneFrom([]rune("aé日𝒳😀\n\"\\\u0000")), 0, 12, -1)).Draw(t, label)
}

// numeral draws a decimal that DynamoDB takes, in many spellings.
func numeral(t *rapid.T, label string) string {
	digits := rapid.StringMatching(`[1-9][0-9]{0,36}[1-9]`).Draw(t, label+" digits")
	sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, label+" sign")
	switch rapid.IntRange(0, 5).Draw(t, label+" form") {
	case 0:
		return rapid.SampledFrom([]string{"0", "-0", "0.000", "0e5", "00012.50", ".5", "5."}).Draw(t, label)
	case 1:
		return sign + digits
	case 2:
		at := rapid.IntRange(0, len(digits)-1).Draw(t, label+" point")
		return sign + digits[:at] + "." + digits[at:]
	default:
		exponent := rapid.IntRange(-130, 125-len(digits)).Draw(t, label+" exponent")
		return sign + digits + rapid.SampledFrom([]string{"e", "E"}).Draw(t, label+" e") + fmt.Sprint(exponent)
	}
}

func binary(t *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, label)
}

func scalar(t *rapid.T, label string) types.AttributeValue {
	switch rapid.IntRange(0, 2).Draw(t, label+" type") {
	case 0:
		return &types.AttributeValueMemberS{Value: text(t, label)}
	case 1:
		return &types.AttributeValueMemberN{Value: numeral(t, label)}
	}
	return &types.AttributeValueMemberB{Value: binary(t, label)}
}

const deepest = 4

func value(t *rapid.T, label string, depth int) types.AttributeValue {
	highest := 9
	if depth >= deepest {
		highest = 7
	}
	switch rapid.IntRange(0, highest).Draw(t, label+" type") {
	case 0:
		return &types.AttributeValueMemberS{Value: text(t, label)}
	case 1:
		return &types.AttributeValueMemberN{Value: numeral(t, label)}
	case 2:
		return &types.AttributeValueMemberB{Value: binary(t, label)}
	case 3:
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, label)}
	case 4:
		return &types.AttributeValueMemberNULL{Value: true}
	case 5:
		var set []string
		for range rapid.IntRange(1, 5).Draw(t, label+" size") {
			if s := text(t, label); !slices.Contains(set, s) {
				set = append(set, s)
			}
		}
		return &types.AttributeValueMemberSS{Value: set}
	case 6:
		var set []string
		for range rapid.IntRange(1, 5).Draw(t, label+" size") {
			n := numeral(t, label)
			v := &types.AttributeValueMemberN{Value: n}
			if !slices.ContainsFunc(set, func(other string) bool { return equalNumbers(other, v.Value) }) {
				set = append(set, n)
			}
		}
		return &types.AttributeValueMemberNS{Value: set}
	case 7:
		var set [][]byte
		for range rapid.IntRange(1, 5).Draw(t, label+" size") {
			b := binary(t, label)
			if !slices.ContainsFunc(set, func(other []byte) bool { return string(other) == string(b) }) {
				set = append(set, b)
			}
		}
		return &types.AttributeValueMemberBS{Value: set}
	case 8:
		list := []types.AttributeValue{}
		for i := range rapid.IntRange(0, 4).Draw(t, label+" length") {
			list = append(list, value(t, fmt.Sprintf("%s[%d]", label, i), depth+1))
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	m := map[string]types.AttributeValue{}
	for range rapid.IntRange(0, 4).Draw(t, label+" members") {
		name := attributeName().Draw(t, label+" member")
		m[name] = value(t, label+"."+name, depth+1)
	}
	return &types.AttributeValueMemberM{Value: m}
}
