// SPDX-License-Identifier: Apache-2.0

package frontdoor

import "testing"

// TestAccepted has what DynamoDB was seen to answer, odd as it is.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		header string
		want   encoding
	}{
		{"", ""}, {"identity", ""}, {"br", ""}, {"zstd", ""}, {"x-gzip", ""}, {`"gzip"`, ""}, {"gzip br", ""},
		{"gzip:q=1", ""}, {"gzip", gzipped}, {"deflate", deflated}, {"GZIP, identity", gzipped},
		{"gzip, deflate", gzipped}, {"br, identity, deflate, gzip", deflated}, {"dog, gzip ,, cat", gzipped},
		{"gzip;q=0.8, deflate;q=0.5", gzipped}, {"deflate;q=0.5, gzip;q=0.2", deflated},
		{"br, gzip;q=0, deflate; q = 0.5 , identity;q=0", deflated}, {"br,identity;q=0.5,gzip;q=0.0001", gzipped},
		{"gzip ;q=0", ""}, {"gzip;q= 0;q=1", ""}, {"gzip;q =0;q=1", gzipped}, {"gzip; q=0;q=1", ""},
		{"gzip;nq=0;q=1", ""}, {"gzip;q=0, gzip;q=1, gzip;q=0", gzipped}, {"identity;q=0", ""},
		{"*", gzipped}, {"*, deflate;q=0.5", gzipped}, {"*, deflate", deflated}, {"*, identity", gzipped},
		{"*, gzip;q=0.5", deflated}, {"*;q=0", ""}, {"*;q=0.5,identity", gzipped},
		{"gzip;q=0.5,identity;q=0.8", gzipped}, {"br;q=0.8,identity;q=0.5,*;q=0", ""},
		{"deflate;q=0.5, gzip;q=31", gzipped}, {"gzip;q=31,deflate;q=51", gzipped},
		{"deflate;q=0.5, gzip;q=1;q=0.2", gzipped}, {"deflate;q=0.5,gzip;q=0.", deflated},
		{"deflate;q=0.5,gzip;q=0.x", gzipped}, {"deflate;q=0.5,gzip;q=0. x", gzipped},
		{"deflate;q=-0.5,gzip;q=0.2", gzipped}, {"deflate;q=0.5,gzip;q=NaN", gzipped},
	} {
		if got := accepted([]string{c.header}); got != c.want {
			t.Errorf("Accept-Encoding: %s gives %q, want %q", c.header, got, c.want)
		}
	}
	for _, values := range [][]string{nil, {"identity", "gzip"}} {
		if got := accepted(values); got != "" {
			t.Errorf("%q gives %q", values, got)
		}
	}
}
