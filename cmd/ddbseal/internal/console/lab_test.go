// SPDX-License-Identifier: Apache-2.0

package console

import (
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/lab"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// runs presses the button with an id on the page of the lab.
func (b *browser) runs(page, id string) string {
	b.t.Helper()
	return b.post("/lab/run", http.StatusOK, "step", between(page, `id="`+id+`" name="step" value="`, `"`))
}

// TestLab runs two steps, restarts everything, goes on where it was, and ends with the
// verdict: what was made stays, and no session has ended.
func TestLab(t *testing.T) {
	data := t.TempDir()
	durable := func(c *Config, o *localaws.Options) { c.Folder, o.DataDir = data, data }
	t.Run("begin", func(t *testing.T) {
		b := newSite(t, durable).administrator()
		b.contains(b.get("/lab", http.StatusOK), "0 of 25 steps of the core path", "Go on",
			"The key alias/nextwork-kms-key is there.")
		b.contains(b.post("/lab/run", http.StatusOK, "step", "1"), "1 of 25", "as expected", "was there already",
			"Run step 2")
		b.contains(b.post("/lab/run", http.StatusOK, "step", "2"), "2 of 25")
	})
	info, err := os.Stat(filepath.Join(data, lab.File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	t.Run("go on", func(t *testing.T) {
		s := newSite(t, durable)
		b, user := s.administrator(), s.user()
		page := b.get("/lab", http.StatusOK)
		b.contains(page, "2 of 25", "Run step 3", `value="12">Run to here`)
		b.lacks(page, `id="report"`, "Try the exercises")
		b.contains(page, "Clean up") // also before the end
		page = b.runs(page, "run-core")
		b.contains(page, "25 of 25", "every check held", "You can now", "Try the exercises", "Clean up", "still there",
			"What made the difference", `<span class="add">`, "<svg")
		b.lacks(page, "The lab has set a console password", "not as expected") // the user has one
		user.contains(user.get("/tables", http.StatusOK), `id="user">`+labsetup.UserName)
		b.lacks(s.as("root").get("/lab", http.StatusOK), "25 of 25")
		page = b.runs(page, "run-all")
		b.contains(page, "of all "+strconv.Itoa(len(s.plan(t)))+" steps", "every check held", "Another account",
			"denied kms:Decrypt")
		b.lacks(page, "not as expected", `id="run-next"`)
		user.contains(user.get("/tables", http.StatusOK), `id="user">`+labsetup.UserName)
		text, err := os.ReadFile(filepath.Join(data, lab.File))
		if err != nil || strings.Contains(string(text), "Robin") ||
			strings.Contains(string(text), s.passwords[labsetup.UserName]) {
			t.Errorf("the progress file holds values or passwords (%v)", err)
		}
	})
	t.Run("verdict stays", func(t *testing.T) {
		s := newSite(t, durable)
		b := s.administrator()
		b.contains(b.get("/lab", http.StatusOK), "every check held", "Start over", "Clean up", "create-key")
		b.contains(b.post("/lab/clean", http.StatusOK), "Nothing was removed", "every check held")
		b.contains(b.post("/lab/reset", http.StatusOK), "Run step 1", "0 of 25")
		page := b.runs(b.get("/lab", http.StatusOK), "run-core")
		b.contains(page, "25 of 25", "every check held")
		b.contains(b.post("/lab/clean", http.StatusOK, "sure", "yes"), "The lab was cleaned up", "0 of 25",
			"its state is PendingDeletion", "Do it for me")
		b.contains(b.post("/lab/run", http.StatusOK, "step", "1"), "1 of 25", "as expected")
	})
}

// plan are the IDs of the lab's steps in this console.
func (s *site) plan(t *testing.T) []string {
	t.Helper()
	session := newSession(s.server.Config(aws.Credentials{}), "planner", s.clock.Now())
	setup, err := labsetup.New(s.console.labConfig(session))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, step := range setup.Plan() {
		ids = append(ids, step.ID)
	}
	return ids
}

// TestLabIsTheCommands: the page has the steps of `ddbseal lab --all --keep`.
func TestLabIsTheCommands(t *testing.T) {
	s := newSite(t)
	cfg := labsetup.Config{Administrator: s.server.Config(aws.Credentials{}), Keep: true, Disk: s.console.onDisk,
		OtherAccount: &aws.Config{Region: s.server.Region()}}
	setup, err := labsetup.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, step := range setup.Plan() {
		ids = append(ids, step.ID)
	}
	if got := s.plan(t); !slices.Equal(got, ids) || len(ids) < 100 {
		t.Errorf("the page:\n%q\nthe command:\n%q", got, ids)
	}
}

// TestLabQuestions: the page asks what learners often get wrong before the step that
// shows it, and what a read will show. It explains after the answer, and keeps it.
func TestLabQuestions(t *testing.T) {
	data := t.TempDir()
	durable := func(c *Config, o *localaws.Options) { c.Folder, o.DataDir = data, data }
	t.Run("ask", func(t *testing.T) {
		b := newSite(t, durable).administrator()
		page := b.post("/lab/run", http.StatusOK, "step", "8")
		b.contains(page, "The administrator reads the server-side table. What will they see?", "the record",
			"ciphertext", "an error", "goal", "Optional")
		b.lacks(page, "denied kms:Decrypt", "Anyone who may read the table and use its key sees plaintext")
		if len(page) > 150<<10 {
			t.Errorf("the page has %d bytes", len(page))
		}
		ask := func(text string, right, wrong int) {
			t.Helper()
			page := html.UnescapeString(b.get("/lab", http.StatusOK))
			if !strings.Contains(page, text) {
				t.Fatalf("the page does not ask %q:\n%s", text, gist(page))
			}
			id := between(page, `name="question" value="`, `"`)
			q := labsetup.Questions()[slices.IndexFunc(labsetup.Questions(),
				func(q labsetup.Question) bool { return q.Step == id })]
			b.lacks(page, q.Because)
			page = html.UnescapeString(b.post("/lab/answer", http.StatusOK, "question", id, "guess",
				strconv.Itoa(wrong)))
			b.contains(page, "You said “"+q.Choices[wrong]+"”: not quite.", q.Because)
			b.post("/lab/answer", http.StatusOK, "question", id, "guess", "7") // there is no such choice
			page = html.UnescapeString(b.post("/lab/answer", http.StatusOK, "question", id, "guess",
				strconv.Itoa(right)))
			b.contains(page, "You said “"+q.Choices[right]+"”: right.", q.Because)
		}
		b.contains(b.post("/lab/run", http.StatusOK, "step", "9", "question", "administrator-"+labsetup.ServerTable,
			"guess", "1"), "You said “ciphertext”: not quite.")
		b.contains(b.post("/lab/run", http.StatusOK, "step", "10", "question", "administrator-"+labsetup.ClientTable,
			"guess", "0"), "You said “the record”: right.")
		ask("Who is kept from the record by encryption at rest?", 1, 0)
		b.post("/lab/run", http.StatusOK, "step", "16")
		ask("Will DynamoDB return the encrypted attributes?", 1, 0)
		page = b.get("/lab", http.StatusOK)
		b.contains(page, "Predict, then run")
		b.post("/lab/run", http.StatusOK, "step", "18")
		ask("Where is it written that a user may use this key?", 1, 0)
	})
	t.Run("kept", func(t *testing.T) {
		b := newSite(t, durable).administrator()
		page := html.UnescapeString(b.get("/lab", http.StatusOK))
		b.contains(page, "You said “ciphertext”: not quite.", "You said “yes, as ciphertext”: right.",
			"Encryption at rest is about the disk.")
	})
}

// TestLabByHand walks the core path under other names: the page says what is missing,
// where it is done, and takes what was made by hand, even where the learner did it in
// part; the rest is done for them.
func TestLabByHand(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.contains(b.post("/lab/names", http.StatusOK, "key", "my-key", "serverTable", "Patients", "clientTable", "P2",
		"user", "robin"), "Nothing was changed", "is not a name that AWS takes", `value="my-key"`)
	page := b.post("/lab/names", http.StatusOK, "key", "alias/my-key", "serverTable", "Patients", "clientTable",
		"Patients-2",
		"user", "robin")
	b.contains(page, "The lab uses these names now", "There is no key with the alias alias/my-key yet.", "Do it for me",
		"/keys/create", "Check again")
	b.lacks(page, "Go on<")

	root := s.server.Config(s.server.RootCredentials())
	made, err := kms.NewFromConfig(root).CreateKey(t.Context(), &kms.CreateKeyInput{})
	must(t, err)
	_, err = kms.NewFromConfig(root).CreateAlias(t.Context(),
		&kms.CreateAliasInput{AliasName: aws.String("alias/my-key"),
			TargetKeyId: made.KeyMetadata.KeyId})
	must(t, err)
	page = b.get("/lab", http.StatusOK)
	b.contains(page, "The key alias/my-key is there.", "Go on<", `name="adopt"`, "give it the lab")
	// Who does not say that it is theirs is asked, and can go on.
	b.contains(b.post("/lab/run", http.StatusOK, "step", "1"), "was not made by this lab", "The lab stopped", `name="adopt"`,
		"0 of 25")
	b.contains(b.post("/lab/run", http.StatusOK, "step", "1", "adopt", "yes"), "1 of 25", "was there already",
		"The key has the alias alias/my-key.")
	page = b.post("/lab/run", http.StatusOK, "step", "2")
	b.contains(page, "name yourself as a key user") // the default policy names root alone
	page = b.post("/lab/run", http.StatusOK, "step", "3")
	b.contains(page, "There is no table Patients yet.", "/tables/create")
	b.lacks(page, labsetup.ServerTable)
	b.post("/lab/run", http.StatusOK, "step", "3")
	_, err = dynamodb.NewFromConfig(root).CreateTable(t.Context(),
		&dynamodb.CreateTableInput{TableName: aws.String("Patients"),
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:   []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			BillingMode: types.BillingModePayPerRequest})
	must(t, err)
	b.contains(b.post("/lab/run", http.StatusOK, "step", "4", "adopt", "yes"), "4 of 25",
		"The table Patients is not under the key alias/my-key yet.", "/tables/encryption/Patients")
	page = b.post("/lab/run", http.StatusOK, "step", "14")
	b.contains(page, "The lab has set a console password for <b>robin</b>")
	s.passwords["robin"] = html.UnescapeString(between(between(page, "console password", "</p>"), "<code>", "</code>"))
	robin := s.as("robin")
	robin.contains(robin.get("/", http.StatusOK), "AccessDenied", "were read just now") // the pictures of this lab
	page = b.runs(page, "run-core")
	b.contains(page, "every check held", "25 of 25", "Patients-2")
	robin.contains(robin.get("/tables", http.StatusOK), `id="user">robin`)
	b.contains(b.post("/lab/names", http.StatusOK, "key", "alias/x", "serverTable", "xxx", "clientTable", "yyy", "user",
		"z"), "start over to change the names")
	b.contains(b.post("/lab/clean", http.StatusOK, "sure", "yes"), "The lab was cleaned up")
	_, err = iam.NewFromConfig(root).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("robin")})
	if err == nil {
		t.Error("the clean-up left robin")
	}
	s.user() // the lab's own user is another's
	robin.contains(robin.get("/tables", http.StatusOK), "<h1>Sign in</h1>")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLabOfUser: a user is told what is theirs to do, and runs nothing.
func TestLabOfUser(t *testing.T) {
	u := newSite(t).user()
	page := u.get("/lab", http.StatusOK)
	u.contains(page, "The lab belongs to the administrator", "Read the server-side table", "they change")
	u.lacks(page, "not as expected", "Run step")
	for _, path := range []string{"run", "names", "reset", "clean", "answer"} {
		u.contains(u.post("/lab/"+path, http.StatusForbidden, "step", "3", "sure", "yes"),
			"belongs to the administrator")
	}
}

func TestLabRefuses(t *testing.T) {
	b := newSite(t).administrator()
	b.get("/lab", http.StatusOK)
	b.post("/lab/run", http.StatusBadRequest, "step", "x")
	b.post("/lab/answer", http.StatusOK, "question", "none", "guess", "0")
}

// TestLabLinks: each step of the core path that makes something, or shows it, leads to a
// page of this console.
func TestLabLinks(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	page := b.get("/lab", http.StatusOK)
	links := map[string]bool{}
	for _, m := range regexp.MustCompile(`By hand[^<]*(?:</dt><dd>[^<]*)?<a href="/c-[0-9a-f]+([^"]*)"`).FindAllStringSubmatch(page, -1) {
		links[html.UnescapeString(m[1])] = true
	}
	if len(links) < 10 {
		t.Errorf("%d links: %v", len(links), links)
	}
	names := labsetup.Names{}.Complete()
	for i, id := range s.plan(t) {
		if (i < 25) != (lab.ByHand(id, names).Path != "") && id != "user-key" {
			t.Errorf("step %d, %s: %+v", i+1, id, lab.ByHand(id, names))
		}
	}
}

// TestLabOnItsScreens does the core path by hand, on the screens that its steps lead to,
// under other names. After each the lab's page says that it is done, and goes on.
func TestLabOnItsScreens(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.get("/lab", http.StatusOK)
	page := b.post("/lab/names", http.StatusOK, "key", "alias/clinic", "serverTable", "Patients", "clientTable",
		"Sealed",
		"user", "robin")
	const robinARN = "arn:aws:iam::" + localaws.DefaultAccountID + ":user/robin"
	// link is where the next step is done by hand.
	link := func() string {
		t.Helper()
		m := regexp.MustCompile(`By hand: [^<]*<a href="/c-[0-9a-f]+([^"]*)"`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("no link:\n%s", gist(page))
		}
		return html.UnescapeString(m[1])
	}
	// next looks at the lab's page after a step was done by hand, and goes on.
	number := 0
	next := func(pairs ...string) {
		t.Helper()
		number++
		page = b.get("/lab", http.StatusOK)
		b.contains(page, "Go on<")
		page = b.post("/lab/run", http.StatusOK, append(pairs, "step", strconv.Itoa(number))...)
		b.contains(page, strconv.Itoa(number)+" of 25", "was there already")
		b.lacks(page, "not as expected")
	}
	create := b.fill(b.get(link(), http.StatusOK), "2", "type", "symmetric", "usage", "encrypt")
	create = b.fill(create, "3", "alias", "clinic")
	create = b.fill(create, "4", "administrator", adminARN, "deletion", "yes")
	b.finish(b.fill(create, "5", "user", adminARN), http.StatusOK)
	next("adopt", "yes")
	next()
	next() // the policy that the screen wrote is the lab's
	key := strings.Split(between(b.get("/keys", http.StatusOK), `href="`, `">alias/clinic`), `"`)
	keyPage := key[len(key)-1]
	keyPage = keyPage[strings.Index(keyPage, "/keys/"):]
	b.contains(b.post(link(), http.StatusOK, "name", "Patients", "partition", "id", "partition-type", "S", "settings",
		"default"), "was created")
	next("adopt", "yes")
	arn := regexp.MustCompile(`value="(arn:aws:kms:[^"]+)"[^>]*>(?:[^<]*)alias/clinic`).FindStringSubmatch(b.get(link(), http.StatusOK))
	if arn == nil {
		t.Fatal("the key cannot be chosen")
	}
	b.post(link(), http.StatusOK, "encryption", "customer", "key", arn[1])
	next()
	b.post(link(), http.StatusOK, "name", "Sealed", "partition", "id", "partition-type", "S", "settings", "default")
	next("adopt", "yes")
	for _, mode := range []string{"plain", "client"} {
		f := b.itemForm(b.get(link(), http.StatusOK))
		f.values["mode"], f.values["key"] = mode, arn[1]
		b.set(f, "id", "", "1", "")
		b.set(f, "name", "S", "Robin Example", "encrypt")
		b.set(f, "diagnosis", "S", "hay fever", "encrypt")
		b.set(f, "ward", "S", "north", "sign")
		b.contains(b.send(f, http.StatusOK), "The item is created")
		next()
	}
	number = 12
	page = b.post("/lab/run", http.StatusOK, "step", "12") // reads, and a look at the disk
	if link() != "/users/new" {
		t.Errorf("the user is made at %s", link())
	}
	created := b.created("name", "robin", "console", "yes", "kind", "generated", "policy", "full")
	_, rows := b.download(created)
	s.passwords["robin"] = rows[1][1]
	next("adopt", "yes")
	next() // the password
	page = b.post("/lab/run", http.StatusOK, "step", "18")
	b.contains(page, "18 of 25", "No statement of the key policy lets robin use the key.")
	robin := s.as("robin")
	robin.contains(robin.get("/tables", http.StatusOK), "AccessDeniedException")
	b.contains(b.post(keyPage+"/add", http.StatusOK, "role", "user", "arn", robinARN), "added as key user")
	robin.contains(robin.get("/tables", http.StatusOK), "hay fever")
	number = 18
	next()
	page = b.post("/lab/run", http.StatusOK, "step", "21")
	b.contains(page, "21 of 25", "The key policy lets robin use the key")
	b.post(keyPage+"/remove", http.StatusOK, "role", "user", "arn", robinARN)
	number = 21
	next()
	page = b.post("/lab/run", http.StatusOK, "step", "25")
	b.contains(page, "every check held", "25 of 25", "What made the difference")
	b.lacks(page, "not as expected")
	robin.contains(robin.get("/tables", http.StatusOK), `id="user">robin`, "AccessDeniedException")
}
