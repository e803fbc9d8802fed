// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// Tags of a serialized value, each after a zero byte:
//
//	b  B     4+ bytes
//	s  S     4+ text
//	n  N     4+ text
//	?  BOOL  1 byte, 0 or 1
//	0  NULL  nothing
//	B  BS    4 count, {4+ bytes}
//	S  SS    4 count, {4+ text}
//	N  NS    4 count, {4+ text}
//	L  L     4 count, {value}
//	M  M     4 count, {key as an S value, value}
const (
	tagBinary    = 'b'
	tagString    = 's'
	tagNumber    = 'n'
	tagBool      = '?'
	tagNull      = 0
	tagBinarySet = 'B'
	tagStringSet = 'S'
	tagNumberSet = 'N'
	tagList      = 'L'
	tagMap       = 'M'
)

// errNotWritten is the reason to refuse a signed value that no writer of these
// rules could have signed.
func errNotWritten(what string) error { return tampered("no writer of these rules signed %s", what) }

// appendValue appends the serialization of a value as the writer signed it.
func appendValue(dst []byte, v types.AttributeValue, depth int, rules Rules) ([]byte, error) {
	id, err := format.TypeOf(v)
	if err != nil {
		return nil, tampered("%w", err)
	}
	if depth > format.MaxDepth {
		return nil, tampered("nested deeper than %d levels", format.MaxDepth)
	}
	if len(dst) > format.MaxValueSize {
		return nil, tampered("value over %d bytes", format.MaxValueSize)
	}
	switch id {
	case format.TypeBinary:
		b := v.(*types.AttributeValueMemberB).Value
		return append(appendHeader(dst, tagBinary, len(b)), b...), nil
	case format.TypeString:
		return appendText(dst, tagString, v.(*types.AttributeValueMemberS).Value)
	case format.TypeNumber:
		n, err := rules.number(v.(*types.AttributeValueMemberN).Value)
		if err != nil {
			return nil, err
		}
		return append(appendHeader(dst, tagNumber, len(n)), n...), nil
	case format.TypeBool:
		if v.(*types.AttributeValueMemberBOOL).Value {
			return append(dst, 0, tagBool, 1), nil
		}
		return append(dst, 0, tagBool, 0), nil
	case format.TypeNull:
		if !v.(*types.AttributeValueMemberNULL).Value && rules == JavaRules {
			return nil, errNotWritten("NULL(false)")
		}
		return append(dst, 0, tagNull), nil
	case format.TypeBinarySet:
		return appendBinarySet(dst, v.(*types.AttributeValueMemberBS).Value, rules), nil
	case format.TypeStringSet:
		return appendStringSet(dst, v.(*types.AttributeValueMemberSS).Value, rules)
	case format.TypeNumberSet:
		return appendNumberSet(dst, v.(*types.AttributeValueMemberNS).Value, rules)
	case format.TypeList:
		return appendList(dst, v.(*types.AttributeValueMemberL).Value, depth, rules)
	}
	return appendMap(dst, v.(*types.AttributeValueMemberM).Value, depth, rules)
}

func appendText(dst []byte, tag byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errNotWritten("text that is not UTF-8")
	}
	return append(appendHeader(dst, tag, len(s)), s...), nil
}

func appendBinarySet(dst []byte, entries [][]byte, rules Rules) []byte {
	compare := bytes.Compare
	if rules == JavaRules {
		compare = compareSigned
	}
	entries = slices.Clone(entries)
	slices.SortFunc(entries, compare)
	dst = appendHeader(dst, tagBinarySet, len(entries))
	for _, b := range entries {
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
	}
	return dst
}

// compareSigned orders binaries as Java does, whose bytes have a sign.
func compareSigned(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(int8(a[i])) - int(int8(b[i]))
		}
	}
	return len(a) - len(b)
}

func appendStringSet(dst []byte, texts []string, rules Rules) ([]byte, error) {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return nil, errNotWritten("text that is not UTF-8")
		}
	}
	texts = slices.Clone(texts)
	slices.SortFunc(texts, rules.compare)
	return appendTexts(dst, tagStringSet, texts), nil
}

func appendNumberSet(dst []byte, given []string, rules Rules) ([]byte, error) {
	numbers := make([]string, len(given))
	for i, s := range given {
		var err error
		if numbers[i], err = rules.number(s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(numbers, strings.Compare)
	return appendTexts(dst, tagNumberSet, numbers), nil
}

func appendTexts(dst []byte, tag byte, texts []string) []byte {
	dst = appendHeader(dst, tag, len(texts))
	for _, s := range texts {
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
	}
	return dst
}

func appendList(dst []byte, list []types.AttributeValue, depth int, rules Rules) ([]byte, error) {
	dst = appendHeader(dst, tagList, len(list))
	for _, v := range list {
		var err error
		if dst, err = appendValue(dst, v, depth+1, rules); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendMap(dst []byte, m map[string]types.AttributeValue, depth int, rules Rules) ([]byte, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, rules.compare)
	dst = appendHeader(dst, tagMap, len(keys))
	for _, k := range keys {
		var err error
		if dst, err = appendText(dst, tagString, k); err != nil {
			return nil, err
		}
		if dst, err = appendValue(dst, m[k], depth+1, rules); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// pythonDigits is the precision to which the Python client rounds.
const pythonDigits = 28

// number returns a number as the writer signed it: plain, without trailing zeros
// of the fraction. The Python client rounds, and keeps the sign of zero.
func (r Rules) number(s string) (string, error) {
	n, err := ddbnumber.Normalize(s)
	if err != nil {
		return "", tampered("%w", err)
	}
	if r == JavaRules {
		return n, nil
	}
	if n == "0" && strings.HasPrefix(s, "-") {
		return "-0", nil
	}
	return roundHalfEven(n, pythonDigits), nil
}

// roundHalfEven rounds a normalized number to so many significant digits.
func roundHalfEven(n string, digits int) string {
	sign := ""
	if n[0] == '-' {
		sign, n = "-", n[1:]
	}
	whole, fraction, _ := strings.Cut(n, ".")
	all := []byte(whole + fraction)
	first := 0 // of the significant digits
	for first < len(all) && all[first] == '0' {
		first++
	}
	end := first + digits
	if end >= len(all) {
		return sign + n
	}
	point := len(whole)
	rest := string(all[end:])
	half := "5" + strings.Repeat("0", len(rest)-1)
	up := rest > half || rest == half && (all[end-1]-'0')%2 == 1
	for i := end; i < len(all); i++ {
		all[i] = '0'
	}
	for i := end - 1; up; i-- {
		if i < 0 {
			all, point = append([]byte{'1'}, all...), point+1
			break
		}
		if all[i]++; all[i] <= '9' {
			break
		}
		all[i] = '0'
	}
	out := string(all[:point])
	if tail := strings.TrimRight(string(all[point:]), "0"); tail != "" {
		out += "." + tail
	}
	return sign + out
}
