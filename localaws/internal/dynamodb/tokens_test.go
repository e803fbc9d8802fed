// SPDX-License-Identifier: Apache-2.0

package dynamodb

import "testing"

func TestRequestHashIgnoresOrder(t *testing.T) {
	same := requestHash([]byte(`{"a": {"x": {"N": "1"}, "y": {"S": "z"}}, "b": [1.0, 2]}`))
	if requestHash([]byte(`{"b":[1.0,2],"a":{"y":{"S":"z"},"x":{"N":"1"}}}`)) != same {
		t.Error("the order of members counts")
	}
	for _, other := range []string{`{"a": {"x": {"N": "2"}, "y": {"S": "z"}}, "b": [1.0, 2]}`,
		`{"a": {"x": {"N": "1"}, "y": {"S": "z"}}, "b": [2, 1.0]}`, `{`, ``} {
		if requestHash([]byte(other)) == same {
			t.Errorf("%s counts as the same", other)
		}
	}
}
