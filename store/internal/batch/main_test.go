// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
