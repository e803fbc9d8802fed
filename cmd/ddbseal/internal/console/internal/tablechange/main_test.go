// SPDX-License-Identifier: Apache-2.0

package tablechange

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
