// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// IteratorLife is how long a shard iterator can be used.
const IteratorLife = 15 * time.Minute

// Iterator is a position in a shard.
type Iterator struct {
	Stream   string // ARN
	Shard    string
	Position uint64
	Issued   time.Time
}

// iteratorCheck is how many bytes of a hash show that a token was not cut off. A
// forged token opens nothing: GetRecords authorizes the stream that it names.
const iteratorCheck = 8

// String returns the token of the iterator. It begins with the ARN of the stream, as
// on AWS, and holds its position, so that it is good after a restart too.
func (i Iterator) String() string {
	b := binary.BigEndian.AppendUint64(nil, i.Position)
	b = binary.BigEndian.AppendUint64(b, uint64(i.Issued.UnixMilli()))
	b = append(b, i.Shard...)
	return i.Stream + "|1|" + base64.RawURLEncoding.EncodeToString(append(b, i.check(b)...))
}

func (i Iterator) check(b []byte) []byte {
	sum := sha256.Sum256(append([]byte(i.Stream+"|"), b...))
	return sum[:iteratorCheck]
}

// ParseIterator reads a token. It returns false for any other text.
func ParseIterator(token string) (Iterator, bool) {
	arn, text, ok := strings.Cut(token, "|1|")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(b) < 16+iteratorCheck {
		return Iterator{}, false
	}
	b, sum := b[:len(b)-iteratorCheck], b[len(b)-iteratorCheck:]
	i := Iterator{Stream: arn, Shard: string(b[16:]), Position: binary.BigEndian.Uint64(b),
		Issued: time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:])))}
	return i, string(i.check(b)) == string(sum)
}

// Expired reports whether the iterator is too old to be used.
func (i Iterator) Expired(now time.Time) bool { return now.Sub(i.Issued) > IteratorLife }
