// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

// Attached is an AWS outside of the process: a running `ddbseal serve`, or AWS
// itself. There are no console passwords there that this page could check:
// people sign in with an access key. Reasons of denials and the disk are not
// shown, and the audit is what CloudTrail's LookupEvents answers.
type Attached struct {
	// Name is what the page calls it.
	Name string
	// Config has Region and endpoints. Its credentials are not used: no user
	// gets more than their own.
	Config aws.Config
	// Write lets users change keys and run the lab. Otherwise the page only
	// reads.
	Write bool
	// AWS says that it is AWS itself, where users sign in with a password at
	// AWS's own console. Another server has no such page.
	AWS bool
	// Deadline and AuditDeadline are those of the lab, for an AWS on which
	// permissions and audit take their time.
	Deadline, AuditDeadline time.Duration
}

func (a *Attached) check() error {
	if a.Name == "" || a.Config.Region == "" {
		return errors.New("console: what it is attached to needs a name and a Region")
	}
	return nil
}

// as is a configuration that signs with other credentials.
func (c *Console) as(k aws.Credentials) aws.Config {
	if c.cfg.Server != nil {
		return c.cfg.Server.Config(k)
	}
	cfg := c.cfg.Attached.Config.Copy()
	cfg.Credentials = credentials.StaticCredentialsProvider{Value: k}
	return cfg
}

// readOnly reports whether the page changes nothing.
func (c *Console) readOnly() bool { return c.cfg.Attached != nil && !c.cfg.Attached.Write }

// writing refuses changes on a page that only reads.
func (c *Console) writing(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) {
		if c.readOnly() {
			http.Error(w, "This console only reads: start it with --write to change something.", http.StatusForbidden)
			return
		}
		h(w, r, s)
	}
}

// identify asks who holds an access key; AWS checks the signature.
func identify(ctx context.Context, cfg aws.Config) (account, arn string, err error) {
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", "", err
	}
	return aws.ToString(who.Account), aws.ToString(who.Arn), nil
}

const (
	lookupPage  = 50
	lookupPages = 6
	pollEvery   = 5 * time.Second // AWS allows two lookups a second for an account
)

// lookup reads the newest events of CloudTrail as the user, oldest first.
func (s *session) lookup(ctx context.Context, f filter, pages int) ([]*localaws.Event, error) {
	in := &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(lookupPage)}
	if !f.All {
		in.LookupAttributes = []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventSource,
			AttributeValue: aws.String("kms.amazonaws.com")}}
	}
	var out []*localaws.Event
	for p := cloudtrail.NewLookupEventsPaginator(s.trail, in); p.HasMorePages() && pages > 0; pages-- {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			event := &localaws.Event{}
			if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), event) == nil {
				out = append(out, event)
			}
		}
	}
	slices.Reverse(out)
	return out, nil
}

// poll sends events that the browser has not had, as CloudTrail shows them.
func (s *session) poll(ctx context.Context, f filter, after string) <-chan *localaws.Event {
	out := make(chan *localaws.Event)
	go func() {
		defer close(out)
		sent := map[string]bool{}
		for {
			events, err := s.lookup(ctx, f, 1)
			if err != nil {
				return // the browser comes again
			}
			if i := slices.IndexFunc(events, func(e *localaws.Event) bool { return e.EventID == after }); i >= 0 {
				for _, e := range events[:i+1] {
					sent[e.EventID] = true
				}
			}
			for _, e := range events {
				if sent[e.EventID] {
					continue
				}
				sent[e.EventID] = true
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
			if len(sent) > 100*lookupPage {
				return
			}
			select {
			case <-time.After(pollEvery):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
