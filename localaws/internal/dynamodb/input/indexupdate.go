// SPDX-License-Identifier: Apache-2.0

package input

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// indexUpdate is one element of GlobalSecondaryIndexUpdates.
type indexUpdate struct {
	Create, Update *indexInput
	Delete         *struct{ IndexName *string }
}

// name is the index of an update with exactly one action.
func (u *indexUpdate) name() (string, error) {
	var names []string
	if u.Create != nil {
		names = append(names, *u.Create.IndexName)
	}
	if u.Update != nil {
		names = append(names, *u.Update.IndexName)
	}
	if u.Delete != nil {
		names = append(names, *u.Delete.IndexName)
	}
	switch len(names) {
	case 0:
		return "", refusal.Parameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, " +
			"GlobalSecondaryIndexUpdate.Delete must not be null")
	case 1:
		return names[0], nil
	}
	return "", refusal.Parameter("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate " +
		"object")
}

// applyIndexes creates, changes and deletes global indexes in next. They stay
// CREATING or UPDATING for delay.
func (in *UpdateTable) applyIndexes(next *schema.Definition, now time.Time, delay time.Duration) error {
	online := 0 // AWS builds or removes one at a time, and says so before it looks for any of them
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Update == nil && (u.Create != nil || u.Delete != nil) {
			online++
		}
	}
	seen := map[string]bool{}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		name, err := u.name()
		if err != nil {
			return err
		}
		if seen[name] {
			return refusal.Parameter("Only one global secondary index update per index is allowed simultaneously. "+
				"Index: %s", name)
		}
		seen[name] = true
		if online > 1 {
			return request.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can "+
				"be created or deleted simultaneously per table")
		}
		if u.Create != nil {
			if err := in.createIndex(next, u.Create, now, delay); err != nil {
				return err
			}
			continue
		}
		at := slices.IndexFunc(next.Global, func(d *schema.Index) bool { return d.Name == name })
		switch {
		case at < 0 && hasIndex(next, name):
			verb := "update"
			if u.Delete != nil {
				verb = "delete"
			}
			return refusal.Validationf("Cannot %s an index that is not a GlobalSecondaryIndex: %s", verb, name)
		case at < 0:
			return request.Errorf("ResourceNotFoundException", "Requested resource not found: Index %s for table %s",
				name, next.Name)
		case u.Delete != nil:
			next.Global = slices.Delete(next.Global, at, at+1)
		default:
			d := next.Global[at]
			if err := u.Update.reprovision(d, next.OnDemand, in.BillingMode != nil, now); err != nil {
				return err
			}
			if delay > 0 {
				d.Creating, d.ActiveAt = false, now.Add(delay)
			}
		}
	}
	next.ForgetAttributes()
	return nil
}

// createIndex adds an index to next. The request must define the attributes of
// its key, those too that the table has defined already. AWS reads past all
// others, and past all in a request that creates nothing.
func (in *UpdateTable) createIndex(next *schema.Definition, wanted *indexInput, now time.Time,
	delay time.Duration) error {
	switch {
	case hasIndex(next, *wanted.IndexName):
		return refusal.Validation("Attempting to create an index which already exists")
	case len(next.Global) >= maxGlobalIndexes:
		return request.Errorf("LimitExceededException", "Subscriber limit exceeded: Number of global secondary "+
			"indexes exceeds per-table limit of %d", maxGlobalIndexes)
	case in.AttributeDefinitions == nil:
		return refusal.Parameter("AttributeDefinitions is not specified for index: %s", *wanted.IndexName)
	}
	kinds, err := attributeTypes(in.AttributeDefinitions)
	if err != nil {
		return err
	}
	d, err := indexOf(wanted, kinds, &next.Key, false)
	if err != nil {
		return err
	}
	if err := next.CheckRedefined(&d.Key); err != nil {
		return err
	}
	if err := wanted.provision(d, next.OnDemand, true); err != nil {
		return err
	}
	if delay > 0 {
		d.Creating, d.ActiveAt = true, now.Add(delay)
	}
	next.Global = append(next.Global, d)
	if err := next.CheckProjected(); err != nil {
		return err
	}
	for a := range d.Key.All() {
		if next.AttributeType(a.Name) == "" {
			next.Attributes = append(next.Attributes, a)
		}
	}
	return nil
}

func hasIndex(d *schema.Definition, name string) bool {
	i, _ := d.Index(name)
	return i != nil
}
