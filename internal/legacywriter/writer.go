// SPDX-License-Identifier: Apache-2.0

// Package legacywriter writes items of the older DynamoDB Encryption Client, for
// tests of what reads them. It follows the rules of the Java client and shares no
// code with package legacy.
package legacywriter

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is a DynamoDB item as the AWS SDK for Go has it.
type Item = map[string]types.AttributeValue

// Writer has the keys and the table name of a writer. Attributes that are neither
// Encrypted nor Unsigned are signed.
type Writer struct {
	Table                string
	ContentKey, MACKey   []byte
	Encrypted, Unsigned  []string
	Description          map[string]string                 // pairs beside amzn-ddb-map-sym-mode
	Sign                 func(record []byte) []byte        // instead of HMAC-SHA256 under MACKey
	WithoutEncryptedMode bool                              // leaves amzn-ddb-map-sym-mode out
	Serialized           func(types.AttributeValue) []byte // instead of Serialize, for encrypted values
}

// Encrypt returns the old form of a plaintext item.
func (w *Writer) Encrypt(plain Item) Item {
	out := maps.Clone(plain)
	var record []byte
	write := func(b []byte) {
		d := sha256.Sum256(b)
		record = append(record, d[:]...)
	}
	write([]byte("TABLE>" + w.Table + "<TABLE"))
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if slices.Contains(w.Unsigned, name) {
			continue
		}
		write([]byte(name))
		value := Serialize(plain[name])
		if slices.Contains(w.Encrypted, name) {
			if w.Serialized != nil {
				value = w.Serialized(plain[name])
			}
			sealed := &types.AttributeValueMemberB{Value: w.seal(value)}
			out[name], value = sealed, Serialize(sealed)
			write([]byte("ENCRYPTED"))
		} else {
			write([]byte("PLAINTEXT"))
		}
		write(value)
	}
	sign := w.Sign
	if sign == nil {
		sign = func(record []byte) []byte {
			h := hmac.New(sha256.New, w.MACKey)
			h.Write(record)
			return h.Sum(nil)
		}
	}
	out["*amzn-ddb-map-desc*"] = &types.AttributeValueMemberB{Value: w.description()}
	out["*amzn-ddb-map-sig*"] = &types.AttributeValueMemberB{Value: sign(record)}
	return out
}

func (w *Writer) description() []byte {
	pairs := map[string]string{"amzn-ddb-map-sym-mode": "/CBC/PKCS5Padding"}
	if w.WithoutEncryptedMode {
		clear(pairs)
	}
	maps.Copy(pairs, w.Description)
	return Description(pairs)
}

// Description returns the material description with the given pairs.
func Description(pairs map[string]string) []byte {
	out := make([]byte, 4)
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		out = text(text(out, name), pairs[name])
	}
	return out
}

func (w *Writer) seal(plain []byte) []byte {
	block, err := aes.NewCipher(w.ContentKey)
	if err != nil {
		panic(err)
	}
	padding := 16 - len(plain)%16
	for range padding {
		plain = append(plain, byte(padding))
	}
	out := make([]byte, 16+len(plain))
	_, _ = rand.Read(out[:16])
	cipher.NewCBCEncrypter(block, out[:16]).CryptBlocks(out[16:], plain)
	return out
}

func text[T string | []byte](dst []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// Serialize returns a value's bytes. Numbers must be in plain form and sets in
// order; maps are sorted here.
func Serialize(v types.AttributeValue) []byte {
	set := func(tag byte, n int) []byte { return binary.BigEndian.AppendUint32([]byte{0, tag}, uint32(n)) }
	switch v := v.(type) {
	case *types.AttributeValueMemberB:
		return text([]byte{0, 'b'}, v.Value)
	case *types.AttributeValueMemberS:
		return text([]byte{0, 's'}, v.Value)
	case *types.AttributeValueMemberN:
		return text([]byte{0, 'n'}, v.Value)
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return []byte{0, '?', 1}
		}
		return []byte{0, '?', 0}
	case *types.AttributeValueMemberNULL:
		return []byte{0, 0}
	case *types.AttributeValueMemberBS:
		out := set('B', len(v.Value))
		for _, b := range v.Value {
			out = text(out, b)
		}
		return out
	case *types.AttributeValueMemberSS:
		out := set('S', len(v.Value))
		for _, s := range v.Value {
			out = text(out, s)
		}
		return out
	case *types.AttributeValueMemberNS:
		out := set('N', len(v.Value))
		for _, s := range v.Value {
			out = text(out, s)
		}
		return out
	case *types.AttributeValueMemberL:
		out := set('L', len(v.Value))
		for _, e := range v.Value {
			out = append(out, Serialize(e)...)
		}
		return out
	case *types.AttributeValueMemberM:
		out := set('M', len(v.Value))
		for _, k := range slices.Sorted(maps.Keys(v.Value)) {
			out = append(text(append(out, 0, 's'), k), Serialize(v.Value[k])...)
		}
		return out
	}
	panic(fmt.Sprintf("value of type %T", v))
}
