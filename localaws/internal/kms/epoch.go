// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"strconv"
	"time"
)

// Epoch is a time in AWS's JSON: seconds since 1970 with milliseconds.
type Epoch time.Time

// MarshalJSON writes a number.
func (e Epoch) MarshalJSON() ([]byte, error) {
	ms := time.Time(e).UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(nil, ms/1000, 10), nil
	}
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', 3, 64), nil
}
