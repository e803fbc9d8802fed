// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestDiscovery(t *testing.T) {
	s := newServer()
	make1 := func(c awskms.DiscoveryConfig) *awskms.Discovery {
		if c.Client == nil {
			c.Client = s.Client(west)
		}
		return must[*awskms.Discovery](t)(awskms.NewDiscovery(c))
	}
	makeMRK := func(region string, f *awskms.DiscoveryFilter) *awskms.Discovery {
		return must[*awskms.Discovery](t)(awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: s.Client(region),
			Region: region, Filter: f}))
	}
	writer := func(region, arn string) []materials.EncryptedDataKey {
		_, edks := seal(t, must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(region), KeyARN: arn})))
		return edks
	}
	one := &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{"111122223333"}}
	for _, c := range []struct {
		name  string
		k     *awskms.Discovery
		edks  []materials.EncryptedDataKey
		calls int
		opens bool
	}{
		{"any", make1(awskms.DiscoveryConfig{}), writer(west, key1), 1, true},
		{"filter allows", make1(awskms.DiscoveryConfig{Filter: one}), writer(west, key1), 1, true},
		{"other account", make1(awskms.DiscoveryConfig{Filter: one}), writer(west, key2), 0, false},
		{"other partition", make1(awskms.DiscoveryConfig{Filter: &awskms.DiscoveryFilter{Partition: "aws-cn", Accounts: one.Accounts}}), writer(west, key1), 0, false},
		{"other Region fails at KMS", make1(awskms.DiscoveryConfig{}), writer(east, eastKey), 1, false},
		{"other Region known", make1(awskms.DiscoveryConfig{Region: west}), writer(east, eastKey), 0, false},
		{"no replica logic", make1(awskms.DiscoveryConfig{}), writer(east, mrkEast), 1, false},
		{"replica", makeMRK(west, one), writer(east, mrkEast), 1, true},
		{"replica of another account", makeMRK(west,
			&awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{"444455556666"}}), writer(east, mrkEast), 0,
			false},
		{"MRK of another account", makeMRK(west, one), writer(west, key2), 0, false},
		{"MRK single-Region", makeMRK(west, nil), writer(west, key1), 1, true},
		{"MRK other Region", makeMRK(west, nil), writer(east, eastKey), 0, false},
		{"second key opens", make1(awskms.DiscoveryConfig{Filter: one}), append(writer(west, key2), writer(west, key1)[0]), 1, true},
		{"first fails, second opens", make1(awskms.DiscoveryConfig{}), append(writer(east, eastKey), writer(west, key1)[0]), 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, calls, err := open(t, s, c.k, testContext, c.edks)
			if calls != c.calls || (err == nil) != c.opens {
				t.Fatalf("%d calls, %v", calls, err)
			}
			if err := c.k.OnEncrypt(t.Context(), encryption(t)); !errors.Is(err, materials.ErrConfiguration) {
				t.Fatalf("encrypted: %v", err)
			}
		})
	}
}
