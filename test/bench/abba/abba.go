// Package abba compares ways of doing one thing by time: their runs are interleaved forwards and backwards (A B B A), so that a
// machine whose speed drifts treats them alike, and what is quoted is the ratio of medians.
package abba

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// Arm is one way. Once does the thing and answers how long it took.
type Arm struct {
	Name string
	Once func(context.Context) (time.Duration, error)

	times []time.Duration
}

// Run does each arm once to warm up and then in rounds of ABBA.
func Run(ctx context.Context, rounds int, arms ...*Arm) error {
	return Within(ctx, 0, rounds, arms...)
}

// Within is Run that begins no round after d; zero is no limit.
func Within(ctx context.Context, d time.Duration, rounds int, arms ...*Arm) error {
	began := time.Now()
	for _, a := range arms {
		if _, err := a.once(ctx); err != nil {
			return err
		}
	}
	back := slices.Clone(arms)
	slices.Reverse(back)
	for range rounds {
		if d > 0 && time.Since(began) > d {
			return nil
		}
		for _, a := range slices.Concat(arms, back) {
			d, err := a.once(ctx)
			if err != nil {
				return err
			}
			a.Add(d)
		}
	}
	return nil
}

func (a *Arm) once(ctx context.Context) (time.Duration, error) {
	d, err := a.Once(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", a.Name, err)
	}
	return d, nil
}

// Add notes a time of an arm that was taken beside another's.
func (a *Arm) Add(d time.Duration) { a.times = append(a.times, d) }

// Quantile of an arm's times, q from 0 to 1.
func (a *Arm) Quantile(q float64) time.Duration {
	if len(a.times) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(a.times))
	return s[int(q*float64(len(s)-1))]
}

// Report writes one row an arm; ratios are to the peer's median.
func Report(w io.Writer, peer *Arm, arms ...*Arm) {
	fmt.Fprintf(w, "%-44s %4s %9s %9s %6s\n", "arm", "n", "p50 ms", "p90 ms", "ratio")
	for _, a := range arms {
		fmt.Fprintf(w, "%-44s %4d %9.1f %9.1f %6.2f\n", a.Name, len(a.times), millis(a.Quantile(0.5)), millis(a.Quantile(0.9)),
			float64(a.Quantile(0.5))/float64(peer.Quantile(0.5)))
	}
}

// Rates is Report for arms whose time is that of one request among many: it writes requests a second, and ratios to the peer's median
// rate.
func Rates(w io.Writer, peer *Arm, arms ...*Arm) {
	fmt.Fprintf(w, "  %-14s %4s %10s %22s %7s\n", "arm", "n", "median/s", "(least to most)", "ratio")
	for _, a := range arms {
		fmt.Fprintf(w, "  %-14s %4d %10.0f %10.0f to %8.0f %7.2f\n", a.Name, len(a.times), perSecond(a.Quantile(0.5)), perSecond(a.Quantile(1)),
			perSecond(a.Quantile(0)), float64(peer.Quantile(0.5))/float64(a.Quantile(0.5)))
	}
}

func perSecond(d time.Duration) float64 { return float64(time.Second) / float64(d) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
