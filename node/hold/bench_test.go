package hold

import (
	"bytes"
	"os"
	"testing"
)

// BenchmarkOutput is one container writing 100-byte lines flat out, to the end
// of its log on disk.
func BenchmarkOutput(b *testing.B) {
	dir, err := os.MkdirTemp("", "hold")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	k, err := Start(b.Context(), Config{Exe: os.Args[0], RunDir: dir, DataDir: dir + "/data", MaxBytes: 64 << 20, Files: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Shutdown(b.Context())
	id := task + "-1"
	f, err := k.Open(b.Context(), id, "flat")
	if err != nil {
		b.Fatal(err)
	}
	w, err := os.OpenFile(f.Stdout, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	chunk := bytes.Repeat(append(bytes.Repeat([]byte("x"), 99), '\n'), 320) // what a shim copies at once
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := w.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if err := k.Close(b.Context(), id); err != nil {
		b.Fatal(err)
	}
}
