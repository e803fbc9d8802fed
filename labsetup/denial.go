// SPDX-License-Identifier: Apache-2.0

package labsetup

// denialChapter lets the user read both tables.
func (l *Lab) denialChapter() chapter {
	u := &l.user
	return chapter{chapterDenial, []labStep{
		sees("user-server", "user reads the server-side table", UserName, ModeServer, DeniedDecrypt,
			"The user may read the table and may not use its key. DynamoDB asks KMS as the caller, KMS refuses, "+
				"and DynamoDB answers with an error instead of the item: the user does not even see ciphertext. "+
				"Three things could allow kms:Decrypt: the key policy, a grant (a permission on one key, kept "+
				"outside of its policy), or an IAM policy, because the first statement lets IAM policies count.",
			getAs(asUser, ServerTable), l.reads(u, ServerTable)),
		sees("user-client-raw", "user reads the client-side table", UserName, ModeClient, SeesCiphertext,
			"The same read succeeds on this table. It is under the AWS owned key, so DynamoDB does not ask KMS "+
				"about the user. The encrypted attributes come as binary values. DynamoDB returned them, and the "+
				"user cannot read them without your key.",
			getAs(asUser, ClientTable), l.readsRaw(u, ClientTable, ModeClient)),
		sees("user-client", "user tries to decrypt the client-side item", UserName, ModeClient, DeniedDecrypt,
			"DynamoDB returned the item, as before. The user's program then asked KMS to decrypt the item's data "+
				"key, and KMS refused. The same permission is missing as in the first denial, but there DynamoDB "+
				"asked, and here the program asks itself.",
			openCLI(asUser, ModeClient), l.reads(u, ClientTable)),
	}}
}

// othersChapter shows the other keys of DynamoDB, and both kinds of encryption in
// one table.
func (l *Lab) othersChapter() chapter {
	u, a := &l.user, &l.administrator
	return chapter{chapterOthers, append(l.otherTables(),
		sees("user-owned", "user reads the table under the AWS owned key", UserName, ModeServer, SeesPlaintext,
			"This table is encrypted at rest too. No permission on the AWS owned key is needed, so it stops no "+
				"one who may read the table.", getAs(asUser, OwnedTable), l.reads(u, OwnedTable)).under(KeyOwned),
		sees("user-managed", "user reads the table under the AWS managed key", UserName, ModeServer, SeesPlaintext,
			"The policy of the AWS managed key lets everyone in the account use it through DynamoDB. CloudTrail "+
				"records its use, and it stops no one who may read the table. Of DynamoDB's three kinds of keys, "+
				"only a customer managed key keeps a user out.",
			getAs(asUser, ManagedTable), l.reads(u, ManagedTable)).under(KeyManaged),
		l.administratorReads(BothTable, ModeBoth,
			"DynamoDB asks for the key once, and the program asks again. The administrator has it."),
		sees("user-both", "user reads the table with both", UserName, ModeBoth, DeniedDecrypt,
			"DynamoDB refuses before the user sees the ciphertext of the program. Server-side encryption alone "+
				"stops the user here.",
			getAs(asUser, BothTable), l.readsRaw(u, BothTable, ModeBoth)),
		sees("administrator-both-raw", "administrator reads the same without decrypting", administratorRole, ModeBoth,
			SeesCiphertext,
			"DynamoDB has undone its own encryption. The ciphertext of the program is still there.",
			getCLI(BothTable), l.readsRaw(a, BothTable, ModeBoth)),
		sees("administrator-server-raw", "administrator looks at the server-side item as it arrives", administratorRole,
			ModeServer, SeesPlaintext,
			"What arrives in your program is plaintext. DynamoDB decrypted it first, and HTTPS protected it on the "+
				"way: encryption at rest and encryption on the way are two different things.",
			getCLI(ServerTable), l.readsRaw(a, ServerTable, ModeServer)),
		sees("picture-others", "draw the second picture: AWS's two keys, and both kinds at once",
			administratorRole+" and "+UserName, ModeDirect, asPictured,
			"The keys of AWS protect a stolen disk and deny no user. With both kinds at once, a user without the "+
				"key gets an error from DynamoDB. With the key, DynamoDB answers with what the program encrypted.",
			getAs(asUser, OwnedTable)+"\n"+getAs(asUser, ManagedTable)+"\n"+openCLI("", ModeBoth)+"\n"+
				getAs(asUser, BothTable)+" || true",
			l.draws(func(p *Picture) { l.report.Others = p }, expectedOthers())),
	)}
}
