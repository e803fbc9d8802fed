// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// rule is a permission that a purpose needs: a statement to be, and what a call
// under it looks like.
type rule struct {
	sid        string
	actions    []string
	resources  []string
	conditions []condition
	// key is the KMS key of a rule about one; empty for a table.
	key string
	// via says that DynamoDB makes the call to KMS; region is where.
	via     bool
	region  string
	pairs   map[string]string // encryption context
	leading []string          // values of the partition key
}

// condition is a condition of a rule.
type condition struct {
	operator, key string
	values        []string
}

const (
	contextKey  = "kms:EncryptionContext:"
	viaService  = "kms:ViaService"
	leadingKeys = "dynamodb:LeadingKeys"
	tableName   = "aws:dynamodb:tableName"
)

func equals(key string, values ...string) condition { return condition{"StringEquals", key, values} }

// rules collects the rules of purposes.
type rules struct{ list []rule }

// add adds a rule. A rule that differs from another in its actions alone joins it,
// and an action that one rule allows is left out of a rule with more conditions.
func (r *rules) add(n rule) {
	n.actions = slices.Clone(n.actions)
	for i := range r.list {
		o := &r.list[i]
		if o.key != n.key || !slices.Equal(o.resources, n.resources) {
			continue
		}
		wider, narrower := n.has(o.conditions), o.has(n.conditions)
		switch {
		case wider && narrower:
			for _, a := range n.actions {
				if !slices.Contains(o.actions, a) {
					o.actions = append(o.actions, a)
				}
			}
			n.actions = nil
		case wider:
			n.drop(o.actions)
		case narrower:
			o.drop(n.actions)
		}
	}
	r.list = slices.DeleteFunc(append(r.list, n), func(o rule) bool { return len(o.actions) == 0 })
}

// has reports whether the rule has all of the conditions.
func (r *rule) has(all []condition) bool {
	return !slices.ContainsFunc(all, func(c condition) bool {
		return !slices.ContainsFunc(r.conditions, func(o condition) bool {
			return o.operator == c.operator && o.key == c.key && slices.Equal(o.values, c.values)
		})
	})
}

func (r *rule) drop(actions []string) {
	r.actions = slices.DeleteFunc(r.actions, func(a string) bool { return slices.Contains(actions, a) })
}

// on adds calls on a table, and what DynamoDB asks of its caller for the table's
// key if the calls touch items.
func (r *rules) on(sid string, p *Place, items bool, leading []string, actions ...string) {
	n := rule{sid: sid, actions: actions, resources: []string{p.ARN}, leading: leading}
	if len(leading) > 0 {
		n.conditions = []condition{{"ForAllValues:StringEquals", leadingKeys, leading}}
	}
	r.add(n)
	if items {
		r.through(sid, p)
	}
}

// through adds the use of a table's own key through DynamoDB. The AWS owned key
// needs no permission, and the policy of the AWS managed one lets everybody in who
// may use the table.
func (r *rules) through(sid string, p *Place) {
	if p.KeyARN == "" || p.Managed {
		return
	}
	a, _ := arn.Parse(p.ARN) // checked
	r.add(rule{sid: sid + "Key", actions: []string{"kms:Decrypt"}, key: p.KeyARN, via: true, region: a.Region,
		resources: []string{p.KeyARN},
		pairs:     map[string]string{tableName: p.name(), "aws:dynamodb:subscriberId": a.AccountID},
		conditions: []condition{equals(viaService, "dynamodb."+a.Region+".amazonaws.com"),
			equals(contextKey+tableName, p.name())}})
}

// itemKey adds direct calls to KMS with a key of the items.
func (r *rules) itemKey(t *Table, e *Encryption, k *Key, actions ...string) {
	n := rule{sid: "ItemKey", actions: actions, key: k.ARN, resources: []string{k.ARN}}
	if k.Kind == DataKeys { // KMS takes no encryption context with asymmetric keys
		name := e.LogicalName
		if name == "" {
			name = t.name()
		}
		n.pairs = map[string]string{"aws-crypto-table-name": name}
		n.conditions = []condition{equals(contextKey+"aws-crypto-table-name", name)}
	}
	r.add(n)
}

