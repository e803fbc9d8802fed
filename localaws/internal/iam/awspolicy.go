package iam

import (
	"sync"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/awspolicies"
)

// awsPolicy is one of AWS's own managed policies, parsed.
type awsPolicy struct {
	awspolicies.Policy
	parsed *policy.Document
}

// awsPolicies parses them at the first use: they are constant, and a server
// that nobody asks need not wait for it.
var awsPolicies = sync.OnceValue(func() map[string]*awsPolicy {
	out := map[string]*awsPolicy{}
	for _, p := range awspolicies.All() {
		parsed, err := policy.Parse([]byte(p.Document), policy.Identity)
		if err != nil {
			panic("iam: embedded policy " + p.Name + ": " + err.Error())
		}
		out[p.ARN()] = &awsPolicy{p, parsed}
	}
	return out
})
