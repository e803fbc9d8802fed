// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/ddbseal/ddbseal/examples/internal/account"
)

// want is the output. Hashes and the numbers of items depend on the beacon key,
// which is random.
var want = regexp.MustCompile(`^running on the embedded AWS
the program queries byNumber for number = "P-0042"
  DynamoDB is asked  aws_dbe_b_number="[0-9a-f]"
  DynamoDB returns   (\d+) items, the number as \d+ bytes of ciphertext
  the program gets   P-0042, Kim Example 42
the program scans for number = "P-0043" AND ward = "south"
  DynamoDB is asked  aws_dbe_b_number="[0-9a-f]" AND ward="south"
  DynamoDB returns   (\d+) items, the number as \d+ bytes of ciphertext
  the program gets   P-0043, Kim Example 43
$`)

func TestSearch(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = write
	err = account.Run(context.Background(), false, run)
	os.Stdout = stdout
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	out, reading := io.ReadAll(read)
	if err != nil || reading != nil {
		t.Fatal(err, reading)
	}
	found := want.FindSubmatch(out)
	if found == nil {
		t.Fatalf("the output is\n%s", out)
	}
	// The 199 other patients, 99 of them in the ward, have one of 16 beacons each.
	// The query returns some of them in vain, but for one run in 300,000.
	for i, least := range []int{2, 1} {
		if n, err := strconv.Atoi(string(found[i+1])); err != nil || n < least || n > 50 {
			t.Errorf("DynamoDB returned %d items", n)
		}
	}
}