// branchKeys adds reading the branch keys of a key store.
func (r *rules) branchKeys(s *KeyStore) {
	r.on("KeyStore", &s.Place, true, s.BranchKeys, "dynamodb:GetItem")
	n := rule{sid: "BranchKeys", actions: []string{"kms:Decrypt"}, key: s.KMSKeyARN, resources: []string{s.KMSKeyARN},
		pairs:      map[string]string{"tablename": s.logicalName()},
		conditions: []condition{equals(contextKey+"tablename", s.logicalName())}}
	if len(s.BranchKeys) > 0 {
		n.pairs["branch-key-id"] = s.BranchKeys[0]
		n.conditions = append(n.conditions, equals(contextKey+"branch-key-id", s.BranchKeys...))
	}
	r.add(n)
}

// decrypts adds opening items: one of the keys is enough.
func (r *rules) decrypts(t *Table, e *Encryption) {
	switch {
	case len(e.Keys) > 0:
		k := &e.Keys[0]
		switch k.Kind {
		case Agreement:
			r.agrees(t, e, k)
		default:
			r.itemKey(t, e, k, "kms:Decrypt")
		}
	case len(e.Stores) > 0:
		r.branchKeys(&e.Stores[0])
	}
}

func (r *rules) agrees(t *Table, e *Encryption, k *Key) {
	r.itemKey(t, e, k, "kms:DeriveSharedSecret")
	r.itemKey(t, e, k, "kms:GetPublicKey")
}

// encrypts adds sealing items: each of the keys protects the data key.
func (r *rules) encrypts(t *Table, e *Encryption) {
	for i := range e.Keys {
		switch k := &e.Keys[i]; k.Kind {
		case DataKeys:
			r.itemKey(t, e, k, "kms:GenerateDataKey")
		case RSA:
			if !k.PublicKey {
				r.itemKey(t, e, k, "kms:GetPublicKey")
			}
		case Agreement:
			r.agrees(t, e, k)
		}
	}
	for i := range e.Stores {
		r.branchKeys(&e.Stores[i])
	}
	r.beacons(e)
}

// beacons adds the key of the beacons, which writers and searches need.
func (r *rules) beacons(e *Encryption) {
	if e.Beacons != nil {
		r.branchKeys(e.Beacons)
	}
}

// reader adds what reading the table needs.
func (r *rules) reader(t *Table, o *Options) {
	actions := []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"}
	if len(o.PartitionKeys) > 0 {
		actions = actions[:3]
	}
	r.on("Table", &t.Place, true, o.PartitionKeys, actions...)
	if len(t.Indexes) > 0 && len(o.PartitionKeys) == 0 {
		n := rule{sid: "Indexes", actions: []string{"dynamodb:Query", "dynamodb:Scan"}}
		for _, index := range t.Indexes {
			n.resources = append(n.resources, t.ARN+"/index/"+index)
		}
		r.add(n)
	}
	r.decrypts(t, &t.Items)
	r.beacons(&t.Items)
}

// writer adds what writing the table needs.
func (r *rules) writer(t *Table, o *Options) {
	r.on("Table", &t.Place, true, o.PartitionKeys, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
		"dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem")
	r.encrypts(t, &t.Items)
}

const defaultCheckpoints = "ddbseal-migrations"

// migrator adds what a migration of the table needs.
func (r *rules) migrator(t *Table, o *Options) {
	r.on("Table", &t.Place, true, nil, "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:Scan",
		"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
	name := o.Checkpoints
	if name == "" {
		name = defaultCheckpoints
	}
	checkpoints := Place{ARN: strings.TrimSuffix(t.ARN, t.name()) + name}
	r.on("Checkpoints", &checkpoints, false, nil, "dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:GetItem",
		"dynamodb:PutItem")
	r.decrypts(t, &t.Former)
	r.decrypts(t, &t.Items) // items that are in the new state already
	r.encrypts(t, &t.Items)
}

// admin adds what administering a key store needs.
func (r *rules) admin(s *KeyStore) {
	r.on("KeyStore", &s.Place, true, nil, "dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:GetItem",
		"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:Scan")
	r.add(rule{sid: "BranchKeys", key: s.KMSKeyARN, resources: []string{s.KMSKeyARN},
		actions:    []string{"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
		pairs:      map[string]string{"tablename": s.logicalName()},
		conditions: []condition{equals(contextKey+"tablename", s.logicalName())}})
}
