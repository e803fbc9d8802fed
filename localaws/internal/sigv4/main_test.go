// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
