// SPDX-License-Identifier: Apache-2.0

// Package hint says what an error of a command means and how to fix it, in
// terms of the command's flags and subcommands.
package hint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// For returns a sentence for people that says what err means and how to fix it.
// It returns "" if there is nothing to add to the error.
func For(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "Interrupted: 'ddbseal down' removes what was made until then."
	case errors.Is(err, labsetup.ErrNotOurs):
		return "Nothing was changed. Rename or delete it yourself, or use another account or Region."
	case errors.Is(err, labsetup.ErrNoRegion):
		return "Give --region, or set AWS_REGION or a region in the profile."
	case errors.Is(err, localaws.ErrDiskFull):
		return "Make room and repeat the command."
	case errors.Is(err, localaws.ErrReadOnly):
		return "Choose a folder of your own with --data-dir."
	case unread(err) != "":
		return unread(err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "The disk is full: make room and repeat the command."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at the endpoint: start 'ddbseal serve' there, or mend --endpoint-url; " +
			"AWS_ENDPOINT_URL counts too."
	case errors.Is(err, os.ErrPermission):
		return "The file system refuses: choose a folder of your own with --data-dir."
	case errors.As(err, &api):
		return answered(err, api.ErrorCode())
	case errors.Is(err, envelope.ErrKeyDenied):
		return denied
	}
	return unanswered(err)
}

// ForLab is [For] for the steps of the lab, which make what they need: it does not
// send people to 'ddbseal up', where they come from.
func ForLab(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && notThere(api.ErrorCode()) {
		return "The lab has made it in an earlier step. Either somebody removed it, or this server does not keep it."
	}
	return For(err)
}

// notThere reports whether an error code says that something does not exist.
func notThere(code string) bool {
	return code == "ResourceNotFoundException" || code == "NotFoundException" || code == "NoSuchEntity"
}

// unread says what an answer means that is not of AWS: a page of HTML, say, for an
// operation that the server does not know. Otherwise it returns "".
func unread(err error) string {
	var unreadable *smithy.DeserializationError
	var operation *smithy.OperationError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &operation) || !errors.As(err, &response) {
		return ""
	}
	var api smithy.APIError
	unknown := errors.As(err, &api) && (api.ErrorCode() == "UnknownOperationException" ||
		api.ErrorCode() == "InvalidAction" || response.HTTPStatusCode() == http.StatusNotImplemented)
	if !errors.As(err, &unreadable) && !unknown {
		return ""
	}
	status, name := response.HTTPStatusCode(), operation.ServiceID+" "+operation.OperationName
	if status == http.StatusInternalServerError {
		return fmt.Sprintf("HTTP status %d: this server does not implement %s, or failed in it.", status, name)
	}
	return fmt.Sprintf("HTTP status %d: this server does not implement %s.", status, name)
}

// unanswered is For for an error from before AWS was asked.
func unanswered(err error) string {
	var profile config.SharedConfigProfileNotExistError
	var region *aws.MissingRegionError
	var host *net.DNSError
	switch {
	case errors.As(err, &profile):
		return "The profile is not in the AWS configuration files: 'aws configure list-profiles' lists them."
	case errors.As(err, &host) && host.IsNotFound:
		return "There is no such host: check --region, --endpoint-url and the network."
	case awsmessage.NoCredentials(err):
		return "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with the AWS " +
			"CLI, or give --profile."
	case errors.As(err, &region):
		return "Check --region or AWS_REGION."
	}
	return ""
}

const denied = "The caller lacks this permission. For the key: name them in its key policy, or make a grant " +
	"('ddbseal grant')."

// answered is For for an error with a code of AWS.
func answered(err error, code string) string {
	switch {
	case strings.Contains(code, "AccessDenied"), code == "UnauthorizedOperation":
		if action, _ := awsmessage.Refused(err); action == "kms:Decrypt" {
			return denied
		}
		return "The caller lacks a permission: provision as a user with AdministratorAccess."
	case awsmessage.EncryptionChanges(err):
		return "AWS allows a table four changes of its encryption in 24 hours: wait, or delete the table."
	case strings.Contains(code, "LimitExceeded"):
		return "A quota of the account is used up: remove what is not needed, or ask AWS for more."
	case code == "UnrecognizedClientException", code == "InvalidClientTokenId", code == "InvalidAccessKeyId":
		return "The access key is not known: a new one takes some seconds to spread on AWS; otherwise check the " +
			"credentials."
	case code == "ExpiredToken", code == "ExpiredTokenException":
		return "The credentials have expired: sign in again."
	case code == "SignatureDoesNotMatch", code == "InvalidSignatureException", code == "RequestExpired",
		code == "RequestTimeTooSkewed":
		return "The signature was refused: check the secret access key, and that the clock is right to five minutes."
	case code == "KMSInvalidStateException":
		return "The key is not enabled: cancel its deletion, then enable it."
	case code == "DisabledException":
		return "Enable the key: aws kms enable-key --key-id KEY."
	case notThere(code):
		return "It is not there: 'ddbseal up' makes what the lab needs; check the Region too."
	case code == "ResourceInUseException":
		return "The table is being changed: repeat in a minute."
	case strings.Contains(code, "Throttl"):
		return "AWS throttles: repeat in a minute."
	}
	return ""
}
