package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// slowest is how many packages of a group the summary names.
const slowest = 3

// summarize prints the table and returns an error when anything failed.
func summarize(out io.Writer, compiled time.Duration, results []result) error {
	var errs []error
	var skipped []string
	var total time.Duration
	fmt.Fprintf(out, "\n%-10s %8s %8s  %6s %6s %7s  %s\n", "group", "took", "limit", "passed", "failed", "skipped", "slowest packages")
	fmt.Fprintf(out, "%-10s %8s %8s\n", "compile", round(compiled), "-")
	for _, r := range results {
		fmt.Fprintf(out, "%-10s %8s %8s  %6d %6d %7d  %s\n", r.name, round(r.took), r.limit,
			r.report.passed, r.report.failed, len(r.report.skipped), r.slowest())
		total += r.took
		skipped = append(skipped, r.report.skipped...)
		if r.err != nil {
			errs = append(errs, fmt.Errorf("group %s failed: %w", r.name, r.err))
		}
		if r.over() {
			errs = append(errs, fmt.Errorf("group %s took %s, its limit is %s: make it faster or move its tail to make nightly", r.name, round(r.took), r.limit))
		}
	}
	fmt.Fprintf(out, "%-10s %8s\n", "total", round(total+compiled))
	for _, s := range skipped {
		fmt.Fprintf(out, "skipped: %s\n", s)
	}
	return errors.Join(errs...)
}

func (r result) slowest() string {
	packages := slices.Clone(r.report.packages)
	slices.SortFunc(packages, func(a, b timing) int { return cmp.Or(cmp.Compare(b.took, a.took), cmp.Compare(a.name, b.name)) })
	var words []string
	for _, p := range packages[:min(len(packages), slowest)] {
		words = append(words, fmt.Sprintf("%s %s", short(p.name), round(p.took)))
	}
	return strings.Join(words, ", ")
}

// short drops the host, owner and module from an import path.
func short(path string) string {
	parts := strings.SplitN(path, "/", 4)
	return parts[len(parts)-1]
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
