// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/store/change"
)

// fuzzSeeds are records of each source.
func fuzzSeeds(f *testing.F) (image string, table change.Table[patient]) {
	p := patients(f)
	return sealed(f, p.Encryptor(), plainPatient(aPatient(1))), p
}

// judge holds what every record must satisfy, whatever it is made of.
func judge(t *testing.T, c change.Change[patient], err error) {
	t.Helper()
	var record *change.RecordError
	switch {
	case err == nil && (c.Kind == 0 || c.Key.Partition == nil):
		t.Errorf("a change without kind or key: %+v", c)
	case err == nil && c.New != nil && *c.New != aPatient(1), err == nil && c.Old != nil && *c.Old != aPatient(1):
		t.Errorf("an item that was not encrypted: %+v", c)
	case err != nil && (c.Old != nil || c.New != nil):
		t.Errorf("items beside an error: %v", err)
	case err != nil && (!errors.As(err, &record) || len(err.Error()) > 2000):
		t.Errorf("error %T of %d bytes", err, len(err.Error()))
	}
	if names, known := c.Changed(); !known && len(names) > 0 {
		t.Errorf("changed %v", names)
	}
}

func FuzzLambda(f *testing.F) {
	image, table := fuzzSeeds(f)
	both := "NEW_AND_OLD_IMAGES"
	for _, record := range []string{event("INSERT", both, "1", keysOne, "", image),
		event("MODIFY", both, "2", keysOne, image, image), event("REMOVE", "KEYS_ONLY", "3", keysOne, "", ""),
		`{"eventSource":"aws:kinesis","kinesis":{"data":"e30=","sequenceNumber":"4"}}`} {
		f.Add([]byte(`{"Records":[` + record + `]}`))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		records, err := change.Lambda(event)
		if err != nil && !errors.Is(err, change.ErrRecord) {
			t.Errorf("%v", err)
		}
		records = append(records, change.Kinesis(event, "9"))
		for c, err := range change.Decode(t.Context(), table, records) {
			judge(t, c, err)
		}
	})
}

func FuzzDecodeExport(f *testing.F) {
	image, table := fuzzSeeds(f)
	full := `{"Item":` + image + "}\n"
	f.Add([]byte(full + full))
	f.Add([]byte(`{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":` + keysOne + `,"NewImage":` + image + "}\n"))
	f.Add(zipped(f, full))
	f.Add([]byte("$ion_1_0"))
	f.Fuzz(func(t *testing.T, file []byte) {
		n, last := 0, error(nil)
		for c, err := range change.DecodeExport(t.Context(), table, bytes.NewReader(file)) {
			var record *change.RecordError
			if n++; last != nil {
				t.Error("an element after the last one")
			}
			if err != nil && !errors.As(err, &record) {
				last = err
				continue
			}
			judge(t, c, err)
		}
	})
}
