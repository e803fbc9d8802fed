package labsetup

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store"
)

// labStep is a step before it ran.
type labStep struct {
	Step
	needed bool // the rest stands on it
	do     action
}

// steps is the whole lab in order.
func (l *Lab) steps() []labStep {
	admin, user := "administrator", UserName
	make := func(id, title, why, cli string, do action) labStep {
		return labStep{Step{ID: id, Title: title, Expected: done, Principal: admin, Why: why, CLI: cli}, true, do}
	}
	sees := func(id, title, who, mode, expected, why string, do action) labStep {
		return labStep{Step{ID: id, Title: title, Expected: expected, Principal: who, Mode: mode, Why: why,
			CLI: fmt.Sprintf(`aws dynamodb get-item --table-name %s --key '{"id":{"S":"1"}}'`, tableOf(mode))}, false, do}
	}
	return []labStep{
		make("key", "make a customer managed key", "One key, one policy: the policy alone decides who may use it.",
			"aws kms create-key --description … --policy file://policy.json && aws kms create-alias --alias-name "+KeyAlias+" --target-key-id …", l.makeKey),
		make("server-table", "make the server-side table", "With default settings DynamoDB encrypts under a key that AWS owns: no one is ever denied by it.",
			"aws dynamodb create-table --table-name "+ServerTable+" …", l.makeTable(ServerTable)),
		make("server-table-key", "switch it to the customer managed key", "From now on every read and write needs the caller's right to the key.",
			"aws dynamodb update-table --table-name "+ServerTable+" --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=…", l.underKey),
		make("client-table", "make the client-side table", "It stays under the AWS owned key: what protects its items is done before they are sent.",
			"aws dynamodb create-table --table-name "+ClientTable+" …", l.makeTable(ClientTable)),
		make("user", "make a user with full access to DynamoDB", "AmazonDynamoDBFullAccess has no right to any KMS key.",
			"aws iam create-user --user-name "+UserName+" && aws iam attach-user-policy …", l.makeUser),
		make("server-item", "put the record into the server-side table", "The program sends plaintext; DynamoDB encrypts it.",
			"aws dynamodb put-item --table-name "+ServerTable+" …", func(ctx context.Context) (string, error) {
				return done, l.administrator.server.Put(ctx, theRecord)
			}),
		make("client-item", "put the record into the client-side table", "The program sends ciphertext; DynamoDB never sees the record.",
			"", func(ctx context.Context) (string, error) {
				return done, l.administrator.client.Put(ctx, theRecord)
			}),

		sees("admin-server", "administrator reads the server-side table", admin, ModeServer, SeesPlaintext,
			"Transparent: who may use the key notices nothing of the encryption.", get(&l.administrator, ModeServer)),
		sees("admin-client", "administrator reads the client-side table", admin, ModeClient, SeesPlaintext,
			"The program decrypts after reading, with the same key.", get(&l.administrator, ModeClient)),
		sees("user-server", "user reads the server-side table", user, ModeServer, DeniedDecrypt,
			"All rights to the table, none to the key: DynamoDB refuses the whole call.", get(&l.user, ModeServer)),
		sees("user-client-raw", "user reads the client-side table without the key", user, ModeClient, SeesCiphertext,
			"The call is allowed, since this table has no customer key, and returns ciphertext.", raw(&l.user)),
		sees("user-client", "user tries to decrypt the client-side item", user, ModeClient, DeniedDecrypt,
			"Decrypting needs the key, and KMS asks the same policy.", get(&l.user, ModeClient)),

		make("key-user", "name the user in the key policy", "The lab's way to give access: key user in the policy's last two statements.",
			"aws kms put-key-policy --key-id … --policy file://policy.json", l.nameUser),
		sees("user-server-allowed", "user reads the server-side table again", user, ModeServer, SeesPlaintext,
			"Nothing but the key policy has changed.", get(&l.user, ModeServer)),
		sees("user-client-allowed", "user decrypts the client-side item", user, ModeClient, SeesPlaintext,
			"One policy opens both.", get(&l.user, ModeClient)),
	}
}

func tableOf(mode string) string {
	if mode == ModeClient {
		return ClientTable
	}
	return ServerTable
}

// get reads the record through the repository as p, whose tables are opened by
// an earlier step.
func get(p *principal, mode string) action {
	return func(ctx context.Context) (string, error) {
		table := p.server
		if mode == ModeClient {
			table = p.client
		}
		got, err := table.Get(ctx, store.Key{Partition: theRecord.ID})
		if err != nil {
			return "", err
		}
		if got != theRecord {
			return "another record", nil
		}
		return SeesPlaintext, nil
	}
}

// raw reads the client-side item as p without decrypting, and looks whether
// the secret attributes are there in the open.
func raw(p *principal) action {
	return func(ctx context.Context) (string, error) {
		item, err := p.client.Raw(ctx, store.Key{Partition: theRecord.ID})
		if err != nil {
			return "", err
		}
		for _, name := range []string{"name", "diagnosis"} {
			if _, sealed := item[name].(*types.AttributeValueMemberB); !sealed {
				return SeesPlaintext, nil
			}
		}
		return SeesCiphertext, nil
	}
}
