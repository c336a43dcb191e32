package compile

import (
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/vpc"
)

var update = flag.Bool("update", false, "write the golden files again")

// The texts of testdata are what the nodes of the region of base_test.go are told, then what single changes of it tell them.
func TestGolden(t *testing.T) {
	x := New(settings)
	x.Load(slices.Values(base()))
	var b strings.Builder
	for _, n := range nodes {
		c := x.Config(n)
		fmt.Fprintf(&b, "== %s\n%s", path.Base(n), c.Text())
	}
	for _, s := range steps() {
		fmt.Fprintf(&b, "\n# %s\n", s.title)
		ds := x.Apply(s.change)
		for _, n := range nodes {
			if d := ds[n]; d != nil {
				fmt.Fprintf(&b, "== %s\n%s", path.Base(n), d.Set.Text())
				for _, k := range d.Gone {
					fmt.Fprintf(&b, "- %s %s\n", k.Kind, k.ID)
				}
			}
		}
	}
	const file = "testdata/region.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("go test ./vpc/compile -update writes this:\n%s", b.String())
	}
}

type told struct {
	title  string
	change Change
}

func steps() []told {
	find := func(id string) any {
		for _, rec := range base() {
			if strings.HasSuffix(identity(rec), " "+id) {
				return rec
			}
		}
		panic(id)
	}
	db := *find("eni-2").(*vpc.Interface)
	db.Groups = []string{"sg-2", "sg-1"}
	away := db
	away.Node = "n3"
	free := *find("igw-1").(*vpc.InternetGateway)
	free.VPC = ""
	return []told{
		{"the database joins the web's group", Change{New: &db}},
		{"and moves to another node", Change{New: &away}},
		{"the internet gateway is detached", Change{New: &free}},
		{"subnet-2 goes back to the main table", Change{Old: &vpc.Association{Kind: "route-table", Subnet: "subnet-2"}}},
	}
}
