package region

import (
	"bytes"
	"testing"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining/client"
)

// A server that joins opens what the others sealed; so do servers that were together before there was a sealing key, each by itself.
func TestServersShareASealingKey(t *testing.T) {
	member := func(dir string) *membership {
		a, err := authority.Ensure(dir, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return &membership{settings: config.Settings{DataDir: dir}, authority: a}
	}
	alone := &membership{settings: config.Settings{DataDir: t.TempDir()}}
	first, err := alone.sealing() // of random: nobody can join it yet
	if err != nil {
		t.Fatal(err)
	}
	m := member(alone.settings.DataDir)
	given, err := m.secrets()
	if err != nil || !bytes.Equal(given.Sealing, first) {
		t.Fatalf("another server gets %x, %v", given.Sealing, err)
	}
	joined, old := t.TempDir(), t.TempDir()
	if err := keepSecrets(config.Settings{DataDir: joined}, client.Membership{Secrets: &given}); err != nil {
		t.Fatal(err)
	}
	if got, err := member(joined).sealing(); err != nil || !bytes.Equal(got, first) {
		t.Errorf("it has %x, %v", got, err)
	}
	before := given
	before.Sealing = nil // as a server of before gives them
	other := t.TempDir()
	for _, dir := range []string{old, other} {
		if err := keepSecrets(config.Settings{DataDir: dir}, client.Membership{Secrets: &before}); err != nil {
			t.Fatal(err)
		}
	}
	a, aerr := member(old).sealing()
	b, berr := member(other).sealing()
	if aerr != nil || berr != nil || !bytes.Equal(a, b) {
		t.Errorf("servers of before have %x %v and %x %v", a, aerr, b, berr)
	}
}
