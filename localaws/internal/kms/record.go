// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// The buckets of KMS. All of them are sealed by the store, which is all the
// protection that key material has on disk.
//
//	kms.keys      account/region/key id  → keyRecord
//	kms.families  account/key id         → familyRecord, with the material
//	kms.aliases   account/region/name    → aliasRecord
//	kms.grants    key ARN/grant id       → grantRecord
var (
	keyBucket    = storage.Bucket{Name: "kms.keys"}
	familyBucket = storage.Bucket{Name: "kms.families"}
	aliasBucket  = storage.Bucket{Name: "kms.aliases"}
	grantBucket  = storage.Bucket{Name: "kms.grants"}
)

type keyRecord struct {
	Description  string            `json:"description,omitempty"`
	Created      time.Time         `json:"created"`
	Usage        string            `json:"usage"`
	Spec         string            `json:"spec"`
	Manager      string            `json:"manager"`
	State        State             `json:"state"`
	DeleteAt     time.Time         `json:"deleteAt,omitzero"`
	Window       int               `json:"window,omitempty"`
	Policy       string            `json:"policy"`
	PrincipalIDs map[string]string `json:"principalIds,omitempty"`
	Tags         []tag             `json:"tags,omitempty"`
}

type familyRecord struct {
	Primary      string          `json:"primary"`
	Versions     []versionRecord `json:"versions"`
	Rotating     bool            `json:"rotating,omitempty"`
	Period       int             `json:"period,omitempty"`
	NextRotation time.Time       `json:"nextRotation,omitzero"`
	OnDemand     int             `json:"onDemand,omitempty"`
}

type versionRecord struct {
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
	Rotation string    `json:"rotation,omitempty"`
	Material []byte    `json:"material"`
}

