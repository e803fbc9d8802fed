// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/ddbseal/ddbseal/localaws/internal/request"

// Place is a partition of the state: one account in one Region.
type Place struct{ Account, Region string }

// PlaceOf returns where unqualified names of a call are.
func PlaceOf(c *request.Call) Place { return Place{c.AccountID, c.Region} }
