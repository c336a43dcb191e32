package runtime

import (
	"strings"
	"testing"
)

// The image that is in the program: no registry is asked, and its process is there until it is killed, in as little memory as a task of it has.
func TestPause(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	task := n.task(Task{MemoryMiB: 16})
	var img Image
	for range 2 {
		var err error
		if img, err = n.Pull(t.Context(), PauseImage, Pull{TaskID: task}); err != nil {
			t.Fatal(err)
		}
	}
	if img.Ref != PauseImage || img.StopSignal != "SIGKILL" || !strings.HasPrefix(img.Digest, "sha256:") {
		t.Errorf("%+v", img)
	}
	c := Container{ID: task + "-0", TaskID: task, Name: "node", Image: img, CapDrop: []string{"ALL"}, ReadonlyRootfs: true}
	n.start(c)
	if err := n.Kill(t.Context(), c.ID, img.StopSignal); err != nil {
		t.Error(err)
	}
	if s := n.exited(c.ID); s.ExitCode != 137 {
		t.Errorf("exit code %d", s.ExitCode)
	}
}

// What is pulled is what is embedded, and the same every time.
func TestPauseImageIsTheProgram(t *testing.T) {
	blobs, a, err := pause([]byte("program"))
	if err != nil || len(blobs) != 3 || !strings.Contains(string(blobs[0].data), "program") {
		t.Fatal(err)
	}
	_, b, _ := pause([]byte("program"))
	if a.Digest != b.Digest {
		t.Error("two of them differ")
	}
	if _, _, err := pause(nil); err == nil {
		t.Error("an image of no program")
	}
	if _, err := normalize(PauseImage); err == nil {
		t.Error("a registry could have it")
	}
}
