package main

import (
	"bytes"
	"os"
	"testing"
)

// A page that lags behind would promise what is not there, or hide what is.
func TestCoveragePageIsFresh(t *testing.T) {
	var now bytes.Buffer
	if err := wiredParts().coverage(&now); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(page, now.Bytes()) {
		t.Error("docs/coverage.md is not what the code says: run make generate")
	}
}
