package labsetup

func (l *Lab) denialChapter() chapter {
	u := &l.user
	return chapter{"Who sees what", []labStep{
		sees("user-server", "user reads the table under the customer key", UserName, ModeServer, DeniedDecrypt,
			"All rights to the table, none to the key: DynamoDB asks KMS as the caller, and refuses the whole call.",
			getCLI(ServerTable), l.reads(u, ServerTable)),
		sees("user-owned", "user reads the table under the AWS owned key", UserName, ModeServer, SeesPlaintext,
			"Under the AWS owned key: encrypted at rest too, but nobody is ever asked for a right to that key.",
			getCLI(OwnedTable), l.reads(u, OwnedTable)),
		sees("user-managed", "user reads the table under the AWS managed key", UserName, ModeServer, SeesPlaintext,
			"Under the AWS managed key: its policy lets everybody in the account use it through DynamoDB: it shows "+
				"up in the audit and stops no one.", getCLI(ManagedTable), l.reads(u, ManagedTable)),
		sees("user-client-raw", "user reads the client-side table without the key", UserName, ModeClient,
			SeesCiphertext,
			"The call is allowed, and returns what DynamoDB holds: ciphertext.", getCLI(ClientTable),
			l.readsRaw(u, ClientTable, ModeClient)),
		sees("user-client", "user tries to decrypt the client-side item", UserName, ModeClient, DeniedDecrypt,
			"Decrypting needs the key, and KMS asks the same policy, this time directly.", decryptItemCLI,
			l.reads(u, ClientTable)),
		sees("user-both", "user reads the table with both", UserName, ModeBoth, DeniedDecrypt,
			"The outer lock already refuses.", getCLI(BothTable), l.readsRaw(u, BothTable, ModeBoth)),
		sees("administrator-both-raw", "administrator reads the same without decrypting", administratorRole, ModeBoth,
			SeesCiphertext,
			"Behind the outer lock there is ciphertext.", getCLI(BothTable),
			l.readsRaw(&l.administrator, BothTable, ModeBoth)),
		sees("administrator-server-raw", "administrator reads the server-side item as it travels", administratorRole,
			ModeServer, SeesPlaintext,
			"Server-side encryption is undone before the item leaves DynamoDB.", getCLI(ServerTable),
			l.readsRaw(&l.administrator, ServerTable, ModeServer)),
	}}
}
