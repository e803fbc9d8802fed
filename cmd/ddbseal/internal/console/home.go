package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
	"github.com/ddbseal/ddbseal/localaws"
)

// homeView is the page with the lab's picture.
type homeView struct {
	Main, Other         template.HTML // pictures as SVG
	MainText, OtherText string        // the same in words
	Live                bool          // the rows of the user come from reads of this moment
	Problem             *problem      // why they do not
}

// home shows who sees what: what every run of the lab finds, with the rows of the
// signed-in user as a read of this moment finds them.
func (c *Console) home(w http.ResponseWriter, r *http.Request, s *session) {
	documented := picture.Documented(labsetup.Diagnosis, labsetup.Ward)
	main, other := picture.Main(documented), picture.Other(documented)
	v := homeView{Live: true}
	for i, table := range picture.MainTables() {
		look, err := picture.Observe(r.Context(), s.cfg, "", table)
		if err != nil {
			if sessionOver(errorCode(err)) {
				c.failed(w, r, s, "home", "Who sees what", err)
				return
			}
			v.Live, v.Problem = false, c.explain(s, err)
			if errors.Is(err, picture.ErrMissing) {
				v.Problem = nil
			}
			break
		}
		at := 2 * i // the row with the key; the one without it follows
		if !look.Opened {
			at++
		}
		main.Rows[at].Lit = true
		main.Rows[at].Cells = [3][]picture.Part{c.onDisk(r.Context(), table), look.Answer, look.Program}
	}
	// The texts of the pictures are escaped there.
	v.Main, v.Other = template.HTML(main.SVG(picture.Variables)), template.HTML(other.SVG(picture.Variables))
	v.MainText, v.OtherText = main.Text(), other.Text()
	c.render(w, r, s, http.StatusOK, "home", page{Title: "Who sees what", Section: "home", Body: v})
}

// onDisk looks at the embedded AWS's disk.
func (c *Console) onDisk(ctx context.Context, table string) []picture.Part {
	if c.cfg.Server == nil {
		return picture.OnDisk(nil, "")
	}
	view, err := c.cfg.Server.DiskView(ctx, table,
		map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: labsetup.RecordID}})
	if err != nil && !errors.Is(err, localaws.ErrNoDiskView) {
		c.cfg.Logger.Error("read the disk", "table", table, "error", err)
	}
	return picture.OnDisk(view.Sealed, labsetup.Diagnosis)
}
