// SPDX-License-Identifier: Apache-2.0

package ddbnumber_test

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

func ExampleNormalize() {
	for _, s := range []string{"1e3", "-0.0", ".50", "1e999999999", "one"} {
		normal, err := ddbnumber.Normalize(s)
		fmt.Printf("%q %v\n", normal, err)
	}
	// Output:
	// "1000" <nil>
	// "0" <nil>
	// "0.5" <nil>
	// "" number overflow: magnitude is 1e126 or larger
	// "" not a decimal number
}

func ExampleAdd() {
	sum, err := ddbnumber.Add("0.1", "0.2")
	fmt.Println(sum, err)
	_, err = ddbnumber.Add("1e38", "0.1")
	fmt.Println(err)
	// Output:
	// 0.3 <nil>
	// number has more than 38 significant digits
}
