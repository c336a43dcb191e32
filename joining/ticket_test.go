package joining

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTicketsAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.SliceOfN(rapid.Byte(), 30, 30).Draw(t, "random")
		ticket, err := NewTicket(random, sha256.Sum256(random))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseTicket(" " + ticket.String() + "\n")
		if err != nil || got.ID != ticket.ID || !bytes.Equal(got.Secret, ticket.Secret) || got.Authority != ticket.Authority {
			t.Fatalf("%s became %+v (%v)", ticket, got, err)
		}
		if strings.Trim(ticket.String(), "abcdefghijklmnopqrstuvwxyz234567-") != "" {
			t.Fatalf("%s needs quotes somewhere", ticket)
		}
	})
}

func TestWhatIsNoTicket(t *testing.T) {
	good, err := NewTicket(make([]byte, 30), sha256.Sum256(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "berth-", good.String()[1:], good.String()[:60], good.String() + "a", strings.ToUpper(good.String()), "berth-!" + good.String()[7:]} {
		if got, err := ParseTicket(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if _, err := NewTicket(make([]byte, 29), sha256.Sum256(nil)); err == nil {
		t.Error("a ticket of too little")
	}
	if _, err := ParseRole("root"); err == nil {
		t.Error("root is a role")
	}
}

func TestPrincipals(t *testing.T) {
	if got := MachineOf(Principal(Home{Account: "000000000000"}, "m1")); got != "m1" {
		t.Errorf("machine %q", got)
	}
	for _, p := range []string{"arn:aws:iam::000000000000:root", "arn:aws:sts::000000000000:assumed-role/other/m1", "x:assumed-role/berth-node/m1"} {
		if got := MachineOf(p); got != "" {
			t.Errorf("%s is machine %q", p, got)
		}
	}
	if MayAgent("ecs:RunTask") || !MayAgent("ecs:SubmitTaskStateChange") {
		t.Error("what an agent may")
	}
}

func FuzzParseTicket(f *testing.F) {
	f.Add("berth-aaaa")
	f.Fuzz(func(t *testing.T, text string) {
		if ticket, err := ParseTicket(text); err == nil && ticket.String() != strings.TrimSpace(text) {
			// Base 32 has spare bits at the end: two texts may be one ticket.
			again, err := ParseTicket(ticket.String())
			if err != nil || again.ID != ticket.ID {
				t.Errorf("%q is %s", text, ticket)
			}
		}
	})
}
