// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

const digestLength = sha256.Size

// attribute is what is known of an attribute before any item is seen.
type attribute struct {
	name   string
	action envelope.Action
	digest [digestLength]byte // of the name
}

func newAttribute(name string, action envelope.Action) *attribute {
	return &attribute{name, action, sha256.Sum256([]byte(name))}
}

// entry is an attribute of one item.
type entry struct {
	*attribute
	value types.AttributeValue
}

// work is the memory of one decryption, used again.
type work struct {
	entries, unsigned []entry
	record            []byte // of the signature
	buf               []byte // a serialized value
	plain             []byte // a decrypted one, overwritten after use
}

type workPool struct{ sync.Pool }

func (p *workPool) borrow() *work { return p.Get().(*work) }

// maxKept bounds the memory that an item of an unusual size leaves behind.
const maxKept = 1 << 20

func (p *workPool) giveBack(w *work) {
	if cap(w.record)+cap(w.buf)+cap(w.plain) > maxKept {
		return
	}
	clear(w.entries)
	clear(w.unsigned)
	w.entries, w.unsigned = w.entries[:0], w.unsigned[:0]
	p.Put(w)
}

// Digests in the signed record of the configured action.
var (
	digestEncrypted = sha256.Sum256([]byte("ENCRYPTED"))
	digestPlaintext = sha256.Sum256([]byte("PLAINTEXT"))
)

// tableDigest begins the signed record. A writer that names no table signs the
// name that its language gives to nothing.
func tableDigest(table string, hasTable bool, rules Rules) [digestLength]byte {
	if !hasTable {
		if table = "null"; rules == PythonRules {
			table = "None"
		}
	}
	return sha256.Sum256([]byte("TABLE>" + table + "<TABLE"))
}

// signed returns the message that the item's signature is over: the table's
// digest, and for each signed attribute in the order of names the digests of its
// name, of what was done with it, and of its serialized value.
func (w *work) signed(prefix *[digestLength]byte, rules Rules) ([]byte, error) {
	slices.SortFunc(w.entries, func(a, b entry) int { return rules.compare(a.name, b.name) })
	w.record = append(w.record[:0], prefix[:]...)
	for i := range w.entries {
		e := &w.entries[i]
		w.record = append(w.record, e.attribute.digest[:]...)
		if e.action == envelope.EncryptAndSign {
			w.record = append(w.record, digestEncrypted[:]...)
		} else {
			w.record = append(w.record, digestPlaintext[:]...)
		}
		var err error
		if w.buf, err = appendValue(w.buf[:0], e.value, 1, rules); err != nil {
			return nil, at(e.name, err)
		}
		value := sha256.Sum256(w.buf)
		w.record = append(w.record, value[:]...)
	}
	return w.record, nil
}

// compare orders names, map keys and string sets as the writer did.
func (r Rules) compare(a, b string) int {
	if r == PythonRules {
		return strings.Compare(a, b)
	}
	return format.CompareUTF16(a, b)
}

// contentKey decrypts values.
type contentKey = cipher.Block

const blockLength = 16 // of AES, and of the initialization vector

// isCiphertext reports whether b can be an encrypted value: the initialization
// vector and one block or more.
func isCiphertext(b []byte) bool { return len(b) >= 2*blockLength && len(b)%blockLength == 0 }

// open decrypts the attributes of a verified item.
func (w *work) open(key contentKey) (envelope.Item, error) {
	out := make(envelope.Item, len(w.entries)+len(w.unsigned))
	for i := range w.entries {
		e := &w.entries[i]
		if e.action != envelope.EncryptAndSign {
			out[e.name] = e.value
			continue
		}
		v, err := w.openValue(e.value.(*types.AttributeValueMemberB).Value, key)
		if err != nil {
			return nil, at(e.name, err)
		}
		out[e.name] = v
	}
	for i := range w.unsigned {
		out[w.unsigned[i].name] = w.unsigned[i].value
	}
	return out, nil
}

// errNoValue is the reason to refuse a value that is not what a writer encrypted,
// whether padding or serialization tells. The content key of a wrapped item is
// not covered by the signature, so the item counts as changed.
var errNoValue = tampered("the value does not open: the wrapped content key was replaced, or it is the wrong key")

// openValue decrypts one value of a verified item.
func (w *work) openValue(sealed []byte, key contentKey) (types.AttributeValue, error) {
	w.plain = append(w.plain[:0], sealed[blockLength:]...)
	plain := w.plain
	cipher.NewCBCDecrypter(key, sealed[:blockLength]).CryptBlocks(plain, plain)
	defer clear(plain)
	padding := plain[len(plain)-1]
	if padding == 0 || padding > blockLength {
		return nil, errNoValue
	}
	for _, b := range plain[len(plain)-int(padding):] {
		if b != padding {
			return nil, errNoValue
		}
	}
	v, err := parseValue(plain[:len(plain)-int(padding)])
	if err != nil {
		return nil, errNoValue
	}
	return v, nil
}

// appendHeader appends a value's tag and length.
func appendHeader(dst []byte, tag byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0, tag), uint32(n))
}
