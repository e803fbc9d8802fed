// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/principal"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/servername"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// target are the flags that say on which AWS a command works: the embedded one
// with the state in a data directory, or another.
type target struct {
	connection
	DataDir string `name:"data-dir" group:"Where" env:"DDBSEAL_DATA_DIR" type:"path" placeholder:"DIR" help:"Where the embedded AWS keeps its state, and the access keys that 'up' made. (default: $$XDG_DATA_HOME/ddbseal or ~/.local/share/ddbseal)"`
}

// place is an AWS on which a command works.
type place struct {
	name       string // for people
	source     string // how a place was chosen that no flag names
	flag       string // the flags that lead here, for hints
	dir        string
	principals *principal.Keys
	remote     bool
	server     *localaws.Server // embedded only
	current    aws.Config       // remote only: the principal of the environment or the profile,
	ownKey     bool             // or the administrator whose key 'up' has kept
	explain    func() []string  // nil: no reasons
}

// open opens the place. Only create makes a data directory that is not there.
func (t *target) open(ctx context.Context, create bool) (*place, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	p := &place{flag: t.flags(), remote: t.remote()}
	var err error
	if p.dir, p.principals, err = t.readKeys(); err != nil {
		return nil, err
	}
	if p.remote {
		return p, t.openRemote(ctx, p)
	}
	p.name = "the embedded AWS in " + p.dir
	if _, err := os.Stat(p.dir); errors.Is(err, fs.ErrNotExist) && !create {
		return nil,
			fmt.Errorf("there is no data directory %s yet: run 'ddbseal up%s' first, or choose another AWS with "+
				"--aws or --endpoint-url", p.dir, p.flag)
	}
	p.server, err = localaws.New(localaws.Options{DataDir: p.dir, Region: t.Region})
	if err != nil {
		return nil, inUse(err, p.dir)
	}
	p.explain = explainer(p.server)
	return p, nil
}

// flags returns the flags that lead to the target, each after a space, for
// commands that are shown.
func (t *target) flags() string {
	flags := ""
	if t.DataDir != "" {
		flags = " --data-dir " + t.DataDir
	}
	switch {
	case t.EndpointURL != "":
		flags = " --endpoint-url " + t.EndpointURL
	case t.AWS:
		flags += " --aws"
	}
	if t.Profile != "" {
		flags += " --profile " + t.Profile
	}
	return flags
}

// readKeys reads the access keys that are kept for the target, in the folder dir.
func (t *target) readKeys() (dir string, keys *principal.Keys, err error) {
	if dir = t.DataDir; dir == "" {
		if dir, err = principal.DefaultFolder(); err != nil {
			return "", nil, err
		}
	}
	file := principal.File
	if t.billed() {
		file = principal.FileAWS
	}
	keys, err = principal.Read(filepath.Join(dir, file))
	return dir, keys, err
}

// inUse says what to do about a data directory that is locked.
func inUse(err error, dir string) error {
	if !errors.Is(err, localaws.ErrInUse) {
		return err
	}
	return fmt.Errorf("data directory %s is in use by another process: if it is 'ddbseal serve', add --endpoint-url "+
		"and the address that it printed", dir)
}

func (t *target) openRemote(ctx context.Context, p *place) (err error) {
	if p.current, err = t.load(ctx); err != nil {
		return err
	}
	// A server that was started on the data directory knows its keys; no one
	// needs to paste them.
	key, known := p.principals.Keys[principal.Administrator]
	if known && t.EndpointURL != "" && t.Profile == "" && os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		p.current, p.ownKey = with(p.current, key.Credentials()), true
		if p.current.Region == "" {
			p.current.Region = localaws.DefaultRegion
		}
	}
	if p.current.Region == "" {
		return usageError{noRegion{}}
	}
	p.name = servername.Of(p.current)
	if t.fromEnvironment() {
		p.source = ", the endpoint of AWS_ENDPOINT_URL"
	}
	return nil
}

// noRegion is [labsetup.ErrNoRegion] in terms of the command's flags.
type noRegion struct{}

func (noRegion) Error() string {
	return "no region: give --region, or set AWS_REGION or a region in the profile"
}

// Unwrap returns labsetup.ErrNoRegion.
func (noRegion) Unwrap() error { return labsetup.ErrNoRegion }

func with(cfg aws.Config, c aws.Credentials) aws.Config {
	cfg = cfg.Copy()
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
	return cfg
}

