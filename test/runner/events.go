package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// event is one line of `go test -json`.
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// report is what a group's events tell.
type report struct {
	passed, failed int
	skipped        []string // "package test: reason"
	packages       []timing
}

type timing struct {
	name string
	took time.Duration
}

// readEvents prints what go test would print without -json, and counts. What is not an event is printed as it is.
func readEvents(in io.Reader, out io.Writer) report {
	var r report
	kept := map[[2]string]*strings.Builder{} // output of tests that have not ended
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadString('\n')
		if text != "" {
			var e event
			if json.Unmarshal([]byte(text), &e) != nil || e.Action == "" {
				fmt.Fprint(out, text)
			} else {
				r.take(e, kept, out)
			}
		}
		if err != nil {
			break
		}
	}
	// A test that never ended is the one to look at.
	for _, text := range kept {
		fmt.Fprint(out, text.String())
	}
	return r
}

func (r *report) take(e event, kept map[[2]string]*strings.Builder, out io.Writer) {
	key := [2]string{e.Package, e.Test}
	switch {
	case e.Action == "output" && e.Test == "":
		if !chatter(e.Output) {
			fmt.Fprint(out, e.Output)
		}
	case e.Action == "build-output":
		fmt.Fprint(out, e.Output)
	case e.Action == "output":
		if kept[key] == nil {
			kept[key] = &strings.Builder{}
		}
		kept[key].WriteString(e.Output)
	case e.Test == "":
		r.endPackage(e)
	case e.Action == "pass", e.Action == "fail", e.Action == "skip":
		r.endTest(e, kept[key], out)
		delete(kept, key)
	}
}

// chatter is what -json adds to the lines of a package: plain go test prints neither.
func chatter(line string) bool {
	return line == "PASS\n" || line == "testing: warning: no tests to run\n" || strings.HasPrefix(line, "coverage: ")
}

func (r *report) endPackage(e event) {
	if e.Action == "pass" || e.Action == "fail" {
		r.packages = append(r.packages, timing{e.Package, time.Duration(e.Elapsed * float64(time.Second))})
	}
}

func (r *report) endTest(e event, output *strings.Builder, out io.Writer) {
	text := ""
	if output != nil {
		text = output.String()
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		fmt.Fprint(out, text)
	case "skip":
		r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(text)))
	}
}

// reason is what a test said when it skipped itself.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if _, said, ok := strings.Cut(line, ".go:"); ok {
			if _, said, ok = strings.Cut(said, ": "); ok {
				return strings.TrimSpace(said)
			}
		}
	}
	return "no reason given"
}
