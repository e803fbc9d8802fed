// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/ddbseal/ddbseal/store"
)

// optionCases are the options of the tag dynamodbav, on fields that they fit
// and on others. A fitting one comes back unchanged; New refuses one that
// attributevalue would ignore.
func optionCases() []typeCase {
	type key = struct {
		ID string `dynamodbav:"id" seal:"partition"`
	}
	second := time.Unix(1_700_000_000, 0)
	return []typeCase{
		checkField("V", struct {
			ID string         `dynamodbav:"id" seal:"partition"`
			V  string         `dynamodbav:"v,omitempty"`
			N  int            `dynamodbav:",nullempty"`
			S  []string       `dynamodbav:"s,stringset,omitempty"`
			B  [][]byte       `dynamodbav:"b,binaryset"`
			F  []float64      `dynamodbav:"f,numberset"`
			T  time.Time      `dynamodbav:"t,unixtime"`
			P  *time.Time     `dynamodbav:"p,unixtime"`
			Z  *time.Time     `dynamodbav:"z,unixtime,omitempty"`
			D  int            `dynamodbav:"d,string"`
			E  []euro         `dynamodbav:"e,stringset"`
			M  map[string]int `dynamodbav:"m,nullemptyelem"`
		}{S: []string{"a", "b"}, B: [][]byte{{1}, {2}}, F: []float64{1, 2.5}, T: second, P: &second, D: 5,
			E: []euro{{1}, {2}}, M: map[string]int{"a": 0}}),
		checkField[struct {
			key
			V inner2 `dynamodbav:"v,omitempty"`
		}]("V"),
		checkField[struct {
			key
			V [2]int `dynamodbav:"v,omitempty"`
		}]("V"),
		checkField[struct {
			key
			V time.Time `dynamodbav:"v,omitempty"`
		}]("V"),
		checkField[struct {
			key
			V time.Time `dynamodbav:"v,unixtime,omitempty"`
		}]("V"),
		checkField[struct {
			key
			V attributevalue.UnixTime `dynamodbav:"v,omitempty"`
		}]("V"),
		checkField[struct {
			key
			V []time.Time `dynamodbav:"v,omitemptyelem"`
		}]("V"),
		checkField[struct {
			key
			V struct {
				Deep time.Time `dynamodbav:",omitempty"`
			}
		}]("V.Deep"),
		checkField[struct {
			key
			V inner2 `dynamodbav:"v,nullempty"`
		}]("V"),
		checkField[struct {
			key
			V string `dynamodbav:"v,omitempty,nullempty"`
		}]("V"),
		checkField[struct {
			key
			V string `dynamodbav:"v,omitemtpy"`
		}]("V"),
		checkField[struct {
			key
			V string `dynamodbav:"v,string"`
		}]("V"),
		checkField[struct {
			key
			V bool `dynamodbav:"v,string"`
		}]("V"),
		checkField[struct {
			key
			V time.Time `dynamodbav:"v,string"`
		}]("V"),
		checkField[struct {
			key
			V any `dynamodbav:"v,string"`
		}]("V"),
		checkField[struct {
			key
			V []int `dynamodbav:"v,string"`
		}]("V"),
		checkField[struct {
			key
			V int64 `dynamodbav:"v,unixtime"`
		}]("V"),
		checkField[struct {
			key
			V []time.Time `dynamodbav:"v,unixtime"`
		}]("V"),
		checkField[struct {
			key
			V []int `dynamodbav:"v,stringset"`
		}]("V"),
		checkField[struct {
			key
			V []string `dynamodbav:"v,numberset"`
		}]("V"),
		checkField[struct {
			key
			V []string `dynamodbav:"v,binaryset"`
		}]("V"),
		checkField[struct {
			key
			V []byte `dynamodbav:"v,numberset"`
		}]("V"),
		checkField[struct {
			key
			V map[string]bool `dynamodbav:"v,stringset"`
		}]("V"),
		checkField[struct {
			key
			V []string `dynamodbav:"v,stringset,numberset"`
		}]("V"),
		checkField[struct {
			key
			V string `dynamodbav:"v,omitemptyelem"`
		}]("V"),
		checkField[struct {
			key
			V [2]int `dynamodbav:"v,omitemptyelem"`
		}]("V"),
		checkField[struct {
			key
			V []inner2 `dynamodbav:"v,nullemptyelem"`
		}]("V"),
		checkField[struct {
			key
			V euro `dynamodbav:"v,unixtime"`
		}]("V"),
		checkField[struct {
			key
			V struct {
				Deep attributevalue.Number `dynamodbav:"d,unixtime"`
			} `dynamodbav:"v"`
		}]("V.Deep"),
	}
}

// TestOmitNamesCure: a refused omitempty says what to declare instead.
func TestOmitNamesCure(t *testing.T) {
	refuses := func(err error, cure string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), cure) {
			t.Errorf("%v, should name %q", err, cure)
		}
	}
	type key = struct {
		ID string `dynamodbav:"id" seal:"partition"`
	}
	refuses(ignore(store.Actions[struct {
		key
		V time.Time `dynamodbav:",omitempty"`
	}]()), "use *time.Time")
	refuses(ignore(store.Actions[struct {
		key
		V inner2 `dynamodbav:",omitempty"`
	}]()), "use *store_test.inner2")
	refuses(ignore(store.Actions[struct {
		key
		V []time.Time `dynamodbav:",omitemptyelem"`
	}]()), "use []*time.Time")
	refuses(ignore(store.Actions[struct {
		key
		V map[string]inner2 `dynamodbav:",nullemptyelem"`
	}]()), "use map[string]*store_test.inner2")
	refuses(ignore(store.Actions[struct {
		key
		V time.Time `dynamodbav:",unixtime,omitempty" seal:"ttl"`
	}]()), "a ttl of zero is left out without it")
}
