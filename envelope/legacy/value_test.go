// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

// TestMiniVector opens an item of which every byte is known.
func TestMiniVector(t *testing.T) {
	key := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	x := make([]byte, 32)
	copy(x[16:], must(hex.DecodeString("77ff4e8137862704593d2f7abb01bb76")))
	item := envelope.Item{
		"hk": s("k"), "x": b(x),
		envelope.LegacyDescriptionAttribute: b(fields("amzn-ddb-map-sym-mode", "/CBC/PKCS5Padding")),
		envelope.LegacySignatureAttribute: b(must(hex.DecodeString(
			"b74d9e59800b40e445490ad9f926ed580e607a517c5f54bd2fa6a3847513fe87"))),
	}
	provider := must(legacy.NewStatic(legacy.StaticConfig{ContentKey: key,
		Verification: must(legacy.NewHMAC("HmacSHA256", key[:8]))}))
	got, err := must(legacy.New(legacy.Config{TableName: "T", PartitionKey: "hk", Provider: provider,
		Actions: map[string]envelope.Action{"hk": envelope.SignOnly, "x": envelope.EncryptAndSign}})).
		DecryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, envelope.Item{"hk": s("k"), "x": s("v")})
}

// serialized opens an item whose encrypted value has the given bytes.
func serialized(t *testing.T, raw []byte) (types.AttributeValue, error) {
	t.Helper()
	w := &legacywriter.Writer{Table: "t", ContentKey: contentKey, MACKey: macKey, Encrypted: []string{"secret"},
		Serialized: func(types.AttributeValue) []byte { return slices.Clone(raw) }}
	c := config(staticProvider())
	c.SortKey = ""
	got, err := must(legacy.New(c)).DecryptItem(t.Context(), w.Encrypt(envelope.Item{"pk": s("k"), "secret": s("")}))
	return got["secret"], err
}

