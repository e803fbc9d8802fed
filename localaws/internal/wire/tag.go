package wire

import "github.com/ddbseal/ddbseal/internal/policy"

// Tag is a tag of a resource.
type Tag struct{ Key, Value string }

// RequestTags adds the condition keys of the tags that a request brings.
func RequestTags(to policy.Context, tags ...Tag) {
	for _, t := range tags {
		to.Set("aws:RequestTag/"+t.Key, t.Value)
		to.Add("aws:TagKeys", t.Key)
	}
}

// ResourceTags adds the condition keys of the tags that a resource has.
func ResourceTags(to policy.Context, tags ...Tag) {
	for _, t := range tags {
		to.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
}
