// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// baseEndpoint is where a Config points. The name resolves nowhere, so that a
// client whose transport was replaced fails instead of calling AWS.
const baseEndpoint = "https://localaws.invalid"

// Config returns a configuration for SDK clients that call this server inside
// the process, without sockets, and sign with c. Set its Region to call another
// Region. Do not use the clients after Close.
func (s *Server) Config(c aws.Credentials) aws.Config {
	return aws.Config{
		Region:       s.options.Region,
		Credentials:  credentials.StaticCredentialsProvider{Value: c},
		HTTPClient:   s.door.Transport(),
		BaseEndpoint: aws.String(baseEndpoint),
		// Client and server have the same clock.
		DisableClockSkewCorrection: true,
	}
}
