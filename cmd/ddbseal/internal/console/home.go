package console

import (
	"context"
	"html/template"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
)

// homeView is the page with the lab's picture.
type homeView struct {
	Main, Others         template.HTML // pictures as SVG
	MainText, OthersText string        // the same in words
	Live                 bool          // the rows of the user come from reads of this moment
	Problem              *problem      // why they do not
}

// home shows who sees what: what every run of the lab finds, with the rows of the
// signed-in user as a read of this moment finds them.
func (c *Console) home(w http.ResponseWriter, r *http.Request, s *session) {
	main, others := picture.Of(labsetup.ExpectedPicture()), picture.OfOthers(picture.ExpectedOthers())
	v := homeView{}
	keyARN, err := c.labKey(r.Context(), s)
	if err == nil {
		v.Live, err = c.light(r.Context(), s, keyARN, main.Rows)
	}
	if err != nil {
		if sessionOver(errorCode(err)) {
			c.failed(w, r, s, "home", "Who sees what", err)
			return
		}
		v.Problem = c.explain(s, err)
	}
	// The texts of the pictures are escaped there.
	v.Main, v.Others = template.HTML(main.SVG(picture.Variables)), template.HTML(others.SVG(picture.Variables))
	v.MainText, v.OthersText = main.Text(), others.Text()
	c.render(w, r, s, http.StatusOK, "home", page{Title: "Who sees what", Section: "home", Body: v})
}

// labKey finds the lab's key as one who may use the tables and not the key: the
// server-side table names it. A table that was taken off the key does not, and
// then only who may describe the key learns its ARN.
func (c *Console) labKey(ctx context.Context, s *session) (string, error) {
	out, err := s.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(labsetup.ServerTable)})
	if err != nil {
		return "", err
	}
	if sse := out.Table.SSEDescription; sse != nil && sse.KMSMasterKeyArn != nil {
		return aws.ToString(sse.KMSMasterKeyArn), nil
	}
	return labsetup.KeyARN(ctx, s.cfg)
}

// light reads the lab's record as the user and puts what comes into the rows of
// the picture that it belongs to: with the key if the record shows.
func (c *Console) light(ctx context.Context, s *session, keyARN string, rows []picture.Row) (bool, error) {
	viewer := labsetup.Viewer{Config: s.cfg, Name: s.user, KeyARN: keyARN}
	if c.cfg.Server != nil {
		viewer.Disk = c.labDisk
	}
	for i, mode := range []string{labsetup.ModeServer, labsetup.ModeClient} {
		look, err := labsetup.Look(ctx, viewer, mode)
		if err != nil {
			return false, err
		}
		if look.Answer.Kind == labsetup.Unexpected && strings.HasPrefix(look.Answer.Text, "error") {
			return false, nil // the table or its record is missing
		}
		at := 2 * i // the row with the key; the one without it follows
		if !look.WithKey {
			at++
		}
		rows[at].Lit, rows[at].Cells = true, picture.RowOf(look).Cells
	}
	return true, nil
}

// labDisk returns what lies on the embedded AWS's disk.
func (c *Console) labDisk(ctx context.Context, table, id string) ([]byte, error) {
	view, err := c.cfg.Server.DiskView(ctx, table,
		map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
	return view.Sealed, err
}
