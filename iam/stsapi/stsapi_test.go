package stsapi

import (
	"testing"

	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/wiretest"
)

func TestOperationsAsk(t *testing.T) {
	m := wire.NewMux()
	Bind(m)
	wiretest.Asks(t, m)
}

func TestUserID(t *testing.T) {
	for principal, want := range map[string]string{
		"arn:aws:iam::000000000000:root":            "000000000000",
		"arn:aws:iam::000000000000:user/team/alice": "alice",
	} {
		c := wire.Call{Account: "000000000000", Principal: principal}
		if got := userID(c); got != want {
			t.Errorf("%s: %s, want %s", principal, got, want)
		}
	}
	if got := userID(wire.Call{UserID: "AIDA"}); got != "AIDA" {
		t.Errorf("a given id: %s", got)
	}
}
