package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

var targets = map[int]float64{1: 0.9, 64: 0.6}

// throughput compares the store with raw etcd, and raw etcd with itself for the noise.
func throughput(ctx context.Context, dir string, o options) (err error) {
	through, err := viaStore(ctx, dir, "store")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, through.close()) }()
	raw, err := viaEtcd(ctx, dir, "raw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.close()) }()
	peer, err := viaEtcd(ctx, dir, "raw again")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, peer.close()) }()
	for _, clients := range o.clients {
		if err := compare(ctx, o, clients, [3]*arm{through, raw, peer}); err != nil {
			return err
		}
	}
	return nil
}

func compare(ctx context.Context, o options, clients int, arms [3]*arm) error {
	var rates [3][]float64
	for _, a := range arms { // warm up: every key exists before the clock starts
		if _, err := measure(ctx, a, clients, 0.3); err != nil {
			return err
		}
	}
	for range o.rounds {
		for _, i := range []int{0, 1, 2, 2, 1, 0} {
			r, err := measure(ctx, arms[i], clients, o.seconds)
			if err != nil {
				return fmt.Errorf("%s: %w", arms[i].name, err)
			}
			rates[i] = append(rates[i], r)
		}
	}
	fmt.Printf("%d client(s), %d turns of %.1f s each\n", clients, 2*o.rounds, o.seconds)
	for i, a := range arms {
		fmt.Printf("  %-10s median %8.0f/s   (%.0f to %.0f)\n", a.name, median(rates[i]), slices.Min(rates[i]), slices.Max(rates[i]))
	}
	ratio, noise := median(rates[0])/median(rates[1]), median(rates[2])/median(rates[1])
	fmt.Printf("  store / raw %.2fx", ratio)
	if t, ok := targets[clients]; ok {
		fmt.Printf("   target %.2fx: %s", t, map[bool]string{true: "met", false: "MISSED"}[ratio >= t])
	}
	fmt.Printf("   raw / raw %.2fx (noise %.0f %%)\n", noise, 100*math.Abs(noise-1))
	return nil
}

// measure runs an arm for a while and answers transactions a second.
func measure(ctx context.Context, a *arm, clients int, seconds float64) (float64, error) {
	var wg sync.WaitGroup
	var done atomic.Int64
	errs := make(chan error, clients)
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	for c := range clients {
		wg.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				if err := a.do(ctx, c, n); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
		return float64(done.Load()) / time.Since(start).Seconds(), nil
	}
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
