// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keyring"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestMulti(t *testing.T) {
	s := newServer()
	multi, err := awskms.NewMulti(awskms.MultiConfig{Generator: key1, Children: []string{key2, eastKey},
		Client: supplier(s), GrantTokens: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, multi)
	var order []string
	for _, e := range edks {
		order = append(order, string(e.ProviderInfo))
	}
	if !slices.Equal(order, []string{key1, key2, eastKey}) || s.Count("GenerateDataKey") != 3 {
		t.Fatalf("recipients %v", order)
	}
	for _, arn := range order {
		region := strings.Split(arn, ":")[3]
		k := must[*awskms.Keyring](t)(awskms.New(awskms.Config{Client: s.Client(region), KeyARN: arn}))
		if got, calls, err := open(t, s, k, testContext, edks); err != nil || calls != 1 || !bytes.Equal(got, key) {
			t.Fatal(err)
		}
	}
	// One key denied: writing fails whole, reading goes on to the next key.
	s.Fault = func(_ context.Context, c fakekms.Call) error {
		if c.KeyID == key1 {
			return fakekms.Denied("kms:" + c.Operation)
		}
		return nil
	}
	err = multi.OnEncrypt(t.Context(), encryption(t))
	var e *materials.KeyError
	if !errors.Is(err, materials.ErrKeyDenied) || !errors.As(err, &e) || e.Missing != "kms:GenerateDataKey" ||
		e.KeyID != key1 {
		t.Fatalf("%v", err)
	}
	if got, calls, err := open(t, s, multi, testContext, edks); err != nil || calls != 2 || !bytes.Equal(got, key) {
		t.Fatalf("%d calls, %v", calls, err)
	}
	// All denied: one error per key.
	s.Fault = func(_ context.Context, c fakekms.Call) error { return fakekms.Denied("kms:" + c.Operation) }
	_, calls, err := open(t, s, multi, testContext, edks)
	if calls != 3 || !errors.Is(err, materials.ErrKeyDenied) {
		t.Fatalf("%d calls, %v", calls, err)
	}
	for _, arn := range order {
		if !strings.Contains(err.Error(), arn+": AccessDeniedException: permission kms:Decrypt is missing") {
			t.Errorf("no word of %s in %v", arn, err)
		}
	}
}

func TestMRKMultiAndDiscoveryMulti(t *testing.T) {
	s := newServer()
	multi, err := awskms.NewMRKMulti(awskms.MultiConfig{Generator: mrkWest, Children: []string{eastKey},
		Client: supplier(s)})
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, multi)
	filter := &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{"111122223333"}}
	for _, build := range []func(awskms.DiscoveryMultiConfig) (materials.Keyring, error){
		func(c awskms.DiscoveryMultiConfig) (materials.Keyring, error) { return awskms.NewDiscoveryMulti(c) },
		func(c awskms.DiscoveryMultiConfig) (materials.Keyring, error) { return awskms.NewMRKDiscoveryMulti(c) },
	} {
		k := must[materials.Keyring](t)(build(awskms.DiscoveryMultiConfig{Regions: []string{east, west},
			Client: supplier(s), Filter: filter}))
		if got, calls, err := open(t, s, k, testContext, edks); err != nil || calls != 1 || !bytes.Equal(got, key) {
			t.Fatalf("%d calls, %v", calls, err)
		}
	}
	_, err = awskms.NewMRKMulti(awskms.MultiConfig{Generator: mrkWest, Children: []string{key1, mrkEast},
		Client: supplier(s)})
	if !errors.Is(err, materials.ErrConfiguration) || !strings.Contains(err.Error(), mrkWest) ||
		!strings.Contains(err.Error(), mrkEast) {
		t.Fatalf("two replicas: %v", err)
	}
}

