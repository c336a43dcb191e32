package abba

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestArmsAreInterleavedAndCompared(t *testing.T) {
	var order strings.Builder
	arm := func(name string, d time.Duration) *Arm {
		return &Arm{Name: name, Once: func(context.Context) (time.Duration, error) {
			order.WriteString(name)
			return d, nil
		}}
	}
	a, b := arm("A", 30*time.Millisecond), arm("B", 60*time.Millisecond)
	if err := Run(t.Context(), 2, a, b); err != nil {
		t.Fatal(err)
	}
	if got := order.String(); got != "AB"+"ABBA"+"ABBA" {
		t.Errorf("order %s", got)
	}
	var out strings.Builder
	Report(&out, b, a, b)
	if !strings.Contains(out.String(), "0.50") || !strings.Contains(out.String(), "1.00") {
		t.Errorf("report:\n%s", out.String())
	}
}

func TestAFailingArmEndsTheRun(t *testing.T) {
	broken := errors.New("broken")
	a := &Arm{Name: "A", Once: func(context.Context) (time.Duration, error) { return 0, broken }}
	if err := Run(t.Context(), 1, a); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
