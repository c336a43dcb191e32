package db

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "agent.db")
	d := open(t, path)
	want := map[string][]byte{"arn:1": []byte("one"), "arn:2": []byte("two")}
	instance := Instance{ARN: "arn:i", Cluster: "c"}
	for _, err := range []error{
		d.Save(want), d.Save(map[string][]byte{"arn:3": nil}), d.Delete("arn:3"), d.Delete("never there"),
		d.SetInstance(instance), d.Advance(7), d.Advance(3), d.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d = open(t, path)
	defer d.Close()
	got, err := d.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got, err := d.Instance(); err != nil || got != instance {
		t.Errorf("Instance() = %v, %v", got, err)
	}
	if got, err := d.Seq(); err != nil || got != 7 {
		t.Errorf("Seq() = %v, %v; it never goes back", got, err)
	}
}

func TestEmpty(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "agent.db"))
	defer d.Close()
	if i, err := d.Instance(); err != nil || i != (Instance{}) {
		t.Errorf("Instance() = %v, %v", i, err)
	}
	if n, err := d.Seq(); err != nil || n != 0 {
		t.Errorf("Seq() = %v, %v", n, err)
	}
	if m, err := d.Load(); err != nil || len(m) != 0 {
		t.Errorf("Load() = %v, %v", m, err)
	}
}

func TestResetKeepsTasks(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "agent.db"))
	defer d.Close()
	for _, err := range []error{d.SetInstance(Instance{ARN: "x"}), d.Advance(9), d.Save(map[string][]byte{"t": []byte("r")}), d.Reset()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	i, _ := d.Instance()
	n, _ := d.Seq()
	m, _ := d.Load()
	if i != (Instance{}) || n != 0 || len(m) != 1 {
		t.Errorf("after Reset: %v, %d, %v", i, n, m)
	}
}