// The calls for the keys of one item overlap: each waits until all are there.
func TestMultiCallsSideBySide(t *testing.T) {
	s := newServer()
	var waiting atomic.Int32
	all := make(chan struct{})
	s.Fault = func(context.Context, fakekms.Call) error {
		if waiting.Add(1) == 3 {
			close(all)
		}
		select {
		case <-all:
			return nil
		case <-time.After(5 * time.Second):
			return errors.New("the calls came one after the other")
		}
	}
	multi, err := awskms.NewMulti(awskms.MultiConfig{Generator: key1, Children: []string{key2, eastKey},
		Client: supplier(s)})
	if err != nil {
		t.Fatal(err)
	}
	seal(t, multi)
}

// Only replicas of one multi-Region key exclude each other.
func TestUniqueKeys(t *testing.T) {
	s := newServer()
	twin := s.AddKey("arn:aws:kms:us-west-2:444455556666:key/11111111-1111-4111-8111-111111111111") // an id like key1's
	for _, children := range [][]string{{key1}, {twin}, {mrkWest, key1, eastKey}} {
		if _, err := awskms.NewMRKMulti(awskms.MultiConfig{Generator: key1, Children: children,
			Client: supplier(s)}); err != nil {
			t.Errorf("%v: %v", children, err)
		}
	}
	other := strings.Replace(mrkEast, "us-east-1", "eu-west-1", 1)
	_, err := awskms.NewMRKMulti(awskms.MultiConfig{Children: []string{mrkWest, key1, other, mrkEast},
		Client: supplier(s)})
	if want := strings.Join([]string{other, mrkEast, mrkWest}, ", "); !errors.Is(err, materials.ErrConfiguration) ||
		!strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v does not end with %s", err, want)
	}
}

// A client is asked for only for Regions of key ARNs.
func TestClientsOfMultiKeyrings(t *testing.T) {
	s := newServer()
	var regions []string
	note := func(region string) (awskms.KMSClient, error) {
		regions = append(regions, region)
		return s.Client(region), nil
	}
	for _, arn := range []string{"alias/orders", "x", "arn:aws:kms:us-west-2:111122223333:alias/orders"} {
		for _, c := range []awskms.MultiConfig{{Generator: arn}, {Children: []string{arn}}} {
			c.Client = note
			if _, err := awskms.NewMulti(c); !errors.Is(err, materials.ErrConfiguration) || len(regions) != 0 {
				t.Errorf("%s: clients for %q, %v", arn, regions, err)
			}
		}
	}
	for name, c := range map[string]awskms.DiscoveryMultiConfig{
		"no client": {Regions: []string{west}}, "no Region": {Client: note}, "empty Region": {Client: note, Regions: []string{west, ""}},
		"empty account": {Client: note, Regions: []string{west}, Filter: &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{"111122223333", ""}}},
	} {
		regions = nil
		if _, err := awskms.NewDiscoveryMulti(c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := awskms.NewMRKDiscoveryMulti(c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
		if len(regions) != 0 && name != "empty account" {
			t.Errorf("%s: clients for %q", name, regions)
		}
	}
}

// What is configured for several keys holds for each.
func TestMultiSettings(t *testing.T) {
	s := newServer()
	multi, err := awskms.NewMulti(awskms.MultiConfig{Generator: key1, Children: []string{key2}, Client: supplier(s),
		GrantTokens: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	_, edks := seal(t, multi)
	if _, _, err := open(t, s, multi, testContext, edks[1:]); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Calls() {
		if !slices.Equal(c.GrantTokens, []string{"g"}) {
			t.Errorf("%s of %s: tokens %q", c.Operation, c.KeyID, c.GrantTokens)
		}
	}
	filter := &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{"444455556666"}}
	for _, build := range []func(awskms.DiscoveryMultiConfig) (*keyring.Multi, error){awskms.NewDiscoveryMulti,
		awskms.NewMRKDiscoveryMulti} {
		k, err := build(awskms.DiscoveryMultiConfig{Regions: []string{west, east}, Client: supplier(s), Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		if _, calls, err := open(t, s, k, testContext, edks[:1]); calls != 0 ||
			!errors.Is(err, materials.ErrMaterials) {
			t.Errorf("a key of another account: %d calls, %v", calls, err)
		}
		if _, calls, err := open(t, s, k, testContext, edks); calls != 1 || err != nil {
			t.Errorf("a key of the account: %d calls, %v", calls, err)
		}
	}
}