type aliasRecord struct {
	Target  string    `json:"target"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

type grantRecord struct {
	Grant           policy.Grant `json:"grant"`
	Created         time.Time    `json:"created"`
	GranteeService  bool         `json:"granteeService,omitempty"`
	RetiringService bool         `json:"retiringService,omitempty"`
}

func (k *key) recordKey() []byte { return []byte(k.Account + "/" + k.Region + "/" + k.id) }

func (f *family) recordKey() []byte { return []byte(f.account + "/" + f.id) }

func (a *alias) recordKey() []byte { return []byte(a.Account + "/" + a.Region + "/" + a.name) }

func (g *grant) recordKey() []byte { return []byte(g.keyARN + "/" + g.ID) }

// marshal is for records, which always can be.
func marshal(record any) []byte {
	b, err := json.Marshal(record)
	if err != nil {
		panic("kms: " + err.Error())
	}
	return b
}

func fileKey(tx *storage.Tx, k *key) {
	tx.Put(keyBucket, k.recordKey(), marshal(keyRecord{
		Description: k.description, Created: k.created, Usage: k.usage, Spec: k.spec, Manager: k.manager,
		State:    k.state,
		DeleteAt: k.deleteAt, Window: k.window, Policy: k.policy.text, PrincipalIDs: k.policy.ids, Tags: k.tags,
	}))
}

func unfileKey(tx *storage.Tx, k *key) { tx.Delete(keyBucket, k.recordKey()) }

func fileFamily(tx *storage.Tx, f *family, state *shared) {
	r := familyRecord{Primary: state.primary, Rotating: state.rotation.enabled, Period: state.rotation.period,
		NextRotation: state.rotation.next, OnDemand: state.rotation.onDemand}
	for _, v := range state.versions {
		r.Versions = append(r.Versions, versionRecord{v.id, v.created, v.rotation, v.secret})
	}
	tx.Put(familyBucket, f.recordKey(), marshal(r))
}

func unfileFamily(tx *storage.Tx, f *family) { tx.Delete(familyBucket, f.recordKey()) }

func fileAlias(tx *storage.Tx, a *alias) {
	tx.Put(aliasBucket, a.recordKey(), marshal(aliasRecord{a.target, a.created, a.updated}))
}

func unfileAlias(tx *storage.Tx, a *alias) { tx.Delete(aliasBucket, a.recordKey()) }

func fileGrant(tx *storage.Tx, g *grant) {
	tx.Put(grantBucket, g.recordKey(), marshal(grantRecord{g.Grant, g.created, g.granteeService, g.retiringService}))
}

func unfileGrant(tx *storage.Tx, g *grant) { tx.Delete(grantBucket, g.recordKey()) }

// load reads everything that the store has. The store gives it in the order of
// the names, and so the Regions of a family and the aliases of a key are sorted.
func (s *Service) load() error {
	specs, families := map[familyID]string{}, map[familyID]*family{}
	records := map[string]keyRecord{}
	var order []string
	err := s.store.Range(keyBucket, func(name, value []byte) error {
		var r keyRecord
		if err := json.Unmarshal(value, &r); err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
		part := strings.Split(string(name), "/")
		if len(part) != 3 {
			return fmt.Errorf("key %s has a name of another form", name)
		}
		records[string(name)] = r
		order = append(order, string(name))
		specs[familyID{part[0], part[2]}] = r.Spec
		return nil
	})
	if err != nil {
		return fmt.Errorf("kms: load keys: %w", err)
	}
	err = s.store.Range(familyBucket, func(name, value []byte) error {
		account, id, _ := strings.Cut(string(name), "/")
		spec, ok := specs[familyID{account, id}]
		if !ok {
			return fmt.Errorf("material %s has no key", name)
		}
		f, err := loadFamily(familyID{account, id}, spec, value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		families[familyID{account, id}] = f
		return nil
	})
	if err != nil {
		return fmt.Errorf("kms: load key material: %w", err)
	}
	for _, name := range order {
		if err := s.loadKey(name, records[name], families); err != nil {
			return fmt.Errorf("kms: load key %s: %w", name, err)
		}
	}
	if err := s.store.Range(aliasBucket, s.loadAlias); err != nil {
		return fmt.Errorf("kms: load aliases: %w", err)
	}
	if err := s.store.Range(grantBucket, s.loadGrant); err != nil {
		return fmt.Errorf("kms: load grants: %w", err)
	}
	for _, k := range s.keys {
		k.describe()
		s.plan(k)
	}
	return nil
}

func loadFamily(id familyID, spec string, value []byte) (*family, error) {
	var r familyRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, err
	}
	if len(r.Versions) == 0 {
		return nil, errors.New("there is no material")
	}
	state := &shared{primary: r.Primary, rotation: rotation{r.Rotating, r.Period, r.NextRotation, r.OnDemand}}
	for _, v := range r.Versions {
		made := &version{id: v.ID, created: v.Created, rotation: v.Rotation, secret: v.Material}
		if err := made.ready(spec); err != nil {
			return nil, fmt.Errorf("there is %w", err)
		}
		state.versions = append(state.versions, made)
	}
	f := &family{account: id.account, id: id.id}
	f.current.Store(state)
	return f, nil
}

func (s *Service) loadKey(name string, r keyRecord, families map[familyID]*family) error {
	part := strings.Split(name, "/")
	at, id := wire.Place{Account: part[0], Region: part[1]}, part[2]
	raw, multiRegion, ok := keyname.ParseID(id)
	if !ok || !keyname.IsAccount(at.Account) {
		return errors.New("the name does not belong to a key")
	}
	f := families[familyID{at.Account, id}]
	if f == nil {
		return errors.New("there is no key material")
	}
	doc, err := policy.Parse([]byte(r.Policy), policy.KeyPolicy)
	if err != nil {
		return err
	}
	p := &keyPolicy{text: r.Policy, ids: r.PrincipalIDs}
	p.bind(doc)
	k := &key{
		Place: at, id: id, arn: keyname.ARN(at, id), rawID: raw, description: r.Description, created: r.Created,
		usage: r.Usage, spec: r.Spec,
		manager: r.Manager, multiRegion: multiRegion, state: r.State, deleteAt: r.DeleteAt, window: r.Window,
		policy: p, tags: r.Tags, family: f, lastUse: new(lastUse),
	}
	state := f.load()
	state.regions = append(state.regions, at.Region)
	s.keys[k.arn] = k
	s.partition(at).keys[id] = k
	return nil
}

func (s *Service) loadAlias(name, value []byte) error {
	part := strings.SplitN(string(name), "/", 3)
	var r aliasRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("alias %s: %w", name, err)
	}
	if len(part) != 3 {
		return fmt.Errorf("alias %s has a name of another form", name)
	}
	a := &alias{Place: wire.Place{Account: part[0], Region: part[1]}, name: part[2], target: r.Target,
		created: r.Created, updated: r.Updated}
	p := s.partition(a.Place)
	k := p.keys[a.target]
	if k == nil {
		return fmt.Errorf("alias %s has no key", name)
	}
	k.aliases = append(k.aliases, a.name)
	p.aliases[a.name] = a
	return nil
}

func (s *Service) loadGrant(name, value []byte) error {
	var r grantRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("grant %s: %w", name, err)
	}
	arn, ok := strings.CutSuffix(string(name), "/"+r.Grant.ID)
	if !ok || s.keys[arn] == nil {
		return fmt.Errorf("grant %s has no key", name)
	}
	s.addGrant(&grant{Grant: r.Grant, keyARN: arn, created: r.Created, granteeService: r.GranteeService,
		retiringService: r.RetiringService})
	return nil
}
