// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestPasswordsAreFresh(t *testing.T) {
	var passwords []string
	for range fresh.Draws {
		passwords = append(passwords, newPassword())
	}
	fresh.Text(t, "password", []int{26, 27, 28}, passwords)
}