// TestStrictParsing: a value that is signed and encrypted, but is not what a
// client writes, is refused.
func TestStrictParsing(t *testing.T) {
	deep := func(levels int) []byte {
		return append(slices.Repeat([]byte{0, 'L', 0, 0, 0, 1}, levels-1), 0, 0)
	}
	for name, c := range map[string]struct {
		raw string
		bad bool
	}{
		"S": {"\x00s\x00\x00\x00\x01x", false}, "trailing byte": {"\x00s\x00\x00\x00\x01xy", true},
		"empty": {"", true}, "one byte": {"\x00", true}, "unknown tag": {"\x00x", true}, "first byte": {"\x01s\x00\x00\x00\x00", true},
		"short length": {"\x00s\x00\x00", true}, "length too large": {"\x00s\x00\x00\x00\x02x", true},
		"huge length": {"\x00s\xff\xff\xff\xffx", true}, "bad UTF-8": {"\x00s\x00\x00\x00\x01\xff", true},
		"B": {"\x00b\x00\x00\x00\x00", false}, "NULL": {"\x00\x00", false}, "true": {"\x00?\x01", false},
		"BOOL of 2": {"\x00?\x02", true}, "no BOOL": {"\x00?", true},
		"N": {"\x00n\x00\x00\x00\x04-1.5", false}, "-0": {"\x00n\x00\x00\x00\x02-0", false},
		"N of letters": {"\x00n\x00\x00\x00\x01x", true}, "empty N": {"\x00n\x00\x00\x00\x00", true},
		"N with exponent": {"\x00n\x00\x00\x00\x031e1", true}, "N with a point only": {"\x00n\x00\x00\x00\x021.", true},
		"minus": {"\x00n\x00\x00\x00\x01-", true}, "N with two points": {"\x00n\x00\x00\x00\x051.5.5", true},
		"SS twice": {"\x00S\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x01a", false},
		"SS short": {"\x00S\x00\x00\x00\x02\x00\x00\x00\x01a", true},
		"huge SS":  {"\x00S\xff\xff\xff\xff", true}, "huge L": {"\x00L\xff\xff\xff\xff", true}, "huge M": {"\x00M\xff\xff\xff\xff", true},
		"huge BS": {"\x00B\xff\xff\xff\xff", true}, "NS": {"\x00N\x00\x00\x00\x01\x00\x00\x00\x01x", true},
		"M":            {"\x00M\x00\x00\x00\x01\x00s\x00\x00\x00\x01a\x00\x00", false},
		"M with N key": {"\x00M\x00\x00\x00\x01\x00n\x00\x00\x00\x011\x00\x00", true},
		"M twice":      {"\x00M\x00\x00\x00\x02\x00s\x00\x00\x00\x00\x00\x00\x00s\x00\x00\x00\x00\x00\x00", true},
		"M short":      {"\x00M\x00\x00\x00\x01\x00s\x00\x00\x00\x01a", true},
		"32 levels":    {string(deep(32)), false}, "33 levels": {string(deep(33)), true},
	} {
		got, err := serialized(t, []byte(c.raw))
		if c.bad != errors.Is(err, envelope.ErrTampered) || c.bad == (got != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestSetsLoseRepetitions: the client leaves equal numbers in a set, which
// DynamoDB would refuse to store.
func TestSetsLoseRepetitions(t *testing.T) {
	got, err := serialized(t, []byte("\x00N\x00\x00\x00\x02\x00\x00\x00\x0210\x00\x00\x00\x0210"))
	if err != nil || text(got) != text(&types.AttributeValueMemberNS{Value: []string{"10"}}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestClaimedCountsAreBounded: counts on all levels of nesting can claim the same
// bytes.
func TestClaimedCountsAreBounded(t *testing.T) {
	const size = 300 << 10
	var raw []byte
	for range 31 {
		raw = binary.BigEndian.AppendUint32(append(raw, 0, 'L'), (size-uint32(len(raw))-6)/2)
	}
	raw = append(raw, make([]byte, size-len(raw))...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := serialized(t, raw); err == nil {
		t.Fatal("opened")
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 24<<20 {
		t.Errorf("%d bytes for an item of %d", allocated, size)
	}
}

// TestNumberRules: what each client signs for a number.
func TestNumberRules(t *testing.T) {
	digits := strings.Repeat("1234567890", 4)
	for _, c := range []struct{ stored, java, python string }{
		{"1", "1", "1"}, {"1E+5", "100000", "100000"}, {".50", "0.5", "0.5"}, {"+7", "7", "7"}, {"-0", "0", "-0"}, {"0.0", "0", "0"},
		{"-0.00", "0", "-0"}, {digits[:28], digits[:28], digits[:28]}, {digits[:29], digits[:29], digits[:27] + "90"},
		{digits[:38], digits[:38], digits[:27] + "90000000000"}, {"0." + digits[:30], "0." + digits[:29], "0." + digits[:27] + "9"},
		{"-" + strings.Repeat("9", 29), "-" + strings.Repeat("9", 29), "-1" + strings.Repeat("0", 29)},
		{strings.Repeat("9", 28) + ".5", strings.Repeat("9", 28) + ".5", "1" + strings.Repeat("0", 28)},
		{strings.Repeat("2", 28) + ".5", strings.Repeat("2", 28) + ".5", strings.Repeat("2", 28)},
		{strings.Repeat("3", 28) + ".5", strings.Repeat("3", 28) + ".5", strings.Repeat("3", 27) + "4"},
		{strings.Repeat("2", 28) + ".51", strings.Repeat("2", 28) + ".51", strings.Repeat("2", 27) + "3"},
		{"0." + strings.Repeat("9", 29), "0." + strings.Repeat("9", 29), "1"},
	} {
		for rules, want := range map[legacy.Rules]string{legacy.JavaRules: c.java, legacy.PythonRules: c.python} {
			w := &legacywriter.Writer{Table: "t", ContentKey: contentKey, MACKey: macKey}
			item := w.Encrypt(envelope.Item{"pk": s("k"), "n": n(want)})
			item["n"] = n(c.stored)
			conf := config(staticProvider())
			conf.SortKey, conf.Rules = "", rules
			conf.Actions = map[string]envelope.Action{"pk": envelope.SignOnly, "n": envelope.SignOnly}
			got, err := must(legacy.New(conf)).DecryptItem(t.Context(), item)
			if err != nil {
				t.Errorf("%v of %q is not %q: %v", rules, c.stored, want, err)
				continue
			}
			if got["n"].(*types.AttributeValueMemberN).Value != c.stored {
				t.Errorf("a signed number came back as %q, not as stored", got["n"])
			}
		}
	}
}