func (p *place) close(err *error) {
	if p.server == nil {
		return
	}
	// What stands behind "internal failure": a full disk, say, which is told
	// once, however much has failed because of it.
	unwritten := unwritten(p.server)
	switch {
	case *err == nil, errors.Is(*err, errChecks):
	case unwritten != nil:
		*err = unwritten
	default:
		*err = errors.Join(append([]error{*err}, p.server.Failures()...)...)
	}
	if closing := p.server.Close(); *err == nil || unwritten == nil {
		*err = errors.Join(*err, closing)
	}
}

// unwritten returns why the data directory of a server can or could not be
// written, or nil.
func unwritten(server *localaws.Server) error {
	if err := server.Err(); err != nil {
		return err
	}
	for _, failure := range server.Failures() {
		for _, kind := range []error{localaws.ErrDiskFull, localaws.ErrReadOnly, localaws.ErrDisk} {
			if errors.Is(failure, kind) {
				return failure
			}
		}
	}
	return nil
}

// sign makes a configuration that signs with c.
func (p *place) sign(c aws.Credentials) aws.Config {
	if p.server == nil {
		return with(p.current, c)
	}
	return administrator.Config(p.server, c)
}

// as is the configuration of a principal. Elsewhere than on the embedded AWS
// an empty name and the administrator mean the principal that the environment or the profile
// says.
func (p *place) as(name string) (aws.Config, error) {
	if name == "" {
		name = principal.Administrator
	}
	if p.remote && name == principal.Administrator {
		return p.current, nil
	}
	if key, ok := p.principals.Keys[name]; ok {
		return p.sign(key.Credentials()), nil
	}
	if len(p.principals.Keys) == 0 {
		return aws.Config{}, fmt.Errorf("there are no access keys in %s: run 'ddbseal up%s' first", p.dir, p.flag)
	}
	return aws.Config{}, usagef("unknown principal %q: %s has the access keys of %s", name, p.principals.Path,
		p.principals.Names())
}

// say says where a command works, and as whom.
func (p *place) say(s streams, as string) {
	switch {
	case as != "":
	case p.remote && !p.ownKey:
		as = "the principal of the environment or the profile"
	default:
		as = principal.Administrator
	}
	tell(s.err, "On %s%s, as %s.\n", p.name, p.source, as)
}

// act opens the place, says who acts where, and calls do with the configuration
// of the principal named as.
func (t *target) act(ctx context.Context, s streams, as string, do func(*place, aws.Config) error) (err error) {
	p, err := t.open(ctx, false)
	if err != nil {
		return err
	}
	defer p.close(&err)
	p.say(s, as)
	cfg, err := p.as(as)
	if err != nil {
		return err
	}
	return do(p, cfg)
}

// keyARN is the lab's key.
func (p *place) keyARN(ctx context.Context, cfg aws.Config) (string, error) {
	if p.principals.KeyARN != "" {
		return p.principals.KeyARN, nil
	}
	keyARN, err := labsetup.KeyARN(ctx, cfg)
	if errors.Is(err, labsetup.ErrNoKey) {
		return "", fmt.Errorf("%w on %s: run 'ddbseal up%s' first", err, p.name, p.flag)
	}
	return keyARN, err
}

// administrator is who provisions: on the embedded AWS an IAM user, made when
// it is not there.
func (p *place) administrator(ctx context.Context) (aws.Config, error) {
	if p.remote {
		return p.current, nil
	}
	if key, ok := p.principals.Keys[principal.Administrator]; ok {
		cfg := p.sign(key.Credentials())
		if _, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); err == nil {
			return cfg, nil
		}
	}
	c, err := administrator.MakeWithKey(ctx, p.server)
	if err != nil {
		return aws.Config{}, fmt.Errorf("make the administrator: %w", err)
	}
	if err := p.principals.Add(principal.Administrator, c); err != nil {
		return aws.Config{}, err
	}
	return p.sign(c), nil
}

// explainer returns why the last denied call was denied, once for each call.
func explainer(server *localaws.Server) func() []string {
	var last *localaws.Event
	return func() []string {
		events := server.Audit().Events()
		for i := len(events) - 1; i >= 0 && events[i] != last; i-- {
			if reasons := events[i].Reasons(); len(reasons) > 0 {
				last = events[i]
				return reasons
			}
		}
		return nil
	}
}
