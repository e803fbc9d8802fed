// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
)

// TestBilled: an endpoint of AWS's own asks first too.
func TestBilled(t *testing.T) {
	for endpoint, billed := range map[string]bool{
		"": false, "http://127.0.0.1:4566": false, "http://amazonaws.com.example.org": false,
		"http://notamazonaws.com":                  false,
		"https://dynamodb.us-east-1.amazonaws.com": true, "https://kms.cn-north-1.amazonaws.com.cn": true,
		"https://kms.us-east-1.api.aws:443": true,
	} {
		if c := (connection{EndpointURL: endpoint}); c.billed() != billed {
			t.Errorf("%q: %v", endpoint, !billed)
		}
	}
	if !(&connection{AWS: true}).billed() {
		t.Error("--aws is not billed")
	}
}
